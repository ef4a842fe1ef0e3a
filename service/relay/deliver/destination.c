/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * destination.c - the hosts that mail goes to, and what waits for a connection to them
 *
 * A try costs some hundred octets, so a destination holds only so many.  Of what else is due for it
 * the message is noted, and decided again when there is room: a long queue drains in bounded
 * memory.
 *
 * Back-pressure counts what waits for a connection, but for destinations that are dead or slow:
 * mail for those is released to the journal and reading goes on (design.md section 5).
 *
 * Standards: RFC 5321 section 4.5.4.1 (sending strategy).
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include "common/limits.h"
#include "service/relay/deliver/leaving.h"

#define UNPARK_A_RELEASE 2            /* one for the try that ended, one to make up */
#define SLOW_US G_USEC_PER_SEC        /* a try takes longer, or none ends */
#define QUICK_US (G_USEC_PER_SEC / 4) /* a try that ends the suspicion */
#define SWEEP_US (5 * G_USEC_PER_SEC)
#define LEASE_IDLE_US ((REROUTE_LIMIT_CONNECTION_IDLE_S + 6) * G_USEC_PER_SEC) /* with its QUIT */
#define FORGET_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

static guint
hash_address (gconstpointer data)
{
  const RerouteDestination *self = data;
  guint hash = self->port;

  for (gsize i = 0; i < sizeof self->ip.octets; i++)
    hash = hash * 31 + self->ip.octets[i];
  return hash;
}

static gboolean
equal_address (gconstpointer a, gconstpointer b)
{
  const RerouteDestination *left = a;
  const RerouteDestination *right = b;

  return left->port == right->port && reroute_ip_equal (&left->ip, &right->ip) &&
         g_strcmp0 (left->socket, right->socket) == 0;
}

static void
unref_queued (gpointer data)
{
  reroute_queued_unref (data);
}

void
reroute_destination_free (RerouteDestination *self)
{
  reroute_worker_disarm_timer (self->scheduler->thread, &self->patience);
  g_queue_clear_full (&self->parked, unref_queued);
  g_clear_pointer (&self->failure, reroute_reply_free);
  g_clear_pointer (&self->lanes, g_ptr_array_unref);
  g_clear_pointer (&self->leaving_lane, reroute_destination_free);
  if (self->leaving != NULL)
    reroute_leaving_clear (self);
  g_clear_pointer (&self->demand.secret, reroute_secret_unref);
  g_clear_pointer (&self->demand.certificate, reroute_client_certificate_unref);
  g_free (self->demand.name);
  g_free (self->demand.domain);
  g_free (self->socket);
  g_free (self);
}

static void
free_destination (gpointer data)
{
  reroute_destination_free (data);
}

/* --- pressure --- */

void
reroute_scheduler_update_pressure (RerouteScheduler *scheduler)
{
  guint waiting = scheduler->n_pressing + (guint) g_atomic_int_get (&scheduler->n_submitted);
  gboolean pressed = scheduler->pressed ? waiting > REROUTE_LIMIT_PRESSURE_MESSAGES / 2
                                        : waiting > REROUTE_LIMIT_PRESSURE_MESSAGES;

  pressed = pressed && !scheduler->stopping;
  if (pressed == scheduler->pressed)
    return;
  scheduler->pressed = pressed;
  g_mutex_lock (&scheduler->lock);
  scheduler->figures.is_pressed = pressed;
  scheduler->figures.pressures += pressed;
  g_mutex_unlock (&scheduler->lock);
  if (scheduler->pressure != NULL)
    scheduler->pressure (pressed, scheduler->user_data);
}

void
reroute_destination_count_pressing (RerouteDestination *self)
{
  guint pressing = self->slow || self->n_failures > 0 ? 0 : self->n_in_memory;

  self->scheduler->n_pressing += pressing - self->n_pressing;
  self->n_pressing = pressing;
  reroute_scheduler_update_pressure (self->scheduler);
}

/* The content of a try in the queue is in memory no more, or the try leaves it. */
static void
uncount (RerouteDestination *self, RerouteTry *try)
{
  self->n_in_memory -= try->in_memory;
  try->in_memory = FALSE;
}

RerouteTry *
reroute_destination_pop (RerouteDestination *self)
{
  RerouteTry *try = g_queue_pop_head (&self->queue);

  if (try != NULL)
    uncount (self, try);
  return try;
}

static void
set_slow (RerouteDestination *self, gboolean slow)
{
  if (self->slow == slow || self->leaving != NULL)
    return;
  self->slow = slow;
  for (GList *each = slow ? self->queue.head : NULL; each != NULL; each = each->next)
    {
      RerouteTry *try = each->data;

      reroute_queued_release_content (try->queued);
      uncount (self, try);
    }
  reroute_destination_count_pressing (self);
}

