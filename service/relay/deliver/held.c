/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * held.c - recipients that an administrator or a mail filter holds
 *
 * They are not tried, but their time runs out as that of all mail does: the timer of their message
 * looks at them, at least once an hour, so that another message-timeout acts on them too.
 *
 * Standards: RFC 5321 section 4.5.4.1 (the give-up time), RFC 3463 (4.4.7).
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

gboolean
reroute_waiting_is_held (const RerouteWaiting *self)
{
  return self->state == REROUTE_RECIPIENT_HELD && self->phase == REROUTE_PHASE_IDLE;
}

/* When they are given up, which the sender has to be told of. */
static gint64
get_expiry_us (RerouteQueued *self)
{
  return MAX (reroute_queued_get_expiry_us (self), reroute_queued_get_telling_us (self));
}

gint64
reroute_queued_get_held_look_us (RerouteQueued *self, gint64 now_us)
{
  return MIN (get_expiry_us (self), now_us + REROUTE_QUEUED_LOOK_US);
}

void
reroute_queued_add_expired (RerouteQueued *self, gint64 now_us, GArray *outcomes)
{
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      const RerouteWaiting *recipient = &self->recipients[i];
      RerouteOutcome outcome = { .kind = REROUTE_OUTCOME_FAILED, .recipient = i };

      if (!reroute_waiting_is_held (recipient) || now_us < get_expiry_us (self))
        continue;
      outcome.reply = reroute_reply_new_expired (recipient->reply);
      g_array_append_val (outcomes, outcome);
    }
}
