/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watchdog.c - "still alive", from all who must be
 *
 * It looks twice in the interval that the service manager gives.  A worker is asked by a function
 * that is posted to it, so it costs nothing between two looks.
 *
 * Sources: sd_watchdog_enabled(3), WatchdogSec= in systemd.service(5).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/watchdog.h"

#include "service/supervisor.h"

#define LOOKS_PER_INTERVAL 2
#define US_PER_MS 1000

/* A question to a worker. */
typedef struct
{
  gatomicrefcount ref_count; /* the watchdog's, and the post's while it is on its way */
  gint is_asked;             /* atomic */
} Question;

struct _RerouteWatchdog
{
  RerouteSpool *spool;
  RerouteWorker *const *workers;
  guint n_workers;
  Question **questions; /* (array length=n_workers) */
  guint spool_mark;
  guint interval_ms; /* between two looks */
  RerouteWatchdogFunc recovered;
  gpointer user_data;
  gboolean is_stuck;
  guint source_id;
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
ask (RerouteWatchdog *self, guint worker)
{
  Question *question = self->questions[worker];

  g_atomic_ref_count_inc (&question->ref_count);
  g_atomic_int_set (&question->is_asked, TRUE);
  reroute_worker_post (self->workers[worker], answer, question);
}

/* Who has not moved since the last look, and asks anew; (nullable): nobody */
static char *
find_stuck (RerouteWatchdog *self)
{
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

static gboolean
look_cb (gpointer user_data)
{
  RerouteWatchdog *self = user_data;
  g_autofree char *stuck = find_stuck (self);
  g_autofree char *sentence = NULL;

  if (stuck == NULL)
    {
      reroute_supervisor_notify ("WATCHDOG=1");
      if (self->is_stuck)
        {
          g_message ("all goes on again");
          self->recovered (self->user_data);
        }
      self->is_stuck = FALSE;
      return G_SOURCE_CONTINUE;
    }
  sentence = g_strdup_printf ("Hangs: %s has not moved for %u ms", stuck, self->interval_ms);
  reroute_supervisor_notify_status (sentence);
  if (!self->is_stuck)
    g_warning ("%s has not moved for %u ms", stuck, self->interval_ms);
  self->is_stuck = TRUE;
  return G_SOURCE_CONTINUE;
}

RerouteWatchdog *
reroute_watchdog_new (RerouteSpool *spool,
                      RerouteWorker *const *workers,
                      guint n_workers,
                      RerouteWatchdogFunc recovered,
                      gpointer user_data)
{
  g_return_val_if_fail (spool != NULL && workers != NULL && recovered != NULL, NULL);

  guint64 interval_us = reroute_supervisor_get_watchdog_us ();
  if (interval_us == 0)
    return NULL;

  RerouteWatchdog *self = g_new0 (RerouteWatchdog, 1);
  self->spool = spool;
  self->workers = workers;
  self->n_workers = n_workers;
  self->recovered = recovered;
  self->user_data = user_data;
  self->questions = g_new (Question *, n_workers);
  for (guint i = 0; i < n_workers; i++)
    {
      self->questions[i] = g_new0 (Question, 1);
      g_atomic_ref_count_init (&self->questions[i]->ref_count);
    }
  self->interval_ms =
    (guint) CLAMP (interval_us / US_PER_MS / LOOKS_PER_INTERVAL, 1, (guint64) G_MAXUINT);
  self->source_id = g_timeout_add (self->interval_ms, look_cb, self);
  return self;
}

void
reroute_watchdog_free (RerouteWatchdog *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->source_id);
  for (guint i = 0; i < self->n_workers; i++)
    unref_question (self->questions[i]);
  g_free (self->questions);
  g_free (self);
}
