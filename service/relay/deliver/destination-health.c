/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * destination-health.c - what is remembered of a host that failed, and of what it has denied
 *
 * What fails before a host has answered EHLO is its own, and concerns all mail for it.  What it
 * denies behind that, because of TLS or of who we are there, concerns mail that demands the same:
 * that mail gets a lane, with a back-off of its own, and the host goes on with the other.  A
 * session that is lost in a transaction, without 421, may be lost because of what is sent: the host
 * has failed when it was lost over two messages in a row.
 *
 * Standards: RFC 5321 section 4.5.4.1 (sending strategy).
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include "common/limits.h"

static gboolean
equal_demand (const RerouteDemand *a, const RerouteDemand *b)
{
  return a->level == b->level && a->requires_tls == b->requires_tls && a->secret == b->secret &&
         a->certificate == b->certificate && g_strcmp0 (a->name, b->name) == 0 &&
         g_strcmp0 (a->domain, b->domain) == 0;
}

static RerouteDestination *
find (const RerouteDestination *self, const RerouteDemand *demand)
{
  for (guint i = 0; self->lanes != NULL && i < self->lanes->len; i++)
    {
      RerouteDestination *lane = self->lanes->pdata[i];

      if (equal_demand (&lane->demand, demand))
        return lane;
    }
  return NULL;
}

RerouteDestination *
reroute_destination_find_lane (const RerouteDestination *self, const RerouteDemand *demand)
{
  RerouteDestination *lane = find (self, demand);

  return lane != NULL && lane->n_failures > 0 ? lane : NULL;
}

static void
free_lane (gpointer data)
{
  reroute_destination_free (data);
}

/* Returns: NULL: there are too many */
static RerouteDestination *
add_lane (RerouteDestination *self, const RerouteDemand *demand)
{
  RerouteDestination *lane;

  if (self->lanes != NULL && self->lanes->len >= REROUTE_LIMIT_LANES_PER_DESTINATION)
    return NULL;
  lane = reroute_destination_new (self->scheduler, 0);
  lane->host = self;
  lane->demand = (RerouteDemand){
    .level = demand->level,
    .requires_tls = demand->requires_tls,
    .secret = demand->secret != NULL ? reroute_secret_ref (demand->secret) : NULL,
    .certificate =
      demand->certificate != NULL ? reroute_client_certificate_ref (demand->certificate) : NULL,
    .name = g_strdup (demand->name),
    .domain = g_strdup (demand->domain),
  };
  if (self->lanes == NULL)
    self->lanes = g_ptr_array_new_with_free_func (free_lane);
  g_ptr_array_add (self->lanes, lane);
  return lane;
}

/* --- what waits --- */

static guint
get_n_lanes (const RerouteDestination *self)
{
  return (self->lanes != NULL ? self->lanes->len : 0) + (self->leaving_lane != NULL);
}

/* The last one is that of mail that leaves our organisation, if there is one. */
static RerouteDestination *
get_lane (const RerouteDestination *self, guint index)
{
  return self->lanes != NULL && index < self->lanes->len ? self->lanes->pdata[index]
                                                         : self->leaving_lane;
}

static void
take_queue (RerouteDestination *self, GPtrArray *tries)
{
  RerouteTry *try;

  while ((try = reroute_destination_pop (self)) != NULL)
    g_ptr_array_add (tries, try);
  reroute_destination_count_pressing (self);
}

static void
take_queues (RerouteDestination *self, GPtrArray *tries)
{
  for (guint i = 0; i < get_n_lanes (self); i++)
    take_queue (get_lane (self, i), tries);
  take_queue (self, tries);
}

void
reroute_destination_park (RerouteDestination *self, RerouteQueued *queued)
{
  g_queue_push_tail (&self->parked, reroute_queued_ref (queued));
}

void
reroute_destination_unpark (RerouteDestination *self, guint most)
{
  for (; most > 0 && self->parked.length > 0; most--)
    {
      RerouteQueued *queued = g_queue_pop_head (&self->parked);

      reroute_queued_unpark (queued);
      reroute_queued_unref (queued);
    }
}

static void
unpark_all (RerouteDestination *self)
{
  for (guint i = 0; i < get_n_lanes (self); i++)
    unpark_all (get_lane (self, i));
  reroute_destination_unpark (self, self->parked.length);
}

