/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-tracker.c - events of many threads, on, off, and when they cannot be written
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-test"

#include "service/relay/track/tracker.h"

#include "common/error.h"
#include "tests/unit/stride.h"
#include "track-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define N_THREADS 4
#define N_EVENTS 500
#define MOST_OCTETS (8 * 1024 * 1024) /* two files */

typedef struct
{
  TrackFixture directory;
  RerouteTracker *tracker;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  track_fixture_init (&f->directory);
  f->tracker = reroute_tracker_new (f->directory.fd);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  reroute_tracker_free (f->tracker);
  track_fixture_clear (&f->directory);
}

/* @reply: (nullable) */
static gboolean
add_with_reply (RerouteTracker *tracker, guint64 id, const char *reply)
{
  const RerouteTrackHead head = { .kind = REROUTE_TRACK_ACCEPTED,
                                  .n_recipients = 1,
                                  .id = id,
                                  .time_us = g_get_real_time (),
                                  .received_us = g_get_real_time () };
  RerouteTrackWriter writer;

  if (!reroute_tracker_begin (tracker, &head, &writer))
    return FALSE;
  reroute_track_record_add (writer.octets, REROUTE_TRACK_SENDER, "a@b.test");
  reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, reply);
  reroute_tracker_end (&writer);
  return TRUE;
}

static gboolean
add (RerouteTracker *tracker, guint64 id)
{
  return add_with_reply (tracker, id, NULL);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* (transfer full): what the method answers */
static GVariant *
wait_for (GAsyncResult **result, GError **error)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_autoptr (GAsyncResult) owned = *result;
  return reroute_tracker_call_finish (owned, error);
}

static GVariant *
search (Fixture *f, guint64 cursor, GError **error)
{
  g_autoptr (GVariant) filter = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  GAsyncResult *result = NULL;

  reroute_tracker_search_async (f->tracker, filter, cursor, 1000, NULL, answered_cb, &result);
  return wait_for (&result, error);
}

static guint
count (Fixture *f)
{
  guint64 cursor = 0;
  guint n = 0;

  do
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) found = search (f, cursor, &error);
      g_autoptr (GVariant) rows = NULL;

      g_assert_no_error (error);
      g_variant_get (found, "(tx@a(txxsssusssss))", &cursor, NULL, &rows);
      n += (guint) g_variant_n_children (rows);
    }
  while (cursor != 0);
  return n;
}

typedef struct
{
  RerouteTracker *tracker;
  guint number;
  guint n_events;
} Adder;

static gpointer
add_many (gpointer data)
{
  const Adder *adder = data;

  for (guint i = 0; i < adder->n_events; i++)
    g_assert_true (add (adder->tracker, adder->number * N_EVENTS + i + 1));
  return NULL;
}

