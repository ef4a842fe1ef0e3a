/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * progress.c - whether every thread that must move does
 *
 * A worker is asked by a function that is posted to it, so it costs nothing between two looks.
 */

#include "config.h"

#include "service/relay/progress.h"

/* A question to a worker. */
typedef struct
{
  gatomicrefcount ref_count; /* the owner's, and the post's while it is on its way */
  gint is_asked;             /* atomic */
} Question;

struct _RerouteProgress
{
  RerouteSpool *spool;
  RerouteWorker *const *workers;
  guint n_workers;
  Question **questions; /* (array length=n_workers) */
  guint spool_mark;
};

static void
unref_question (Question *question)
{
  if (g_atomic_ref_count_dec (&question->ref_count))
    g_free (question);
}

/* The worker's thread. */
static void
answer (RerouteWorker *worker, gpointer user_data)
{
  Question *question = user_data;

  g_atomic_int_set (&question->is_asked, FALSE);
  unref_question (question);
}

static void
ask (RerouteProgress *self, guint worker)
{
  Question *question = self->questions[worker];

  g_atomic_ref_count_inc (&question->ref_count);
  g_atomic_int_set (&question->is_asked, TRUE);
  reroute_worker_post (self->workers[worker], answer, question);
}

RerouteProgress *
reroute_progress_new (RerouteSpool *spool, RerouteWorker *const *workers, guint n_workers)
{
  g_return_val_if_fail (spool != NULL && workers != NULL, NULL);

  RerouteProgress *self = g_new0 (RerouteProgress, 1);
  self->spool = spool;
  self->workers = workers;
  self->n_workers = n_workers;
  self->questions = g_new (Question *, n_workers);
  for (guint i = 0; i < n_workers; i++)
    {
      self->questions[i] = g_new0 (Question, 1);
      g_atomic_ref_count_init (&self->questions[i]->ref_count);
    }
  return self;
}

void
reroute_progress_free (RerouteProgress *self)
{
  g_return_if_fail (self != NULL);

  for (guint i = 0; i < self->n_workers; i++)
    unref_question (self->questions[i]);
  g_free (self->questions);
  g_free (self);
}

char *
reroute_progress_look (RerouteProgress *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  char *stuck = NULL;

  if (!reroute_spool_has_moved (self->spool, &self->spool_mark))
    stuck = g_strdup ("the writer of the queue");
  for (guint i = 0; i < self->n_workers; i++)
    {
      if (!g_atomic_int_get (&self->questions[i]->is_asked))
        ask (self, i);
      else if (stuck == NULL)
        stuck = g_strdup_printf ("worker %u", i);
    }
  return stuck;
}
