/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-verbs.c - what an administrator does with mail that waits
 *
 * Retry, hold, release, return to the sender, delete: of messages, and of them the recipients that
 * a filter takes.  What a worker has is left alone, for its final dot may be in flight.
 *
 * Standards: RFC 3461 section 4.1 (who may be sent a notice), RFC 3463.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/queue-private.h"

#include "common/error.h"

#define RETURNED "5.0.0" /* RFC 3463 3.1: other undefined status */

/* What came of one verb for one message. */
typedef struct
{
  gboolean done;   /* for a recipient at least */
  gboolean busy;   /* a worker has one, or its notice is just being made */
  gboolean silent; /* of one nobody may be told that it failed */
} Result;

/* The recipients of a message that a verb is for and that are nobody's just now. */
typedef struct
{
  RerouteQueued *queued;
  guint n;
  guint *recipients; /* (array length=n) */
} Selection;

typedef void (*Verb) (const Selection *selection, Result *result);

static void
log_recipient (const Selection *selection, guint index, const char *status)
{
  g_autofree char *id = reroute_message_id_to_string (selection->queued->message->id);
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (selection->queued);

  g_message ("id=%s to=<%s> status=%s",
             id,
             reroute_envelope_get_recipient (envelope, index)->address->text,
             status);
}

/* Why it waits now, with the words of the last failure; borrowed from @texts. */
static const char *
add_last (GStringChunk *texts, const char *reason, const char *last)
{
  g_autofree char *text = g_strdup_printf ("%s; before: %s", reason, last);

  return g_string_chunk_insert (texts, text);
}

static RerouteTrackKind
find_kind (RerouteRecipientState state)
{
  if (state == REROUTE_RECIPIENT_HELD)
    return REROUTE_TRACK_HELD;
  return state == REROUTE_RECIPIENT_DELETED ? REROUTE_TRACK_DELETED : REROUTE_TRACK_RELEASED;
}

/* Records a state for those of the selection that are in the state @from. */
static void
record (const Selection *selection,
        RerouteRecipientState from,
        RerouteVerdict like,
        const char *status,
        Result *result)
{
  g_autofree RerouteVerdict *verdicts = g_new0 (RerouteVerdict, selection->n);
  g_autoptr (GStringChunk) texts = g_string_chunk_new (256);
  guint n = 0;

  for (guint i = 0; i < selection->n; i++)
    {
      guint index = selection->recipients[i];
      const RerouteWaiting *recipient = &selection->queued->recipients[index];

      if (recipient->state != from)
        continue;
      verdicts[n] = like;
      verdicts[n].recipient = index;
      verdicts[n].tries = recipient->tries;
      verdicts[n].flags = recipient->flags;
      if (like.state == REROUTE_RECIPIENT_HELD && recipient->reply != NULL)
        verdicts[n].reply = add_last (texts, like.reply, recipient->reply);
      n++;
      log_recipient (selection, index, status);
      reroute_queued_track (selection->queued, index, find_kind (like.state), like.reply);
    }
  result->done = result->done || n > 0;
  reroute_queued_record (selection->queued, verdicts, n);
}

static void
retry (const Selection *selection, Result *result)
{
  for (guint i = 0; i < selection->n; i++)
    {
      RerouteWaiting *recipient = &selection->queued->recipients[selection->recipients[i]];

      if (!reroute_queued_is_due (recipient, G_MAXINT64))
        continue;
      recipient->due_us = 0;
      recipient->is_asked_for = recipient->waits_for_etrn;
      result->done = TRUE;
    }
}

static void
hold (const Selection *selection, Result *result)
{
  const RerouteVerdict held = { .state = REROUTE_RECIPIENT_HELD,
                                .reply = "held by an administrator" };

  record (selection, REROUTE_RECIPIENT_WAITING, held, "held (by an administrator)", result);
  reroute_queued_release_content (selection->queued);
}

/* Also what a mail filter wanted to be held. */
static void
release (const Selection *selection, Result *result)
{
  const RerouteVerdict released = { .state = REROUTE_RECIPIENT_WAITING,
                                    .reply = "released by an administrator" };

  record (selection, REROUTE_RECIPIENT_HELD, released, "released", result);
}

static void delete (const Selection *selection, Result *result)
{
  const RerouteVerdict deleted = { .state = REROUTE_RECIPIENT_DELETED,
                                   .reply = "deleted by an administrator" };

  record (selection, REROUTE_RECIPIENT_WAITING, deleted, "deleted", result);
  record (selection, REROUTE_RECIPIENT_HELD, deleted, "deleted", result);
}

static void
give_back (const Selection *selection, Result *result)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (selection->queued);
  g_autofree RerouteOutcome *outcomes = g_new0 (RerouteOutcome, selection->n);
  guint n = 0;

  for (guint i = 0; i < selection->n; i++)
    {
      guint index = selection->recipients[i];
      const char *last = selection->queued->recipients[index].reply;
      g_autofree char *text =
        g_strdup_printf (last != NULL ? "returned to the sender by an administrator: %s"
                                      : "returned to the sender by an administrator",
                         last);

      if (!reroute_envelope_wants_notice (envelope, index, REROUTE_NOTIFY_FAILURE))
        {
          result->silent = TRUE;
          continue;
        }
      outcomes[n++] = (RerouteOutcome){ .kind = REROUTE_OUTCOME_FAILED,
                                        .recipient = index,
                                        .reply = reroute_reply_new (550, RETURNED, text) };
    }
  result->done = n > 0;
  if (n > 0)
    reroute_queued_settle (selection->queued, outcomes, n);
}

