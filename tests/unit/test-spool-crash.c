/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-crash.c - the power fails at every step, and the disk at every sync
 *
 * A step is a call that changes the disk: reserve, zero, write, sync, rename, unlink.  A child
 * process walks through all states of data/man/reroute-spool.5 and is stopped at step 1, 2, 3, ...,
 * with any part of what was not synced undone; then nothing that was acknowledged may be missing
 * and nothing may be half.
 */

#include "config.h"

#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"
#include "tests/unit/spool-script.h"

#include <sys/wait.h>
#include <unistd.h>

#define SEGMENT_OCTETS (64 * 1024)
#define N_ROUNDS 14
#define SCRIPT_SEED 7

/* Runs the script in a child.  Returns: whether the power failed in it */
static gboolean
run_in_child (SpoolScriptLog *log, const char *directory, guint step, guint32 script_seed)
{
  int status = 0;

  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      spool_faults_arm (SPOOL_FAULT_POWER, step, step * 2654435761u);
      spool_script_run (log, directory, SEGMENT_OCTETS, script_seed, N_ROUNDS);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_true (WEXITSTATUS (status) == 0 || WEXITSTATUS (status) == SPOOL_FAULT_EXIT_STATUS);
  return WEXITSTATUS (status) == SPOOL_FAULT_EXIT_STATUS;
}

/* Stops at @step, goes on, stops again somewhere, and once more.  Returns: whether @step was
 * reached */
static gboolean
stop_at (guint step)
{
  SpoolFixture fixture;
  SpoolScriptLog *log = spool_script_log_new ();

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  /* No step in this process is struck; its syncs just cost no time. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  gboolean was_reached = run_in_child (log, fixture.directory, step, SCRIPT_SEED);
  spool_script_check (log, fixture.directory, SEGMENT_OCTETS, TRUE);
  for (guint i = 1; i <= 2; i++)
    {
      run_in_child (log, fixture.directory, 1 + (step * 31 * i) % 101, SCRIPT_SEED + step * i);
      spool_script_check (log, fixture.directory, SEGMENT_OCTETS, TRUE);
    }
  for (guint i = 0; i < log->n_items; i++)
    g_assert_false (log->items[i].is_refused);
  spool_faults_disarm ();
  spool_fixture_clear (&fixture);
  spool_script_log_free (log);
  return was_reached;
}

static void
test_power_fails (void)
{
  guint step = 1;

  while (stop_at (step))
    step++;
  g_test_message ("%u steps", step - 1);
  g_assert_cmpuint (step, >, 100);
}

/* The script goes on after the fault; a message that was refused for it must not come back. */
static gboolean
fail_at (SpoolFault fault, guint step)
{
  SpoolFixture fixture;
  SpoolScriptLog *log = spool_script_log_new ();

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_script_run (log, fixture.directory, SEGMENT_OCTETS, SCRIPT_SEED, 1);
  spool_faults_arm (fault, step, step * 2654435761u);
  spool_script_run (log, fixture.directory, SEGMENT_OCTETS, SCRIPT_SEED + 1, N_ROUNDS);
  gboolean has_struck = spool_faults_have_struck ();
  spool_faults_disarm ();
  spool_script_check (log, fixture.directory, SEGMENT_OCTETS, FALSE);
  spool_fixture_clear (&fixture);
  spool_script_log_free (log);
  return has_struck;
}

static void
test_fault (gconstpointer data)
{
  /* The first steps are those of opening, where a failed sync is an error of its own. */
  guint step = 8;

  while (fail_at (GPOINTER_TO_UINT (data), step))
    step += 5;
  g_assert_cmpuint (step, >, 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/crash/power-fails", test_power_fails);
  g_test_add_data_func ("/spool/crash/sync-fails", GUINT_TO_POINTER (SPOOL_FAULT_SYNC), test_fault);
  g_test_add_data_func (
    "/spool/crash/short-write", GUINT_TO_POINTER (SPOOL_FAULT_SHORT_WRITE), test_fault);
  return g_test_run ();
}
