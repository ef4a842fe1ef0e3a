/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queued.c - a message in the queue and where its recipients stand
 *
 * Every outcome goes through reroute_queued_settle(): the one place where a wait is set, a message
 * expires, a notice is owed and a verdict goes to the spool.
 *
 * Standards: RFC 5321 sections 4.5.4.1, 6.1; RFC 3461 section 5.2.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include "common/limits.h"

#define HELD_REPLY "held by a mail filter"

static void try_again (RerouteTimer *timer);

/* The scheduler's thread alone interns replies: GLib's table is not safe when one thread drops
   the last reference of a text that another is about to find. */
static void
set_reply (RerouteWaiting *recipient, const char *reply)
{
  if (g_strcmp0 (recipient->reply, reply) == 0)
    return;
  g_clear_pointer (&recipient->reply, g_ref_string_release);
  if (reply != NULL)
    recipient->reply = g_ref_string_new_intern (reply);
}

static void
set_state (RerouteQueued *self, RerouteWaiting *recipient, RerouteRecipientState state)
{
  RerouteScheduler *scheduler = self->scheduler;
  gboolean was_held = recipient->state == REROUTE_RECIPIENT_HELD;
  gboolean is_held = state == REROUTE_RECIPIENT_HELD;

  recipient->state = (guint8) state;
  if (was_held == is_held)
    return;
  g_mutex_lock (&scheduler->lock);
  scheduler->figures.held += is_held ? 1 : -1;
  g_mutex_unlock (&scheduler->lock);
}

RerouteQueued *
reroute_queued_new (RerouteScheduler *scheduler, RerouteMessage *message, guint worker)
{
  guint n = message->n_recipients;
  RerouteQueued *self = g_malloc0 (sizeof *self + n * sizeof self->recipients[0]);
  g_autoptr (GBytes) content = reroute_spool_get_content (scheduler->spool, message);

  self->ref_count = 1;
  self->scheduler = scheduler;
  self->message = reroute_message_ref (message);
  reroute_queued_begin_time (self);
  self->worker = worker;
  self->n_alive = n;
  self->timer.func = try_again;
  for (guint i = 0; message->held && i < n; i++)
    {
      set_state (self, &self->recipients[i], REROUTE_RECIPIENT_HELD);
      set_reply (&self->recipients[i], HELD_REPLY);
    }
  if (content != NULL)
    {
      self->has_content = TRUE;
      scheduler->in_memory_octets += message->content_octets;
    }

  g_hash_table_insert (scheduler->queue, &self->message->id, self);
  self->link.data = self;
  g_queue_push_tail_link (&scheduler->order, &self->link);
  g_mutex_lock (&scheduler->lock);
  scheduler->figures.messages++;
  scheduler->figures.changes++;
  scheduler->oldest = g_queue_peek_head (&scheduler->order);
  scheduler->figures.recipients += n;
  g_mutex_unlock (&scheduler->lock);
  return self;
}

RerouteQueued *
reroute_queued_ref (RerouteQueued *self)
{
  self->ref_count++;
  return self;
}

void
reroute_queued_unref (RerouteQueued *self)
{
  if (--self->ref_count > 0)
    return;
  for (guint i = 0; i < self->message->n_recipients; i++)
    g_clear_pointer (&self->recipients[i].reply, g_ref_string_release);
  reroute_message_unref (self->message);
  g_free (self);
}

/* Nothing was recorded of the recipient. */
static gboolean
is_untouched (const RerouteVerdict *verdict)
{
  return verdict->state == REROUTE_RECIPIENT_WAITING && verdict->due_us == 0 &&
         verdict->tries == 0 && verdict->reply == NULL;
}

static gboolean
is_retried (const RerouteWaiting *recipient)
{
  return recipient->state == REROUTE_RECIPIENT_WAITING && recipient->tries > 0;
}

static void
count_retried (RerouteScheduler *scheduler, gboolean was, gboolean is)
{
  if (was == is)
    return;
  g_mutex_lock (&scheduler->lock);
  scheduler->figures.retried += is ? 1 : -1;
  g_mutex_unlock (&scheduler->lock);
}

