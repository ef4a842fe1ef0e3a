/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-verbs.c - the verbs of org.reroute.Relay1 that read and change the queue
 *
 * A call is a GTask of the main thread; its function runs on the scheduler's and returns the
 * method's out values as a tuple.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include <string.h>

#include "common/error.h"
#include "common/limits.h"

/* Rows after which a page ends, so that an answer stays under REROUTE_LIMIT_REPLY_OCTETS. */
#define PAGE_OCTETS (REROUTE_LIMIT_REPLY_OCTETS / 2)

typedef struct _Call Call;
typedef GVariant *(*CallFunc) (const Call *call, GError **error);

/* A call on its way to the scheduler's thread. */
struct _Call
{
  RerouteScheduler *scheduler;
  char *filter; /* lower case */
  guint offset;
  guint limit;
  guint64 *ids;
  gsize n_ids;
  CallFunc run;
};

static void
free_call (gpointer data)
{
  Call *call = data;

  g_free (call->filter);
  g_free (call->ids);
  g_free (call);
}

void
reroute_queue_verb_run (RerouteWorker *thread, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
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
  if (value == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_variant_ref_sink (value), (GDestroyNotify) g_variant_unref);
}

/* @call: (transfer full) */
static void
start_call (Call *call,
            RerouteScheduler *self,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, start_call);
  call->scheduler = self;
  g_task_set_task_data (task, call, free_call);
  reroute_worker_post (self->thread, reroute_queue_verb_run, task);
}

GVariant *
reroute_scheduler_call_finish (RerouteScheduler *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- listing --- */

static GVariant *
make_string (const char *text)
{
  return g_variant_new_take_string (g_utf8_make_valid (text != NULL ? text : "", -1));
}

static const char *
name_state (const RerouteWaiting *recipient)
{
  if (recipient->state == REROUTE_RECIPIENT_HELD)
    return "held";
  return recipient->phase == REROUTE_PHASE_IDLE || recipient->phase == REROUTE_PHASE_PARKED
           ? "waiting"
           : "active";
}

/* a(ssxus): those that are not final */
static GVariant *
describe_recipients (RerouteQueued *self)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (self);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssxus)"));
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      const RerouteWaiting *recipient = &self->recipients[i];

      if (recipient->state >= REROUTE_RECIPIENT_SENT)
        continue;
      g_variant_builder_add (
        &builder,
        "(@ssxu@s)",
        make_string (reroute_envelope_get_recipient (envelope, i)->address->text),
        name_state (recipient),
        recipient->due_us,
        recipient->tries,
        make_string (recipient->reply));
    }
  return g_variant_builder_end (&builder);
}

/* Whether @needle, in lower case, stands in @text. */
static gboolean
contains (const char *text, const char *needle)
{
  g_autofree char *lower = text != NULL ? g_ascii_strdown (text, -1) : NULL;

  return lower != NULL && strstr (lower, needle) != NULL;
}

static gboolean
matches_next_hop (RerouteQueued *self, const RerouteRecipient *recipient, const char *filter)
{
  g_autoptr (RerouteDecision) decision = NULL;

  if (self->scheduler->ruleset == NULL)
    return FALSE;
  decision = reroute_ruleset_decide (self->scheduler->ruleset, recipient->address, NULL, NULL);
  return contains (reroute_decision_get_next_hop (decision), filter);
}

static gboolean
matches (RerouteQueued *self, const char *filter)
{
  const RerouteEnvelope *envelope;
  g_autofree char *id = NULL;

  if (filter[0] == '\0')
    return TRUE;
  id = reroute_message_id_to_string (self->message->id);
  envelope = reroute_queued_get_envelope (self);
  if (contains (id, filter) || contains (envelope->reverse_path, filter))
    return TRUE;
  for (guint i = 0; i < envelope->recipients->len; i++)
    {
      const RerouteRecipient *recipient = reroute_envelope_get_recipient (envelope, i);

      if (self->recipients[i].state < REROUTE_RECIPIENT_SENT &&
          (contains (recipient->address->text, filter) ||
           matches_next_hop (self, recipient, filter)))
        return TRUE;
    }
  return FALSE;
}

static GVariant *
describe (RerouteQueued *self)
{
  return g_variant_new ("(tx@st@a(ssxus))",
                        self->message->id,
                        self->message->received_us,
                        make_string (reroute_queued_get_envelope (self)->reverse_path),
                        (guint64) self->message->content_octets,
                        describe_recipients (self));
}

