/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-queue.c - the methods of org.reroute.Relay1 that read and change the queue
 */

#include "config.h"

#include "common/client/relay-client-private.h"

#include "common/limits.h"

#define MESSAGES_TYPE "(ua(txsta(ssxus)))" /* what Queue and QueueGroup answer */

void
reroute_queued_recipient_free (gpointer data)
{
  RerouteQueuedRecipient *recipient = data;

  g_free (recipient->address);
  g_free (recipient->state);
  g_free (recipient->last_reply);
  g_free (recipient);
}

void
reroute_queued_message_free (gpointer data)
{
  RerouteQueuedMessage *message = data;

  g_free (message->reverse_path);
  g_ptr_array_unref (message->recipients);
  g_free (message);
}

void
reroute_queue_page_free (RerouteQueuePage *self)
{
  g_ptr_array_unref (self->messages);
  g_free (self);
}

/* "": by arrival */
static const char *
get_order (const RerouteQueueQuestion *question)
{
  return question->order != NULL ? question->order : "";
}

void
reroute_relay_client_queue_async (RerouteRelayClient *self,
                                  const RerouteQueueQuestion *question,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (
    g_task_new (self, cancellable, callback, user_data),
    "Queue",
    g_variant_new (
      "(ssuu)", question->text, get_order (question), question->offset, question->limit),
    MESSAGES_TYPE,
    REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

static GPtrArray *
read_recipients (GVariantIter *iter)
{
  GPtrArray *recipients = g_ptr_array_new_with_free_func (reroute_queued_recipient_free);
  RerouteQueuedRecipient read = { 0 };

  while (g_variant_iter_next (
    iter, "(ssxus)", &read.address, &read.state, &read.next_try_us, &read.tries, &read.last_reply))
    g_ptr_array_add (recipients, g_memdup2 (&read, sizeof read));
  return recipients;
}

GPtrArray *
reroute_queued_recipients_from_values (GVariant *values)
{
  g_autoptr (GVariantIter) iter = NULL;

  if (g_variant_lookup (values, "recipients", "a(ssxus)", &iter))
    return read_recipients (iter);
  return g_ptr_array_new_with_free_func (reroute_queued_recipient_free);
}

RerouteQueuePage *
reroute_relay_client_queue_finish (RerouteRelayClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) iter = NULL;
  GVariantIter *recipients = NULL;
  RerouteQueuePage *page = NULL;
  RerouteQueuedMessage read = { 0 };

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  page = g_new0 (RerouteQueuePage, 1);
  page->messages = g_ptr_array_new_with_free_func (reroute_queued_message_free);
  g_variant_get (reply, MESSAGES_TYPE, &page->total, &iter);
  page->total = MIN (page->total, REROUTE_LIMIT_LIST_ROWS);
  while (g_variant_iter_next (iter,
                              "(txsta(ssxus))",
                              &read.id,
                              &read.received_us,
                              &read.reverse_path,
                              &read.octets,
                              &recipients))
    {
      read.recipients = read_recipients (recipients);
      g_variant_iter_free (recipients);
      g_ptr_array_add (page->messages, g_memdup2 (&read, sizeof read));
    }
  return page;
}

void
reroute_relay_client_queue_group_async (RerouteRelayClient *self,
                                        const RerouteQueueQuestion *question,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "QueueGroup",
                                   g_variant_new ("(ssssuu)",
                                                  question->by,
                                                  question->key,
                                                  question->text,
                                                  get_order (question),
                                                  question->offset,
                                                  question->limit),
                                   MESSAGES_TYPE,
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

void
reroute_queue_group_free (gpointer data)
{
  RerouteQueueGroup *group = data;

  g_free (group->key);
  g_free (group->last_failure);
  g_free (group);
}

void
reroute_relay_client_queue_groups_async (RerouteRelayClient *self,
                                         const RerouteQueueQuestion *question,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (
    g_task_new (self, cancellable, callback, user_data),
    "QueueGroups",
    g_variant_new ("(ssuu)", question->by, question->text, question->offset, question->limit),
    "(ua(suutxxs))",
    REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GPtrArray *
reroute_relay_client_queue_groups_finish (RerouteRelayClient *self,
                                          GAsyncResult *result,
                                          guint *total,
                                          GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) iter = NULL;
  GPtrArray *groups = NULL;
  RerouteQueueGroup read = { 0 };

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  groups = g_ptr_array_new_with_free_func (reroute_queue_group_free);
  g_variant_get (reply, "(ua(suutxxs))", total, &iter);
  while (g_variant_iter_next (iter,
                              "(suutxxs)",
                              &read.key,
                              &read.n_messages,
                              &read.n_held,
                              &read.octets,
                              &read.oldest_us,
                              &read.next_try_us,
                              &read.last_failure))
    g_ptr_array_add (groups, g_memdup2 (&read, sizeof read));
  return groups;
}

void
reroute_relay_client_queue_message_async (RerouteRelayClient *self,
                                          guint64 id,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "QueueMessage",
                                   g_variant_new ("(t)", id),
                                   "(a{sv})",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GVariant *
reroute_relay_client_queue_message_finish (RerouteRelayClient *self,
                                           GAsyncResult *result,
                                           GError **error)
{
  return reroute_relay_client_finish_values (self, result, error);
}

void
reroute_relay_client_queue_act_async (RerouteRelayClient *self,
                                      RerouteQueueVerb verb,
                                      const RerouteQueueSelection *selection,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  static const char *const methods[] = {
    [REROUTE_QUEUE_RETRY] = "QueueRetry",     [REROUTE_QUEUE_HOLD] = "QueueHold",
    [REROUTE_QUEUE_RELEASE] = "QueueRelease", [REROUTE_QUEUE_RETURN] = "QueueReturn",
    [REROUTE_QUEUE_DELETE] = "QueueDelete",
  };
  GVariant *ids = g_variant_new_fixed_array (
    G_VARIANT_TYPE_UINT64, selection->ids, selection->n_ids, sizeof selection->ids[0]);
  GVariant *filter = selection->filter != NULL
                       ? selection->filter
                       : g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0);

  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   methods[verb],
                                   g_variant_new ("(@at@a{sv})", ids, filter),
                                   "(uuu)",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

gboolean
reroute_relay_client_queue_act_finish (RerouteRelayClient *self,
                                       GAsyncResult *result,
                                       RerouteQueueCounts *counts,
                                       GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return FALSE;
  if (counts != NULL)
    g_variant_get (reply, "(uuu)", &counts->done, &counts->busy, &counts->silent);
  return TRUE;
}