static void
take_verdict (RerouteQueued *self, const RerouteVerdict *verdict)
{
  RerouteWaiting *recipient = &self->recipients[verdict->recipient];
  gboolean was_retried = is_retried (recipient);

  if (self->message->held && is_untouched (verdict))
    return;
  set_state (self, recipient, verdict->state);
  recipient->due_us = verdict->due_us;
  recipient->tries = verdict->tries;
  count_retried (self->scheduler, was_retried, is_retried (recipient));
  reroute_queue_index_note (self, verdict->recipient);
  recipient->flags = (guint8) verdict->flags;
  if (verdict->state >= REROUTE_RECIPIENT_SENT)
    {
      self->n_alive--;
      reroute_queue_index_drop_recipient (self, verdict->recipient);
    }
  if (self->n_alive > 0)
    set_reply (recipient, verdict->reply);
}

static void
count_alive (RerouteQueued *self, guint before)
{
  g_mutex_lock (&self->scheduler->lock);
  self->scheduler->figures.recipients -= before - self->n_alive;
  self->scheduler->figures.changes++;
  g_mutex_unlock (&self->scheduler->lock);
}

void
reroute_queued_restore (RerouteQueued *self, const RerouteSpoolEntry *entry)
{
  guint before = self->n_alive;

  for (guint i = 0; i < entry->n_verdicts; i++)
    take_verdict (self, &entry->verdicts[i]);
  count_alive (self, before);
}

void
reroute_scheduler_note_change (RerouteScheduler *self)
{
  g_mutex_lock (&self->lock);
  self->figures.changes++;
  g_mutex_unlock (&self->lock);
}

/* --- what is in memory --- */

const RerouteEnvelope *
reroute_queued_get_envelope (RerouteQueued *self)
{
  return reroute_message_unpack (self->message);
}

void
reroute_queued_rest (RerouteQueued *self)
{
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      guint8 phase = self->recipients[i].phase;

      if (phase != REROUTE_PHASE_IDLE && phase != REROUTE_PHASE_PARKED)
        return;
    }
  reroute_message_pack (self->message);
}

static void
forget_content_size (RerouteQueued *self)
{
  if (self->has_content)
    self->scheduler->in_memory_octets -= self->message->content_octets;
  self->has_content = FALSE;
}

void
reroute_queued_release_content (RerouteQueued *self)
{
  /* Of a large one the spool may have parts. */
  if (!self->has_content && self->message->content_octets <= REROUTE_LIMIT_PART_LEAST_OCTETS)
    return;
  forget_content_size (self);
  reroute_spool_release_content (self->scheduler->spool, self->message);
}

void
reroute_queued_leave (RerouteQueued *self)
{
  RerouteScheduler *scheduler = self->scheduler;

  reroute_worker_disarm_timer (scheduler->thread, &self->timer);
  forget_content_size (self);
  g_hash_table_remove (scheduler->queue, &self->message->id);
  reroute_queue_index_drop (self);
  g_queue_unlink (&scheduler->order, &self->link);
  g_mutex_lock (&scheduler->lock);
  scheduler->figures.messages--;
  scheduler->figures.changes++;
  scheduler->oldest = g_queue_peek_head (&scheduler->order);
  g_mutex_unlock (&scheduler->lock);
  reroute_queued_unref (self);
}

/* --- its timer --- */

void
reroute_queued_arm (RerouteQueued *self)
{
  RerouteWorker *thread = self->scheduler->thread;
  gint64 now_us = g_get_real_time ();
  gint64 latest_us = reroute_scheduler_get_latest_due_us (self->scheduler, now_us);
  gint64 due_us = G_MAXINT64;
  gint64 look_us = G_MAXINT64;

  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      RerouteWaiting *recipient = &self->recipients[i];

      if (reroute_queued_is_due (recipient, G_MAXINT64))
        {
          recipient->due_us = recipient->due_us > latest_us ? 0 : recipient->due_us;
          due_us = MIN (due_us, recipient->due_us);
        }
      else if (reroute_waiting_is_held (recipient))
        look_us = reroute_queued_get_held_look_us (self, now_us);
    }
  due_us = MIN (MIN (due_us, look_us), reroute_queued_get_line_look_us (self));
  if (due_us == G_MAXINT64)
    reroute_worker_disarm_timer (thread, &self->timer);
  else
    reroute_worker_arm_timer (
      thread, &self->timer, reroute_worker_now_us (thread) + MAX (due_us - now_us, 0) + 1);
  if (due_us > now_us)
    reroute_queued_rest (self);
}

void
reroute_queued_leave_tries (RerouteQueued *self)
{
  self->n_left++;
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      RerouteWaiting *recipient = &self->recipients[i];

      if (recipient->phase != REROUTE_PHASE_PLACED)
        continue;
      recipient->phase = REROUTE_PHASE_IDLE;
      recipient->due_us = 0;
    }
}

