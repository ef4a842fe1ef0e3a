/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-opening.c - a spool takes mail before it has been read
 */

#include "config.h"

#include "common/error.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define SEGMENT_OCTETS (256 * 1024)
#define N_QUEUED 40
#define N_OPENINGS 5

/* Hands in a message that nothing waits for yet. */
static guint64
hand_in (RerouteSpool *spool, guint64 seed, RerouteSpoolFunc func, gpointer user_data)
{
  g_autoptr (GBytes) content = spool_fixture_content (seed, 300);
  RerouteSpoolDraft *draft = reroute_spool_begin (spool);
  guint64 id = reroute_spool_draft_get_id (draft);

  reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  reroute_spool_commit (spool, draft, spool_fixture_envelope (1), func, user_data);
  return id;
}

static void
fill (SpoolFixture *fixture, guint64 *last_id)
{
  spool_fixture_init (fixture, SEGMENT_OCTETS);
  spool_fixture_open (fixture);
  for (guint i = 0; i < N_QUEUED; i++)
    {
      g_autoptr (GBytes) content = spool_fixture_content (i, 20000);
      g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, NULL);
      *last_id = message->id;
    }
  spool_fixture_close (fixture);
}

static void
read_cb (GPtrArray *entries, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_async_queue_push (user_data, entries);
}

static void
committed_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_async_queue_push (user_data, reroute_message_ref (message));
}

static void
test_takes_mail_at_once (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;
  g_autoptr (GAsyncQueue) read = g_async_queue_new ();
  g_autoptr (GAsyncQueue) committed = g_async_queue_new ();
  g_autoptr (GError) error = NULL;

  fill (&fixture, &last_id);
  fixture.spool = reroute_spool_open (fixture.directory, SEGMENT_OCTETS, &error);
  g_assert_no_error (error);
  guint64 id = hand_in (fixture.spool, 7, committed_cb, committed);
  g_assert_cmpuint (id, >, last_id);
  g_assert_null (g_async_queue_try_pop (committed));
  reroute_spool_start (fixture.spool, read_cb, read);

  g_autoptr (RerouteMessage) message = g_async_queue_pop (committed);
  g_assert_cmpuint (message->id, ==, id);
  fixture.entries = g_async_queue_try_pop (read);
  g_assert_nonnull (fixture.entries); /* told first */
  g_assert_cmpuint (fixture.entries->len, ==, N_QUEUED);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_QUEUED + 1);
  g_assert_nonnull (spool_fixture_find (&fixture, id));
  spool_fixture_clear (&fixture);
}

static void
refused_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_async_queue_push (user_data, GINT_TO_POINTER (TRUE));
}

static void
cancelled_cb (GPtrArray *entries, const GError *error, gpointer user_data)
{
  g_assert_null (entries);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_async_queue_push (user_data, GINT_TO_POINTER (TRUE));
}

/* Nothing is written, and nothing that was there is lost. */
static void
test_is_stopped (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;
  g_autoptr (GAsyncQueue) read = g_async_queue_new ();
  g_autoptr (GAsyncQueue) refused = g_async_queue_new ();
  g_autoptr (GError) error = NULL;

  fill (&fixture, &last_id);
  RerouteSpool *spool = reroute_spool_open (fixture.directory, SEGMENT_OCTETS, &error);
  g_assert_no_error (error);
  reroute_spool_stop_reading (spool); /* before the start it is a promise */
  hand_in (spool, 7, refused_cb, refused);
  reroute_spool_start (spool, cancelled_cb, read);
  g_assert_nonnull (g_async_queue_pop (refused));
  reroute_spool_stop_reading (spool);
  g_assert_nonnull (g_async_queue_try_pop (read));
  hand_in (spool, 8, refused_cb, refused);
  g_assert_nonnull (g_async_queue_pop (refused));
  reroute_spool_close (spool);

  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_QUEUED);
  spool_fixture_clear (&fixture);
}