static GVariant *
run_list (const Call *call, GError **error)
{
  GVariantBuilder builder;
  gsize octets = 0;
  guint total = 0;
  guint n = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(txsta(ssxus))"));
  for (GList *each = call->scheduler->order.head; each != NULL; each = each->next)
    {
      RerouteQueued *queued = each->data;
      GVariant *row;

      if (matches (queued, call->filter) && total++ >= call->offset && n < call->limit &&
          octets <= PAGE_OCTETS)
        {
          row = describe (queued);
          octets += g_variant_get_size (row);
          n++;
          g_variant_builder_add_value (&builder, row);
        }
      reroute_queued_rest (queued);
    }
  return g_variant_new ("(ua(txsta(ssxus)))", total, &builder);
}

void
reroute_scheduler_queue_async (RerouteScheduler *self,
                               const char *filter,
                               guint offset,
                               guint limit,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  call->filter = g_ascii_strdown (filter, -1);
  call->offset = offset;
  call->limit = limit;
  call->run = run_list;
  start_call (call, self, cancellable, callback, user_data);
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
run_show (const Call *call, GError **error)
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
  add_value (&builder, "reverse-path", make_string (envelope->reverse_path));
  add_value (&builder, "octets", g_variant_new_uint64 (queued->message->content_octets));
  add_value (&builder, "recipients", describe_recipients (queued));
  add_value (&builder, "client", make_string (client));
  add_value (&builder, "helo", make_string (envelope->helo));
  add_value (&builder, "headers", make_string ((const char *) headers->data));
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
  Call *call = g_new0 (Call, 1);

  call->ids = g_memdup2 (&id, sizeof id);
  call->n_ids = 1;
  call->run = run_show;
  start_call (call, self, cancellable, callback, user_data);
}

/* --- retry --- */

/* TRUE: one of its recipients was waiting. */
static gboolean
retry (RerouteQueued *self)
{
  gboolean waited = FALSE;

  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      if (!reroute_queued_is_due (&self->recipients[i], G_MAXINT64))
        continue;
      self->recipients[i].due_us = 0;
      waited = TRUE;
    }
  if (waited)
    reroute_queued_arm (self);
  return waited;
}

static GVariant *
run_retry (const Call *call, GError **error)
{
  RerouteScheduler *self = call->scheduler;
  guint count = 0;

  reroute_destinations_forgive (self);
  if (call->n_ids == 0)
    {
      for (GList *each = self->order.head; each != NULL; each = each->next)
        count += retry (each->data);
    }
  for (gsize i = 0; i < call->n_ids; i++)
    {
      RerouteQueued *queued = g_hash_table_lookup (self->queue, &call->ids[i]);

      count += queued != NULL && retry (queued);
    }
  return g_variant_new ("(u)", count);
}

static Call *
new_call_with_ids (const guint64 *ids, gsize n, CallFunc run)
{
  Call *call = g_new0 (Call, 1);

  call->ids = g_memdup2 (ids, n * sizeof ids[0]);
  call->n_ids = n;
  call->run = run;
  return call;
}

void
reroute_scheduler_retry_async (RerouteScheduler *self,
                               const guint64 *ids,
                               gsize n,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  start_call (new_call_with_ids (ids, n, run_retry), self, cancellable, callback, user_data);
}

/* --- delete --- */

/* TRUE: nothing of it is left.  What a worker has, and what is owed a notice just now, stays. */
static gboolean delete (RerouteQueued *self)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (self);
  guint n = self->message->n_recipients;
  g_autofree RerouteVerdict *verdicts = g_new0 (RerouteVerdict, n);
  g_autofree char *id = reroute_message_id_to_string (self->message->id);
  guint n_verdicts = 0;
  gboolean gone;

  for (guint i = 0; i < n; i++)
    {
      const RerouteWaiting *recipient = &self->recipients[i];

      if (recipient->state >= REROUTE_RECIPIENT_SENT || recipient->phase > REROUTE_PHASE_PARKED)
        continue;
      verdicts[n_verdicts++] = (RerouteVerdict){ .recipient = i,
                                                 .state = REROUTE_RECIPIENT_DELETED,
                                                 .tries = recipient->tries,
                                                 .flags = recipient->flags,
                                                 .reply = "deleted by an administrator" };
      g_message ("id=%s to=<%s> status=deleted",
                 id,
                 reroute_envelope_get_recipient (envelope, i)->address->text);
    }
  gone = n_verdicts == self->n_alive;
  reroute_queued_record (self, verdicts, n_verdicts);
  return gone;
}

static GVariant *
run_delete (const Call *call, GError **error)
{
  guint count = 0;

  for (gsize i = 0; i < call->n_ids; i++)
    {
      RerouteQueued *queued = g_hash_table_lookup (call->scheduler->queue, &call->ids[i]);

      count += queued != NULL && delete (queued);
    }
  return g_variant_new ("(u)", count);
}

void
reroute_scheduler_delete_async (RerouteScheduler *self,
                                const guint64 *ids,
                                gsize n,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  start_call (new_call_with_ids (ids, n, run_delete), self, cancellable, callback, user_data);
}
