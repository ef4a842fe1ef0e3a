/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-list.c - what the queue shows of itself: pages of messages, and one message
 */

#include "config.h"

#include "service/relay/deliver/queue-private.h"

#include "common/error.h"
#include "common/limits.h"

GVariant *
reroute_queue_make_string (const char *text)
{
  return g_variant_new_take_string (g_utf8_make_valid (text != NULL ? text : "", -1));
}

/* a(ssxus): those that are not final */
static GVariant *
describe_recipients (RerouteQueued *self, const RerouteIndexGroup *group, RerouteQueueBy by)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (self);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssxus)"));
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      const RerouteWaiting *recipient = &self->recipients[i];

      if (recipient->state >= REROUTE_RECIPIENT_SENT ||
          (group != NULL && !reroute_index_group_has (group, self, i, by)))
        continue;
      g_variant_builder_add (
        &builder,
        "(@ssxu@s)",
        reroute_queue_make_string (reroute_envelope_get_recipient (envelope, i)->address->text),
        reroute_waiting_get_state_name (recipient),
        reroute_waiting_get_next_try_us (recipient),
        recipient->tries,
        reroute_queue_make_string (recipient->reply));
    }
  return g_variant_builder_end (&builder);
}

gboolean
reroute_queued_matches (RerouteQueued *self, const RerouteQueueFilter *filter)
{
  for (guint i = 0; i < self->message->n_recipients; i++)
    if (reroute_queue_filter_takes (filter, self, i))
      return TRUE;
  return FALSE;
}

GVariant *
reroute_queued_describe (RerouteQueued *self, const RerouteIndexGroup *group, RerouteQueueBy by)
{
  return g_variant_new (
    "(tx@st@a(ssxus))",
    self->message->id,
    self->message->received_us,
    reroute_queue_make_string (reroute_queued_get_envelope (self)->reverse_path),
    (guint64) self->message->content_octets,
    describe_recipients (self, group, by));
}

gboolean
reroute_queue_call_is_full (const RerouteQueueCall *call)
{
  return call->rows->len >= call->limit || call->octets > REROUTE_QUEUE_PAGE_OCTETS;
}

void
reroute_queue_call_add_row (RerouteQueueCall *call,
                            RerouteQueued *queued,
                            const RerouteIndexGroup *group)
{
  GVariant *row = g_variant_ref_sink (reroute_queued_describe (queued, group, call->by));

  call->octets += g_variant_get_size (row);
  g_ptr_array_add (call->rows, row);
}

GVariant *
reroute_queue_call_answer_list (RerouteQueueCall *call)
{
  return g_variant_new ("(u@a" REROUTE_QUEUE_ROW_TYPE ")",
                        call->total,
                        g_variant_new_array (G_VARIANT_TYPE (REROUTE_QUEUE_ROW_TYPE),
                                             (GVariant *const *) call->rows->pdata,
                                             call->rows->len));
}

GVariant *
reroute_queue_call_search (RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  gsize end = MIN (call->n_ids, call->next + REROUTE_QUEUE_PORTION);

  for (; call->next < end; call->next++)
    {
      RerouteQueued *queued = g_hash_table_lookup (call->scheduler->queue, &call->ids[call->next]);

      if (queued == NULL)
        continue;
      if (reroute_queued_matches (queued, call->filter) && call->total++ >= call->offset &&
          !reroute_queue_call_is_full (call))
        reroute_queue_call_add_row (call, queued, group);
      reroute_queued_rest (queued);
    }
  return call->next < call->n_ids ? NULL : reroute_queue_call_answer_list (call);
}

/* Without a filter. */
static GVariant *
run_page (RerouteQueueCall *call, GError **error)
{
  GQueue *order = &call->scheduler->order;

  call->total = order->length;
  for (GList *each = g_queue_peek_nth_link (order, call->offset);
       each != NULL && !reroute_queue_call_is_full (call);
       each = each->next)
    {
      reroute_queue_call_add_row (call, each->data, NULL);
      reroute_queued_rest (each->data);
    }
  return reroute_queue_call_answer_list (call);
}

