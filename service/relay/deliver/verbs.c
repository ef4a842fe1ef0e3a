/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verbs.c - what org.reroute.Relay1 asks of the scheduler
 *
 * Called from the main thread, run on the scheduler's, answered through a GTask: the queue is
 * never looked at by another thread.  The answers are the methods' out values as tuples.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include <string.h>

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"

/* Of the rows of one answer, so that it stays under REROUTE_LIMIT_REPLY_OCTETS. */
#define PAGE_OCTETS (REROUTE_LIMIT_REPLY_OCTETS * 3 / 4)

/* A call on its way: what it asks for, and who waits. */
typedef struct
{
  RerouteScheduler *scheduler;
  char *text; /* filter or address */
  guint offset;
  guint limit;
  GArray *ids; /* (element-type guint64) */
  char **domains;
  gboolean has_client;
  RerouteClient client;
  RerouteRuleset *ruleset;
} Call;

static void
free_call (gpointer data)
{
  Call *self = data;

  g_free (self->text);
  g_clear_pointer (&self->ids, g_array_unref);
  g_strfreev (self->domains);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_free (self);
}

static GTask *
new_task (RerouteScheduler *self,
          GCancellable *cancellable,
          GAsyncReadyCallback callback,
          gpointer user_data,
          Call **call)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  *call = g_new0 (Call, 1);
  (*call)->scheduler = self;
  g_task_set_task_data (task, *call, free_call);
  return task;
}

GVariant *
reroute_scheduler_call_finish (RerouteScheduler *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Ends @task; takes both. */
static void
answer (GTask *task, GVariant *value)
{
  g_task_return_pointer (task, g_variant_ref_sink (value), (GDestroyNotify) g_variant_unref);
  g_object_unref (task);
}

static void
answer_count (GTask *task, guint count)
{
  answer (task, g_variant_new ("(u)", count));
}

static GArray *
copy_ids (const guint64 *ids, gsize n)
{
  return g_array_append_vals (g_array_new (FALSE, FALSE, sizeof (guint64)), ids, (guint) n);
}

/* --- looking at the queue --- */

static gboolean
contains (const char *text, const char *folded_filter)
{
  g_autofree char *folded = text != NULL ? g_utf8_casefold (text, -1) : NULL;

  return folded != NULL && strstr (folded, folded_filter) != NULL;
}

static gboolean
passes (const RerouteQueued *queued, const char *folded_filter)
{
  const RerouteEnvelope *envelope = queued->message->envelope;
  g_autofree char *id = reroute_message_id_to_string (queued->message->id);

  if (folded_filter[0] == '\0' || contains (id, folded_filter) ||
      contains (envelope->reverse_path, folded_filter))
    return TRUE;
  for (guint i = 0; i < envelope->recipients->len; i++)
    {
      if (contains (reroute_envelope_get_recipient (envelope, i)->address->text, folded_filter) ||
          contains (queued->recipients[i].reply, folded_filter))
        return TRUE;
    }
  return FALSE;
}

static const char *
name_state (const RerouteWaiting *recipient)
{
  if (recipient->state == REROUTE_RECIPIENT_HELD)
    return "held";
  return recipient->phase == REROUTE_PHASE_ACTIVE ? "active" : "waiting";
}

static GVariant *
recipients_to_variant (const RerouteQueued *queued)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssxus)"));
  for (guint i = 0; i < queued->message->envelope->recipients->len; i++)
    {
      const RerouteWaiting *recipient = &queued->recipients[i];

      if (recipient->state >= REROUTE_RECIPIENT_SENT)
        continue;
      g_variant_builder_add (
        &builder,
        "(ssxus)",
        reroute_envelope_get_recipient (queued->message->envelope, i)->address->text,
        name_state (recipient),
        recipient->due_us,
        recipient->tries,
        recipient->reply != NULL ? recipient->reply : "");
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
queued_to_variant (const RerouteQueued *queued)
{
  return g_variant_new ("(txst@a(ssxus))",
                        queued->message->id,
                        queued->message->received_us,
                        queued->message->envelope->reverse_path,
                        (guint64) queued->message->content_octets,
                        recipients_to_variant (queued));
}

static void
list_queue (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autofree char *filter = g_utf8_casefold (call->text, -1);
  GVariantBuilder builder;
  gsize octets = 0;
  guint total = 0;
  guint taken = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(txsta(ssxus))"));
  for (GList *each = call->scheduler->order.head; each != NULL; each = each->next)
    {
      GVariant *row;

      if (!passes (each->data, filter) || total++ < call->offset || taken == call->limit ||
          octets > PAGE_OCTETS)
        continue;
      row = queued_to_variant (each->data);
      octets += g_variant_get_size (row);
      taken++;
      g_variant_builder_add_value (&builder, row);
    }
  answer (task, g_variant_new ("(ua(txsta(ssxus)))", total, &builder));
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
  Call *call;
  GTask *task = new_task (self, cancellable, callback, user_data, &call);

  call->text = g_strdup (filter);
  call->offset = offset;
  call->limit = MIN (limit, REROUTE_LIMIT_PAGE_ROWS);
  reroute_worker_post (self->thread, list_queue, task);
}

static void
show (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  guint64 id = g_array_index (call->ids, guint64, 0);
  RerouteQueued *queued = g_hash_table_lookup (call->scheduler->queue, &id);
  g_autoptr (GByteArray) headers = NULL;
  g_autofree char *text = NULL;
  g_autofree char *client = NULL;
  GVariantBuilder builder;

  if (queued == NULL)
    {
      g_task_return_new_error (
        task, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY, "no message with that id waits");
      g_object_unref (task);
      return;
    }
  headers = reroute_queued_dup_headers (queued);
  text = g_utf8_make_valid ((const char *) headers->data, headers->len);
  client = reroute_ip_to_string (&queued->message->envelope->client_ip);
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "id", g_variant_new_uint64 (queued->message->id));
  g_variant_builder_add (
    &builder, "{sv}", "received", g_variant_new_int64 (queued->message->received_us));
  g_variant_builder_add (&builder,
                         "{sv}",
                         "reverse-path",
                         g_variant_new_string (queued->message->envelope->reverse_path));
  g_variant_builder_add (
    &builder, "{sv}", "octets", g_variant_new_uint64 (queued->message->content_octets));
  g_variant_builder_add (&builder, "{sv}", "recipients", recipients_to_variant (queued));
  g_variant_builder_add (&builder, "{sv}", "client", g_variant_new_string (client));
  g_variant_builder_add (
    &builder, "{sv}", "helo", g_variant_new_string (queued->message->envelope->helo));
  g_variant_builder_add (&builder, "{sv}", "headers", g_variant_new_string (text));
  answer (task, g_variant_new ("(a{sv})", &builder));
}