static void
lose_patience (RerouteTimer *timer)
{
  RerouteDestination *self =
    (RerouteDestination *) ((char *) timer - G_STRUCT_OFFSET (RerouteDestination, patience));
  RerouteWorker *thread = self->scheduler->thread;
  gint64 now_us = reroute_worker_now_us (thread);

  if (self->queue.length == 0)
    return;
  if (now_us - self->done_us >= SLOW_US)
    set_slow (self, TRUE);
  reroute_worker_arm_timer (thread, &self->patience, MAX (self->done_us, now_us) + SLOW_US);
}

/* --- leases --- */

RerouteDestination *
reroute_destination_get_host (RerouteDestination *self)
{
  return self->host != NULL ? self->host : self;
}

static void
begin (RerouteDestination *self, RerouteTry *try, guint worker)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestination *host = reroute_destination_get_host (self);

  try->worker = worker;
  try->began_us = reroute_worker_now_us (scheduler->thread);
  if (try->leaves)
    reroute_leaving_begin (host);
  self->used_us = host->used_us = try->began_us;
  host->n_active++;
  host->workers[worker].n_active++;
  host->lane_was_last = self != host;
  if (self != host)
    {
      self->n_active++;
      host->n_active_in_lanes++;
    }
  scheduler->n_active++;
  reroute_try_deliver (try);
}

static void
pump_queue (RerouteDestination *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestination *host = reroute_destination_get_host (self);

  while (self->queue.length > 0 && !scheduler->stopping)
    {
      RerouteTry *try = g_queue_peek_head (&self->queue);
      guint worker;

      if (!reroute_destination_may_begin (self))
        break;
      if (!reroute_destination_lease (host, try->queued->worker, &worker))
        {
          reroute_destination_block (host);
          break;
        }
      reroute_destination_pop (self);
      if (reroute_try_prune (try))
        begin (self, try, worker);
    }
  reroute_destination_count_pressing (self);
}

gboolean
reroute_destination_is_crowded (const RerouteDestination *self)
{
  return self->queue.length >= REROUTE_LIMIT_TRIES_PER_DESTINATION;
}

/* Nothing is left that would make room for those that are parked. */
static void
unpark_stranded (RerouteDestination *self)
{
  if (self->queue.length == 0 && self->n_active == 0 && !self->scheduler->stopping)
    reroute_destination_unpark (self, self->parked.length);
}

static void
for_each_lane (RerouteDestination *host, void (*func) (RerouteDestination *lane))
{
  for (guint i = 0; host->lanes != NULL && i < host->lanes->len; i++)
    func (host->lanes->pdata[i]);
  if (host->leaving_lane != NULL)
    func (host->leaving_lane);
}

void
reroute_destination_pump (RerouteDestination *self)
{
  RerouteDestination *host = reroute_destination_get_host (self);
  gboolean waits = host->queue.length > 0;

  for_each_lane (host, pump_queue);
  pump_queue (host);
  /* What the lanes made way for was void, perhaps. */
  if (waits && host->queue.length == 0)
    for_each_lane (host, pump_queue);
  if (host->leaving_lane != NULL)
    reroute_leaving_await (host);
  for_each_lane (host, unpark_stranded);
  unpark_stranded (host);
}

/* One of those in the queue has ended. */
static void
unpark_next (RerouteDestination *self)
{
  if (!reroute_destination_is_crowded (self))
    reroute_destination_unpark (self, UNPARK_A_RELEASE);
}

void
reroute_destination_push (RerouteDestination *self, RerouteTry *try)
{
  RerouteWorker *thread = self->scheduler->thread;

  try->destination = self;
  if (self->queue.length == 0)
    self->done_us = reroute_worker_now_us (thread);
  g_queue_push_tail (&self->queue, try);
  if (self->slow)
    reroute_queued_release_content (try->queued);
  try->in_memory = try->queued->has_content;
  self->n_in_memory += try->in_memory;
  reroute_destination_pump (self);
  if (self->queue.length > 0 && self->patience.due_us == 0 && self->leaving == NULL)
    reroute_worker_arm_timer (thread, &self->patience, self->done_us + SLOW_US);
}

void
reroute_destination_release (RerouteDestination *self, guint worker, gint64 took_us)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestination *host = reroute_destination_get_host (self);

  self->used_us = self->done_us = reroute_worker_now_us (scheduler->thread);
  host->used_us = self->used_us;
  host->n_active--;
  host->workers[worker].n_active--;
  if (self != host)
    {
      self->n_active--;
      host->n_active_in_lanes--;
    }
  scheduler->n_active--;
  if (took_us > SLOW_US)
    set_slow (self, TRUE);
  else if (took_us < QUICK_US)
    set_slow (self, FALSE);
  reroute_destination_share (host, worker);
  reroute_destination_pump (self);
  unpark_next (self);
  if (self != host)
    unpark_next (host);
  reroute_destinations_pump_blocked (scheduler);
}

