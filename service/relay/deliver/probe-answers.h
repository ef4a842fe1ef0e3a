/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteProbeAnswers:
 *
 * What next hops said of recipients, and for how long that counts.  A bounded number: when it is
 * full those that are over go, and all of them when none is.
 */
typedef struct _RerouteProbeAnswers RerouteProbeAnswers;

RerouteProbeAnswers *reroute_probe_answers_new (void);
void reroute_probe_answers_free (RerouteProbeAnswers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteProbeAnswers, reroute_probe_answers_free)

/**
 * reroute_probe_answers_put:
 * @next_hop: who was asked, in any form that is one's own
 * @unknown: whether there is no such recipient there
 * @now_us: on any clock that does not go back
 *
 * Counts for REROUTE_LIMIT_PROBE_UNKNOWN_S or REROUTE_LIMIT_PROBE_KNOWN_S from @now_us on, in place
 * of an earlier answer.
 */
void reroute_probe_answers_put (RerouteProbeAnswers *self,
                                const char *next_hop,
                                const char *recipient,
                                gboolean unknown,
                                gint64 now_us);

/**
 * reroute_probe_answers_get:
 * @unknown: (out): what was said
 * @now_us: on the same clock
 *
 * Returns: whether there is an answer that counts still; else @unknown is %FALSE
 */
gboolean reroute_probe_answers_get (const RerouteProbeAnswers *self,
                                    const char *next_hop,
                                    const char *recipient,
                                    gint64 now_us,
                                    gboolean *unknown);

/* How many are kept, those that are over included. */
guint reroute_probe_answers_get_n (const RerouteProbeAnswers *self);

G_END_DECLS
