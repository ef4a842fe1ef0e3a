/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-full.c - a full disk, or one that keeps no names, refuses mail and loses none
 */

#include "config.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEGMENT_OCTETS (1024 * 1024)
#define SMALL_SEGMENT_OCTETS (64 * 1024)
#define LARGE_SEGMENT_OCTETS (16 * 1024 * 1024)
#define N_LARGE 100 /* the newest segment is used for the second time, up to a quarter */
#define N_WAITING 12
#define N_LIVES 3
#define MAX_MESSAGES 2000
#define MESSAGE_OCTETS 3000

static gint n_recorded;

static void
recorded_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_atomic_int_inc (&n_recorded);
}

static void
wait_until_recorded (gint n)
{
  gint64 end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (g_atomic_int_get (&n_recorded) < n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end_us);
      g_thread_yield ();
    }
}

static void
record_sent (RerouteSpool *spool, RerouteMessage *message)
{
  RerouteVerdict verdict = { 0, REROUTE_RECIPIENT_SENT, 0, 1, 0, "250 2.0.0 taken" };

  reroute_spool_record (spool, message, &verdict, 1, recorded_cb, NULL);
}

/* Commits until the spool refuses with @code; the messages it took. */
static GPtrArray *
commit_until_refused (SpoolFixture *fixture, RerouteError code)
{
  GPtrArray *messages = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_message_unref);
  g_autoptr (GError) error = NULL;

  while (error == NULL)
    {
      g_assert_cmpuint (messages->len, <, MAX_MESSAGES);
      g_autoptr (GBytes) content = spool_fixture_content (messages->len, MESSAGE_OCTETS);
      RerouteMessage *message = spool_fixture_commit (fixture, 1, content, &error);
      if (message != NULL)
        g_ptr_array_add (messages, message);
    }
  g_assert_error (error, REROUTE_ERROR, (int) code);
  return messages;
}

static void
check_messages (SpoolFixture *fixture, const GPtrArray *messages)
{
  for (guint i = 0; i < messages->len; i++)
    {
      const RerouteMessage *message = g_ptr_array_index (messages, i);
      g_autoptr (GBytes) content = spool_fixture_content (i, MESSAGE_OCTETS);
      RerouteSpoolEntry *entry = spool_fixture_find (fixture, message->id);
      g_assert_nonnull (entry);
      spool_fixture_assert_content (fixture->spool, entry->message, content);
    }
}

/* No room for another segment: what is left of the last one is for verdicts, all of which are
   written; and when nothing lives any more the file is used once more. */
static void
test_no_room (void)
{
  SpoolFixture fixture;
  RerouteSpoolFigures figures;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  spool_faults_arm (SPOOL_FAULT_NO_ROOM, 1, 0);
  g_autoptr (GPtrArray) messages = commit_until_refused (&fixture, REROUTE_ERROR_SPOOL_FULL);
  g_assert_cmpuint (messages->len, >, 100);
  reroute_spool_get_figures (fixture.spool, &figures);
  g_assert_false (figures.writable);
  spool_fixture_close (&fixture);

  spool_faults_arm (SPOOL_FAULT_NO_ROOM, 1, 0);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, messages->len);
  check_messages (&fixture, messages);
  g_atomic_int_set (&n_recorded, 0);
  for (guint i = 0; i < fixture.entries->len; i++)
    record_sent (fixture.spool,
                 ((RerouteSpoolEntry *) g_ptr_array_index (fixture.entries, i))->message);
  wait_until_recorded ((gint) messages->len);
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);
  g_autoptr (RerouteMessage) again = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_nonnull (again);
  reroute_spool_get_figures (fixture.spool, &figures);
  g_assert_true (figures.writable);
  g_assert_cmpuint (figures.octets, ==, SEGMENT_OCTETS);
  spool_faults_disarm ();
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  g_assert_nonnull (spool_fixture_find (&fixture, again->id));
  spool_fixture_clear (&fixture);
}

