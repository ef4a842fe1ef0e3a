/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-track-search.c - files of tracking, and what is found in them
 */

#include "config.h"

#include "service/relay/track/search.h"

#include "common/error.h"
#include "spool-faults.h"
#include "service/relay/track/cursor.h"
#include "track-fixture.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#define N_MESSAGES 40
#define SMALL_OCTETS 2000 /* of a file: a few messages */
#define BURST_OCTETS (1024 * 1024)
#define SECOND(n) ((gint64) (n) *G_USEC_PER_SEC)

typedef struct
{
  TrackFixture directory;
  RerouteTrackStore *store;
} Fixture;

static void
append (Fixture *f, GByteArray *records)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reroute_track_store_append (f->store, records, g_get_real_time (), &error));
  g_assert_no_error (error);
  g_byte_array_set_size (records, 0);
}

/* Message n arrives at second n.  All are delivered at once, but for every tenth: that is deferred,
   and sent when all others are there. */
static void
fill (Fixture *f)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();

  for (guint64 id = 1; id <= N_MESSAGES; id++)
    {
      track_fixture_accept (records, id, SECOND (id), 1);
      track_fixture_tell (
        records, id, SECOND (id), 0, id % 10 == 0 ? REROUTE_TRACK_DEFERRED : REROUTE_TRACK_SENT);
      append (f, records);
    }
  for (guint64 id = 10; id <= N_MESSAGES; id += 10)
    track_fixture_tell (records, id, SECOND (N_MESSAGES + id), 0, REROUTE_TRACK_SENT);
  append (f, records);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  track_fixture_init (&f->directory);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  reroute_track_store_free (f->store);
  track_fixture_clear (&f->directory);
}

static RerouteTrackFilter *
parse_filter (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) values = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  RerouteTrackFilter *filter = reroute_track_filter_new (values, &error);
  g_assert_no_error (error);
  return filter;
}

/* One page; the ids are added to @ids as "3 2 1 ".  Returns: the next cursor */
static guint64
search (Fixture *f, const char *filter_text, guint64 cursor, guint limit, GString *ids)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  g_autoptr (RerouteTrackFilter) filter = parse_filter (filter_text);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) found = reroute_track_search (&reader, filter, cursor, limit, &error);
  g_autoptr (GVariant) rows = NULL;
  guint64 next;

  g_assert_no_error (error);
  g_variant_ref_sink (found);
  g_variant_get (found, "(tx@a(txxsssusssss))", &next, NULL, &rows);
  for (gsize i = 0; i < g_variant_n_children (rows); i++)
    {
      guint64 id;

      g_variant_get_child (rows,
                           i,
                           "(txxsssusssss)",
                           &id,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL);
      g_string_append_printf (ids, "%" G_GUINT64_FORMAT " ", id);
    }
  return next;
}

static char *
search_all (Fixture *f, const char *filter, guint limit)
{
  GString *ids = g_string_new (NULL);
  guint64 cursor = 0;

  do
    cursor = search (f, filter, cursor, limit, ids);
  while (cursor != 0);
  return g_string_free (ids, FALSE);
}

static const struct
{
  const char *name;
  const char *filter;
  const char *ids;
} rows[] = {
  /* clang-format off */
  { "sender",          "{'sender': <'S7@FROM.test'>}",                    "7 " },
  { "sender-part",     "{'sender': <'s3'>, 'until': <int64 35500000>}",   "30 35 34 33 32 31 3 " },
  { "sender-whole",    "{'sender': <'=s3@from.test'>}",                   "3 " },
  { "recipient",       "{'recipient': <'r0@old'>, 'since': <int64 39000000>}", "40 39 " },
  { "rewritten",       "{'recipient': <'=r0@new.test'>, 'since': <int64 39000000>}", "40 39 " },
  { "entry",           "{'entry': <'routing old.test'>, 'since': <int64 39000000>}", "40 39 " },
  { "client",          "{'host': <'192.0.2.7'>, 'until': <int64 2000000>}", "2 1 " },
  { "helo",            "{'host': <'client.example'>, 'until': <int64 2000000>}", "2 1 " },
  { "next-hop",        "{'host': <'mx.new.test'>, 'until': <int64 2000000>}", "2 1 " },
  { "id",              "{'id': <'1f'>}",                                  "31 " },
  { "times",           "{'since': <int64 5000000>, 'until': <int64 7000000>}", "7 6 5 " },
  { "both",            "{'sender': <'s5@'>, 'host': <'mx.new'>}",         "5 " },
  { "nothing",         "{'sender': <'s5@'>, 'recipient': <'elsewhere'>}", "" },
  { "late-first",      "{'since': <int64 37000000>}",                     "40 39 38 37 " },
  { "empty-is-any",    "{'sender': <''>, 'id': <''>, 'until': <int64 1000000>}", "1 " },
  /* clang-format on */
};

