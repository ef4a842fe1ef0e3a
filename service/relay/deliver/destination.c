/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * destination.c - back-off, concurrency and leases of the hosts that mail goes to
 *
 * A lease is a connection that a worker may have open to a destination.  It stays with the worker
 * when the delivery is over, for the pool keeps the connection for a while; the sweep takes it back
 * after that time, and when all leases are out the pools are asked to close what is idle.
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

#include <string.h>

#include "common/limits.h"

#define FIRST_LIMIT 5                 /* engine-measures.md rule 8 */
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

  return left->port == right->port && memcmp (&left->ip, &right->ip, sizeof left->ip) == 0 &&
         g_strcmp0 (left->socket, right->socket) == 0;
}

static void
unref_queued (gpointer data)
{
  reroute_queued_unref (data);
}

static void
free_destination (gpointer data)
{
  RerouteDestination *self = data;

  reroute_worker_disarm_timer (self->scheduler->thread, &self->patience);
  g_queue_clear_full (&self->parked, unref_queued);
  g_clear_pointer (&self->failure, reroute_reply_free);
  g_free (self->socket);
  g_free (self);
}

static gint64
get_setting (RerouteScheduler *scheduler, RerouteSettingId id)
{
  return reroute_settings_get_number (reroute_scheduler_get_settings (scheduler), id);
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

static void
count_pressing (RerouteDestination *self)
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

static RerouteTry *
pop (RerouteDestination *self)
{
  RerouteTry *try = g_queue_pop_head (&self->queue);

  if (try != NULL)
    uncount (self, try);
  return try;
}

static void
set_slow (RerouteDestination *self, gboolean slow)
{
  if (self->slow == slow)
    return;
  self->slow = slow;
  for (GList *each = slow ? self->queue.head : NULL; each != NULL; each = each->next)
    {
      RerouteTry *try = each->data;

      reroute_queued_release_content (try->queued);
      uncount (self, try);
    }
  count_pressing (self);
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

/* Takes a connection for a delivery, best on @wanted. */
static gboolean
lease (RerouteDestination *self, guint wanted, guint *worker)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestinations *all = &scheduler->destinations;
  guint most =
    MIN (self->limit, (guint) get_setting (scheduler, REROUTE_SETTING_MAX_CONNECTIONS_PER_HOST));

  if (self->n_failures > 0)
    most = 1;
  if (self->n_active >= most)
    return FALSE;
  if (self->workers[wanted].n_active < self->workers[wanted].n_leases)
    {
      *worker = wanted;
      return TRUE;
    }
  if (self->n_leases < most &&
      all->n_leases < (guint) get_setting (scheduler, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS))
    {
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

/* Gives back leases on @worker that no delivery uses. */
static void
return_leases (RerouteDestination *self, guint worker)
{
  guint idle = self->workers[worker].n_leases - self->workers[worker].n_active;

  self->workers[worker].n_leases = self->workers[worker].n_active;
  self->n_leases -= idle;
  self->scheduler->destinations.n_leases -= idle;
}

static void pump (RerouteDestination *self);

static void
pump_blocked (RerouteScheduler *scheduler)
{
  RerouteDestinations *all = &scheduler->destinations;

  for (guint n = all->blocked.length; n > 0; n--)
    {
      RerouteDestination *self = g_queue_pop_head (&all->blocked);

      self->blocked = FALSE;
      pump (self);
    }
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
    return_leases (key, trim->worker);
  if (--all->n_trims_left > 0)
    return;
  all->trimming = FALSE;
  pump_blocked (scheduler);
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

static void
block (RerouteDestination *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDestinations *all = &scheduler->destinations;

  if (self->blocked ||
      all->n_leases < (guint) get_setting (scheduler, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS))
    return;
  self->blocked = TRUE;
  g_queue_push_tail (&all->blocked, self);
  trim (scheduler);
}

/* Hands out what waits, as far as there are connections to be had. */
static void
pump (RerouteDestination *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  gint64 now_us = reroute_worker_now_us (scheduler->thread);

  while (self->queue.length > 0 && !scheduler->stopping)
    {
      RerouteTry *try = g_queue_peek_head (&self->queue);
      guint worker;

      if (!lease (self, try->queued->worker, &worker))
        {
          block (self);
          break;
        }
      pop (self);
      if (!reroute_try_prune (try))
        continue;
      try->worker = worker;
      try->began_us = now_us;
      self->used_us = now_us;
      self->n_active++;
      self->workers[worker].n_active++;
      scheduler->n_active++;
      reroute_try_deliver (try);
    }
  count_pressing (self);
}

gboolean
reroute_destination_is_crowded (const RerouteDestination *self)
{
  return self->queue.length >= REROUTE_LIMIT_TRIES_PER_DESTINATION;
}

void
reroute_destination_park (RerouteDestination *self, RerouteQueued *queued)
{
  g_queue_push_tail (&self->parked, reroute_queued_ref (queued));
}

static void
unpark (RerouteDestination *self, guint most)
{
  for (; most > 0 && self->parked.length > 0; most--)
    {
      RerouteQueued *queued = g_queue_pop_head (&self->parked);

      reroute_queued_unpark (queued);
      reroute_queued_unref (queued);
    }
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
  try->in_memory = try->queued->in_memory_octets > 0;
  self->n_in_memory += try->in_memory;
  pump (self);
  if (self->queue.length > 0 && self->patience.due_us == 0)
    reroute_worker_arm_timer (thread, &self->patience, self->done_us + SLOW_US);
}

void
reroute_destination_release (RerouteDestination *self, guint worker, gint64 took_us)
{
  RerouteScheduler *scheduler = self->scheduler;

  self->used_us = self->done_us = reroute_worker_now_us (scheduler->thread);
  self->n_active--;
  self->workers[worker].n_active--;
  scheduler->n_active--;
  if (took_us > SLOW_US)
    set_slow (self, TRUE);
  else if (took_us < QUICK_US)
    set_slow (self, FALSE);
  pump (self);
  if (!reroute_destination_is_crowded (self))
    unpark (self, UNPARK_A_RELEASE);
  pump_blocked (scheduler);
}

/* --- health --- */

void
reroute_destination_succeeded (RerouteDestination *self)
{
  gint64 most = get_setting (self->scheduler, REROUTE_SETTING_MAX_CONNECTIONS_PER_HOST);

  self->n_failures = 0;
  g_clear_pointer (&self->failure, reroute_reply_free);
  self->limit = (guint) MIN ((gint64) self->limit + 1, most);
}

void
reroute_destination_throttle (RerouteDestination *self)
{
  self->limit = MAX (1, self->limit / 2);
}

gint64
reroute_destination_get_retry_us (const RerouteDestination *self, gint64 now_us)
{
  /* A clock that was set back must not make it wait for ever. */
  if (self->n_failures == 0 || now_us < self->failed_us ||
      now_us >= self->failed_us + self->wait_us)
    return 0;
  return self->failed_us + self->wait_us;
}

/* What waits is taken out first: each looks for another endpoint, and may find this one again. */
static void
place_again (RerouteDestination *self)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  RerouteTry *try;

  while ((try = pop (self)) != NULL)
    g_ptr_array_add (waiting, try);
  count_pressing (self);
  for (guint i = 0; i < waiting->len; i++)
    reroute_try_place (waiting->pdata[i]);
  unpark (self, self->parked.length);
}

void
reroute_destination_failed (RerouteDestination *self, const RerouteReply *reply)
{
  gsize n;
  const gint64 *waits_s = reroute_settings_get_numbers (
    reroute_scheduler_get_settings (self->scheduler), REROUTE_SETTING_RETRY_INTERVALS, &n);
  gint64 now_us = g_get_real_time ();

  /* Several connections that fail together are one failure. */
  if (reroute_destination_get_retry_us (self, now_us) != 0)
    return;
  self->failed_us = now_us;
  self->wait_us = waits_s[MIN (self->n_failures, n - 1)] * G_USEC_PER_SEC;
  self->n_failures++;
  self->limit = MIN (self->limit, FIRST_LIMIT);
  g_clear_pointer (&self->failure, reroute_reply_free);
  self->failure = reroute_reply_copy (reply);
  place_again (self);
}

void
reroute_destination_forgive (RerouteDestination *self)
{
  self->wait_us = 0;
}

void
reroute_destinations_forgive (RerouteScheduler *scheduler)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, scheduler->destinations.by_address);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    reroute_destination_forgive (key);
}

void
reroute_destinations_withdraw (RerouteScheduler *scheduler)
{
  g_autoptr (GPtrArray) tries = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;
  RerouteTry *try;

  g_hash_table_iter_init (&iter, scheduler->destinations.by_address);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      RerouteDestination *self = key;

      while ((try = pop (self)) != NULL)
        g_ptr_array_add (tries, try);
      count_pressing (self);
      unpark (self, self->parked.length);
    }
  for (guint i = 0; i < tries->len; i++)
    reroute_try_withdraw (tries->pdata[i]);
}

