/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/scheduler-private.h"

G_BEGIN_DECLS

/**
 * RerouteProber:
 *
 * Asks next hops whether they know a recipient, and remembers what they said.  Lives on the
 * scheduler's thread.
 */

RerouteProber *reroute_prober_new (RerouteScheduler *scheduler);
/* Answers who waits; from then on nobody is asked. */
void reroute_prober_close (RerouteProber *self);
/* After the thread has stopped. */
void reroute_prober_free (RerouteProber *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteProber, reroute_prober_free)

/**
 * reroute_prober_ask:
 * @decision: where the recipient goes, and as what
 *
 * @func runs once, perhaps before this returns, and within REROUTE_LIMIT_PROBE_S.
 */
void reroute_prober_ask (RerouteProber *self,
                         const RerouteDecision *decision,
                         RerouteSchedulerProbeFunc func,
                         gpointer user_data);

/* Whether a reply to RCPT says that there is no such recipient, and not that the host takes no mail
   from us, or none now. */
gboolean reroute_prober_is_unknown (const RerouteReply *reply);

G_END_DECLS
