/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * writer.c - the one thread that writes the journal
 *
 * It takes everything that waits, commits it, and comes back for what arrived meanwhile: batches
 * form by themselves, without a linger.  Only when there is no room for another segment does it
 * wait a little, so that verdicts share the blocks that are left.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#define KEPT_RETRY_US (200 * 1000)
#define CRAMPED_LINGER_US (500 * 1000)

/* Takes what waits; blocks while there is nothing to do.  Returns: whether the spool goes on */
static gboolean
take_jobs (RerouteSpool *self, RerouteJobs *jobs, gboolean has_work)
{
  g_mutex_lock (&self->queue_lock);
  gboolean is_woken = TRUE;
  while (!has_work && is_woken && self->queue.first == NULL && !self->closing)
    {
      if (self->kept.first == NULL)
        g_cond_wait (&self->queue_cond, &self->queue_lock);
      else
        is_woken = g_cond_wait_until (&self->queue_cond, &self->queue_lock, self->kept_retry_us);
    }
  gint64 linger_us = g_get_monotonic_time () + CRAMPED_LINGER_US;
  while (self->is_cramped && !has_work && !self->closing &&
         g_cond_wait_until (&self->queue_cond, &self->queue_lock, linger_us))
    ;
  reroute_jobs_append (jobs, &self->queue);
  gboolean goes_on = !self->closing || jobs->first != NULL;
  g_mutex_unlock (&self->queue_lock);
  return goes_on;
}

static void
tell_batch (RerouteSpool *self)
{
  g_mutex_lock (&self->lock);
  RerouteSpoolBatchFunc func = self->batch_func;
  gpointer user_data = self->batch_data;
  g_mutex_unlock (&self->lock);
  if (func != NULL)
    func (user_data);
}

static void
commit (RerouteSpool *self, RerouteJobs *jobs)
{
  gboolean is_retry_due =
    self->kept.first != NULL && g_get_monotonic_time () >= self->kept_retry_us;

  if (jobs->first == NULL && !is_retry_due)
    return;
  gboolean had_kept = self->kept.first != NULL;
  reroute_spool_write_jobs (self, jobs);
  if (self->kept.first != NULL)
    {
      if (!had_kept)
        g_message ("verdicts wait for room on the disk");
      self->kept_retry_us = g_get_monotonic_time () + KEPT_RETRY_US;
    }
  tell_batch (self);
}

/* States what is synced, so that damage is told from a torn tail at the next start. */
static void
write_last_mark (RerouteSpool *self)
{
  RerouteJobs jobs = { NULL, NULL };

  reroute_jobs_push (&jobs, reroute_job_new (REROUTE_JOB_MARK));
  reroute_spool_write_jobs (self, &jobs);
  if (self->kept.first != NULL)
    g_warning ("the disk has no room for the last verdicts: some mail may be sent twice");
  for (RerouteJob *job = reroute_jobs_pop (&self->kept); job != NULL;
       job = reroute_jobs_pop (&self->kept))
    reroute_job_free (job);
}

gpointer
reroute_spool_writer_run (gpointer data)
{
  RerouteSpool *self = data;
  RerouteJobs jobs = { NULL, NULL };
  gboolean has_work = reroute_spool_keep_house (self, 0);

  while (take_jobs (self, &jobs, has_work))
    {
      RerouteJobs copies = { NULL, NULL };
      reroute_spool_pick_copies (self, &copies);
      reroute_jobs_append (&copies, &jobs);
      guint64 before = self->next_sequence;
      commit (self, &copies);
      has_work = reroute_spool_keep_house (self, 4096 * (self->next_sequence - before));
    }
  write_last_mark (self);
  return NULL;
}