/* --- the table --- */

static gboolean
is_forgotten (gpointer key, gpointer value, gpointer user_data)
{
  RerouteDestination *self = key;
  RerouteScheduler *scheduler = user_data;
  gint64 now_us = reroute_worker_now_us (scheduler->thread);

  if (self->n_active > 0 || self->queue.length > 0 || self->parked.length > 0 || self->blocked ||
      now_us - self->used_us < LEASE_IDLE_US)
    return FALSE;
  for (guint i = 0; i < scheduler->n_workers; i++)
    return_leases (self, i);
  return self->n_failures == 0 || now_us - self->used_us > self->wait_us + FORGET_US;
}

static void
sweep (RerouteTimer *timer)
{
  RerouteDestinations *all =
    (RerouteDestinations *) ((char *) timer - G_STRUCT_OFFSET (RerouteDestinations, sweep));
  RerouteScheduler *scheduler =
    (RerouteScheduler *) ((char *) all - G_STRUCT_OFFSET (RerouteScheduler, destinations));

  g_hash_table_foreach_remove (all->by_address, is_forgotten, scheduler);
  pump_blocked (scheduler);
  if (g_hash_table_size (all->by_address) > 0)
    reroute_worker_arm_timer (
      scheduler->thread, timer, reroute_worker_now_us (scheduler->thread) + SWEEP_US);
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
  self = g_malloc0 (sizeof *self + scheduler->n_workers * sizeof self->workers[0]);
  self->ip = endpoint->ip;
  self->port = endpoint->port;
  self->socket = g_strdup (wanted.socket);
  self->scheduler = scheduler;
  self->limit = FIRST_LIMIT;
  self->used_us = reroute_worker_now_us (scheduler->thread);
  self->patience.func = lose_patience;
  g_queue_init (&self->queue);
  g_queue_init (&self->parked);
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
  all->sweep.func = sweep;
}

void
reroute_destinations_clear (RerouteScheduler *scheduler)
{
  reroute_worker_disarm_timer (scheduler->thread, &scheduler->destinations.sweep);
  g_queue_clear (&scheduler->destinations.blocked);
  g_hash_table_unref (scheduler->destinations.by_address);
}
