/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-crash.c - the power fails at every step, and the disk at every sync
 *
 * A step is a call that changes the disk: create, reserve, zero, write, sync, rename, unlink.  A
 * child process walks through the states of data/man/reroute-spool.5 and is stopped at step 1, 2,
 * 3, ..., with any part of what was not synced undone; then nothing that was acknowledged may be
 * missing and nothing may be half.  REROUTE_TEST_SEED repeats a run; with REROUTE_TEST_LONG there
 * are many.
 */

#include "config.h"

#include "service/relay/spool/fault-point.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"
#include "tests/unit/spool-script.h"
#include "tests/unit/stride.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEGMENT_OCTETS (64 * 1024)
#define N_ROUNDS 14
#define SCRIPT_SEED 7
#define LONG_PASSES 60 /* each some hundred steps, three times a power failure */
#define MIX 2654435761u

/* The states that the script must have walked through, or the test would show nothing. */
static const char *const states[] = {
  "part-received",      "message-received", "batch-written",    "batch-answered",
  "verdict-known",      "spare-created",    "spare-reserved",   "spare-cleared",
  "segment-named",      "segment-started",  "copies-picked",    "segment-emptied",
  "segment-taken-back", "segment-recycled", "segment-unlinked", "token-written",
  "journal-read",       "closing",          "zeros-written",
};

/* How often each was reached; in memory that survives the process. */
static gint *n_visits;

void
reroute_fault_point (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    if (strcmp (states[i], name) == 0)
      g_atomic_int_inc (&n_visits[i]);
}

static guint32
get_seed (void)
{
  const char *text = g_getenv ("REROUTE_TEST_SEED");

  return text != NULL ? (guint32) g_ascii_strtoull (text, NULL, 10) : g_random_int ();
}

/* Runs the script in a child.  Returns: whether the power failed in it */
static gboolean
run_in_child (
  SpoolScriptLog *log, const char *directory, guint step, guint32 seed, guint32 script_seed)
{
  int status = 0;

  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      spool_faults_arm (SPOOL_FAULT_POWER, step, seed + step * MIX);
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
stop_at (guint step, guint32 seed, guint32 script_seed)
{
  SpoolFixture fixture;
  SpoolScriptLog *log = spool_script_log_new ();

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  /* No step in this process is struck; its syncs just cost no time. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  gboolean was_reached = run_in_child (log, fixture.directory, step, seed, script_seed);
  spool_script_check (log, fixture.directory, SEGMENT_OCTETS, TRUE);
  for (guint i = 1; i <= 2; i++)
    {
      run_in_child (
        log, fixture.directory, 1 + (step * 31 * i) % 101, seed + i, script_seed + step * i);
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
  guint32 seed = get_seed ();
  guint n_passes = g_getenv ("REROUTE_TEST_LONG") != NULL ? LONG_PASSES : 1;
  guint stride = test_get_stride ();
  guint n_failures = 0;

  g_test_message ("REROUTE_TEST_SEED=%u", seed);
  for (guint pass = 0; pass < n_passes; pass++)
    {
      guint step = 1 + seed % stride;
      for (; stop_at (step, seed + pass * MIX, SCRIPT_SEED + pass); step += stride)
        n_failures += 3;
      g_assert_cmpuint (step, >, 60);
    }
  g_test_message ("%u power failures", n_failures);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_atomic_int_get (&n_visits[i]) == 0)
      g_error ("the script never was in the state %s", states[i]);
}

/* The script goes on after the fault; a message that was refused for it must not come back. */
static gboolean
fail_at (SpoolFault fault, guint step, guint32 seed)
{
  SpoolFixture fixture;
  SpoolScriptLog *log = spool_script_log_new ();

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_script_run (log, fixture.directory, SEGMENT_OCTETS, SCRIPT_SEED, 1);
  spool_faults_arm (fault, step, seed + step * MIX);
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
  guint stride = g_getenv ("REROUTE_TEST_LONG") != NULL ? 1 : 5 * test_get_stride ();
  guint32 seed = get_seed ();

  g_test_message ("REROUTE_TEST_SEED=%u", seed);
  while (fail_at (GPOINTER_TO_UINT (data), step, seed))
    step += stride;
  g_assert_cmpuint (step, >, 100);
}

/* That the directory could not be synced when a segment went is told. */
static void
test_directory_fault (void)
{
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  test_fault (GUINT_TO_POINTER (SPOOL_FAULT_DIRECTORY_SYNC));
  g_log_set_always_fatal (fatal);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  n_visits =
    mmap (NULL, sizeof (states), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (n_visits != MAP_FAILED);
  g_test_add_func ("/spool/crash/power-fails", test_power_fails);
  g_test_add_data_func (
    "/spool/crash/write-fails", GUINT_TO_POINTER (SPOOL_FAULT_WRITE), test_fault);
  g_test_add_data_func ("/spool/crash/sync-fails", GUINT_TO_POINTER (SPOOL_FAULT_SYNC), test_fault);
  g_test_add_func ("/spool/crash/directory-sync-fails", test_directory_fault);
  g_test_add_data_func (
    "/spool/crash/short-write", GUINT_TO_POINTER (SPOOL_FAULT_SHORT_WRITE), test_fault);
  return g_test_run ();
}
