/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * writer.c - the one thread that writes the journal
 *
 * First it reads what is there.  Then it takes everything that waits, commits it, and comes back
 * for what arrived meanwhile: batches form by themselves, without a linger.  Verdicts alone wait
 * some milliseconds for a message whose sync they can share; and when there is no room for another
 * segment they wait longer, so that they share the blocks that are left.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#include "service/relay/spool/fault-point.h"

#define VERDICTS_LINGER_US (25 * 1000)
#define KEPT_RETRY_US (200 * 1000)
#define CRAMPED_LINGER_US (500 * 1000)

static gboolean
has_arrived (const RerouteSpool *self, RerouteWriterWait wait)
{
  return self->closing ||
         (wait == REROUTE_WRITER_WAITS_FOR_ANY ? self->queue.first != NULL : self->n_urgent > 0);
}

/* Under the lock.  Returns: FALSE when the time is over */
static gboolean
wait_for (RerouteSpool *self, RerouteWriterWait wait, gint64 end_us)
{
  gboolean in_time = TRUE;

  while (in_time && !has_arrived (self, wait))
    {
      self->writer_waits = wait;
      if (end_us == G_MAXINT64)
        g_cond_wait (&self->queue_cond, &self->queue_lock);
      else
        in_time = g_cond_wait_until (&self->queue_cond, &self->queue_lock, end_us);
    }
  self->writer_waits = REROUTE_WRITER_BUSY;
  return in_time;
}

/* Blocks until there is something to write.  Under the lock. */
static void
wait_for_jobs (RerouteSpool *self)
{
  do
    if (!wait_for (
          self, REROUTE_WRITER_WAITS_FOR_URGENT, g_get_monotonic_time () + VERDICTS_LINGER_US))
      reroute_spool_free_done (self);
  while (!has_arrived (self, REROUTE_WRITER_WAITS_FOR_ANY) &&
         wait_for (self,
                   REROUTE_WRITER_WAITS_FOR_ANY,
                   self->kept.first != NULL ? self->kept_retry_us : G_MAXINT64) &&
         !has_arrived (self, REROUTE_WRITER_WAITS_FOR_URGENT));
}

/* Takes what waits; blocks while there is nothing to do.  Returns: whether the spool goes on */
static gboolean
take_jobs (RerouteSpool *self, RerouteJobs *jobs, gboolean has_work)
{
  g_atomic_int_inc (&self->n_moves);
  g_mutex_lock (&self->queue_lock);
  if (!has_work)
    wait_for_jobs (self);
  gint64 linger_us = g_get_monotonic_time () + CRAMPED_LINGER_US;
  while (self->is_cramped && !has_work && !self->closing &&
         g_cond_wait_until (&self->queue_cond, &self->queue_lock, linger_us))
    ;
  reroute_jobs_append (jobs, &self->queue);
  self->n_urgent = 0;
  gboolean goes_on = !self->closing || jobs->first != NULL;
  g_mutex_unlock (&self->queue_lock);
  return goes_on;
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
}

/* States what is synced, so that damage is told from a torn tail at the next start. */
static void
write_last_mark (RerouteSpool *self)
{
  RerouteJobs jobs = { NULL, NULL };

  REROUTE_FAULT_POINT ("closing");
  reroute_jobs_push (&jobs, reroute_job_new (REROUTE_JOB_MARK));
  reroute_spool_write_jobs (self, &jobs);
  if (self->kept.first != NULL)
    g_warning ("the disk has no room for the last verdicts: some mail may be sent twice");
  reroute_jobs_free (&self->kept);
}

gpointer
reroute_spool_writer_run (gpointer data)
{
  RerouteSpool *self = data;
  RerouteJobs jobs = { NULL, NULL };

  if (!reroute_spool_read (self))
    {
      while (take_jobs (self, &jobs, FALSE))
        reroute_spool_refuse_jobs (self, &jobs);
      return NULL;
    }
  gboolean has_work = reroute_spool_keep_house (self);
  while (take_jobs (self, &jobs, has_work))
    {
      RerouteJobs copies = { NULL, NULL };
      reroute_spool_pick_copies (self, &copies);
      reroute_jobs_append (&copies, &jobs);
      commit (self, &copies);
      has_work = reroute_spool_keep_house (self);
    }
  write_last_mark (self);
  return NULL;
}