void
reroute_scheduler_show_async (RerouteScheduler *self,
                              guint64 id,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Call *call;
  GTask *task = new_task (self, cancellable, callback, user_data, &call);

  call->ids = copy_ids (&id, 1);
  reroute_worker_post (self->thread, show, task);
}

/* --- acting on the queue --- */

/* Whether one of its recipients waits and is due now. */
static gboolean
make_due (RerouteQueued *queued)
{
  gboolean waits = FALSE;

  for (guint i = 0; i < queued->message->envelope->recipients->len; i++)
    {
      if (!reroute_queued_is_due (&queued->recipients[i], G_MAXINT64))
        continue;
      queued->recipients[i].due_us = 0;
      waits = TRUE;
    }
  if (waits)
    reroute_queued_arm (queued);
  return waits;
}

static void
retry (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  guint count = 0;

  reroute_destinations_forgive (call->scheduler);
  for (GList *each = call->scheduler->order.head; call->ids->len == 0 && each != NULL;
       each = each->next)
    count += make_due (each->data);
  for (guint i = 0; i < call->ids->len; i++)
    {
      RerouteQueued *queued =
        g_hash_table_lookup (call->scheduler->queue, &g_array_index (call->ids, guint64, i));

      count += queued != NULL && make_due (queued);
    }
  answer_count (task, count);
}

void
reroute_scheduler_retry_async (RerouteScheduler *self,
                               const guint64 *ids,
                               gsize n,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Call *call;
  GTask *task = new_task (self, cancellable, callback, user_data, &call);

  call->ids = copy_ids (ids, n);
  reroute_worker_post (self->thread, retry, task);
}

