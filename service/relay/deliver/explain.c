/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * explain.c - the decision for a recipient with the look-ups that follow it, and whether a
 * domain's exchangers lead to this relay
 *
 * A DNS that does not answer is a step of the explanation, not a failure.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include "common/codec.h"
#include "common/limits.h"

/* --- explain --- */

typedef struct
{
  RerouteScheduler *scheduler;
  RerouteAddress *address;
  gboolean admits; /* client is asked for */
  RerouteClient client;
  RerouteRuleset *ruleset;

  RerouteDecision *decision;
  GPtrArray *steps;
} Explanation;

static void
free_explanation (gpointer data)
{
  Explanation *self = data;

  reroute_address_unref (self->address);
  reroute_ruleset_unref (self->ruleset);
  g_clear_pointer (&self->decision, reroute_decision_free);
  g_ptr_array_unref (self->steps);
  g_free (self);
}

static void
add_text (GVariantBuilder *builder, const char *name, const char *text)
{
  g_variant_builder_add (
    builder,
    "{sv}",
    name,
    g_variant_new_take_string (g_utf8_make_valid (text != NULL ? text : "", -1)));
}

static GVariant *
list_addresses (const RerouteNextHop *next_hop)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; next_hop != NULL && i < next_hop->endpoints->len; i++)
    {
      const RerouteEndpoint *endpoint = &g_array_index (next_hop->endpoints, RerouteEndpoint, i);
      g_autofree char *label = reroute_endpoint_dup_label (endpoint);

      g_variant_builder_add (&builder, "s", label);
    }
  return g_variant_builder_end (&builder);
}

/* @next_hop: NULL when there is nothing to look up */
static void
answer (GTask *task, const RerouteNextHop *next_hop)
{
  Explanation *self = g_task_get_task_data (task);
  const RerouteDecision *decision = self->decision;
  gboolean refused = next_hop != NULL && next_hop->state == REROUTE_NEXT_HOP_FAIL;
  gboolean found = next_hop != NULL && next_hop->state == REROUTE_NEXT_HOP_FOUND;
  g_autofree char *reply =
    refused ? g_strdup_printf ("550 %s %s", next_hop->status, next_hop->reason)
            : g_strdup_printf (
                "%u %s %s", decision->reply_code, decision->reply_status, decision->reply_text);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_text (&builder, "recipient", self->address->text);
  add_text (&builder,
            "action",
            reroute_action_to_string (refused ? REROUTE_ACTION_REJECT : decision->action));
  add_text (&builder, "rcpt_out", decision->rcpt_out);
  add_text (&builder, "next_hop", reroute_decision_get_next_hop (decision));
  add_text (&builder, "via", found ? next_hop->via : reroute_decision_get_via (decision));
  add_text (&builder, "reply", reply);
  g_variant_builder_add (&builder, "{sv}", "addresses", list_addresses (found ? next_hop : NULL));
  g_task_return_pointer (
    task,
    g_variant_ref_sink (g_variant_new (
      "(a{sv}@a" REROUTE_STEP_TYPE ")", &builder, reroute_steps_to_variant (self->steps))),
    (GDestroyNotify) g_variant_unref);
  g_object_unref (task);
}

/* Takes @sentence. */
static void
add_step (Explanation *self, const char *code, char *sentence)
{
  RerouteStep *step = g_new0 (RerouteStep, 1);

  step->code = g_strdup (code);
  step->sentence = sentence;
  g_ptr_array_add (self->steps, step);
}

/* What the policies of the domains say about the hosts; each domain once. */
static void
explain_policies (Explanation *self, const RerouteNextHop *next_hop)
{
  const char *told = NULL;

  for (guint i = 0; i < next_hop->endpoints->len; i++)
    {
      const RerouteEndpoint *endpoint = &g_array_index (next_hop->endpoints, RerouteEndpoint, i);

      if (endpoint->sts == NULL || self->decision->tls == REROUTE_TLS_NONE)
        continue;
      if (g_strcmp0 (told, endpoint->domain) != 0)
        add_step (
          self,
          "sts-policy",
          reroute_endpoint_is_enforced (endpoint)
            ? g_strdup_printf (
                "The MTA-STS policy of %s demands TLS with a certificate for the exchanger.",
                endpoint->domain)
            : g_strdup_printf (
                "The MTA-STS policy of %s is on trial: what it would refuse is only logged.",
                endpoint->domain));
      told = endpoint->domain;
      if (!reroute_sts_policy_covers (endpoint->sts, endpoint->name))
        add_step (self,
                  "sts-stranger",
                  g_strdup_printf ("The MTA-STS policy of %s does not name the exchanger %s.",
                                   endpoint->domain,
                                   endpoint->name));
    }
}

