/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * route.c - where decisions lead, looked up once for all that ask at the same time
 *
 * What was found serves for a second: long enough that a busy destination costs no look-up a
 * message, short enough that exchangers of equal preference share the load.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#define FRESH_US G_USEC_PER_SEC
#define UNUSED_US (60 * G_USEC_PER_SEC)
#define ROUTES_MOST 4096       /* then those that were not used for a while go */
#define LOOK_US G_USEC_PER_SEC /* from one look for them to the next: all are gone through */

typedef struct
{
  RerouteRouteFunc func;
  gpointer user_data;
} Asker;

/* What was found for one turn of the hosts. */
typedef struct
{
  RerouteRoute *route;
  guint turn;
  RerouteNextHop *next_hop; /* NULL: not looked up */
  gint64 found_us;          /* monotonic */
  guint generation;         /* of the rules when it was asked */
  GArray *askers;           /* (element-type Asker): an answer is on its way; else NULL */
} Turn;

struct _RerouteRoute
{
  RerouteScheduler *scheduler;
  RerouteHosts *hosts; /* or */
  char *dns_domain;
  gboolean untyped; /* as the decision says of it */
  gint64 used_us;   /* monotonic */
  guint next_turn;
  guint n_turns;
  Turn turns[];
};

static guint
hash_route (gconstpointer data)
{
  const RerouteRoute *self = data;

  return self->hosts != NULL ? reroute_hosts_hash (self->hosts) : g_str_hash (self->dns_domain);
}

static gboolean
equal_route (gconstpointer a, gconstpointer b)
{
  const RerouteRoute *left = a;
  const RerouteRoute *right = b;

  return reroute_hosts_equal (left->hosts, right->hosts) && left->untyped == right->untyped &&
         g_strcmp0 (left->dns_domain, right->dns_domain) == 0;
}

static void
free_route (gpointer data)
{
  RerouteRoute *self = data;

  for (guint i = 0; i < self->n_turns; i++)
    {
      reroute_next_hop_free (self->turns[i].next_hop);
      g_clear_pointer (&self->turns[i].askers, g_array_unref);
    }
  g_clear_pointer (&self->hosts, reroute_hosts_unref);
  g_free (self->dns_domain);
  g_free (self);
}

GHashTable *
reroute_routes_new (void)
{
  return g_hash_table_new_full (hash_route, equal_route, free_route, NULL);
}

static gboolean
is_unused (gpointer key, gpointer value, gpointer user_data)
{
  const RerouteRoute *self = key;
  const gint64 *now_us = user_data;

  for (guint i = 0; i < self->n_turns; i++)
    {
      if (self->turns[i].askers != NULL)
        return FALSE;
    }
  return *now_us - self->used_us > UNUSED_US;
}

void
reroute_routes_forget (RerouteScheduler *scheduler)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, scheduler->routes);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      RerouteRoute *self = key;

      for (guint i = 0; i < self->n_turns; i++)
        g_clear_pointer (&self->turns[i].next_hop, reroute_next_hop_free);
    }
}

static void
drop_unused (RerouteScheduler *scheduler, gint64 now_us)
{
  if (g_hash_table_size (scheduler->routes) < ROUTES_MOST ||
      now_us - scheduler->routes_looked_us < LOOK_US)
    return;
  scheduler->routes_looked_us = now_us;
  g_hash_table_foreach_remove (scheduler->routes, is_unused, &now_us);
}

RerouteRoute *
reroute_route_get (RerouteScheduler *scheduler, const RerouteDecision *decision)
{
  gint64 now_us = reroute_worker_now_us (scheduler->thread);
  RerouteRoute wanted = { .hosts = decision->hosts,
                          .dns_domain = decision->dns_domain,
                          .untyped = decision->untyped };
  RerouteRoute *self = g_hash_table_lookup (scheduler->routes, &wanted);
  guint n_turns;

  if (self == NULL)
    {
      drop_unused (scheduler, now_us);
      n_turns =
        decision->hosts != NULL && decision->hosts->by_turns ? (guint) decision->hosts->n_hosts : 1;
      self = g_malloc0 (sizeof *self + n_turns * sizeof self->turns[0]);
      self->scheduler = scheduler;
      self->hosts = decision->hosts != NULL ? reroute_hosts_ref (decision->hosts) : NULL;
      self->dns_domain = g_strdup (decision->dns_domain);
      self->untyped = decision->untyped;
      self->n_turns = n_turns;
      for (guint i = 0; i < n_turns; i++)
        self->turns[i] = (Turn){ .route = self, .turn = i };
      g_hash_table_add (scheduler->routes, self);
    }
  self->used_us = now_us;
  return self;
}

static void ask (Turn *turn, RerouteRouteFunc func, gpointer user_data);

/* Of an answer by settings that are no longer in force nobody is told: it is asked for anew. */
static void
found (RerouteNextHop *next_hop, gpointer user_data)
{
  Turn *turn = user_data;
  RerouteScheduler *scheduler = turn->route->scheduler;
  g_autoptr (GArray) askers = g_steal_pointer (&turn->askers);
  g_autoptr (RerouteNextHop) found_now = next_hop;
  gboolean is_stale = turn->generation != scheduler->generation && !scheduler->stopping;

  for (guint i = 0; i < askers->len; i++)
    {
      Asker asker = g_array_index (askers, Asker, i);

      if (is_stale)
        ask (turn, asker.func, asker.user_data);
      else
        asker.func (found_now, asker.user_data);
    }
  if (is_stale)
    return;
  if (turn->generation == scheduler->generation && found_now->state == REROUTE_NEXT_HOP_FOUND)
    {
      reroute_next_hop_free (turn->next_hop);
      turn->next_hop = g_steal_pointer (&found_now);
      turn->found_us = reroute_worker_now_us (scheduler->thread);
    }
}

static void
ask (Turn *turn, RerouteRouteFunc func, gpointer user_data)
{
  RerouteRoute *self = turn->route;
  const RerouteDecision decision = { .hosts = self->hosts,
                                     .dns_domain = self->dns_domain,
                                     .untyped = self->untyped };
  Asker asker = { func, user_data };
  gboolean asked = turn->askers != NULL;

  if (!asked)
    turn->askers = g_array_new (FALSE, FALSE, sizeof (Asker));
  g_array_append_val (turn->askers, asker);
  if (asked)
    return;
  turn->generation = self->scheduler->generation;
  reroute_scheduler_find_next_hop (self->scheduler, &decision, turn->turn, found, turn);
}

void
reroute_route_resolve (RerouteRoute *self, RerouteRouteFunc func, gpointer user_data)
{
  Turn *turn = &self->turns[self->next_turn++ % self->n_turns];
  gint64 now_us = reroute_worker_now_us (self->scheduler->thread);

  if (turn->next_hop != NULL && now_us - turn->found_us < FRESH_US)
    func (turn->next_hop, user_data);
  else
    ask (turn, func, user_data);
}