/* Nothing at all can be written: verdicts wait, in order, until something can. */
static void
test_verdicts_wait (void)
{
  SpoolFixture fixture;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = spool_fixture_content (1, 1000);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (RerouteMessage) sent = spool_fixture_commit (&fixture, 1, content, NULL);
  g_autoptr (RerouteMessage) deferred = spool_fixture_commit (&fixture, 1, content, NULL);
  spool_faults_arm (SPOOL_FAULT_FULL, 1, 0);
  g_atomic_int_set (&n_recorded, 0);
  record_sent (fixture.spool, sent);
  for (guint i = 1; i <= 3; i++)
    {
      RerouteVerdict verdict = { 0, REROUTE_RECIPIENT_WAITING, i, i, 0, "451 4.0.0 later" };
      reroute_spool_record (fixture.spool, deferred, &verdict, 1, recorded_cb, NULL);
    }
  g_assert_null (spool_fixture_commit (&fixture, 1, content, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  g_assert_cmpint (g_atomic_int_get (&n_recorded), ==, 0);
  spool_faults_disarm ();
  wait_until_recorded (4);
  g_autoptr (RerouteMessage) more = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_nonnull (more);
  spool_fixture_close (&fixture);

  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 2);
  g_assert_null (spool_fixture_find (&fixture, sent->id));
  RerouteSpoolEntry *entry = spool_fixture_find (&fixture, deferred->id);
  g_assert_nonnull (entry);
  g_assert_cmpuint (entry->verdicts[0].tries, ==, 3);
  spool_fixture_clear (&fixture);
}

static void
synced_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_assert_null (message);
  g_async_queue_push (user_data, error != NULL ? (gpointer) g_error_copy (error) : user_data);
}

/* (transfer full): %NULL: all that was recorded is durable */
static GError *
sync_spool (RerouteSpool *spool)
{
  g_autoptr (GAsyncQueue) answers = g_async_queue_new ();

  reroute_spool_sync (spool, synced_cb, answers);
  gpointer answer = g_async_queue_pop (answers);
  return answer != answers ? answer : NULL;
}

/* The verdicts of a message that the journal's files have. */
static guint
count_verdicts (const SpoolFixture *fixture, guint64 id)
{
  g_autoptr (GArray) records = spool_fixture_list_records (fixture->directory);
  guint n = 0;

  for (guint i = 0; i < records->len; i++)
    {
      SpoolFixtureRecord *record = &g_array_index (records, SpoolFixtureRecord, i);
      n += record->type == REROUTE_RECORD_VERDICT && record->id == id;
    }
  return n;
}

/* Who waits for verdicts that nobody waits for otherwise is told when they are on the disk, and
   that they are not. */
static void
test_sync (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, 1000);
  const RerouteVerdict held = { 0, REROUTE_RECIPIENT_HELD, 0, 1, 0, "held" };

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_no_error (sync_spool (fixture.spool));
  reroute_spool_record (fixture.spool, message, &held, 1, NULL, NULL);
  g_assert_no_error (sync_spool (fixture.spool));
  g_assert_cmpuint (count_verdicts (&fixture, message->id), ==, 1);

  spool_faults_arm (SPOOL_FAULT_FULL, 1, 0);
  reroute_spool_record (fixture.spool, message, &held, 1, NULL, NULL);
  g_autoptr (GError) error = sync_spool (fixture.spool);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  g_autoptr (GError) still = sync_spool (fixture.spool);
  g_assert_nonnull (still);
  g_assert_cmpuint (count_verdicts (&fixture, message->id), ==, 1);
  spool_faults_disarm ();
  reroute_spool_record (fixture.spool, message, &held, 1, NULL, NULL);
  g_assert_no_error (sync_spool (fixture.spool));
  g_assert_cmpuint (count_verdicts (&fixture, message->id), ==, 3);
  spool_fixture_clear (&fixture);
}

