/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * restore.c - the queue of an earlier life is taken over
 *
 * The spool is read while mail is received already, and what it had comes in portions, so that a
 * long queue stops nobody.  Calls about the queue wait until all of it is known.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/spool/foresee.h"

#define PORTION 256 /* messages a turn of the worker */
/* What the scheduler needs for one that waits, with what its destination notes of it. */
#define MESSAGE_OCTETS (sizeof (RerouteQueued) + 2 * sizeof (RerouteWaiting))

typedef struct
{
  RerouteScheduler *scheduler;
  GPtrArray *entries; /* (element-type RerouteSpoolEntry): in order, freed as they are taken */
  guint next;
} Restoring;

static void
take_entry (RerouteScheduler *self, const RerouteSpoolEntry *entry)
{
  RerouteQueued *queued = reroute_queued_new (self, entry->message, 0);

  reroute_queued_restore (queued, entry);
  if (queued->n_alive == 0)
    reroute_queued_leave (queued);
  else if (self->ruleset != NULL)
    reroute_queued_arm (queued);
}

void
reroute_scheduler_run_early_calls (RerouteScheduler *self)
{
  for (gpointer call = g_queue_pop_head (&self->early_calls); call != NULL;
       call = g_queue_pop_head (&self->early_calls))
    reroute_worker_post (self->thread, reroute_queue_call_run, call);
}

static void
take_portion (RerouteWorker *thread, gpointer user_data)
{
  Restoring *restoring = user_data;
  RerouteScheduler *self = restoring->scheduler;
  guint end = MIN (restoring->next + PORTION, restoring->entries->len);

  if (restoring->next > 0)
    reroute_foresee_memory (PORTION * MESSAGE_OCTETS);
  for (; restoring->next < end && !self->stopping; restoring->next++)
    {
      take_entry (self, restoring->entries->pdata[restoring->next]);
      reroute_spool_entry_free (g_steal_pointer (&restoring->entries->pdata[restoring->next]));
    }
  if (restoring->next < restoring->entries->len && !self->stopping)
    {
      reroute_worker_post (thread, take_portion, restoring);
      return;
    }
  g_mutex_lock (&self->lock);
  self->figures.is_restored = TRUE;
  g_mutex_unlock (&self->lock);
  reroute_scheduler_run_early_calls (self);
  g_ptr_array_unref (restoring->entries);
  g_free (restoring);
}

void
reroute_scheduler_restore (RerouteScheduler *self, GPtrArray *entries)
{
  g_return_if_fail (self != NULL && entries != NULL);

  Restoring *restoring = g_new (Restoring, 1);
  *restoring = (Restoring){ self, entries, 0 };
  reroute_worker_post (self->thread, take_portion, restoring);
}