static GVariant *
run_search (RerouteQueueCall *call, GError **error)
{
  if (call->ids == NULL)
    reroute_queue_call_take_ids (call, NULL);
  return reroute_queue_call_search (call, NULL);
}

void
reroute_scheduler_queue_async (RerouteScheduler *self,
                               GVariant *arguments,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  const char *text, *order_text;
  RerouteQueueOrder order = { 0 };
  guint offset, limit;
  RerouteQueueCall *call;
  GError *error = NULL;

  g_variant_get (arguments, "(&s&suu)", &text, &order_text, &offset, &limit);
  if (!reroute_queue_order_parse (order_text, &order, &error))
    {
      g_task_report_error (NULL, callback, user_data, reroute_scheduler_queue_async, error);
      return;
    }
  call = g_new0 (RerouteQueueCall, 1);
  call->filter = g_new0 (RerouteQueueFilter, 1);
  call->filter->text = g_ascii_strdown (text, -1);
  call->order = order;
  call->offset = offset;
  call->limit = MIN (limit, REROUTE_LIMIT_PAGE_ROWS);
  call->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  if (order.column != REROUTE_QUEUE_ARRIVAL || order.descending)
    call->run = reroute_queue_call_run_ordered;
  else
    call->run = reroute_queue_filter_says_something (call->filter) ? run_search : run_page;
  reroute_queue_call_start (call, self, cancellable, callback, user_data);
}

/* --- one message --- */

static RerouteQueued *
find (RerouteScheduler *self, guint64 id, GError **error)
{
  RerouteQueued *queued = g_hash_table_lookup (self->queue, &id);
  g_autofree char *text = NULL;

  if (queued != NULL)
    return queued;
  text = reroute_message_id_to_string (id);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_ENTRY,
               "no message “%s” waits: it may have been delivered",
               text);
  return NULL;
}

static void
add_value (GVariantBuilder *builder, const char *name, GVariant *value)
{
  g_variant_builder_add (builder, "{sv}", name, value);
}

static GVariant *
run_show (RerouteQueueCall *call, GError **error)
{
  RerouteQueued *queued = find (call->scheduler, call->ids[0], error);
  g_autoptr (GByteArray) headers = NULL;
  const RerouteEnvelope *envelope;
  g_autofree char *client = NULL;
  GVariantBuilder builder;

  if (queued == NULL)
    return NULL;
  envelope = reroute_queued_get_envelope (queued);
  client = reroute_ip_to_string (&envelope->client_ip);
  headers = reroute_queued_dup_headers (queued);
  g_byte_array_append (headers, (const guint8 *) "", 1);
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_value (&builder, "id", g_variant_new_uint64 (queued->message->id));
  add_value (&builder, "received", g_variant_new_int64 (queued->message->received_us));
  add_value (&builder, "reverse-path", reroute_queue_make_string (envelope->reverse_path));
  add_value (&builder, "octets", g_variant_new_uint64 (queued->message->content_octets));
  add_value (&builder, "recipients", describe_recipients (queued, NULL, 0));
  add_value (&builder, "client", reroute_queue_make_string (client));
  add_value (&builder, "helo", reroute_queue_make_string (envelope->helo));
  add_value (&builder, "requiretls", g_variant_new_boolean (envelope->requiretls));
  add_value (&builder, "tls-optional", g_variant_new_boolean (envelope->tls_optional));
  add_value (&builder, "headers", reroute_queue_make_string ((const char *) headers->data));
  reroute_queued_rest (queued);
  return g_variant_new ("(a{sv})", &builder);
}

void
reroute_scheduler_show_async (RerouteScheduler *self,
                              guint64 id,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  RerouteQueueCall *call = g_new0 (RerouteQueueCall, 1);

  call->ids = g_memdup2 (&id, sizeof id);
  call->n_ids = 1;
  call->run = run_show;
  reroute_queue_call_start (call, self, cancellable, callback, user_data);
}