/* --- the table --- */

static gboolean
is_in_use (const RerouteDestination *self)
{
  return self->n_active > 0 || self->queue.length > 0 || self->parked.length > 0;
}

static gboolean
is_sound (const RerouteDestination *self, gint64 now_us)
{
  return self->n_failures == 0 || now_us - self->used_us > self->wait_us + FORGET_US;
}

static void
forget_lanes (RerouteDestination *self, gint64 now_us)
{
  for (guint i = self->lanes != NULL ? self->lanes->len : 0; i > 0; i--)
    {
      const RerouteDestination *lane = self->lanes->pdata[i - 1];

      if (!is_in_use (lane) && is_sound (lane, now_us))
        g_ptr_array_remove_index_fast (self->lanes, i - 1);
    }
  if (self->lanes != NULL && self->lanes->len == 0)
    g_clear_pointer (&self->lanes, g_ptr_array_unref);
  if (self->leaving_lane != NULL && !is_in_use (self->leaving_lane) &&
      reroute_leaving_is_over (self->leaving_lane, now_us))
    g_clear_pointer (&self->leaving_lane, reroute_destination_free);
}

static gboolean
is_forgotten (gpointer key, gpointer value, gpointer user_data)
{
  RerouteDestination *self = key;
  RerouteScheduler *scheduler = user_data;
  gint64 now_us = reroute_worker_now_us (scheduler->thread);

  forget_lanes (self, now_us);
  if (is_in_use (self) || self->blocked || now_us - self->used_us < LEASE_IDLE_US)
    return FALSE;
  for (guint i = 0; i < scheduler->n_workers; i++)
    reroute_destination_return_leases (self, i);
  return self->lanes == NULL && self->leaving_lane == NULL && is_sound (self, now_us);
}

static void
sweep (RerouteTimer *timer)
{
  RerouteDestinations *all =
    (RerouteDestinations *) ((char *) timer - G_STRUCT_OFFSET (RerouteDestinations, sweep));
  RerouteScheduler *scheduler =
    (RerouteScheduler *) ((char *) all - G_STRUCT_OFFSET (RerouteScheduler, destinations));

  g_hash_table_foreach_remove (all->by_address, is_forgotten, scheduler);
  reroute_destinations_pump_blocked (scheduler);
  if (g_hash_table_size (all->by_address) > 0)
    reroute_worker_arm_timer (
      scheduler->thread, timer, reroute_worker_now_us (scheduler->thread) + SWEEP_US);
}

RerouteDestination *
reroute_destination_new (RerouteScheduler *scheduler, guint n_workers)
{
  RerouteDestination *self = g_malloc0 (sizeof *self + n_workers * sizeof self->workers[0]);

  self->scheduler = scheduler;
  self->limit = REROUTE_DESTINATION_FIRST_LIMIT;
  self->used_us = reroute_worker_now_us (scheduler->thread);
  self->patience.func = lose_patience;
  g_queue_init (&self->queue);
  g_queue_init (&self->parked);
  return self;
}

RerouteDestination *
reroute_destination_get (RerouteScheduler *scheduler, const RerouteEndpoint *endpoint)
{
  RerouteDestinations *all = &scheduler->destinations;
  const RerouteDestination wanted = { .ip = endpoint->ip,
                                      .port = endpoint->port,
                                      .socket = endpoint->local ? endpoint->name : NULL };
  RerouteDestination *self = g_hash_table_lookup (all->by_address, &wanted);

  if (self != NULL)
    return self;
  self = reroute_destination_new (scheduler, scheduler->n_workers);
  self->ip = endpoint->ip;
  self->port = endpoint->port;
  self->socket = g_strdup (wanted.socket);
  g_hash_table_add (all->by_address, self);
  if (all->sweep.due_us == 0)
    reroute_worker_arm_timer (scheduler->thread, &all->sweep, self->used_us + SWEEP_US);
  return self;
}

void
reroute_destinations_init (RerouteScheduler *scheduler)
{
  RerouteDestinations *all = &scheduler->destinations;

  all->by_address = g_hash_table_new_full (hash_address, equal_address, free_destination, NULL);
  g_queue_init (&all->blocked);
  all->stopped = g_ptr_array_new ();
  all->sweep.func = sweep;
}

void
reroute_destinations_clear (RerouteScheduler *scheduler)
{
  reroute_worker_disarm_timer (scheduler->thread, &scheduler->destinations.sweep);
  g_queue_clear (&scheduler->destinations.blocked);
  g_hash_table_unref (scheduler->destinations.by_address);
  g_ptr_array_unref (scheduler->destinations.stopped);
}