/* Deletes the recipients that nothing is under way for; TRUE: none was left. */
static gboolean
delete_queued (RerouteQueued *queued)
{
  guint n = queued->message->envelope->recipients->len;
  g_autofree RerouteVerdict *verdicts = g_new0 (RerouteVerdict, n);
  gboolean all_gone;
  guint n_verdicts = 0;

  for (guint i = 0; i < n; i++)
    {
      const RerouteWaiting *recipient = &queued->recipients[i];

      if (recipient->state >= REROUTE_RECIPIENT_SENT || recipient->phase == REROUTE_PHASE_ACTIVE ||
          recipient->phase == REROUTE_PHASE_NOTICE)
        continue;
      verdicts[n_verdicts++] = (RerouteVerdict){
        .recipient = i,
        .state = REROUTE_RECIPIENT_DELETED,
        .tries = recipient->tries,
        .flags = recipient->flags,
        .reply = "deleted by the administrator",
      };
    }
  reroute_queued_ref (queued);
  reroute_queued_record (queued, verdicts, n_verdicts);
  all_gone = queued->n_alive == 0;
  reroute_queued_unref (queued);
  return all_gone;
}

static void delete (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  guint count = 0;

  for (guint i = 0; i < call->ids->len; i++)
    {
      RerouteQueued *queued =
        g_hash_table_lookup (call->scheduler->queue, &g_array_index (call->ids, guint64, i));

      count += queued != NULL && delete_queued (queued);
    }
  answer_count (task, count);
}

void
reroute_scheduler_delete_async (RerouteScheduler *self,
                                const guint64 *ids,
                                gsize n,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  Call *call;
  GTask *task = new_task (self, cancellable, callback, user_data, &call);

  call->ids = copy_ids (ids, n);
  reroute_worker_post (self->thread, delete, task);
}

/* --- explaining --- */

/* An explanation that waits for DNS. */
typedef struct
{
  GTask *task;
  RerouteDecision *decision;
  GPtrArray *steps;
} Explanation;

static void
add_step (Explanation *self, const char *code, char *sentence)
{
  RerouteStep *step = g_new0 (RerouteStep, 1);

  step->code = g_strdup (code);
  step->sentence = sentence;
  g_ptr_array_add (self->steps, step);
}

static void
add_text (GVariantBuilder *builder, const char *key, const char *value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value != NULL ? value : ""));
}

/* Ends it; @next_hop: NULL when nothing was looked up. */
static void
finish_explanation (Explanation *self, const RerouteNextHop *next_hop)
{
  Call *call = g_task_get_task_data (self->task);
  const RerouteDecision *decision = self->decision;
  gboolean found = next_hop != NULL && next_hop->state == REROUTE_NEXT_HOP_FOUND;
  g_autoptr (GStrvBuilder) addresses = g_strv_builder_new ();
  g_auto (GStrv) texts = NULL;
  g_autofree char *reply = NULL;
  GVariantBuilder builder;

  for (guint i = 0; found && i < next_hop->endpoints->len; i++)
    {
      const RerouteEndpoint *endpoint = &g_array_index (next_hop->endpoints, RerouteEndpoint, i);
      g_autofree char *ip = reroute_ip_to_string (&endpoint->ip);
      g_autofree char *text = g_strdup_printf ("%s[%s]:%u", endpoint->name, ip, endpoint->port);

      g_strv_builder_add (addresses, text);
      add_step (self, "address", g_strdup_printf ("Try %u is %s.", i + 1, text));
    }
  texts = g_strv_builder_end (addresses);
  reply = next_hop != NULL && !found
            ? g_strdup_printf ("%u %s %s",
                               next_hop->state == REROUTE_NEXT_HOP_FAIL ? 550 : 451,
                               next_hop->status,
                               next_hop->reason)
            : g_strdup_printf (
                "%u %s %s", decision->reply_code, decision->reply_status, decision->reply_text);
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_text (&builder, "recipient", call->text);
  add_text (&builder, "action", reroute_action_to_string (decision->action));
  add_text (&builder, "rcpt_out", decision->rcpt_out);
  add_text (&builder, "next_hop", reroute_decision_get_next_hop (decision));
  add_text (&builder, "via", found ? next_hop->via : reroute_decision_get_via (decision));
  add_text (&builder, "reply", reply);
  g_variant_builder_add (
    &builder, "{sv}", "addresses", g_variant_new_strv ((const char *const *) texts, -1));
  answer (self->task,
          g_variant_new ("(a{sv}@a(sssx))", &builder, reroute_steps_to_variant (self->steps)));
  reroute_decision_free (self->decision);
  g_ptr_array_unref (self->steps);
  g_free (self);
}