static void
looked_up (RerouteNextHop *found, gpointer user_data)
{
  g_autoptr (RerouteNextHop) next_hop = found;
  GTask *task = user_data;
  Explanation *self = g_task_get_task_data (task);
  GString *text;

  if (next_hop->state == REROUTE_NEXT_HOP_FOUND)
    {
      text = g_string_new ("It is tried in this order: ");
      for (guint i = 0; i < next_hop->endpoints->len; i++)
        {
          const RerouteEndpoint *endpoint =
            &g_array_index (next_hop->endpoints, RerouteEndpoint, i);
          g_autofree char *ip = reroute_ip_to_string (&endpoint->ip);

          g_string_append (text, i > 0 ? ", " : "");
          g_string_append (text, endpoint->name);
          if (!endpoint->local)
            g_string_append_printf (text, " [%s] port %u", ip, endpoint->port);
        }
      g_string_append_c (text, '.');
      add_step (self, "next-hop-found", g_string_free (text, FALSE));
      explain_policies (self, next_hop);
    }
  else if (next_hop->state == REROUTE_NEXT_HOP_DEFER)
    add_step (self,
              "dns-no-answer",
              g_strdup_printf ("DNS gives no answer now; mail waits: %s.", next_hop->reason));
  else
    add_step (
      self,
      "next-hop-none",
      g_strdup_printf ("It cannot be delivered (%s): %s.", next_hop->status, next_hop->reason));
  answer (task, next_hop);
}

/* One that only unsaved changes name is looked at now. */
static void
explain_certificate (Explanation *self)
{
  const char *file = self->decision->certificate;
  const char *why;
  g_autoptr (RerouteClientCertificate) read = NULL;
  g_autoptr (GError) error = NULL;

  if (file == NULL ||
      reroute_client_certificates_find (self->scheduler->certificates, file, &why) != NULL)
    return;
  read = reroute_client_certificate_read (file, &error);
  if (read == NULL)
    add_step (
      self,
      "certificate-unusable",
      g_strdup_printf ("The certificate cannot be shown, so mail waits: %s.", error->message));
}

static RerouteDecision *
decide_recipient (Explanation *self)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  RerouteSrsVerdict verdict;
  g_autoptr (RerouteAddress) address =
               reroute_scheduler_unwrap (self->scheduler, self->address, now_s, &verdict);
  gboolean unwrapped = address != self->address;

  if (address == NULL)
    return reroute_decision_new_refusal (
      550, "5.7.1", reroute_srs_verdict_to_string (verdict), self->steps);
  if (unwrapped)
    add_step (
      self,
      "srs-reverse",
      g_strdup_printf ("It is the sender %s as this server has rewritten it: a notice to it "
                       "is taken from anyone.",
                       address->text));
  return reroute_ruleset_decide (
    self->ruleset, address, self->admits && !unwrapped ? &self->client : NULL, self->steps);
}

static RerouteDecision *
decide (Explanation *self)
{
  RerouteDecision *forbidden =
    self->admits ? reroute_decision_new_forbidden (
                     reroute_ruleset_get_settings (self->ruleset), &self->client.ip, self->steps)
                 : NULL;

  return forbidden != NULL ? forbidden : decide_recipient (self);
}