/* A disk that is full when the relay starts: what is queued is there and can be delivered. */
static void
test_full_at_start (void)
{
  SpoolFixture fixture;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = spool_fixture_content (1, 1000);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  spool_fixture_close (&fixture);
  spool_faults_arm (SPOOL_FAULT_FULL, 1, 0);
  spool_fixture_open (&fixture);
  RerouteSpoolEntry *entry = spool_fixture_find (&fixture, message->id);
  g_assert_nonnull (entry);
  spool_fixture_assert_content (fixture.spool, entry->message, content);
  g_assert_null (spool_fixture_commit (&fixture, 1, content, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  spool_faults_disarm ();
  g_autoptr (RerouteMessage) more = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_nonnull (more);
  spool_fixture_clear (&fixture);
}

/* What is left when a spool has written its files again and again. */
typedef struct
{
  guint n_waiting; /* messages */
  guint n_spares;
} Recycled;

static const Recycled with_spare = { 12, 1 };
static const Recycled without_spare = { 10, 0 };

static void
fill_recycled (SpoolFixture *fixture, const Recycled *row)
{
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);

  spool_fixture_init (fixture, SMALL_SEGMENT_OCTETS);
  spool_fixture_open (fixture);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, NULL);
      spool_fixture_record (fixture, message, 0, REROUTE_RECIPIENT_SENT, "250 ok");
    }
  for (guint i = 0; i < row->n_waiting; i++)
    reroute_message_unref (spool_fixture_commit (fixture, 1, content, NULL));
  spool_fixture_close (fixture);
  g_autoptr (GPtrArray) spares = spool_fixture_list (fixture->directory, "spare");
  g_assert_cmpuint (spares->len, ==, row->n_spares);
}

/* Every message was tried @tries times.  (transfer full): why that is not on the disk */
static GError *
record_tries (SpoolFixture *fixture, guint tries)
{
  const RerouteVerdict later = { 0, REROUTE_RECIPIENT_WAITING, 1, tries, 0, "451 later" };

  for (guint i = 0; i < fixture->entries->len; i++)
    {
      RerouteSpoolEntry *entry = g_ptr_array_index (fixture->entries, i);
      reroute_spool_record (fixture->spool, entry->message, &later, 1, NULL, NULL);
    }
  return sync_spool (fixture->spool);
}

/* A disk that stays full over some lives of the relay: the spare is ours still, and the newest
   segment has room yet, so the verdicts of each life can be written. */
static void
test_full_for_lives (gconstpointer data)
{
  const Recycled *row = data;
  SpoolFixture fixture;

  fill_recycled (&fixture, row);
  spool_faults_set_free (SMALL_SEGMENT_OCTETS);
  for (guint life = 0; life < N_LIVES; life++)
    {
      spool_fixture_open (&fixture);
      g_assert_cmpuint (fixture.entries->len, ==, row->n_waiting);
      for (guint i = 0; i < row->n_waiting; i++)
        {
          const RerouteSpoolEntry *entry = g_ptr_array_index (fixture.entries, i);
          g_assert_cmpuint (entry->verdicts[0].tries, ==, life);
        }
      g_assert_no_error (record_tries (&fixture, life + 1));
      spool_fixture_close (&fixture);
    }
  spool_faults_set_free (G_MAXUINT64);
  spool_fixture_clear (&fixture);
}

/* There is room for a segment, but not for one that would take a batch: the newest one goes on. */
static void
test_spare_is_too_small (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) large = spool_fixture_content (1, 512 * 1024);

  spool_fixture_init (&fixture, LARGE_SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  for (guint i = 0; i < N_LARGE; i++)
    {
      g_autoptr (RerouteMessage) sent = spool_fixture_commit (&fixture, 1, large, NULL);
      spool_fixture_record (&fixture, sent, 0, REROUTE_RECIPIENT_SENT, "250 ok");
    }
  reroute_message_unref (spool_fixture_commit (&fixture, 1, large, NULL));
  spool_fixture_close (&fixture);
  g_autofree char *spare = g_build_filename (fixture.directory, "spare", NULL);
  g_assert_true (g_unlink (spare) == 0 || errno == ENOENT);
  spool_faults_set_free (2 * 1024 * 1024);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  g_assert_no_error (record_tries (&fixture, 1));
  spool_fixture_close (&fixture);
  spool_faults_set_free (G_MAXUINT64);
  spool_fixture_clear (&fixture);
}