/* What waits is taken out first: each looks for another endpoint, and may find this one again. */
void
reroute_destination_place_again (RerouteDestination *self)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();

  take_queues (self, waiting);
  for (guint i = 0; i < waiting->len; i++)
    reroute_try_place (waiting->pdata[i]);
  unpark_all (self);
}

/* --- health --- */

static void
recover (RerouteDestination *self)
{
  self->n_failures = 0;
  g_clear_pointer (&self->failure, reroute_reply_free);
}

void
reroute_destination_succeeded (RerouteDestination *self)
{
  gint64 most = reroute_settings_get_number (reroute_scheduler_get_settings (self->scheduler),
                                             REROUTE_SETTING_MAX_CONNECTIONS_PER_HOST);

  recover (self);
  if (self->host == NULL)
    {
      self->limit = (guint) MIN ((gint64) self->limit + 1, most);
      return;
    }
  /* The host's queue is the place for it now. */
  reroute_destination_place_again (self);
}

void
reroute_destination_throttle (RerouteDestination *self)
{
  RerouteDestination *host = reroute_destination_get_host (self);

  host->limit = MAX (1, host->limit / 2);
}

gint64
reroute_destination_get_retry_us (const RerouteDestination *self,
                                  gint64 now_us,
                                  const RerouteReply **failure)
{
  gint64 host_us =
    self->host != NULL ? reroute_destination_get_retry_us (self->host, now_us, failure) : 0;
  gint64 retry_us = self->failed_us + self->wait_us;

  /* A clock that was set back must not make it wait for ever. */
  if (self->n_failures == 0 || now_us < self->failed_us || now_us >= retry_us || retry_us < host_us)
    return host_us;
  if (failure != NULL)
    *failure = self->failure;
  return retry_us;
}

/* FALSE: it is known to be so: several connections that fail together are one failure. */
static gboolean
note_failure (RerouteDestination *self, const RerouteReply *reply)
{
  gsize n;
  const gint64 *waits_s = reroute_settings_get_numbers (
    reroute_scheduler_get_settings (self->scheduler), REROUTE_SETTING_RETRY_INTERVALS, &n);
  gint64 now_us = g_get_real_time ();

  if (reroute_destination_get_retry_us (self, now_us, NULL) != 0)
    return FALSE;
  self->failed_us = now_us;
  self->wait_us = waits_s[MIN (self->n_failures, n - 1)] * G_USEC_PER_SEC;
  self->n_failures++;
  self->limit = MIN (self->limit, REROUTE_DESTINATION_FIRST_LIMIT);
  g_clear_pointer (&self->failure, reroute_reply_free);
  self->failure = reroute_reply_copy (reply);
  return TRUE;
}

void
reroute_destination_failed (RerouteDestination *self, const RerouteReply *reply)
{
  if (!note_failure (self, reply))
    return;
  reroute_destination_place_again (self);
}

gboolean
reroute_destination_lost (RerouteDestination *self, guint64 id)
{
  guint64 last = self->lost_id;

  self->lost_id = id;
  return last != 0 && last != id;
}

void
reroute_destination_denied (RerouteDestination *self,
                            const RerouteDemand *demand,
                            const RerouteReply *reply)
{
  RerouteDestination *lane = find (self, demand);

  /* It was asked because its own wait was over, and has answered. */
  if (reroute_destination_get_retry_us (self, g_get_real_time (), NULL) == 0)
    recover (self);
  if (lane == NULL)
    lane = add_lane (self, demand);
  if (lane == NULL || !note_failure (lane, reply))
    return;
  reroute_destination_place_again (self);
}

void
reroute_destination_forgive (RerouteDestination *self)
{
  self->wait_us = 0;
  if (self->host != NULL)
    self->host->wait_us = 0;
}

void
reroute_destinations_forgive (RerouteScheduler *scheduler)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, scheduler->destinations.by_address);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      RerouteDestination *self = key;

      reroute_destination_forgive (self);
      for (guint i = 0; i < get_n_lanes (self); i++)
        reroute_destination_forgive (get_lane (self, i));
    }
}

void
reroute_destinations_withdraw (RerouteScheduler *scheduler)
{
  g_autoptr (GPtrArray) tries = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, scheduler->destinations.by_address);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      RerouteDestination *self = key;

      take_queues (self, tries);
      unpark_all (self);
    }
  for (guint i = 0; i < tries->len; i++)
    reroute_try_withdraw (tries->pdata[i]);
}
