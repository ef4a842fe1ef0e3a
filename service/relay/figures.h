/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/* How the relay does at one moment, for whoever watches it. */
typedef struct
{
  gboolean rules_held;
  guint64 serial;  /* of the rules in force */
  gint64 rules_us; /* wall clock: since when they are; 0: never */
  gboolean is_listening;
  gboolean is_stopping;
  guint sessions;
  guint64 refused[REROUTE_N_REFUSED];
  guint64 tallies[REROUTE_N_TALLIES]; /* of all workers */
  RerouteSchedulerFigures queue;      /* without dns */
  gint64 oldest_age_us;               /* of the oldest message that waits; 0: none does */
  RerouteSpoolFigures spool;
  guint64 free_octets; /* on the spool's disk, for who is not root; 0: nobody can tell, too */
} RerouteFigures;

/* The main thread. */
void reroute_figures_gather (const RerouteRelayParts *parts, RerouteFigures *figures);

/* Why the relay should get no mail now, for a person, static; NULL: it should. */
const char *reroute_figures_judge_ready (const RerouteFigures *self);

G_END_DECLS
