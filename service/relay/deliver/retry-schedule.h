/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const gint64 *intervals_s; /* (array length=n_intervals) waits, in seconds */
  gsize n_intervals;         /* at least 1; the last wait repeats */
  gint64 expire_s;           /* age at which a DSN replaces the next try */
} RerouteRetrySchedule;

/* Returns: when the recipient is due again, wall clock, or -1 when it has expired.  The last try is
 * at the expiry, not after it. */
gint64 reroute_retry_schedule_next (const RerouteRetrySchedule *self,
                                    guint n_tries,
                                    gint64 received_us,
                                    gint64 now_us);

/* Returns: the longest wait, in seconds; they need not be in order */
gint64 reroute_retry_schedule_get_longest_s (const gint64 *intervals_s, gsize n_intervals);

G_END_DECLS
