/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-track-store.c - the files of tracking: what they are called, how many stay, what is damaged
 */

#include "config.h"

#include "common/error.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/track-store-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#define BURST_OCTETS (1024 * 1024)

/* The directory cannot be listed when the store is made: later it is, and nothing is written or
   forgotten before. */
static void
test_list_fails (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  track_store_fill (f);
  reroute_track_store_prune (f->store, 3 * SMALL_OCTETS, G_MININT64);
  g_autoptr (GPtrArray) before = track_fixture_list (&f->directory);
  reroute_track_store_free (f->store);
  spool_faults_break_list (3);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  track_fixture_accept (records, 100, SECOND (100), 1);
  spool_faults_break_list (0);
  g_assert_false (reroute_track_store_append (f->store, records, g_get_real_time (), &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  track_store_append (f, records);
  g_autoptr (GPtrArray) after = track_fixture_list (&f->directory);
  g_assert_cmpuint (after->len, ==, before->len + 1);
  for (guint i = 0; i < before->len; i++)
    g_assert_cmpstr (after->pdata[i], ==, before->pdata[i]);
  g_autofree char *ids = track_store_search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (ids, "100 40 "));

  reroute_track_store_free (f->store);
  spool_faults_break_list (3);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  reroute_track_store_prune (f->store, 0, G_MAXINT64);
  g_autoptr (GPtrArray) none = track_fixture_list (&f->directory);
  g_assert_cmpuint (none->len, ==, 0);
}

/* What has the next names already is left as it is. */
static void
test_name_is_taken (TrackStoreFixture *f, gconstpointer data)
{
  g_autofree char *first = g_build_filename (f->directory.folder, "track.00000001", NULL);
  g_autofree char *second = g_build_filename (f->directory.folder, "track.00000002", NULL);

  g_assert_cmpint (g_mkdir (first, 0700), ==, 0);
  g_assert_cmpint (symlink ("elsewhere", second), ==, 0);
  track_store_fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpstr (names->pdata[2], ==, "track.00000003");
  g_autofree char *ids = track_store_search_all (f, "{}", 5);
  g_assert_true (g_str_has_prefix (ids, "40 30 20 10 39 "));
  g_assert_true (g_file_test (first, G_FILE_TEST_IS_DIR));
  g_assert_true (g_file_test (second, G_FILE_TEST_IS_SYMLINK));
}

static void
test_size_is_bounded (TrackStoreFixture *f, gconstpointer data)
{
  g_autofree char *ids = NULL;

  track_store_fill (f);
  reroute_track_store_prune (f->store, 3 * SMALL_OCTETS, G_MININT64);
  g_assert_cmpuint (track_fixture_octets (&f->directory), <=, 3 * SMALL_OCTETS);
  ids = track_store_search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (ids, "40 "));
  g_assert_null (strstr (ids, " 1 "));
}

/* The last change of a file. */
static void
set_time (TrackStoreFixture *f, const char *name, gint64 time_s)
{
  struct utimbuf times = { .actime = time_s, .modtime = time_s };
  g_autofree char *path = g_build_filename (f->directory.folder, name, NULL);

  g_assert_cmpint (utime (path, &times), ==, 0);
}

static void
test_age_is_bounded (TrackStoreFixture *f, gconstpointer data)
{
  g_autofree char *ids = NULL;

  track_store_fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  for (guint i = 0; i < names->len / 2; i++)
    set_time (f, names->pdata[i], 1000);
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  reroute_track_store_prune (f->store, G_MAXUINT64, SECOND (2000));
  g_autoptr (GPtrArray) left = track_fixture_list (&f->directory);
  g_assert_cmpuint (left->len, ==, names->len - names->len / 2);
  ids = track_store_search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (ids, "40 "));
}

/* Files that were written while the clock was wrong: each is judged by its own time. */
static void
test_times_out_of_order (TrackStoreFixture *f, gconstpointer data)
{
  const gint64 ahead_s = g_get_real_time () / G_USEC_PER_SEC + G_GINT64_CONSTANT (86400) * 365;
  g_autoptr (GByteArray) records = g_byte_array_new ();

  track_fixture_accept (records, 100, SECOND (5000), 1);
  track_store_append (f, records);
  track_store_fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpuint (names->len, >, 4);
  for (guint i = 0; i < names->len; i++)
    set_time (f, names->pdata[i], i == 0 ? ahead_s : 1000);
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  g_autofree char *found = track_store_search_all (f, "{'since': <int64 4000000000>}", 10);
  g_assert_cmpstr (found, ==, "100 ");
  reroute_track_store_prune (f->store, G_MAXUINT64, SECOND (2000));
  g_autoptr (GPtrArray) left = track_fixture_list (&f->directory);
  g_assert_cmpuint (left->len, ==, 1);
  g_assert_cmpstr (left->pdata[0], ==, names->pdata[0]);
}

static void
test_everything_is_pruned (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();

  track_store_fill (f);
  reroute_track_store_prune (f->store, 0, G_MAXINT64);
  g_autoptr (GPtrArray) none = track_fixture_list (&f->directory);
  g_assert_cmpuint (none->len, ==, 0);
  track_fixture_accept (records, 100, SECOND (100), 1);
  track_store_append (f, records);
  g_autofree char *ids = track_store_search_all (f, "{}", 10);
  g_assert_cmpstr (ids, ==, "100 ");
}

/* Files that are damaged, gone or no files: the rest is found. */
static void
test_damaged_files (TrackStoreFixture *f, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  track_store_fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpuint (names->len, >, 4);
  first = g_build_filename (f->directory.folder, names->pdata[0], NULL);
  second = g_build_filename (f->directory.folder, names->pdata[1], NULL);
  g_assert_true (g_file_set_contents (first, "REROUTE TRACK 1\nRTF nonsense", -1, NULL));
  g_assert_cmpint (g_unlink (second), ==, 0);
  g_autofree char *ids = track_store_search_all (f, "{}", 5);
  g_assert_true (g_str_has_prefix (ids, "40 30 20 10 39 "));
  g_assert_null (strstr (ids, " 1 "));
}

/* What came at once does not lie in one file, which would go as a whole. */
static void
test_burst (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();

  for (guint64 id = 1; records->len < BURST_OCTETS; id++)
    track_fixture_accept (records, id, SECOND (id), 1);
  track_store_append (f, records);
  g_autoptr (GPtrArray) before = track_fixture_list (&f->directory);
  g_assert_cmpuint (before->len, >=, 3);
  reroute_track_store_prune (f->store, BURST_OCTETS / 2, 0);
  g_autoptr (GPtrArray) after = track_fixture_list (&f->directory);
  g_assert_cmpuint (after->len, >, 0);
  g_assert_cmpuint (track_fixture_octets (&f->directory), <=, BURST_OCTETS / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/track-store/" name,                                                                \
              TrackStoreFixture,                                                                   \
              NULL,                                                                                \
              track_store_set_up,                                                                  \
              func,                                                                                \
              track_store_tear_down)
  ADD ("burst", test_burst);
  ADD ("list-fails", test_list_fails);
  ADD ("name-is-taken", test_name_is_taken);
  ADD ("size-is-bounded", test_size_is_bounded);
  ADD ("age-is-bounded", test_age_is_bounded);
  ADD ("times-out-of-order", test_times_out_of_order);
  ADD ("everything-is-pruned", test_everything_is_pruned);
  ADD ("damaged-files", test_damaged_files);
  return g_test_run ();
}
