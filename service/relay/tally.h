/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What every worker counts for itself, for whoever watches the relay. */
typedef enum
{
  REROUTE_TALLY_SESSIONS, /* that began, on the receiving side */
  REROUTE_TALLY_MESSAGES, /* that were taken: their 250 is owed or said */
  REROUTE_TALLY_RECIPIENTS,
  REROUTE_TALLY_OCTETS, /* of their content */
  REROUTE_TALLY_REJECTIONS_4XX,
  REROUTE_TALLY_REJECTIONS_5XX,
  REROUTE_TALLY_TLS_IN_1_2,
  REROUTE_TALLY_TLS_IN_1_3,
  REROUTE_TALLY_TLS_IN_FAILED,
  REROUTE_TALLY_TLS_OUT_1_2,
  REROUTE_TALLY_TLS_OUT_1_3,
  REROUTE_TALLY_TLS_OUT_FAILED,
  REROUTE_TALLY_OUT_BY_DANE, /* sessions with next hops, by what TLS has proved */
  REROUTE_TALLY_OUT_BY_MTA_STS,
  REROUTE_TALLY_OUT_VERIFIED,
  REROUTE_TALLY_OUT_OPPORTUNISTIC,
  REROUTE_TALLY_OUT_IN_CLEAR,
  REROUTE_TALLY_TRIED_2XX, /* recipients, each time that they were tried */
  REROUTE_TALLY_TRIED_4XX,
  REROUTE_TALLY_TRIED_5XX,
  REROUTE_TALLY_TRIED_NO_CONNECTION,
  REROUTE_TALLY_NOTICES_FAILED,
  REROUTE_TALLY_NOTICES_DELAYED,
  REROUTE_TALLY_NOTICES_RELAYED,
  REROUTE_N_TALLIES,
} RerouteTally;

/* One thread adds, any thread reads; neither waits for the other.  A count wraps around at the
   width of a register. */
typedef struct
{
  gsize counts[REROUTE_N_TALLIES];
} RerouteTallies;

static inline void
reroute_tallies_add (RerouteTallies *self, RerouteTally tally, gsize n)
{
  gsize *count = &self->counts[tally];

  __atomic_store_n (count, *count + n, __ATOMIC_RELAXED);
}

static inline gsize
reroute_tallies_get (const RerouteTallies *self, RerouteTally tally)
{
  return __atomic_load_n (&self->counts[tally], __ATOMIC_RELAXED);
}

G_END_DECLS