static void
test_found (Fixture *f, gconstpointer data)
{
  fill (f);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *ids = search_all (f, rows[i].filter, 1000);

      g_test_message ("%s", rows[i].name);
      g_assert_cmpstr (ids, ==, rows[i].ids);
    }
}

/* However small the pages: every message once, newest event first. */
static void
test_pages (Fixture *f, gconstpointer data)
{
  fill (f);
  g_autofree char *all = search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (all, "40 30 20 10 39 38 "));
  for (guint limit = 1; limit < 12; limit++)
    {
      g_autofree char *paged = search_all (f, "{}", limit);

      g_assert_cmpstr (paged, ==, all);
    }
}

/* What happens between two pages: a message that no page has told is told, one that was is not told
   again. */
static void
test_tried_between_pages (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint64 id = 1; id <= 6; id++)
    {
      track_fixture_accept (records, id, SECOND (id), 1);
      track_fixture_tell (records, id, SECOND (id), 0, REROUTE_TRACK_DEFERRED);
    }
  append (f, records);
  guint64 cursor = search (f, "{}", 0, 3, ids);
  for (guint64 id = 2; id <= 5; id += 3)
    track_fixture_tell (records, id, SECOND (100), 0, REROUTE_TRACK_SENT);
  append (f, records);
  cursor = search (f, "{}", cursor, 1, ids);
  track_fixture_tell (records, 1, SECOND (101), 0, REROUTE_TRACK_SENT);
  append (f, records);
  while (cursor != 0)
    cursor = search (f, "{}", cursor, 1, ids);
  g_assert_cmpstr (ids->str, ==, "6 5 4 3 2 1 ");
}

/* A cursor holds the low bits alone of the highest serial number. */
static void
test_pages_over_many_serials (Fixture *f, gconstpointer data)
{
  g_autofree char *old = g_build_filename (f->directory.folder, "track.000003fd", NULL);

  g_assert_true (g_file_set_contents (old, "", 0, NULL));
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  fill (f);
  g_autofree char *all = search_all (f, "{}", 1000);
  for (guint limit = 1; limit < 4; limit++)
    {
      g_autofree char *paged = search_all (f, "{}", limit);

      g_assert_cmpstr (paged, ==, all);
    }
}

static void
test_cursors (Fixture *f, gconstpointer data)
{
  static const struct
  {
    guint32 serial, offset, top_serial, top_offset, newest;
    guint32 told_serial, told_offset; /* the top that is told */
  } cursors[] = {
    /* clang-format off */
    { 1,       0,          1,       0,       1,       1,       0 },
    { 7,       4800,       9,       9600,    9,       9,       9600 },
    { 32767,   48,         32768,   100,     32768,   32768,   96 },
    { 500,     48,         1000,    4800000, 33267,   1000,    4800000 },
    { 1,       6291408,    32768,   48,      32768,   32768,   48 },
    { 8000,    48,         40768,   48,      40767,   40767,   48 }, /* too far: lower */
    { 3,       48,         3,       9000000, 3,       3,       6291360 }, /* likewise */
    /* clang-format on */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cursors); i++)
    {
      const RerouteTrackCursor cursor = {
        REROUTE_TRACK_PLACE (cursors[i].serial, cursors[i].offset),
        REROUTE_TRACK_PLACE (cursors[i].top_serial, cursors[i].top_offset),
      };
      guint64 packed = reroute_track_cursor_pack (&cursor);
      RerouteTrackCursor told = reroute_track_cursor_unpack (packed, cursors[i].newest);

      g_assert_cmpuint (packed, !=, 0);
      g_assert_cmpuint (told.start, ==, cursor.start);
      g_assert_cmpuint (
        told.top, ==, REROUTE_TRACK_PLACE (cursors[i].told_serial, cursors[i].told_offset));
    }
}

