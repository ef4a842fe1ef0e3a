/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-many-hosts.c - what one delivery costs does not depend on how many hosts wait
 *
 * Nothing is timed: what goes through all hosts is counted.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#define N_HOSTS 1000
#define N_ROUTES 5000 /* more than are kept without a look for unused ones */

static guint n_pumps;
static guint n_looks;
static gint64 now_us = G_USEC_PER_SEC;
static GPtrArray *begun; /* (element-type RerouteDestination) */

/* The linker puts these in front of those of the relay, and of GLib. */
gint64 __wrap_reroute_worker_now_us (RerouteWorker *self);
void __real_reroute_destination_pump (RerouteDestination *self);
void __wrap_reroute_destination_pump (RerouteDestination *self);
gboolean __wrap_reroute_try_prune (RerouteTry *self);
void __wrap_reroute_try_deliver (RerouteTry *self);
guint __real_g_hash_table_foreach_remove (GHashTable *table, GHRFunc func, gpointer user_data);
guint __wrap_g_hash_table_foreach_remove (GHashTable *table, GHRFunc func, gpointer user_data);

gint64
__wrap_reroute_worker_now_us (RerouteWorker *self)
{
  return now_us;
}

void
__wrap_reroute_destination_pump (RerouteDestination *self)
{
  n_pumps++;
  __real_reroute_destination_pump (self);
}

gboolean
__wrap_reroute_try_prune (RerouteTry *self)
{
  return TRUE;
}

void
__wrap_reroute_try_deliver (RerouteTry *self)
{
  g_ptr_array_add (begun, self->destination);
}

guint
__wrap_g_hash_table_foreach_remove (GHashTable *table, GHRFunc func, gpointer user_data)
{
  n_looks++;
  return __real_g_hash_table_foreach_remove (table, func, user_data);
}

typedef struct
{
  RerouteScheduler scheduler;
  ReroutePool *pools[1];
  RerouteQueued *queued;
  GPtrArray *tries; /* (element-type RerouteTry) */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  RerouteScheduler *scheduler = &self->scheduler;

  g_mutex_init (&scheduler->lock);
  scheduler->thread = reroute_worker_new (0);
  scheduler->workers = &scheduler->thread;
  scheduler->n_workers = 1;
  scheduler->pools = self->pools;
  scheduler->no_rules = reroute_ruleset_new_empty ();
  scheduler->routes = reroute_routes_new ();
  reroute_destinations_init (scheduler);
  scheduler->destinations.trimming = TRUE; /* no pool is asked to close anything */
  self->queued = g_malloc0 (sizeof *self->queued);
  self->tries = g_ptr_array_new_with_free_func (g_free);
  begun = g_ptr_array_new ();
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  RerouteScheduler *scheduler = &self->scheduler;

  g_clear_pointer (&begun, g_ptr_array_unref);
  for (guint i = 0; i < self->tries->len; i++)
    g_queue_clear (&((RerouteTry *) self->tries->pdata[i])->destination->queue);
  reroute_destinations_clear (scheduler);
  g_hash_table_unref (scheduler->routes);
  g_ptr_array_unref (self->tries);
  g_free (self->queued);
  reroute_ruleset_unref (scheduler->no_rules);
  reroute_worker_free (scheduler->thread);
  g_mutex_clear (&scheduler->lock);
}

static RerouteDestination *
wait_for_host (Fixture *self, guint number)
{
  RerouteEndpoint endpoint = { .port = (guint16) (number + 1) };
  RerouteTry *try = g_new0 (RerouteTry, 1);
  RerouteDestination *destination = reroute_destination_get (&self->scheduler, &endpoint);

  try->queued = self->queued;
  g_ptr_array_add (self->tries, try);
  reroute_destination_push (destination, try);
  return destination;
}

/* Those in line are the hosts from @first on, in order. */
static void
check_line (Fixture *self, RerouteDestination *const *hosts, guint first)
{
  const GList *each = self->scheduler.destinations.blocked.head;

  for (guint i = first; i < N_HOSTS; i++, each = each->next)
    g_assert_true (each != NULL && each->data == hosts[i]);
  g_assert_null (each);
}

static void
test_line (Fixture *self, gconstpointer data)
{
  RerouteScheduler *scheduler = &self->scheduler;
  RerouteDestinations *all = &scheduler->destinations;
  RerouteDestination *hosts[N_HOSTS];

  all->n_leases = (guint) reroute_settings_get_number (reroute_scheduler_get_settings (scheduler),
                                                       REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS);
  for (guint i = 0; i < N_HOSTS; i++)
    hosts[i] = wait_for_host (self, i);
  check_line (self, hosts, 0);

  /* All connections are out. */
  n_pumps = 0;
  reroute_destinations_pump_blocked (scheduler);
  g_assert_cmpuint (n_pumps, ==, 0);
  check_line (self, hosts, 0);

  /* Two are to be had. */
  all->n_leases -= 2;
  reroute_destinations_pump_blocked (scheduler);
  g_assert_cmpuint (n_pumps, ==, 2);
  g_assert_cmpuint (begun->len, ==, 2);
  g_assert_true (begun->pdata[0] == hosts[0] && begun->pdata[1] == hosts[1]);
  check_line (self, hosts, 2);

  /* One ends; its connection stays with its host for a turn. */
  reroute_destination_release (hosts[0], 0, 1);
  g_assert_cmpuint (n_pumps, ==, 2);
  check_line (self, hosts, 2);

  /* The turn is over. */
  now_us += 2 * G_USEC_PER_SEC;
  reroute_destination_release (hosts[1], 0, 1);
  g_assert_cmpuint (n_pumps, ==, 3);
  g_assert_true (begun->len == 3 && begun->pdata[2] == hosts[2]);
  check_line (self, hosts, 3);
}

static void
get_routes (Fixture *self, guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      const RerouteDecision decision = { .dns_domain = domain };

      reroute_route_get (&self->scheduler, &decision);
    }
}

static void
test_routes (Fixture *self, gconstpointer data)
{
  GHashTable *routes = self->scheduler.routes;

  n_looks = 0;
  get_routes (self, 0, N_ROUTES);
  g_assert_cmpuint (g_hash_table_size (routes), ==, N_ROUTES);
  g_assert_cmpuint (n_looks, ==, 1);

  /* All are unused by then. */
  now_us += 61 * G_USEC_PER_SEC;
  get_routes (self, N_ROUTES, 1);
  g_assert_cmpuint (g_hash_table_size (routes), ==, 1);
  g_assert_cmpuint (n_looks, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/many-hosts/line", Fixture, NULL, set_up, test_line, tear_down);
  g_test_add ("/many-hosts/routes", Fixture, NULL, set_up, test_routes, tear_down);
  return g_test_run ();
}
