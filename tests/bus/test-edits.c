/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-edits.c - an edit whose saving is not waited for stays open nowhere
 */

#include "config.h"

#include "common/error.h"
#include "common/limits.h"
#include "tests/bus/bus-fixture.h"

/* More than one call carries. */
#define N_CHANGES 20000

static gboolean
stop_cb (gpointer stop)
{
  g_cancellable_cancel (stop);
  return G_SOURCE_REMOVE;
}

/* All is staged, so that its Commit is sent before the main loop goes on. */
static void
progress_cb (double fraction, gpointer stop)
{
  if (fraction >= 1)
    g_idle_add_full (G_PRIORITY_HIGH, stop_cb, g_object_ref (stop), g_object_unref);
}

/* Changes nothing: other rules than those that are there are expected. */
static void
save_and_stop (BusFixture *f, GPtrArray *changes)
{
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (RerouteCommitResult) outcome = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *pending = NULL;

  reroute_rules_client_set_progress (f->client, progress_cb, stop);
  reroute_rules_client_apply_async (f->client, changes, 4711, NULL, stop, bus_result_cb, &pending);
  result = bus_await (&pending);
  outcome = reroute_rules_client_apply_finish (f->client, result, &error);
  g_assert_null (outcome);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_OUTCOME);
}

static void
test_stopped (BusFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);

  for (gint64 id = 1; id <= N_CHANGES; id++)
    g_ptr_array_add (changes, reroute_change_new_remove (REROUTE_PAGE_ROUTING, id));
  for (guint i = 0; i < REROUTE_LIMIT_EDITS_PER_CALLER; i++)
    save_and_stop (f, changes);
  for (guint i = 0; i < REROUTE_LIMIT_EDITS_PER_CALLER; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) begun = bus_call (f->bus, "Begin", NULL, &error);

      g_assert_no_error (error);
      g_assert_nonnull (begun);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/edits/stopped", BusFixture, NULL, bus_set_up, test_stopped, bus_tear_down);
  return g_test_run ();
}
