/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examination.c - looks whether the relay is set up well: the checks, side by side and in time
 *
 * A check is made of steps; what is asked of the scheduler or the bus comes back here, in the main
 * thread.  When time is up those that have not ended are told so, and their steps end in silence.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/examination-private.h"

#include "common/diagnosis.h"
#include "common/limits.h"

typedef struct
{
  const char *name;
  void (*run) (RerouteCheck *self);
} Kind;

/* In the order of common/diagnosis. */
static const Kind kinds[] = {
  /* clang-format off */
  { "name",        reroute_examine_name },
  { "ipv6",        reroute_examine_ipv6 },
  { "spf",         reroute_examine_spf },
  { "outbound",    reroute_examine_outbound },
  { "listeners",   reroute_examine_listeners },
  { "connections", reroute_examine_connections },
  { "certificate", reroute_examine_certificate },
  { "relaying",    reroute_examine_relaying },
  { "postmaster",  reroute_examine_postmaster },
  { "spool",       reroute_examine_spool },
  { "queue",       reroute_examine_queue },
  { "clock",       reroute_examine_clock },
  { "versions",    reroute_examine_versions },
  /* clang-format on */
};

struct _RerouteExamination
{
  guint ref_count;
  const RerouteRelayParts *parts;
  GCancellable *cancellable;
  char *domain;
  GTask *task; /* NULL: it was answered */
  guint timeout_id;
  guint n_steps; /* of all checks */
  guint n_checks;
  RerouteCheck checks[G_N_ELEMENTS (kinds)];
};

static void
examination_unref (RerouteExamination *self)
{
  if (--self->ref_count > 0)
    return;
  for (guint i = 0; i < self->n_checks; i++)
    g_ptr_array_unref (self->checks[i].found);
  g_object_unref (self->cancellable);
  g_free (self->domain);
  g_free (self);
}

/* Answers; steps may still be under way. */
static void
finish (RerouteExamination *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_diagnosis_free);

  g_clear_handle_id (&self->timeout_id, g_source_remove);
  for (guint i = 0; i < self->n_checks; i++)
    {
      RerouteCheck *check = &self->checks[i];

      while (check->found->len > 0)
        g_ptr_array_add (all, g_ptr_array_steal_index (check->found, 0));
      if (check->n_steps > 0)
        g_ptr_array_add (all, reroute_diagnosis_new ("unfinished", check->name, NULL));
    }
  g_task_return_pointer (task, all, (GDestroyNotify) g_ptr_array_unref);
}

static gboolean
timeout_cb (gpointer user_data)
{
  RerouteExamination *self = user_data;

  self->timeout_id = 0;
  finish (self);
  return G_SOURCE_REMOVE;
}

/* --- for the checks --- */

const RerouteRelayParts *
reroute_check_get_parts (const RerouteCheck *self)
{
  const RerouteExamination *examination = self->examination;

  if (examination->task == NULL || g_cancellable_is_cancelled (examination->cancellable))
    return NULL;
  return examination->parts;
}

const char *
reroute_check_get_domain (const RerouteCheck *self)
{
  return self->examination->domain;
}

GCancellable *
reroute_check_get_cancellable (const RerouteCheck *self)
{
  return self->examination->cancellable;
}

void
reroute_check_begin_step (RerouteCheck *self)
{
  self->n_steps++;
  self->examination->n_steps++;
  self->examination->ref_count++;
}

void
reroute_check_end_step (RerouteCheck *self)
{
  RerouteExamination *examination = self->examination;

  g_assert (self->n_steps > 0);
  self->n_steps--;
  if (--examination->n_steps == 0 && examination->task != NULL)
    finish (examination);
  examination_unref (examination);
}

gboolean
reroute_check_has_complaint (const RerouteCheck *self)
{
  gboolean has = FALSE;

  for (guint i = 0; i < self->found->len; i++)
    has |= ((RerouteDiagnosis *) self->found->pdata[i])->level > REROUTE_DIAGNOSIS_OK;
  return has;
}

char *
reroute_check_format_time (gint64 time_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M UTC") : g_strdup ("?");
}

/* --- DNS --- */

typedef struct
{
  RerouteCheck *check;
  RerouteCheckAnswerFunc func;
  gpointer user_data;
} Question;

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Question *question = user_data;
  RerouteCheck *check = question->check;
  g_autoptr (GError) error = NULL;
  /* The scheduler may be gone: the answer is the task's. */
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), &error);
  g_autofree const char **records = NULL;
  guint status = REROUTE_DNS_FAILED;
  const char *const reason[] = { error != NULL ? error->message : "", NULL };

  if (answer != NULL)
    g_variant_get (answer, "(u^a&s)", &status, &records);
  question->func (check, status, records != NULL ? records : reason, question->user_data);
  reroute_check_end_step (check);
}

void
reroute_check_look_up (RerouteCheck *self,
                       RerouteDnsKind kind,
                       const char *name,
                       RerouteCheckAnswerFunc func,
                       gpointer user_data)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  const char *const reason[] = { "the relay is stopping", NULL };
  Question *question;

  if (parts == NULL)
    {
      func (self, REROUTE_DNS_FAILED, reason, user_data);
      return;
    }
  question = g_new (Question, 1);
  *question = (Question){ self, func, user_data };
  reroute_check_begin_step (self);
  reroute_scheduler_look_up_async (
    parts->scheduler, kind, name, self->examination->cancellable, answered_cb, question);
}

/* --- public --- */

void
reroute_examination_run_async (const RerouteRelayParts *parts,
                               const char *const *checks,
                               const char *domain,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (parts != NULL && checks != NULL && domain != NULL && cancellable != NULL);

  RerouteExamination *self = g_new0 (RerouteExamination, 1);

  self->ref_count = 1;
  self->parts = parts;
  self->cancellable = g_object_ref (cancellable);
  self->domain = g_strdup (domain);
  self->task = g_task_new (NULL, NULL, callback, user_data);
  g_task_set_source_tag (self->task, reroute_examination_run_async);
  self->timeout_id = g_timeout_add_seconds (REROUTE_LIMIT_EXAMINATION_S, timeout_cb, self);
  self->n_steps = 1; /* until all have begun */
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      RerouteCheck *check = &self->checks[self->n_checks];

      if (!g_strv_contains (checks, kinds[i].name))
        continue;
      check->examination = self;
      check->name = kinds[i].name;
      check->found = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_diagnosis_free);
      self->n_checks++;
      kinds[i].run (check);
    }
  if (--self->n_steps == 0)
    finish (self);
  examination_unref (self);
}

GPtrArray *
reroute_examination_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