void
reroute_queued_unpark (RerouteQueued *self)
{
  if (self->n_alive == 0)
    return;
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      RerouteWaiting *recipient = &self->recipients[i];

      if (recipient->phase != REROUTE_PHASE_PARKED)
        continue;
      recipient->phase = REROUTE_PHASE_IDLE;
      if (recipient->state == REROUTE_RECIPIENT_WAITING)
        recipient->due_us = 0;
    }
  reroute_queued_arm (self);
}

static void
try_again (RerouteTimer *timer)
{
  reroute_queued_try ((RerouteQueued *) ((char *) timer - G_STRUCT_OFFSET (RerouteQueued, timer)));
}

/* --- settlement --- */

void
reroute_queued_record (RerouteQueued *self, const RerouteVerdict *verdicts, guint n)
{
  RerouteScheduler *scheduler = self->scheduler;
  guint before = self->n_alive;

  for (guint i = 0; i < n; i++)
    {
      take_verdict (self, &verdicts[i]);
      self->recipients[verdicts[i].recipient].phase = REROUTE_PHASE_IDLE;
    }
  if (n > 0)
    reroute_spool_record (scheduler->spool, self->message, verdicts, n, NULL, NULL);
  count_alive (self, before);
  if (self->n_alive == 0 && before > 0)
    reroute_queued_leave (self);
}

/* Memory only: the spool learns of a wait that no try caused at the next try. */
static void
put_off (RerouteQueued *self, const RerouteOutcome *outcome)
{
  RerouteWaiting *recipient = &self->recipients[outcome->recipient];
  g_autofree char *reply = reroute_waiting_dup_reply (recipient, outcome);

  if (g_strcmp0 (recipient->reply, reply) != 0)
    reroute_telling_tell (self->scheduler->telling, outcome);
  set_reply (recipient, reply);
  recipient->due_us = outcome->due_us;
  recipient->phase = REROUTE_PHASE_IDLE;
  reroute_queue_index_note (self, outcome->recipient);
}

RerouteVerdict
reroute_queued_make_verdict (RerouteQueued *self, const RerouteOutcome *outcome, const char *said)
{
  const RerouteWaiting *recipient = &self->recipients[outcome->recipient];
  RerouteVerdict verdict = {
    .recipient = outcome->recipient,
    .state = outcome->kind == REROUTE_OUTCOME_SENT     ? REROUTE_RECIPIENT_SENT
             : outcome->kind == REROUTE_OUTCOME_FAILED ? REROUTE_RECIPIENT_FAILED
                                                       : REROUTE_RECIPIENT_WAITING,
    .due_us = outcome->due_us,
    .tries = recipient->tries + (outcome->kind != REROUTE_OUTCOME_PUT_OFF),
    .flags = recipient->flags,
    .reply = said,
  };

  if (verdict.state != REROUTE_RECIPIENT_WAITING)
    verdict.due_us = 0;
  return verdict;
}

/* Looks at one outcome; TRUE: its verdict is recorded now, FALSE: it was put off, or is owed a
   notice and went to one of the lists with its reply. */
static gboolean
sort_outcome (RerouteQueued *self, RerouteOutcome *outcome, GArray *failed, GArray *delayed)
{
  RerouteWaiting *recipient = &self->recipients[outcome->recipient];
  gboolean wants_failure = reroute_envelope_wants_notice (
    reroute_queued_get_envelope (self), outcome->recipient, REROUTE_NOTIFY_FAILURE);
  gboolean was_put_off = outcome->kind == REROUTE_OUTCOME_PUT_OFF;
  GArray *list = NULL;

  recipient->waits_for_rules = outcome->waits_for_rules;
  recipient->waits_for_etrn = outcome->waits_for_etrn;
  recipient->waits_for_leaving = outcome->waits_for_leaving;
  if (outcome->kind == REROUTE_OUTCOME_DEFERRED || was_put_off)
    reroute_queued_set_due (self, outcome);
  /* One try for each time that it was asked for: at once it is decided that it waits again. */
  if (recipient->is_asked_for && outcome->kind != REROUTE_OUTCOME_FAILED)
    outcome->due_us = 0;
  recipient->is_asked_for = FALSE;
  if (outcome->kind != REROUTE_OUTCOME_PUT_OFF)
    reroute_telling_tell (self->scheduler->telling, outcome);

  if (outcome->kind == REROUTE_OUTCOME_FAILED && wants_failure)
    list = failed;
  else if (outcome->kind != REROUTE_OUTCOME_SENT && outcome->kind != REROUTE_OUTCOME_FAILED &&
           !outcome->waits_for_etrn &&
           g_get_real_time () >= reroute_queued_get_delay_notice_us (self, outcome->recipient))
    list = delayed;
  if (list != NULL)
    {
      g_array_append_val (list, *outcome);
      outcome->reply = NULL;
      recipient->phase = REROUTE_PHASE_NOTICE;
      return FALSE;
    }
  if (outcome->kind == REROUTE_OUTCOME_PUT_OFF)
    {
      put_off (self, outcome);
      return FALSE;
    }
  return TRUE;
}

