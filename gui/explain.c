/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * explain.c - what becomes of mail for an address, in the reader's language
 *
 * The steps are translated by common/step-text.c; here they are put in their places.
 */

#include "config.h"

#include "gui/explain.h"

#include "common/error.h"
#include "common/step-text.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

typedef struct
{
  const char *code;
  RerouteStage stage;
} Place;

#define STAGE(name) REROUTE_STAGE_##name

/* Where each step stands. */
static const Place places[] = {
  { "admitted-authenticated", STAGE (ADMISSION) },
  { "admitted-permitted", STAGE (ADMISSION) },
  { "client-forbidden", STAGE (ADMISSION) },
  { "admitted-entry", STAGE (ADMISSION) },
  { "entry-permitted-only", STAGE (ADMISSION) },
  { "call-ahead", STAGE (ADMISSION) },
  { "listed", STAGE (ADMISSION) },
  { "not-listed", STAGE (ADMISSION) },
  { "srs-reverse", STAGE (ADMISSION) },
  { "no-entry", STAGE (ADMISSION) },
  { "inbound-host-missing", STAGE (ROUTING) },
  { "to-inbound-host", STAGE (ROUTING) },
  { "loop", STAGE (ROUTING) },
  { "rewritten", STAGE (ROUTING) },
  { "routing-off", STAGE (ROUTING) },
  { "routing-none", STAGE (ROUTING) },
  { "routing-match", STAGE (ROUTING) },
  { "relay", STAGE (ROUTING) },
  { "routing-self", STAGE (ROUTING) },
  { "postmaster", STAGE (ROUTING) },
  { "postmaster-missing", STAGE (ROUTING) },
  { "by-address", STAGE (CONNECTIONS) },
  { "by-dns", STAGE (CONNECTIONS) },
  { "by-hosts", STAGE (CONNECTIONS) },
  { "connections-match", STAGE (CONNECTIONS) },
  { "connections-none", STAGE (CONNECTIONS) },
  { "tls-level", STAGE (CONNECTIONS) },
  { "account", STAGE (CONNECTIONS) },
  { "certificate", STAGE (CONNECTIONS) },
  { "certificate-unusable", STAGE (CONNECTIONS) },
  { "etrn", STAGE (CONNECTIONS) },
  { "srs", STAGE (CONNECTIONS) },
  { "srs-off", STAGE (CONNECTIONS) },
  { "next-hop-found", STAGE (LOOK_UP) },
  { "sts-policy", STAGE (LOOK_UP) },
  { "sts-stranger", STAGE (LOOK_UP) },
  { "dns-no-answer", STAGE (LOOK_UP) },
  { "next-hop-none", STAGE (LOOK_UP) },
};

/* Steps that the verdict tells. */
static const char *const outcomes[] = { "leaves",  "mode",          "no-domain",
                                        "refused", "source-routed", NULL };

/* --- sentences --- */

static gboolean
decides (const RerouteExplanation *self, const RerouteStep *step)
{
  return g_str_equal (step->code, "routing-match") ||
         (g_str_equal (step->code, "connections-match") && self->deciding == NULL);
}

static RerouteStage
get_stage (const char *code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (g_str_equal (places[i].code, code))
      return places[i].stage;
  return REROUTE_STAGE_ROUTING;
}

static void
take_step (RerouteExplanation *self, const RerouteStep *step)
{
  RerouteStage stage = get_stage (step->code);
  g_auto (GStrv) arguments = NULL;
  g_autofree char *sentence = NULL;
  g_autofree char *before = NULL;

  if (g_strv_contains (outcomes, step->code))
    return;
  sentence = reroute_step_dup_text (step->code, step->sentence, &arguments);
  if (arguments != NULL && decides (self, step))
    {
      g_free (self->deciding);
      self->deciding = g_strdup (arguments[0]);
    }
  before = self->stages[stage];
  self->stages[stage] =
    before[0] != '\0' ? g_strjoin ("\n", before, sentence, NULL) : g_strdup (sentence);
}

static char *
look_up (GVariant *answer, const char *key)
{
  const char *value = "";

  g_variant_lookup (answer, key, "&s", &value);
  return g_strdup (value);
}

static RerouteExplanation *
read_answer (GVariant *answer, GPtrArray *steps)
{
  RerouteExplanation *self = g_new0 (RerouteExplanation, 1);
  g_autofree char *action = look_up (answer, "action");

  self->recipient = look_up (answer, "recipient");
  self->rcpt_out = look_up (answer, "rcpt_out");
  self->next_hop = look_up (answer, "next_hop");
  if (g_str_equal (action, "reject"))
    self->reply = look_up (answer, "reply");
  for (int i = 0; i < REROUTE_N_STAGES; i++)
    self->stages[i] = g_strdup ("");
  for (guint i = 0; i < steps->len; i++)
    take_step (self, g_ptr_array_index (steps, i));
  return self;
}