static const Verb verbs[] = {
  [REROUTE_QUEUE_ACTION_RETRY] = retry,     [REROUTE_QUEUE_ACTION_HOLD] = hold,
  [REROUTE_QUEUE_ACTION_RELEASE] = release, [REROUTE_QUEUE_ACTION_RETURN] = give_back,
  [REROUTE_QUEUE_ACTION_DELETE] = delete,
};

/* --- one message, many messages --- */

static Result
act (const RerouteQueueCall *call, RerouteQueued *queued)
{
  guint n = queued->message->n_recipients;
  g_autofree guint *recipients = g_new (guint, n);
  Selection selection = { queued, 0, recipients };
  Result result = { FALSE, FALSE, FALSE };

  for (guint i = 0; i < n; i++)
    {
      if (!reroute_queue_filter_takes (call->filter, queued, i))
        continue;
      if (queued->recipients[i].phase > REROUTE_PHASE_PARKED)
        result.busy = TRUE;
      else
        recipients[selection.n++] = i;
    }
  if (selection.n > 0)
    {
      reroute_queued_ref (queued);
      for (guint i = 0; i < selection.n; i++)
        reroute_queue_index_note (queued, recipients[i]);
      if (call->action != REROUTE_QUEUE_ACTION_RETRY)
        reroute_queued_leave_tries (queued);
      verbs[call->action](&selection, &result);
      if (queued->n_alive > 0)
        reroute_queued_arm (queued);
      reroute_queued_unref (queued);
    }
  else
    reroute_queued_rest (queued);
  return result;
}

/* What was done is told once a crash cannot undo it.  A notice is recorded before its verdict. */
static const guint n_syncs[] = {
  [REROUTE_QUEUE_ACTION_RETRY] = 0,   [REROUTE_QUEUE_ACTION_HOLD] = 1,
  [REROUTE_QUEUE_ACTION_RELEASE] = 1, [REROUTE_QUEUE_ACTION_RETURN] = 2,
  [REROUTE_QUEUE_ACTION_DELETE] = 1,
};

static GVariant *
answer_verb (RerouteQueueCall *call, GError **error)
{
  guint n_lost = call->scheduler->n_notices_lost - call->n_notices_lost;

  if (call->spool_error == NULL && call->n_syncs_left > 0 && !call->scheduler->stopping)
    {
      call->n_syncs_left--;
      call->waits_for_spool = TRUE;
      return NULL;
    }
  if (call->action == REROUTE_QUEUE_ACTION_RETURN && n_lost > 0)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_SPOOL,
                 "%u notices cannot be written to the spool: what they tell of stays in the queue",
                 n_lost);
  else if (call->spool_error != NULL)
    g_propagate_prefixed_error (error,
                                g_steal_pointer (&call->spool_error),
                                "done, but the relay's next start may undo it: ");
  return *error == NULL ? g_variant_new ("(uuu)", call->n_done, call->n_busy, call->n_silent)
                        : NULL;
}

static GVariant *
run_verb (RerouteQueueCall *call, GError **error)
{
  RerouteScheduler *scheduler = call->scheduler;
  gsize end;

  if (call->next == 0)
    call->n_notices_lost = scheduler->n_notices_lost;
  if (call->ids == NULL)
    reroute_queue_call_take_ids (call, NULL);
  if (call->next == 0 && call->action == REROUTE_QUEUE_ACTION_RETRY)
    reroute_destinations_forgive (scheduler);
  end = MIN (call->n_ids, call->next + REROUTE_QUEUE_PORTION);
  for (; call->next < end; call->next++)
    {
      RerouteQueued *queued = g_hash_table_lookup (scheduler->queue, &call->ids[call->next]);
      Result result = { FALSE, FALSE, FALSE };

      if (queued != NULL)
        result = act (call, queued);
      call->n_done += result.done;
      call->n_busy += result.busy;
      call->n_silent += result.silent;
    }
  if (call->next < call->n_ids)
    return NULL;
  reroute_scheduler_note_change (scheduler);
  call->n_syncs_left = call->n_done > 0 ? n_syncs[call->action] : 0;
  call->run = answer_verb;
  return answer_verb (call, error);
}

static gboolean
check_selection (const RerouteQueueFilter *filter, gsize n_ids, GError **error)
{
  if (n_ids > 0 || reroute_queue_filter_says_something (filter))
    return TRUE;
  g_set_error_literal (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_VALUE,
                       "no messages are named: wanted ids, a filter, or “all”");
  return FALSE;
}

void
reroute_scheduler_act_async (RerouteScheduler *self,
                             RerouteQueueAction action,
                             GVariant *selection,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GVariant) array = g_variant_get_child_value (selection, 0);
  g_autoptr (GVariant) values = g_variant_get_child_value (selection, 1);
  gsize n_ids;
  const guint64 *ids = g_variant_get_fixed_array (array, &n_ids, sizeof *ids);
  GError *error = NULL;
  g_autoptr (RerouteQueueFilter) filter = reroute_queue_filter_new (values, &error);
  RerouteQueueCall *call;

  g_return_if_fail ((guint) action < G_N_ELEMENTS (verbs));

  if (filter == NULL || !check_selection (filter, n_ids, &error))
    {
      g_task_report_error (NULL, callback, user_data, reroute_scheduler_act_async, error);
      return;
    }
  call = g_new0 (RerouteQueueCall, 1);
  call->action = action;
  call->filter = g_steal_pointer (&filter);
  call->n_ids = n_ids;
  call->ids = g_memdup2 (ids, n_ids * sizeof ids[0]); /* NULL when there are none */
  call->run = run_verb;
  reroute_queue_call_start (call, self, cancellable, callback, user_data);
}