/* Tells the sender who asked for it of the recipients that no later host will tell about. */
static void
tell_success (RerouteQueued *self, const RerouteOutcome *outcomes, guint n)
{
  g_autoptr (GArray) relayed = NULL;

  for (guint i = 0; i < n; i++)
    if (outcomes[i].kind == REROUTE_OUTCOME_SENT && outcomes[i].ends_notices &&
        reroute_envelope_wants_notice (
          reroute_queued_get_envelope (self), outcomes[i].recipient, REROUTE_NOTIFY_SUCCESS))
      {
        RerouteOutcome outcome = outcomes[i];
        outcome.reply = reroute_reply_copy (outcome.reply);
        if (relayed == NULL)
          relayed = g_array_new (FALSE, FALSE, sizeof (RerouteOutcome));
        g_array_append_val (relayed, outcome);
      }
  if (relayed != NULL)
    reroute_notice_send (
      self, REROUTE_DSN_RELAYED, (RerouteOutcome *) (gpointer) relayed->data, relayed->len);
}

static void
count_outcomes (RerouteQueued *self, const RerouteOutcome *outcomes, guint n)
{
  RerouteSchedulerFigures *figures = &self->scheduler->figures;

  g_mutex_lock (&self->scheduler->lock);
  for (guint i = 0; i < n; i++)
    {
      figures->delivered += outcomes[i].kind == REROUTE_OUTCOME_SENT;
      figures->deferred += outcomes[i].kind == REROUTE_OUTCOME_DEFERRED;
      figures->failed += outcomes[i].kind == REROUTE_OUTCOME_FAILED;
      figures->changes++;
    }
  g_mutex_unlock (&self->scheduler->lock);
}

static void
send_notice (RerouteQueued *self, RerouteDsnKind kind, GArray *outcomes)
{
  if (outcomes->len > 0)
    reroute_notice_send (self, kind, (RerouteOutcome *) (gpointer) outcomes->data, outcomes->len);
}

void
reroute_queued_settle (RerouteQueued *self, RerouteOutcome *outcomes, guint n)
{
  g_autoptr (GArray) failed = g_array_new (FALSE, FALSE, sizeof (RerouteOutcome));
  g_autoptr (GArray) delayed = g_array_new (FALSE, FALSE, sizeof (RerouteOutcome));
  g_autoptr (GStringChunk) texts = g_string_chunk_new (256);
  g_autofree RerouteVerdict *verdicts = g_new (RerouteVerdict, n);
  RerouteTelling *telling = self->scheduler->telling;
  gboolean waits = FALSE;
  guint n_verdicts = 0;

  reroute_queued_ref (self);
  reroute_telling_begin (telling, self, texts);
  for (guint i = 0; i < n; i++)
    {
      if (sort_outcome (self, &outcomes[i], failed, delayed))
        verdicts[n_verdicts++] = reroute_queued_make_verdict (
          self, &outcomes[i], reroute_telling_find_text (telling, outcomes[i].reply));
      waits = waits || outcomes[i].kind != REROUTE_OUTCOME_SENT;
    }
  reroute_telling_end (telling);
  count_outcomes (self, outcomes, n);
  if (waits)
    reroute_queued_release_content (self);
  send_notice (self, REROUTE_DSN_FAILED, failed);
  send_notice (self, REROUTE_DSN_DELAYED, delayed);
  tell_success (self, outcomes, n);
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&outcomes[i].reply, reroute_reply_free);
  reroute_queued_record (self, verdicts, n_verdicts);
  if (self->n_alive > 0)
    reroute_queued_arm (self);
  reroute_queued_unref (self);
}
