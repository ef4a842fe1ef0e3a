/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * line.c - what becomes of mail while it waits in line for a connection
 *
 * Its time runs out there as that of all mail does, and the sender is told of the delay.  Who is
 * told of keeps the place in line.
 *
 * Standards: RFC 5321 section 4.5.4.1; RFC 3463 (4.4.5: system congestion).
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#define REPLY_TEXT "it waits in line for the next host"

static gboolean
is_in_line (const RerouteWaiting *recipient)
{
  return recipient->state == REROUTE_RECIPIENT_WAITING &&
         (recipient->phase == REROUTE_PHASE_PLACED || recipient->phase == REROUTE_PHASE_PARKED);
}

/* What came into line when its time was nearly over has a retry interval for its last try. */
static gint64
get_expiry_us (RerouteQueued *self)
{
  gsize n;
  const gint64 *waits_s = reroute_settings_get_numbers (
    reroute_scheduler_get_settings (self->scheduler), REROUTE_SETTING_RETRY_INTERVALS, &n);

  return MAX (reroute_queued_get_expiry_us (self),
              reroute_scheduler_get_wall_us (self->scheduler, self->placed_us) +
                waits_s[0] * G_USEC_PER_SEC);
}

static gint64
get_notice_us (RerouteQueued *self, guint recipient)
{
  gint64 notice_us = reroute_queued_get_delay_notice_us (self, recipient);

  return self->recipients[recipient].waits_for_etrn
           ? G_MAXINT64
           : MAX (notice_us, reroute_queued_get_telling_us (self));
}

gint64
reroute_queued_get_line_look_us (RerouteQueued *self)
{
  gint64 look_us = G_MAXINT64;

  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      if (!is_in_line (&self->recipients[i]))
        continue;
      if (look_us == G_MAXINT64)
        look_us = get_expiry_us (self);
      look_us = MIN (look_us, get_notice_us (self, i));
    }
  return look_us;
}

static void
give_up (RerouteQueued *self, guint n)
{
  g_autofree RerouteOutcome *outcomes = g_new0 (RerouteOutcome, n);

  n = 0;
  for (guint i = 0; i < self->message->n_recipients; i++)
    if (is_in_line (&self->recipients[i]))
      outcomes[n++] = (RerouteOutcome){
        .kind = REROUTE_OUTCOME_FAILED,
        .recipient = i,
        .reply = reroute_reply_new_expired (
          self->recipients[i].reply != NULL ? self->recipients[i].reply : REPLY_TEXT),
      };
  self->n_left++;
  reroute_queued_settle (self, outcomes, n);
}

static void
tell_of_delay (RerouteQueued *self, gint64 now_us)
{
  g_autoptr (GArray) delayed = g_array_new (FALSE, FALSE, sizeof (RerouteOutcome));

  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      RerouteOutcome outcome = { .kind = REROUTE_OUTCOME_PUT_OFF, .recipient = i };

      if (!is_in_line (&self->recipients[i]) || now_us < get_notice_us (self, i))
        continue;
      outcome.reply = reroute_reply_new (451, "4.4.5", REPLY_TEXT);
      g_array_append_val (delayed, outcome);
    }
  if (delayed->len == 0)
    return;
  self->is_telling = TRUE;
  reroute_notice_send (
    self, REROUTE_DSN_DELAYED, (RerouteOutcome *) (gpointer) delayed->data, delayed->len);
}

void
reroute_queued_look_at_line (RerouteQueued *self, gint64 now_us)
{
  guint n = 0;

  for (guint i = 0; i < self->message->n_recipients; i++)
    n += is_in_line (&self->recipients[i]);
  if (n > 0 && now_us >= get_expiry_us (self))
    give_up (self, n);
  else if (n > 0)
    tell_of_delay (self, now_us);
}

void
reroute_queued_record_told (RerouteQueued *self, const RerouteOutcome *outcomes, guint n)
{
  g_autofree RerouteVerdict *verdicts = g_new0 (RerouteVerdict, n);
  guint n_verdicts = 0;

  self->is_telling = FALSE;
  for (guint i = 0; i < n; i++)
    {
      RerouteWaiting *recipient = &self->recipients[outcomes[i].recipient];

      if (recipient->state >= REROUTE_RECIPIENT_SENT)
        continue;
      recipient->flags |= REROUTE_VERDICT_DELAY_NOTICE_SENT;
      verdicts[n_verdicts++] = (RerouteVerdict){
        .recipient = outcomes[i].recipient,
        .state = recipient->state,
        .due_us = recipient->due_us,
        .tries = recipient->tries,
        .flags = recipient->flags,
        .reply = recipient->reply,
      };
    }
  if (n_verdicts > 0)
    reroute_spool_record (self->scheduler->spool, self->message, verdicts, n_verdicts, NULL, NULL);
}
