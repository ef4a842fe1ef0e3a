/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queued-time.c - when the recipients of a queued message are tried, given up and told of
 *
 * A message counts its age by a clock that nobody sets, from when this process saw it first; only
 * how old it was then is by the wall clock.
 *
 * Standards: RFC 5321 section 4.5.4.1.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/deliver/retry-schedule.h"

#define BEHIND_US G_USEC_PER_SEC /* so much later is due what was tried than what was put off */

static guint32
get_age_s (const RerouteMessage *message)
{
  gint64 age_us = g_get_real_time () - message->received_us;

  return (guint32) CLAMP ((age_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, 0, G_MAXUINT32);
}

void
reroute_queued_begin_time (RerouteQueued *self)
{
  self->seen_us = reroute_worker_now_us (self->scheduler->thread);
  self->age_s = get_age_s (self->message);
}

gboolean
reroute_queued_is_due (const RerouteWaiting *recipient, gint64 now_us)
{
  return recipient->state == REROUTE_RECIPIENT_WAITING && recipient->phase == REROUTE_PHASE_IDLE &&
         recipient->due_us <= now_us;
}

gint64
reroute_scheduler_get_latest_due_us (RerouteScheduler *scheduler, gint64 now_us)
{
  gsize n;
  const gint64 *waits_s = reroute_settings_get_numbers (
    reroute_scheduler_get_settings (scheduler), REROUTE_SETTING_RETRY_INTERVALS, &n);
  gint64 longest_us = reroute_retry_schedule_get_longest_s (waits_s, n) * G_USEC_PER_SEC;

  return now_us + MAX (longest_us, REROUTE_QUEUED_LOOK_US) + BEHIND_US;
}

static RerouteRetrySchedule
get_schedule (RerouteQueued *self)
{
  RerouteSettings *settings = reroute_scheduler_get_settings (self->scheduler);
  gboolean is_notice = reroute_queued_get_envelope (self)->reverse_path[0] == '\0';
  RerouteRetrySchedule schedule;

  schedule.intervals_s =
    reroute_settings_get_numbers (settings, REROUTE_SETTING_RETRY_INTERVALS, &schedule.n_intervals);
  schedule.expire_s = reroute_settings_get_number (
    settings, is_notice ? REROUTE_SETTING_BOUNCE_TIMEOUT : REROUTE_SETTING_MESSAGE_TIMEOUT);
  return schedule;
}

gint64
reroute_queued_get_received_us (const RerouteQueued *self)
{
  gint64 seen_us = g_get_real_time () - (g_get_monotonic_time () - self->seen_us);

  return MAX (seen_us - (gint64) self->age_s * G_USEC_PER_SEC,
              MIN (self->message->received_us, seen_us));
}

gint64
reroute_queued_get_expiry_us (RerouteQueued *self)
{
  RerouteRetrySchedule schedule = get_schedule (self);

  return reroute_queued_get_received_us (self) + schedule.expire_s * G_USEC_PER_SEC;
}

gint64
reroute_queued_get_telling_us (RerouteQueued *self)
{
  return reroute_scheduler_get_wall_us (self->scheduler, self->tells_s * (gint64) G_USEC_PER_SEC);
}

static void
expire (RerouteOutcome *outcome)
{
  g_autofree char *last = reroute_reply_to_string (outcome->reply);

  outcome->kind = REROUTE_OUTCOME_FAILED;
  reroute_reply_free (outcome->reply);
  outcome->reply = reroute_reply_new_expired (last);
}

void
reroute_queued_set_due (RerouteQueued *self, RerouteOutcome *outcome)
{
  RerouteWaiting *recipient = &self->recipients[outcome->recipient];
  RerouteRetrySchedule schedule = get_schedule (self);
  gint64 now_us = g_get_real_time ();
  gboolean was_tried = outcome->kind == REROUTE_OUTCOME_DEFERRED;
  guint tries = recipient->tries + was_tried;
  gint64 due_us = reroute_retry_schedule_next (
    &schedule, MAX (tries, 1), reroute_queued_get_received_us (self), now_us);
  gint64 latest_us = MIN (reroute_queued_get_expiry_us (self),
                          reroute_scheduler_get_latest_due_us (self->scheduler, now_us));

  if (due_us == -1)
    expire (outcome);
  else if (outcome->due_us == 0)
    outcome->due_us = due_us;
  else if (was_tried)
    outcome->due_us = MIN (MAX (outcome->due_us + BEHIND_US, due_us), latest_us);
  else
    outcome->due_us = MIN (outcome->due_us, latest_us);
}

gint64
reroute_queued_get_delay_notice_us (RerouteQueued *self, guint recipient)
{
  gint64 after_s = reroute_settings_get_number (reroute_scheduler_get_settings (self->scheduler),
                                                REROUTE_SETTING_DELAY_NOTICE);
  gboolean owed = after_s > 0 && !self->is_telling &&
                  (self->recipients[recipient].flags & REROUTE_VERDICT_DELAY_NOTICE_SENT) == 0 &&
                  reroute_envelope_wants_notice (
                    reroute_queued_get_envelope (self), recipient, REROUTE_NOTIFY_DELAY);

  return owed ? reroute_queued_get_received_us (self) + after_s * G_USEC_PER_SEC : G_MAXINT64;
}
