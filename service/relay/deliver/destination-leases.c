/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * destination-leases.c - who may have a connection: leases of one host, and what hosts share
 *
 * A lease is a connection that a worker may have open to a destination.  It stays with the worker
 * when the delivery is over, for the pool keeps the connection for a while; the sweep takes it back
 * after that time, and when all leases are out the pools are asked to close what is idle.
 *
 * When that is not enough, hosts wait in a line.  One that has more connections than the poorest of
 * them passes one on behind each delivery, until they are even; and where there are more hosts
 * than connections, a host that has had its only one for a turn.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/deliver/leaving.h"

#define TURN_US G_USEC_PER_SEC /* with the only connection of a host, while others have none */

static gint64
get_setting (RerouteScheduler *scheduler, RerouteSettingId id)
{
  return reroute_settings_get_number (reroute_scheduler_get_settings (scheduler), id);
}

static gboolean
are_all_out (RerouteScheduler *scheduler)
{
  return scheduler->destinations.n_leases >=
         (guint) get_setting (scheduler, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS);
}

/* Connections at a time. */
static guint
get_most (const RerouteDestination *self)
{
  guint most = (guint) get_setting (self->scheduler, REROUTE_SETTING_MAX_CONNECTIONS_PER_HOST);

  return self->n_failures > 0 ? 1 : MIN (self->limit, most);
}

gboolean
reroute_destination_may_begin (const RerouteDestination *self)
{
  const RerouteDestination *host = self->host != NULL ? self->host : self;
  guint most = get_most (host);

  if (host->n_active >= most)
    return FALSE;
  if (self == host)
    return TRUE;
  if (self->leaving != NULL && !reroute_leaving_may_begin (self))
    return FALSE;
  if (self->n_failures == 0 && host->queue.length == 0)
    return TRUE;
  if (most == 1 && host->lane_was_last && host->queue.length > 0)
    return FALSE;
  return (self->n_failures == 0 || self->n_active == 0) &&
         host->n_active_in_lanes < MAX (most / 2, 1);
}

gboolean
reroute_destination_lease (RerouteDestination *self, guint wanted, guint *worker)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestinations *all = &scheduler->destinations;
  guint most = get_most (self);

  if (self->workers[wanted].n_active < self->workers[wanted].n_leases)
    {
      *worker = wanted;
      return TRUE;
    }
  if (self->n_leases < most && !are_all_out (scheduler))
    {
      if (self->n_leases == 0)
        self->leased_us = reroute_worker_now_us (scheduler->thread);
      self->workers[wanted].n_leases++;
      self->n_leases++;
      all->n_leases++;
      *worker = wanted;
      return TRUE;
    }
  for (guint i = 0; i < scheduler->n_workers; i++)
    {
      if (self->workers[i].n_active < self->workers[i].n_leases)
        {
          *worker = i;
          return TRUE;
        }
    }
  return FALSE;
}

void
reroute_destination_return_leases (RerouteDestination *self, guint worker)
{
  guint idle = self->workers[worker].n_leases - self->workers[worker].n_active;

  self->workers[worker].n_leases = self->workers[worker].n_active;
  self->n_leases -= idle;
  self->scheduler->destinations.n_leases -= idle;
}

typedef struct
{
  RerouteScheduler *scheduler;
  guint worker;
} Trim;

/* On the scheduler's thread: what the worker's pool had idle is closed. */
static void
trimmed (RerouteWorker *thread, gpointer user_data)
{
  g_autofree Trim *trim = user_data;
  RerouteScheduler *scheduler = trim->scheduler;
  RerouteDestinations *all = &scheduler->destinations;
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, all->by_address);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    reroute_destination_return_leases (key, trim->worker);
  if (--all->n_trims_left > 0)
    return;
  all->trimming = FALSE;
  reroute_destinations_pump_blocked (scheduler);
}

static void
trim_on_worker (RerouteWorker *worker, gpointer user_data)
{
  Trim *trim = user_data;

  reroute_pool_close_idle (trim->scheduler->pools[trim->worker]);
  reroute_worker_post (trim->scheduler->thread, trimmed, trim);
}

/* All connections are out: those that rest are closed for others. */
static void
trim (RerouteScheduler *scheduler)
{
  RerouteDestinations *all = &scheduler->destinations;

  if (all->trimming || all->n_leases <= scheduler->n_active)
    return;
  all->trimming = TRUE;
  all->n_trims_left = scheduler->n_workers;
  for (guint i = 0; i < scheduler->n_workers; i++)
    {
      Trim *each = g_new (Trim, 1);

      *each = (Trim){ scheduler, i };
      reroute_worker_post (scheduler->workers[i], trim_on_worker, each);
    }
}

void
reroute_destinations_pump_blocked (RerouteScheduler *scheduler)
{
  RerouteDestinations *all = &scheduler->destinations;

  for (guint n = all->blocked.length; n > 0 && !are_all_out (scheduler); n--)
    {
      RerouteDestination *self = g_queue_pop_head (&all->blocked);

      self->blocked = FALSE;
      reroute_destination_pump (self);
    }
  if (all->blocked.length > 0)
    trim (scheduler);
}

void
reroute_destination_block (RerouteDestination *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestinations *all = &scheduler->destinations;

  if (self->blocked || !are_all_out (scheduler))
    return;
  self->blocked = TRUE;
  g_queue_push_tail (&all->blocked, self);
  trim (scheduler);
}

/* Of the hosts in line the one that has the fewest connections; (nullable) */
static RerouteDestination *
find_poorest (const RerouteDestination *self)
{
  RerouteDestination *poorest = NULL;

  for (GList *each = self->scheduler->destinations.blocked.head;
       each != NULL && (poorest == NULL || poorest->n_leases > 0);
       each = each->next)
    {
      RerouteDestination *other = each->data;

      if (other != self && (poorest == NULL || other->n_leases < poorest->n_leases))
        poorest = other;
    }
  return poorest;
}

static gboolean
must_share_with (const RerouteDestination *self, const RerouteDestination *poorest)
{
  gint64 had_us = reroute_worker_now_us (self->scheduler->thread) - self->leased_us;

  if (self->n_leases > poorest->n_leases + 1)
    return TRUE;
  return poorest->n_leases == 0 && had_us >= TURN_US;
}

static void
close_idle (RerouteWorker *worker, gpointer user_data)
{
  reroute_pool_close_idle (user_data);
}

/* Its place in the line is the last one. */
static void
leave_line (RerouteDestination *self)
{
  if (self->blocked)
    g_queue_remove (&self->scheduler->destinations.blocked, self);
  self->blocked = FALSE;
}

void
reroute_destination_share (RerouteDestination *self, guint worker)
{
  RerouteScheduler *scheduler = self->scheduler;
  GQueue *blocked = &scheduler->destinations.blocked;
  RerouteDestination *poorest = scheduler->stopping ? NULL : find_poorest (self);

  if (poorest == NULL || !must_share_with (self, poorest))
    return;
  leave_line (self);
  reroute_destination_return_leases (self, worker);
  reroute_worker_post (scheduler->workers[worker], close_idle, scheduler->pools[worker]);
  g_queue_remove (blocked, poorest);
  g_queue_push_head (blocked, poorest);
  reroute_destinations_pump_blocked (scheduler);
}