/* A life on a full disk in which the power fails at @step.  @tries: what the disk is known to have;
   in memory that survives.  Returns: whether it failed */
static gboolean
live_until (SpoolFixture *fixture, guint step, guint *tries)
{
  int status = 0;
  guint32 seed = (guint32) g_test_rand_int ();
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      /* Where the last life has left a torn end there may be no room, which is warned of. */
      g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
      spool_faults_arm (SPOOL_FAULT_POWER, step, seed);
      spool_fixture_open (fixture);
      for (guint i = *tries + 1, end = *tries + 2; i <= end; i++)
        if (record_tries (fixture, i) == NULL)
          *tries = i;
      spool_fixture_close (fixture);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status) == SPOOL_FAULT_EXIT_STATUS;
}

/* Power failures, one after another, while the newest segment goes on over what it held before. */
static void
test_power_fails (gconstpointer data)
{
  const Recycled *row = data;
  SpoolFixture fixture;
  gboolean fails = TRUE;
  guint n_steps = 0;
  guint *tries =
    mmap (NULL, sizeof *tries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  g_assert_true (tries != MAP_FAILED);
  /* No step in this process is struck; its syncs just cost no time. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  fill_recycled (&fixture, row);
  g_autofree char *kept = g_strconcat (fixture.directory, ".kept", NULL);
  g_assert_cmpint (g_mkdir (kept, 0700), ==, 0);
  spool_fixture_copy_directory (fixture.directory, kept);
  spool_faults_set_free (SMALL_SEGMENT_OCTETS);
  for (guint step = 1; fails; step++)
    {
      spool_fixture_copy_directory (kept, fixture.directory);
      *tries = 0;
      fails = live_until (&fixture, step, tries);
      live_until (&fixture, 1 + step * 7 % 13, tries);
      spool_fixture_open (&fixture);
      g_assert_cmpuint (fixture.entries->len, ==, row->n_waiting);
      for (guint i = 0; i < row->n_waiting; i++)
        {
          const RerouteSpoolEntry *entry = g_ptr_array_index (fixture.entries, i);
          g_assert_cmpuint (entry->verdicts[0].tries, >=, *tries);
        }
      spool_fixture_close (&fixture);
      n_steps = step;
    }
  g_assert_cmpuint (n_steps, >, 10);
  spool_faults_set_free (G_MAXUINT64);
  spool_faults_disarm ();
  spool_fixture_remove_directory (kept);
  spool_fixture_clear (&fixture);
  munmap (tries, sizeof *tries);
}

/* The name of a new segment is not sure: no mail goes there, and no file is left of any try. */
static void
test_directory_is_not_synced (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  spool_faults_arm (SPOOL_FAULT_DIRECTORY_SYNC, 1, 0);
  g_autoptr (GPtrArray) messages = commit_until_refused (&fixture, REROUTE_ERROR_SPOOL);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GError) error = NULL;
      spool_faults_arm (SPOOL_FAULT_DIRECTORY_SYNC, 1, 0);
      g_assert_null (spool_fixture_commit (&fixture, 1, content, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
    }
  g_autoptr (GPtrArray) segments = spool_fixture_list (fixture.directory, "journal-");
  g_assert_cmpuint (segments->len, ==, 1);
  spool_faults_disarm ();
  g_autoptr (RerouteMessage) more = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_nonnull (more);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, messages->len + 1);
  check_messages (&fixture, messages);
  spool_fixture_clear (&fixture);
}

/* As above, when the segment that is full is to be used once more, there being no room for another:
   what is answered with 250 meanwhile is not written where no start looks. */
static void
test_recycling_is_not_synced (void)
{
  SpoolFixture fixture;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);
  g_autoptr (GBytes) large = spool_fixture_content (2, 300000);
  guint64 ids[N_WAITING];

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  spool_faults_set_free (SMALL_SEGMENT_OCTETS);
  for (guint i = 0; i < 96; i++)
    {
      g_autoptr (RerouteMessage) sent = spool_fixture_commit (&fixture, 1, content, NULL);
      spool_fixture_record (&fixture, sent, 0, REROUTE_RECIPIENT_SENT, "250 ok");
    }
  spool_faults_arm (SPOOL_FAULT_DIRECTORY_SYNC, 1, 0);
  g_assert_null (spool_fixture_commit (&fixture, 1, large, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  spool_faults_disarm ();
  for (guint i = 0; i < N_WAITING; i++)
    {
      g_autoptr (RerouteMessage) more = spool_fixture_commit (&fixture, 1, content, NULL);
      g_assert_nonnull (more);
      ids[i] = more->id;
    }
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_WAITING);
  for (guint i = 0; i < N_WAITING; i++)
    g_assert_nonnull (spool_fixture_find (&fixture, ids[i]));
  spool_faults_set_free (G_MAXUINT64);
  spool_fixture_clear (&fixture);
}

static void
limit_files (rlim_t octets)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = octets;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* In a process of its own: RLIMIT_FSIZE, as `ulimit -f`, first below the batches, then away again.
 */
static void
run_with_limit (SpoolFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = spool_fixture_content (0, MESSAGE_OCTETS);
  g_autoptr (GBytes) large = spool_fixture_content (1, 5 * REROUTE_LIMIT_PART_OCTETS);

  spool_fixture_open (fixture);
  g_autoptr (RerouteMessage) first = spool_fixture_commit (fixture, 1, content, &error);
  g_assert_no_error (error);
  limit_files (16 * 1024); /* in the middle of a batch: a short write */
  g_assert_null (spool_fixture_commit (fixture, 1, large, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  g_clear_error (&error);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_null (spool_fixture_commit (fixture, 1, content, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
      g_clear_error (&error);
    }
  limit_files (RLIM_INFINITY);
  g_autoptr (RerouteMessage) second = spool_fixture_commit (fixture, 1, large, &error);
  g_assert_no_error (error);
  g_assert_nonnull (second);
  spool_fixture_assert_content (fixture->spool, first, content);
  spool_fixture_assert_content (fixture->spool, second, large);
  spool_fixture_close (fixture);
}

static void
test_file_size_limit (void)
{
  SpoolFixture fixture;
  int status = 0;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      run_with_limit (&fixture);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 2);
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/full/no-room", test_no_room);
  g_test_add_func ("/spool/full/verdicts-wait", test_verdicts_wait);
  g_test_add_func ("/spool/full/sync", test_sync);
  g_test_add_func ("/spool/full/at-start", test_full_at_start);
  g_test_add_func ("/spool/full/spare-is-too-small", test_spare_is_too_small);
  g_test_add_data_func ("/spool/full/for-lives/with-spare", &with_spare, test_full_for_lives);
  g_test_add_data_func ("/spool/full/for-lives/without-spare", &without_spare, test_full_for_lives);
  g_test_add_data_func ("/spool/full/power-fails/with-spare", &with_spare, test_power_fails);
  g_test_add_data_func ("/spool/full/power-fails/without-spare", &without_spare, test_power_fails);
  g_test_add_func ("/spool/full/directory-is-not-synced", test_directory_is_not_synced);
  g_test_add_func ("/spool/full/recycling-is-not-synced", test_recycling_is_not_synced);
  g_test_add_func ("/spool/full/file-size-limit", test_file_size_limit);
  return g_test_run ();
}