/* Any number may come over the bus. */
static void
test_forged_cursors (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) ids = g_string_new (NULL);

  search (f, "{}", G_MAXUINT64, 3, ids);
  fill (f);
  for (guint bit = 0; bit < 64; bit++)
    search (f, "{}", G_GUINT64_CONSTANT (1) << bit, 3, ids);
  search (f, "{}", G_MAXUINT64, 3, ids);
}

/* A message is told as it is now, whatever it was found by. */
static void
test_state_is_the_newest (Fixture *f, gconstpointer data)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  g_autoptr (RerouteTrackFilter) filter = parse_filter ("{'host': <'client.example'>}");
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  const char *sender, *recipient, *rcpt_out, *kind, *reply;
  gint64 received_us, changed_us;
  guint n_recipients;

  track_fixture_accept (records, 1, SECOND (1), 2);
  track_fixture_tell (records, 1, SECOND (2), 0, REROUTE_TRACK_DEFERRED);
  track_fixture_tell (records, 1, SECOND (3), 1, REROUTE_TRACK_FAILED);
  track_fixture_tell (records, 1, SECOND (9), 0, REROUTE_TRACK_SENT);
  append (f, records);
  g_autoptr (GVariant) found = reroute_track_search (&reader, filter, 0, 10, &error);
  g_assert_no_error (error);
  g_variant_ref_sink (found);
  g_autoptr (GVariant) array = g_variant_get_child_value (found, 2);
  g_assert_cmpuint (g_variant_n_children (array), ==, 1);
  g_variant_get_child (array,
                       0,
                       "(txx&s&s&su&s&s&s&s&s)",
                       NULL,
                       &received_us,
                       &changed_us,
                       &sender,
                       &recipient,
                       &rcpt_out,
                       &n_recipients,
                       NULL,
                       NULL,
                       NULL,
                       &kind,
                       &reply);
  g_assert_cmpint (received_us, ==, SECOND (1));
  g_assert_cmpint (changed_us, ==, SECOND (9));
  g_assert_cmpstr (sender, ==, "s1@from.test");
  g_assert_cmpstr (recipient, ==, "r0@old.test");
  g_assert_cmpstr (rcpt_out, ==, "r0@new.test");
  g_assert_cmpstr (kind, ==, "sent");
  g_assert_cmpstr (reply, ==, "250 2.0.0 Ok: queued as 1");
}

/* The one that was looked for is told of, and what became of that one. */
static void
test_one_recipient_of_many (Fixture *f, gconstpointer data)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  g_autoptr (RerouteTrackFilter) filter = parse_filter ("{'recipient': <'r2@old'>}");
  g_autoptr (GByteArray) records = g_byte_array_new ();
  const char *recipient, *kind;

  track_fixture_accept (records, 1, SECOND (1), 4);
  track_fixture_tell (records, 1, SECOND (2), 1, REROUTE_TRACK_SENT);
  append (f, records);
  g_autoptr (GVariant) found =
               g_variant_ref_sink (reroute_track_search (&reader, filter, 0, 10, NULL));
  g_autoptr (GVariant) array = g_variant_get_child_value (found, 2);
  g_assert_cmpuint (g_variant_n_children (array), ==, 1);
  g_variant_get_child (array,
                       0,
                       "(txxs&ssusss&ss)",
                       NULL,
                       NULL,
                       NULL,
                       NULL,
                       &recipient,
                       NULL,
                       NULL,
                       NULL,
                       NULL,
                       NULL,
                       &kind,
                       NULL);
  g_assert_cmpstr (recipient, ==, "r2@old.test");
  g_assert_cmpstr (kind, ==, "accepted");
}