/* The first batch of a segment says which ids are given away. */
static void
spoil_first_batch (const char *path)
{
  FILE *file = g_fopen (path, "r+b");

  g_assert_nonnull (file);
  g_assert_cmpint (fseek (file, REROUTE_SPOOL_BLOCK_OCTETS, SEEK_SET), ==, 0);
  fputc ('X', file);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
test_ids_rise (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;

  fill (&fixture, &last_id);
  g_autoptr (GPtrArray) paths = spool_fixture_list (fixture.directory, "journal-");
  g_assert_cmpuint (paths->len, >, 1);
  for (guint i = paths->len; i-- > 0;)
    {
      spoil_first_batch (g_ptr_array_index (paths, i));
      g_test_expect_message (
        "reroute-spool", G_LOG_LEVEL_WARNING, "the spool's segment * is damaged*");
      spool_fixture_open (&fixture);
      g_test_assert_expected_messages ();
      g_autoptr (GBytes) content = spool_fixture_content (1, 100);
      g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
      g_assert_cmpuint (message->id, >, last_id);
      last_id = message->id;
      spool_fixture_close (&fixture);
    }
  spool_fixture_clear (&fixture);
}

/* Each opening goes on in the segment of the one before, and takes mail before it has read it. */
static void
test_ids_rise_within_a_segment (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;
  g_autoptr (GAsyncQueue) read = g_async_queue_new ();
  g_autoptr (GAsyncQueue) committed = g_async_queue_new ();

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  for (guint n = 1; n <= N_OPENINGS; n++)
    {
      g_autoptr (GError) error = NULL;
      fixture.spool = reroute_spool_open (fixture.directory, SEGMENT_OCTETS, &error);
      g_assert_no_error (error);
      guint64 id = hand_in (fixture.spool, n, committed_cb, committed);
      g_assert_cmpuint (id, >, last_id);
      last_id = id;
      reroute_spool_start (fixture.spool, read_cb, read);
      reroute_message_unref (g_async_queue_pop (committed));
      fixture.entries = g_async_queue_pop (read);
      g_assert_cmpuint (fixture.entries->len, ==, n - 1);
      spool_fixture_close (&fixture);
    }
  g_autoptr (GPtrArray) paths = spool_fixture_list (fixture.directory, "journal-");
  g_assert_cmpuint (paths->len, ==, 1);
  spool_fixture_clear (&fixture);
}

static void
unreadable_cb (GPtrArray *entries, const GError *error, gpointer user_data)
{
  g_assert_null (entries);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_async_queue_push (user_data, g_strdup (error->message));
}

/* A segment that goes between the look at the spool and its reading: the journal is not taken for
   what is left of it. */
static void
test_segment_vanishes (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;
  g_autoptr (GAsyncQueue) read = g_async_queue_new ();
  g_autoptr (GError) error = NULL;

  fill (&fixture, &last_id);
  g_autoptr (GPtrArray) paths = spool_fixture_list (fixture.directory, "journal-");
  g_assert_cmpuint (paths->len, >, 2);
  const char *path = g_ptr_array_index (paths, 1);
  g_autofree char *kept = g_strconcat (path, ".kept", NULL);
  g_autofree char *name = g_path_get_basename (path);
  RerouteSpool *spool = reroute_spool_open (fixture.directory, SEGMENT_OCTETS, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_rename (path, kept), ==, 0);
  reroute_spool_start (spool, unreadable_cb, read);
  g_autofree char *message = g_async_queue_pop (read);
  g_assert_nonnull (strstr (message, name));
  reroute_spool_close (spool);

  g_assert_cmpint (g_rename (kept, path), ==, 0);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_QUEUED);
  spool_fixture_clear (&fixture);
}

/* What was not listed is not taken for what is not there. */
static void
test_list_breaks_off (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;

  fill (&fixture, &last_id);
  g_autoptr (GPtrArray) before = spool_fixture_list (fixture.directory, "");
  g_assert_cmpuint (before->len, >, 4);
  for (guint n = 0; n <= before->len; n++)
    {
      g_autoptr (GError) error = NULL;
      spool_faults_break_list (n);
      g_assert_null (reroute_spool_open (fixture.directory, SEGMENT_OCTETS, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
      g_assert_nonnull (strstr (error->message, "cannot list the spool directory: "));
    }
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_QUEUED);
  spool_fixture_clear (&fixture);
}

/* A segment that came while the spool was open: no other takes its place. */
static void
test_name_is_taken (void)
{
  SpoolFixture fixture;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = spool_fixture_content (1, 20000);
  g_autofree char *octets = NULL;
  guint n_taken = 0;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autofree char *path = g_build_filename (fixture.directory, "journal-0000000000000002", NULL);
  g_assert_true (g_file_set_contents (path, "mail", -1, NULL));
  for (guint i = 0; i < N_QUEUED; i++)
    {
      g_autoptr (GError) refusal = NULL;
      g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, &refusal);
      n_taken += message != NULL;
      if (refusal != NULL && error == NULL)
        error = g_steal_pointer (&refusal);
    }
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_assert_nonnull (strstr (error->message, "cannot start a spool segment: "));
  g_assert_cmpuint (n_taken, ==, N_QUEUED - 1);
  spool_fixture_close (&fixture);
  g_assert_true (g_file_get_contents (path, &octets, NULL, NULL));
  g_assert_cmpstr (octets, ==, "mail");
  g_assert_cmpint (g_unlink (path), ==, 0);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, n_taken);
  spool_fixture_clear (&fixture);
}

/* A relay at work is not judged: half a batch is no damage. */
static void
test_checked_while_open (void)
{
  SpoolFixture fixture;
  guint64 last_id = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) report = g_string_new (NULL);

  fill (&fixture, &last_id);
  spool_fixture_open (&fixture);
  g_assert_false (reroute_spool_verify (fixture.directory, report, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_assert_nonnull (strstr (error->message, "is in use by a relay: stop it, then check"));
  g_assert_cmpstr (report->str, ==, "");
  spool_fixture_close (&fixture);
  g_clear_error (&error);
  g_assert_true (reroute_spool_verify (fixture.directory, report, &error));
  g_assert_no_error (error);
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/opening/takes-mail-at-once", test_takes_mail_at_once);
  g_test_add_func ("/spool/opening/is-stopped", test_is_stopped);
  g_test_add_func ("/spool/opening/ids-rise", test_ids_rise);
  g_test_add_func ("/spool/opening/ids-rise-within-a-segment", test_ids_rise_within_a_segment);
  g_test_add_func ("/spool/opening/segment-vanishes", test_segment_vanishes);
  g_test_add_func ("/spool/opening/list-breaks-off", test_list_breaks_off);
  g_test_add_func ("/spool/opening/name-is-taken", test_name_is_taken);
  g_test_add_func ("/spool/opening/checked-while-open", test_checked_while_open);
  return g_test_run ();
}
