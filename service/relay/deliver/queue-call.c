/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-call.c - calls of org.reroute.Relay1 about the queue, on their way to the scheduler's
 * thread
 *
 * A call is a GTask of the main thread; its function runs on the scheduler's and returns the
 * method's out values as a tuple.  What goes through many messages does so a portion a turn, so
 * that mail goes on meanwhile.
 */

#include "config.h"

#include "service/relay/deliver/queue-private.h"

static void
free_call (gpointer data)
{
  RerouteQueueCall *call = data;

  reroute_queue_filter_free (call->filter);
  g_clear_error (&call->spool_error);
  g_clear_pointer (&call->rows, g_ptr_array_unref);
  g_clear_pointer (&call->listing, reroute_queue_listing_unref);
  g_free (call->text);
  g_free (call->ids);
  g_free (call);
}

static void
synced_here (RerouteWorker *thread, gpointer user_data)
{
  RerouteQueueCall *call = g_task_get_task_data (user_data);
  RerouteScheduler *scheduler = call->scheduler;

  scheduler->n_spooling--;
  reroute_queue_call_run (thread, user_data);
  reroute_scheduler_check_drained (scheduler);
}

/* On the spool's thread. */
static void
synced (RerouteMessage *message, const GError *error, gpointer user_data)
{
  RerouteQueueCall *call = g_task_get_task_data (user_data);

  if (error != NULL && call->spool_error == NULL)
    call->spool_error = g_error_copy (error);
  reroute_worker_post (call->scheduler->thread, synced_here, user_data);
}

static void
wait_for_spool (RerouteQueueCall *call, GTask *task)
{
  call->waits_for_spool = FALSE;
  call->scheduler->n_spooling++;
  reroute_spool_sync (call->scheduler->spool, synced, task);
}

void
reroute_queue_call_run (RerouteWorker *thread, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  RerouteQueueCall *call = g_task_get_task_data (task);
  RerouteScheduler *scheduler = call->scheduler;
  GError *error = NULL;
  GVariant *value;

  if (!scheduler->figures.is_restored && !scheduler->stopping)
    {
      g_queue_push_tail (&scheduler->early_calls, g_steal_pointer (&task));
      return;
    }
  if (g_task_return_error_if_cancelled (task))
    return;
  value = call->run (call, &error);
  if (value != NULL)
    g_task_return_pointer (task, g_variant_ref_sink (value), (GDestroyNotify) g_variant_unref);
  else if (error != NULL)
    g_task_return_error (task, error);
  else if (call->waits_for_spool)
    wait_for_spool (call, g_steal_pointer (&task));
  else
    reroute_worker_post (thread, reroute_queue_call_run, g_steal_pointer (&task));
}

static void
take_ids_of_group (RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  GSequenceIter *each = g_sequence_get_begin_iter (group->members);

  call->n_ids = (gsize) g_sequence_get_length (group->members);
  call->ids = g_new (guint64, call->n_ids);
  for (gsize i = 0; i < call->n_ids; i++, each = g_sequence_iter_next (each))
    call->ids[i] = ((const RerouteQueued *) g_sequence_get (each))->message->id;
}

void
reroute_queue_call_take_ids (RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  RerouteScheduler *scheduler = call->scheduler;
  guint64 *next;

  if (group != NULL)
    {
      take_ids_of_group (call, group);
      return;
    }
  call->n_ids = scheduler->order.length;
  call->ids = next = g_new (guint64, call->n_ids);
  for (GList *each = scheduler->order.head; each != NULL; each = each->next)
    *next++ = ((RerouteQueued *) each->data)->message->id;
}

void
reroute_queue_call_start (RerouteQueueCall *call,
                          RerouteScheduler *scheduler,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, reroute_queue_call_start);
  call->scheduler = scheduler;
  g_task_set_task_data (task, call, free_call);
  reroute_worker_post (scheduler->thread, reroute_queue_call_run, task);
}

GVariant *
reroute_scheduler_call_finish (RerouteScheduler *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
