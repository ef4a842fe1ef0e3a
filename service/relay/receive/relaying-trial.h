/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_RELAYING_REFUSED,  /* every attempt, for good */
  REROUTE_RELAYING_DEFERRED, /* one was put off: nobody can tell */
  REROUTE_RELAYING_OPEN,     /* one was taken */
} RerouteRelayingVerdict;

typedef struct
{
  RerouteRelayingVerdict verdict;
  guint n_refused;
  char *command; /* that was not refused: "RCPT TO:<v@else.invalid>"; NULL: there was none */
  char *client;  /* the address that it came from */
  char *reply;
} RerouteRelayingTrial;

/**
 * reroute_relaying_trial_run:
 * @ruleset: (nullable): the rules to judge by; %NULL: none is held yet
 * @hostname: as the relay greets
 *
 * Says to a receiving machine what an abuser would say, from addresses that nobody has (RFC 5737,
 * RFC 3849): sender and recipient, in the forms that relays were open by.  The machine and the
 * admission are those that judge clients; no socket is opened, and no content is ever said.
 *
 * Returns: (transfer full)
 */
RerouteRelayingTrial *reroute_relaying_trial_run (RerouteRuleset *ruleset, const char *hostname);
void reroute_relaying_trial_free (RerouteRelayingTrial *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRelayingTrial, reroute_relaying_trial_free)

G_END_DECLS