void
reroute_explanation_free (RerouteExplanation *self)
{
  if (self == NULL)
    return;
  g_free (self->recipient);
  g_free (self->rcpt_out);
  g_free (self->next_hop);
  g_free (self->reply);
  for (int i = 0; i < REROUTE_N_STAGES; i++)
    g_free (self->stages[i]);
  g_free (self->deciding);
  g_free (self);
}

char *
reroute_explanation_dup_verdict (const RerouteExplanation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->reply != NULL)
    {
      g_autofree char *reply = reroute_dup_isolated (self->reply);

      /* Translators: %s is a reply of SMTP, "550 5.7.1 Relaying denied" */
      return g_markup_printf_escaped (_ ("Refused with <b>%s</b>."), reply);
    }

  g_autofree char *rcpt_out = reroute_dup_isolated (self->rcpt_out);
  g_autofree char *next_hop = reroute_dup_isolated (self->next_hop);
  g_autofree char *leaves = NULL;
  if (g_str_equal (self->rcpt_out, self->recipient))
    leaves = g_markup_printf_escaped (
      /* Translators: an address and a host */
      _ ("Leaves unchanged as <b>%s</b> for <b>%s</b>."), rcpt_out, next_hop);
  else
    leaves = g_markup_printf_escaped (
      /* Translators: an address and a host */
      _ ("Leaves as <b>%s</b> for <b>%s</b>."), rcpt_out, next_hop);
  if (self->deciding == NULL)
    return g_steal_pointer (&leaves);

  g_autofree char *entry = reroute_dup_isolated (self->deciding);
  g_autofree char *deciding =
    g_markup_printf_escaped (_ ("Decided by the entry <b>%s</b>."), entry);
  return g_strjoin (" ", leaves, deciding, NULL);
}

gboolean
reroute_explanation_equal (const RerouteExplanation *a, const RerouteExplanation *b)
{
  gboolean equal = g_strcmp0 (a->rcpt_out, b->rcpt_out) == 0 &&
                   g_strcmp0 (a->next_hop, b->next_hop) == 0 && g_strcmp0 (a->reply, b->reply) == 0;

  for (int i = 0; equal && i < REROUTE_N_STAGES; i++)
    equal = g_str_equal (a->stages[i], b->stages[i]);
  return equal;
}

/* --- asking --- */

typedef struct
{
  char *address;
  char *client;
  GPtrArray *changes; /* (element-type RerouteChange): none: the saved rules */
} Question;

static void
question_free (Question *question)
{
  g_free (question->address);
  g_free (question->client);
  g_clear_pointer (&question->changes, g_ptr_array_unref);
  g_free (question);
}

static void
return_answer (GTask *task, GVariant *answer, GPtrArray *steps, gboolean without_dns)
{
  RerouteExplanation *explanation = read_answer (answer, steps);

  explanation->without_dns = without_dns;
  g_task_return_pointer (task, explanation, (GDestroyNotify) reroute_explanation_free);
}

static void
rules_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GPtrArray) steps = NULL;
  GError *error = NULL;
  g_autoptr (GVariant) answer = reroute_rules_client_explain_finish (
    REROUTE_RULES_CLIENT (source), result, &steps, &error);

  if (answer == NULL)
    g_task_return_error (task, error);
  else
    return_answer (task, answer, steps, TRUE);
}

static void
ask_rules (GTask *task)
{
  Question *question = g_task_get_task_data (task);

  reroute_rules_client_explain_async (reroute_sheet_get_rules (g_task_get_source_object (task)),
                                      question->address,
                                      question->client,
                                      FALSE,
                                      question->changes,
                                      g_task_get_cancellable (task),
                                      rules_answered_cb,
                                      g_object_ref (task));
}

static void
relay_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GPtrArray) steps = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = reroute_relay_client_explain_finish (
    REROUTE_RELAY_CLIENT (source), result, &steps, &error);

  if (answer != NULL)
    return_answer (task, answer, steps, FALSE);
  else if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    ask_rules (task);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

void
reroute_explain_async (RerouteSheet *sheet,
                       const char *address,
                       const char *client,
                       gboolean with_edit,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (sheet, cancellable, callback, user_data);
  Question *question = g_new0 (Question, 1);

  g_return_if_fail (REROUTE_IS_SHEET (sheet));

  g_task_set_source_tag (task, reroute_explain_async);
  question->address = g_strdup (address);
  question->client = g_strdup (client);
  question->changes =
    with_edit ? reroute_edit_dup_changes (reroute_sheet_get_edit (sheet)) : g_ptr_array_new ();
  g_task_set_task_data (task, question, (GDestroyNotify) question_free);
  if (!reroute_relay_watch_is_available (reroute_sheet_get_relay_watch (sheet)))
    {
      ask_rules (task);
      return;
    }
  reroute_relay_client_explain_async (reroute_sheet_get_relay (sheet),
                                      address,
                                      client,
                                      FALSE,
                                      question->changes,
                                      cancellable,
                                      relay_answered_cb,
                                      g_object_ref (task));
}

RerouteExplanation *
reroute_explain_finish (RerouteSheet *sheet, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, sheet), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
