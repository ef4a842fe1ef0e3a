/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/**
 * RerouteDecisionMemo:
 *
 * The last decision of one generation, which the next recipient has too where it is another mailbox
 * of the same domain: a message to many of them is decided once.  Zeros are an empty one.  Of one
 * thread.
 */
typedef struct
{
  RerouteDecision *decision; /* NULL: none */
  char *domain;              /* of who was decided, as received */
  gsize local_part_octets;
  RerouteClient client;
  gboolean has_client;
  gboolean is_shared; /* by all of the domain but who stands out */
} RerouteDecisionMemo;

/* To be called when the generation is another one. */
void reroute_decision_memo_clear (RerouteDecisionMemo *self);

/**
 * reroute_decision_memo_decide:
 * @ruleset: the same until reroute_decision_memo_clear()
 *
 * As reroute_ruleset_decide() without steps; rcpt_out may be that of another mailbox.
 *
 * Returns: (transfer none): until the next call for @self
 */
const RerouteDecision *reroute_decision_memo_decide (RerouteDecisionMemo *self,
                                                     const RerouteRuleset *ruleset,
                                                     const RerouteAddress *recipient,
                                                     const RerouteClient *client);

/* (transfer full): the recipient that leaves for @recipient, which was decided last and is not
   rejected. */
char *reroute_decision_memo_dup_rcpt_out (const RerouteDecisionMemo *self,
                                          const RerouteAddress *recipient);

/* (transfer full): the decision that was made last, which is forgotten. */
RerouteDecision *reroute_decision_memo_take (RerouteDecisionMemo *self);

G_END_DECLS