static void
test_what_cannot_be_asked (Fixture *f, gconstpointer data)
{
  const char *const wrong[] = { "{'subject': <'x'>}",    "{'sender': <5>}",
                                "{'since': <'x'>}",      "{'until': <uint64 5>}",
                                "{'sender': <int64 5>}", "{'id': <'xyz'>}" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GVariant) values =
                   g_variant_parse (G_VARIANT_TYPE_VARDICT, wrong[i], NULL, NULL, NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (reroute_track_filter_new (values, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
    }
}

/* The kinds of a message's events, as "accepted sent "; (transfer full) */
static char *
trace (Fixture *f, guint64 id, guint offset, guint limit, guint *total, GError **error)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  GVariant *value = reroute_track_trace (&reader, id, offset, limit, error);
  g_autoptr (GVariant) traced = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autoptr (GVariantIter) events = NULL;
  GString *kinds;
  GVariant *event;

  if (traced == NULL)
    return NULL;
  kinds = g_string_new (NULL);
  g_variant_get (traced, "(uaa{sv})", total, &events);
  while (g_variant_iter_next (events, "@a{sv}", &event))
    {
      g_autoptr (GVariant) owned = event;
      const char *kind = "";

      g_assert_true (g_variant_lookup (owned, "kind", "&s", &kind));
      g_string_append_printf (kinds, "%s ", kind);
    }
  return g_string_free (kinds, FALSE);
}

static void
test_time_line (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint total;

  fill (f);
  g_autofree char *all = trace (f, 20, 0, 100, &total, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (all, ==, "accepted deferred sent ");
  g_assert_cmpuint (total, ==, 3);
  g_autofree char *middle = trace (f, 20, 1, 1, &total, &error);
  g_assert_cmpstr (middle, ==, "deferred ");
  g_assert_cmpuint (total, ==, 3);
  g_assert_null (trace (f, 4711, 0, 100, &total, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY);
}

/* --- files --- */

/* What an earlier life wrote is found, stays as it is, and names of others are left alone. */
static void
test_another_life (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autofree char *foreign = g_build_filename (f->directory.folder, "track.0000001", NULL);

  g_assert_true (g_file_set_contents (foreign, "no", -1, NULL));
  fill (f);
  g_autoptr (GPtrArray) before = track_fixture_list (&f->directory);
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  track_fixture_accept (records, 100, SECOND (100), 1);
  append (f, records);
  g_autoptr (GPtrArray) after = track_fixture_list (&f->directory);
  g_assert_cmpuint (after->len, ==, before->len + 1);
  g_autofree char *ids = search_all (f, "{'since': <int64 39000000>}", 10);
  g_assert_cmpstr (ids, ==, "100 40 39 ");
  g_assert_true (g_file_test (foreign, G_FILE_TEST_EXISTS));
}

/* The directory cannot be listed when the store is made: later it is, and nothing is written or
   forgotten before. */
static void
test_list_fails (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  fill (f);
  reroute_track_store_prune (f->store, 3 * SMALL_OCTETS, G_MININT64);
  g_autoptr (GPtrArray) before = track_fixture_list (&f->directory);
  reroute_track_store_free (f->store);
  spool_faults_break_list (3);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  track_fixture_accept (records, 100, SECOND (100), 1);
  spool_faults_break_list (0);
  g_assert_false (reroute_track_store_append (f->store, records, g_get_real_time (), &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  append (f, records);
  g_autoptr (GPtrArray) after = track_fixture_list (&f->directory);
  g_assert_cmpuint (after->len, ==, before->len + 1);
  for (guint i = 0; i < before->len; i++)
    g_assert_cmpstr (after->pdata[i], ==, before->pdata[i]);
  g_autofree char *ids = search_all (f, "{}", 1000);
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
test_name_is_taken (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autofree char *first = g_build_filename (f->directory.folder, "track.00000001", NULL);
  g_autofree char *second = g_build_filename (f->directory.folder, "track.00000002", NULL);

  g_assert_cmpint (g_mkdir (first, 0700), ==, 0);
  g_assert_cmpint (symlink ("elsewhere", second), ==, 0);
  fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpstr (names->pdata[2], ==, "track.00000003");
  g_autofree char *ids = search_all (f, "{}", 5);
  g_assert_true (g_str_has_prefix (ids, "40 30 20 10 39 "));
  g_assert_true (g_file_test (first, G_FILE_TEST_IS_DIR));
  g_assert_true (g_file_test (second, G_FILE_TEST_IS_SYMLINK));
}

static void
test_size_is_bounded (Fixture *f, gconstpointer data)
{
  g_autofree char *ids = NULL;

  fill (f);
  reroute_track_store_prune (f->store, 3 * SMALL_OCTETS, G_MININT64);
  g_assert_cmpuint (track_fixture_octets (&f->directory), <=, 3 * SMALL_OCTETS);
  ids = search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (ids, "40 "));
  g_assert_null (strstr (ids, " 1 "));
}

/* The last change of a file. */
static void
set_time (Fixture *f, const char *name, gint64 time_s)
{
  struct utimbuf times = { .actime = time_s, .modtime = time_s };
  g_autofree char *path = g_build_filename (f->directory.folder, name, NULL);

  g_assert_cmpint (utime (path, &times), ==, 0);
}

static void
test_age_is_bounded (Fixture *f, gconstpointer data)
{
  g_autofree char *ids = NULL;

  fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  for (guint i = 0; i < names->len / 2; i++)
    set_time (f, names->pdata[i], 1000);
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  reroute_track_store_prune (f->store, G_MAXUINT64, SECOND (2000));
  g_autoptr (GPtrArray) left = track_fixture_list (&f->directory);
  g_assert_cmpuint (left->len, ==, names->len - names->len / 2);
  ids = search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (ids, "40 "));
}

/* Files that were written while the clock was wrong: each is judged by its own time. */
static void
test_times_out_of_order (Fixture *f, gconstpointer data)
{
  const gint64 ahead_s = g_get_real_time () / G_USEC_PER_SEC + G_GINT64_CONSTANT (86400) * 365;
  g_autoptr (GByteArray) records = g_byte_array_new ();

  track_fixture_accept (records, 100, SECOND (5000), 1);
  append (f, records);
  fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpuint (names->len, >, 4);
  for (guint i = 0; i < names->len; i++)
    set_time (f, names->pdata[i], i == 0 ? ahead_s : 1000);
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  g_autofree char *found = search_all (f, "{'since': <int64 4000000000>}", 10);
  g_assert_cmpstr (found, ==, "100 ");
  reroute_track_store_prune (f->store, G_MAXUINT64, SECOND (2000));
  g_autoptr (GPtrArray) left = track_fixture_list (&f->directory);
  g_assert_cmpuint (left->len, ==, 1);
  g_assert_cmpstr (left->pdata[0], ==, names->pdata[0]);
}

static void
test_everything_is_pruned (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();

  fill (f);
  reroute_track_store_prune (f->store, 0, G_MAXINT64);
  g_autoptr (GPtrArray) none = track_fixture_list (&f->directory);
  g_assert_cmpuint (none->len, ==, 0);
  track_fixture_accept (records, 100, SECOND (100), 1);
  append (f, records);
  g_autofree char *ids = search_all (f, "{}", 10);
  g_assert_cmpstr (ids, ==, "100 ");
}

/* Files that are damaged, gone or no files: the rest is found. */
static void
test_damaged_files (Fixture *f, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  fill (f);
  g_autoptr (GPtrArray) names = track_fixture_list (&f->directory);
  g_assert_cmpuint (names->len, >, 4);
  first = g_build_filename (f->directory.folder, names->pdata[0], NULL);
  second = g_build_filename (f->directory.folder, names->pdata[1], NULL);
  g_assert_true (g_file_set_contents (first, "REROUTE TRACK 1\nRTF nonsense", -1, NULL));
  g_assert_cmpint (g_unlink (second), ==, 0);
  g_autofree char *ids = search_all (f, "{}", 5);
  g_assert_true (g_str_has_prefix (ids, "40 30 20 10 39 "));
  g_assert_null (strstr (ids, " 1 "));
}

/* What came at once does not lie in one file, which would go as a whole. */
static void
test_burst (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();

  for (guint64 id = 1; records->len < BURST_OCTETS; id++)
    track_fixture_accept (records, id, SECOND (id), 1);
  append (f, records);
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
#define ADD(name, func) g_test_add ("/track-search/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("burst", test_burst);
  ADD ("found", test_found);
  ADD ("pages", test_pages);
  ADD ("tried-between-pages", test_tried_between_pages);
  ADD ("pages-over-many-serials", test_pages_over_many_serials);
  ADD ("cursors", test_cursors);
  ADD ("forged-cursors", test_forged_cursors);
  ADD ("state-is-the-newest", test_state_is_the_newest);
  ADD ("one-recipient-of-many", test_one_recipient_of_many);
  ADD ("what-cannot-be-asked", test_what_cannot_be_asked);
  ADD ("time-line", test_time_line);
  ADD ("another-life", test_another_life);
  ADD ("list-fails", test_list_fails);
  ADD ("name-is-taken", test_name_is_taken);
  ADD ("size-is-bounded", test_size_is_bounded);
  ADD ("age-is-bounded", test_age_is_bounded);
  ADD ("times-out-of-order", test_times_out_of_order);
  ADD ("everything-is-pruned", test_everything_is_pruned);
  ADD ("damaged-files", test_damaged_files);
  return g_test_run ();
}