/* What was tracked before the question is in the answer. */
static void
test_many_threads (Fixture *f, gconstpointer data)
{
  GThread *threads[N_THREADS];
  Adder adders[N_THREADS];
  guint n_events = N_EVENTS / test_get_stride ();

  reroute_tracker_configure (f->tracker, 30, G_MAXUINT64);
  for (guint i = 0; i < N_THREADS; i++)
    {
      adders[i] = (Adder){ f->tracker, i, n_events };
      threads[i] = g_thread_new ("add", add_many, &adders[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (count (f), ==, N_THREADS * n_events);
}

static void
test_what_waits_is_written_at_the_end (Fixture *f, gconstpointer data)
{
  reroute_tracker_configure (f->tracker, 30, G_MAXUINT64);
  g_assert_true (add (f->tracker, 1));
  reroute_tracker_free (f->tracker);
  f->tracker = reroute_tracker_new (f->directory.fd);
  reroute_tracker_configure (f->tracker, 30, G_MAXUINT64);
  g_assert_cmpuint (count (f), ==, 1);
}

/* Off: nothing is taken, what was is gone, and who asks is told. */
static void
test_off (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (add (f->tracker, 1));
  g_assert_false (add (NULL, 1));
  reroute_tracker_configure (f->tracker, 30, G_MAXUINT64);
  g_assert_true (add (f->tracker, 1));
  g_assert_cmpuint (count (f), ==, 1);
  reroute_tracker_configure (f->tracker, 0, G_MAXUINT64);
  g_assert_false (add (f->tracker, 2));
  g_assert_null (search (f, 0, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  reroute_tracker_configure (f->tracker, 30, G_MAXUINT64);
  g_assert_cmpuint (count (f), ==, 0);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpuint (names->len, ==, 0);
}

/* The oldest go when it is full. */
static void
test_size (Fixture *f, gconstpointer data)
{
  g_autofree char *reply = g_strnfill (60000, 'x');
  guint64 id = 1;

  reroute_tracker_configure (f->tracker, 30, MOST_OCTETS);
  while (id < 3 * MOST_OCTETS / 60000)
    {
      for (guint i = 0; i < 20 * test_get_stride (); i++)
        g_assert_true (add_with_reply (f->tracker, id++, reply));
      g_assert_cmpuint (count (f), >, 0);
      g_assert_cmpuint (track_fixture_octets (&f->directory), <=, MOST_OCTETS);
    }
  g_assert_cmpuint (count (f), <, id - 1);
}

/* A disk without room costs what cannot be written, and is told once; nothing of it is left. */
static void
test_full_disk (Fixture *f, gconstpointer data)
{
  g_autofree char *failure = NULL;
  g_autofree char *after = NULL;
  struct rlimit before, limit;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  limit = (struct rlimit){ .rlim_cur = 60, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  g_test_expect_message (
    "reroute-track", G_LOG_LEVEL_WARNING, "messages are not tracked: cannot write*");
  reroute_tracker_configure (f->tracker, 30, G_MAXUINT64);
  for (guint64 id = 1; id <= 2; id++)
    {
      g_assert_true (add (f->tracker, id));
      g_assert_cmpuint (count (f), ==, 0);
    }
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_test_assert_expected_messages ();
  failure = reroute_tracker_dup_failure (f->tracker);
  g_assert_true (g_str_has_prefix (failure, "cannot write what was tracked: "));
  g_assert_true (add (f->tracker, 3));
  g_assert_cmpuint (count (f), ==, 1);
  after = reroute_tracker_dup_failure (f->tracker);
  g_assert_null (after);
}

/* In a directory that is gone nothing can be written: it is told, and the next life does. */
static void
test_that_cannot_be_written (void)
{
  g_autofree char *failure = NULL;
  Fixture f;

  set_up (&f, NULL);
  g_assert_cmpint (g_rmdir (f.directory.folder), ==, 0);
  g_test_expect_message (
    "reroute-track", G_LOG_LEVEL_WARNING, "messages are not tracked: cannot create a file*");
  reroute_tracker_configure (f.tracker, 30, G_MAXUINT64);
  g_assert_true (add (f.tracker, 1));
  g_assert_cmpuint (count (&f), ==, 0);
  failure = reroute_tracker_dup_failure (f.tracker);
  g_assert_true (g_str_has_prefix (failure, "cannot create a file for tracking: "));
  g_test_assert_expected_messages ();
  reroute_tracker_free (f.tracker);
  close (f.directory.fd);
  g_free (f.directory.folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/tracker/many-threads", Fixture, NULL, set_up, test_many_threads, tear_down);
  g_test_add ("/tracker/what-waits-is-written-at-the-end",
              Fixture,
              NULL,
              set_up,
              test_what_waits_is_written_at_the_end,
              tear_down);
  g_test_add ("/tracker/off", Fixture, NULL, set_up, test_off, tear_down);
  g_test_add ("/tracker/size", Fixture, NULL, set_up, test_size, tear_down);
  g_test_add ("/tracker/full-disk", Fixture, NULL, set_up, test_full_disk, tear_down);
  g_test_add_func ("/tracker/that-cannot-be-written", test_that_cannot_be_written);
  return g_test_run ();
}
