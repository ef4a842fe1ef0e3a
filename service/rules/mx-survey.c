/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mx-survey.c - where the MX of many domains leads
 *
 * The relay asks DNS, and is asked in calls of some domains each, several at once.  The time is
 * bounded, not the number: an import of a hundred thousand rows hears of as many as DNS answers for
 * by then.  Many at once may be more than DNS bears; what it has not answered for is asked again in
 * one call at a time.
 */

#include "config.h"

#include "service/rules/mx-survey.h"

#include "common/limits.h"

typedef struct
{
  char **domains;
  GPtrArray *round; /* (element-type utf8): to be asked; borrowed from domains */
  GPtrArray *late;  /* (element-type utf8): of this round, without an answer; borrowed */
  guint n_begun;    /* of the round */
  guint n_calls;    /* that are under way */
  gboolean calm;    /* the last round: one call at a time */
  gint64 end_us;
  gboolean failed;
  RerouteMxFacts *facts;
} Survey;

typedef struct
{
  GTask *task;
  guint first;
  guint n_domains;
} Call;

static void
survey_free (gpointer data)
{
  Survey *self = data;

  g_clear_pointer (&self->round, g_ptr_array_unref);
  g_clear_pointer (&self->late, g_ptr_array_unref);
  g_strfreev (self->domains);
  g_clear_pointer (&self->facts, g_hash_table_unref);
  g_free (self);
}

static void ask_more (GTask *task);

static void
take_answers (Survey *self, const Call *call, GHashTable *answers)
{
  for (guint i = call->first; i < call->first + call->n_domains; i++)
    {
      char *domain = self->round->pdata[i];
      gpointer fact = g_hash_table_lookup (answers, domain);

      if (fact == NULL && !self->calm)
        g_ptr_array_add (self->late, domain);
      else
        g_hash_table_insert (self->facts,
                             g_strdup (domain),
                             fact != NULL ? fact : GINT_TO_POINTER (REROUTE_MX_SILENT));
    }
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GTask) task = call->task;
  Survey *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) answers = reroute_relay_client_mx_leads_here_finish (
    REROUTE_RELAY_CLIENT (source), result, &error);

  self->n_calls--;
  if (answers != NULL)
    take_answers (self, call, answers);
  else
    {
      g_debug ("the relay does not tell where MX records lead: %s", error->message);
      self->failed = TRUE;
    }
  ask_more (task);
}

static void
ask_next (GTask *task)
{
  Survey *self = g_task_get_task_data (task);
  Call *call = g_new0 (Call, 1);
  const char *domains[REROUTE_LIMIT_MX_QUESTIONS + 1] = { NULL };

  call->task = g_object_ref (task);
  call->first = self->n_begun;
  call->n_domains = MIN (self->round->len - self->n_begun, REROUTE_LIMIT_MX_QUESTIONS);
  for (guint i = 0; i < call->n_domains; i++)
    domains[i] = self->round->pdata[call->first + i];
  self->n_begun += call->n_domains;
  self->n_calls++;
  reroute_relay_client_mx_leads_here_async (
    g_task_get_source_object (task), domains, NULL, answered_cb, call);
}

static void
begin_calm_round (Survey *self)
{
  g_ptr_array_unref (self->round);
  self->round = self->late;
  self->late = g_ptr_array_new ();
  self->n_begun = 0;
  self->calm = TRUE;
}

static void
ask_more (GTask *task)
{
  Survey *self = g_task_get_task_data (task);

  if (self->n_calls == 0 && self->n_begun == self->round->len && !self->calm)
    begin_calm_round (self);
  while (!self->failed && self->n_begun < self->round->len &&
         self->n_calls < (self->calm ? 1 : REROUTE_LIMIT_MX_CALLS) &&
         g_get_monotonic_time () < self->end_us)
    ask_next (task);
  if (self->n_calls == 0)
    g_task_return_pointer (
      task, g_steal_pointer (&self->facts), (GDestroyNotify) g_hash_table_unref);
}

void
reroute_mx_survey_async (RerouteRelayClient *relay,
                         const char *const *domains,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (relay, NULL, callback, user_data);
  Survey *self = g_new0 (Survey, 1);

  self->domains = g_strdupv ((char **) domains);
  self->round = g_ptr_array_new ();
  self->late = g_ptr_array_new ();
  for (char **domain = self->domains; *domain != NULL; domain++)
    g_ptr_array_add (self->round, *domain);
  self->calm = self->round->len <= REROUTE_LIMIT_MX_QUESTIONS;
  self->end_us = g_get_monotonic_time () + REROUTE_LIMIT_MX_SURVEY_MS * G_TIME_SPAN_MILLISECOND;
  self->facts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_task_set_source_tag (task, reroute_mx_survey_async);
  g_task_set_task_data (task, self, survey_free);
  ask_more (task);
}

RerouteMxFacts *
reroute_mx_survey_finish (GAsyncResult *result)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_mx_survey_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), NULL);
}
