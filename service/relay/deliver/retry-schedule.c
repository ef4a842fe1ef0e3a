/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * retry-schedule.c - when a deferred recipient is due again
 *
 * Pure arithmetic: no clock, no timer, no I/O.  scheduler.c asks, and sets the timer.
 *
 * Standards: RFC 5321 section 4.5.4.1 (sending strategy).
 */

#include "config.h"

#include "service/relay/deliver/retry-schedule.h"

gint64
reroute_retry_schedule_next (const RerouteRetrySchedule *self,
                             guint n_tries,
                             gint64 received_us,
                             gint64 now_us)
{
  gint64 expiry_us = received_us + self->expire_s * G_USEC_PER_SEC;
  gsize index = MIN (n_tries > 0 ? n_tries - 1 : 0, self->n_intervals - 1);
  gint64 next_us = now_us + self->intervals_s[index] * G_USEC_PER_SEC;

  g_return_val_if_fail (self->n_intervals > 0, -1);

  if (now_us >= expiry_us)
    return -1;
  return MIN (next_us, expiry_us);
}

gint64
reroute_retry_schedule_get_longest_s (const gint64 *intervals_s, gsize n_intervals)
{
  gint64 longest_s = 0;

  for (gsize i = 0; i < n_intervals; i++)
    longest_s = MAX (longest_s, intervals_s[i]);
  return longest_s;
}