static void
explain (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Explanation *self = g_task_get_task_data (task);

  self->decision = decide (self);
  explain_certificate (self);
  if (self->decision->action == REROUTE_ACTION_REJECT || self->scheduler->stopping)
    answer (task, NULL);
  else
    reroute_scheduler_show_next_hop (self->scheduler, self->decision, looked_up, task);
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
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  RerouteAddress *parsed;
  Explanation *explanation;
  GError *error = NULL;

  g_task_set_source_tag (task, reroute_scheduler_explain_async);
  parsed = reroute_address_parse (address, TRUE, &error);
  if (parsed == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  explanation = g_new0 (Explanation, 1);
  explanation->scheduler = self;
  explanation->address = parsed;
  explanation->admits = client != NULL;
  explanation->client = client != NULL ? *client : (RerouteClient){ 0 };
  explanation->ruleset = reroute_ruleset_ref (ruleset);
  explanation->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);
  g_task_set_task_data (task, explanation, free_explanation);
  reroute_worker_post (self->thread, explain, task);
}

/* --- do the exchangers of domains lead here? --- */

typedef struct
{
  RerouteScheduler *scheduler;
  GTask *task; /* whose data this is; its reference goes with the last answer */
  char **domains;
  guint n_pending;
  RerouteTimer patience; /* then what is known is told */
  gboolean answered;
  GVariantBuilder answers; /* a{sb} */
  GVariantBuilder silent;  /* as: no exchanger, or DNS failed */
} Survey;

typedef struct
{
  Survey *survey;
  const char *domain;
} Question;

static void
free_survey (gpointer data)
{
  Survey *self = data;

  g_strfreev (self->domains);
  g_variant_builder_clear (&self->answers);
  g_variant_builder_clear (&self->silent);
  g_free (self);
}

static void
answer_survey (Survey *self)
{
  if (self->answered)
    return;
  self->answered = TRUE;
  reroute_worker_disarm_timer (self->scheduler->thread, &self->patience);
  g_task_return_pointer (
    self->task,
    g_variant_ref_sink (g_variant_new ("(a{sb}as)", &self->answers, &self->silent)),
    (GDestroyNotify) g_variant_unref);
}

/* One slow domain keeps nobody from hearing of the others. */
static void
end_patience (RerouteTimer *timer)
{
  answer_survey ((Survey *) ((char *) timer - G_STRUCT_OFFSET (Survey, patience)));
}

static void
finish_one (Survey *self)
{
  if (--self->n_pending > 0)
    return;
  answer_survey (self);
  g_object_unref (self->task);
}

static void
surveyed (RerouteNextHop *resolved, gpointer user_data)
{
  g_autoptr (RerouteNextHop) next_hop = resolved;
  g_autofree Question *question = user_data;
  Survey *self = question->survey;
  gboolean found = next_hop->leads_here || next_hop->state == REROUTE_NEXT_HOP_FOUND;

  if (!self->answered && found)
    g_variant_builder_add (&self->answers, "{sb}", question->domain, next_hop->leads_here);
  else if (!self->answered)
    g_variant_builder_add (&self->silent, "s", question->domain);
  finish_one (self);
}

static void
survey (RerouteWorker *thread, gpointer user_data)
{
  Survey *self = user_data;

  self->n_pending = 1;
  self->patience.func = end_patience;
  reroute_worker_arm_timer (
    thread, &self->patience, reroute_worker_now_us (thread) + REROUTE_LIMIT_MX_WAIT_MS * 1000);
  for (guint i = 0; self->domains[i] != NULL && !self->scheduler->stopping; i++)
    {
      Question *question = g_new (Question, 1);

      *question = (Question){ self, self->domains[i] };
      self->n_pending++;
      reroute_scheduler_survey (self->scheduler, question->domain, surveyed, question);
    }
  finish_one (self);
}

void
reroute_scheduler_mx_leads_here_async (RerouteScheduler *self,
                                       const char *const *domains,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Survey *data = g_new0 (Survey, 1);

  g_task_set_source_tag (task, reroute_scheduler_mx_leads_here_async);
  data->scheduler = self;
  data->task = task;
  data->domains = g_strdupv ((char **) domains);
  g_variant_builder_init (&data->answers, G_VARIANT_TYPE ("a{sb}"));
  g_variant_builder_init (&data->silent, G_VARIANT_TYPE_STRING_ARRAY);
  g_task_set_task_data (task, data, free_survey);
  reroute_worker_post (self->thread, survey, data);
}