static void
explained (RerouteNextHop *next_hop, gpointer user_data)
{
  Explanation *self = user_data;

  if (next_hop->state != REROUTE_NEXT_HOP_FOUND)
    add_step (
      self,
      next_hop->state == REROUTE_NEXT_HOP_FAIL ? "no-next-hop" : "dns-failed",
      g_strdup_printf ("The look-up ended with %s: %s.", next_hop->status, next_hop->reason));
  finish_explanation (self, next_hop);
  reroute_next_hop_free (next_hop);
}

static void
explain (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (RerouteAddress) address = NULL;
  GError *error = NULL;
  Explanation *self;

  address = reroute_address_parse (call->text, TRUE, &error);
  if (address == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  self = g_new0 (Explanation, 1);
  self->task = task;
  self->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);
  self->decision = reroute_ruleset_decide (
    call->ruleset, address, call->has_client ? &call->client : NULL, self->steps);
  if (self->decision->action == REROUTE_ACTION_REJECT)
    finish_explanation (self, NULL);
  else
    reroute_scheduler_resolve (call->scheduler, self->decision, 0, explained, self);
}

void
reroute_scheduler_explain_async (RerouteScheduler *self,
                                 const char *address,
                                 const RerouteClient *client,
                                 RerouteRuleset *ruleset,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  Call *call;
  GTask *task = new_task (self, cancellable, callback, user_data, &call);

  call->text = g_strdup (address);
  call->ruleset = reroute_ruleset_ref (ruleset);
  call->has_client = client != NULL;
  if (client != NULL)
    call->client = *client;
  reroute_worker_post (self->thread, explain, task);
}

/* --- whose mail is it? --- */

/* Domains that are being looked up. */
typedef struct
{
  GTask *task;
  GVariantBuilder answers;
  guint n_pending;
} Question;

typedef struct
{
  Question *question;
  const char *domain; /* borrowed from the call */
} DomainLookup;

static void
finish_domain (Question *question)
{
  if (--question->n_pending > 0)
    return;
  answer (question->task, g_variant_new ("(a{sb})", &question->answers));
  g_free (question);
}

/* What DNS does not know, or does not say, is no answer. */
static void
domain_found (RerouteNextHop *next_hop, gpointer user_data)
{
  g_autofree DomainLookup *lookup = user_data;

  if (next_hop->includes_self || next_hop->state == REROUTE_NEXT_HOP_FOUND)
    g_variant_builder_add (
      &lookup->question->answers, "{sb}", lookup->domain, next_hop->includes_self);
  reroute_next_hop_free (next_hop);
  finish_domain (lookup->question);
}

static void
look_up_domains (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  Question *question = g_new0 (Question, 1);

  question->task = task;
  question->n_pending = 1;
  g_variant_builder_init (&question->answers, G_VARIANT_TYPE ("a{sb}"));
  for (gsize i = 0; call->domains[i] != NULL; i++)
    {
      const RerouteDecision decision = { .dns_domain = call->domains[i] };
      DomainLookup *lookup = g_new (DomainLookup, 1);

      *lookup = (DomainLookup){ question, call->domains[i] };
      question->n_pending++;
      reroute_scheduler_resolve (call->scheduler, &decision, 0, domain_found, lookup);
    }
  finish_domain (question);
}

void
reroute_scheduler_mx_leads_here_async (RerouteScheduler *self,
                                       const char *const *domains,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  Call *call;
  GTask *task = new_task (self, cancellable, callback, user_data, &call);

  call->domains = g_strdupv ((char **) domains);
  reroute_worker_post (self->thread, look_up_domains, task);
}
