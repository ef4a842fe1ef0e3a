/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-track-search.c - files of tracking, and what is found in them
 */

#include "config.h"

#include "common/error.h"
#include "service/relay/track/cursor.h"
#include "tests/unit/track-store-fixture.h"

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
test_found (TrackStoreFixture *f, gconstpointer data)
{
  track_store_fill (f);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *ids = track_store_search_all (f, rows[i].filter, 1000);

      g_test_message ("%s", rows[i].name);
      g_assert_cmpstr (ids, ==, rows[i].ids);
    }
}

/* However small the pages: every message once, newest event first. */
static void
test_pages (TrackStoreFixture *f, gconstpointer data)
{
  track_store_fill (f);
  g_autofree char *all = track_store_search_all (f, "{}", 1000);
  g_assert_true (g_str_has_prefix (all, "40 30 20 10 39 38 "));
  for (guint limit = 1; limit < 12; limit++)
    {
      g_autofree char *paged = track_store_search_all (f, "{}", limit);

      g_assert_cmpstr (paged, ==, all);
    }
}

/* What happens between two pages: a message that no page has told is told, one that was is not told
   again. */
static void
test_tried_between_pages (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint64 id = 1; id <= 6; id++)
    {
      track_fixture_accept (records, id, SECOND (id), 1);
      track_fixture_tell (records, id, SECOND (id), 0, REROUTE_TRACK_DEFERRED);
    }
  track_store_append (f, records);
  guint64 cursor = track_store_search (f, "{}", 0, 3, ids);
  for (guint64 id = 2; id <= 5; id += 3)
    track_fixture_tell (records, id, SECOND (100), 0, REROUTE_TRACK_SENT);
  track_store_append (f, records);
  cursor = track_store_search (f, "{}", cursor, 1, ids);
  track_fixture_tell (records, 1, SECOND (101), 0, REROUTE_TRACK_SENT);
  track_store_append (f, records);
  while (cursor != 0)
    cursor = track_store_search (f, "{}", cursor, 1, ids);
  g_assert_cmpstr (ids->str, ==, "6 5 4 3 2 1 ");
}

/* A cursor holds the low bits alone of the highest serial number. */
static void
test_pages_over_many_serials (TrackStoreFixture *f, gconstpointer data)
{
  g_autofree char *old = g_build_filename (f->directory.folder, "track.000003fd", NULL);

  g_assert_true (g_file_set_contents (old, "", 0, NULL));
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  track_store_fill (f);
  g_autofree char *all = track_store_search_all (f, "{}", 1000);
  for (guint limit = 1; limit < 4; limit++)
    {
      g_autofree char *paged = track_store_search_all (f, "{}", limit);

      g_assert_cmpstr (paged, ==, all);
    }
}

static void
test_cursors (TrackStoreFixture *f, gconstpointer data)
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
test_forged_cursors (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GString) ids = g_string_new (NULL);

  track_store_search (f, "{}", G_MAXUINT64, 3, ids);
  track_store_fill (f);
  for (guint bit = 0; bit < 64; bit++)
    track_store_search (f, "{}", G_GUINT64_CONSTANT (1) << bit, 3, ids);
  track_store_search (f, "{}", G_MAXUINT64, 3, ids);
}

/* A message is told as it is now, whatever it was found by. */
static void
test_state_is_the_newest (TrackStoreFixture *f, gconstpointer data)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  g_autoptr (RerouteTrackFilter) filter = track_store_parse_filter ("{'host': <'client.example'>}");
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  const char *sender, *recipient, *rcpt_out, *kind, *reply;
  gint64 received_us, changed_us;
  guint n_recipients;

  track_fixture_accept (records, 1, SECOND (1), 2);
  track_fixture_tell (records, 1, SECOND (2), 0, REROUTE_TRACK_DEFERRED);
  track_fixture_tell (records, 1, SECOND (3), 1, REROUTE_TRACK_FAILED);
  track_fixture_tell (records, 1, SECOND (9), 0, REROUTE_TRACK_SENT);
  track_store_append (f, records);
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
test_one_recipient_of_many (TrackStoreFixture *f, gconstpointer data)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  g_autoptr (RerouteTrackFilter) filter = track_store_parse_filter ("{'recipient': <'r2@old'>}");
  g_autoptr (GByteArray) records = g_byte_array_new ();
  const char *recipient, *kind;

  track_fixture_accept (records, 1, SECOND (1), 4);
  track_fixture_tell (records, 1, SECOND (2), 1, REROUTE_TRACK_SENT);
  track_store_append (f, records);
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
test_what_cannot_be_asked (TrackStoreFixture *f, gconstpointer data)
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
trace (TrackStoreFixture *f, guint64 id, guint offset, guint limit, guint *total, GError **error)
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
test_time_line (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint total;

  track_store_fill (f);
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
test_another_life (TrackStoreFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autofree char *foreign = g_build_filename (f->directory.folder, "track.0000001", NULL);

  g_assert_true (g_file_set_contents (foreign, "no", -1, NULL));
  track_store_fill (f);
  g_autoptr (GPtrArray) before = track_fixture_list (&f->directory);
  reroute_track_store_free (f->store);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
  track_fixture_accept (records, 100, SECOND (100), 1);
  track_store_append (f, records);
  g_autoptr (GPtrArray) after = track_fixture_list (&f->directory);
  g_assert_cmpuint (after->len, ==, before->len + 1);
  g_autofree char *ids = track_store_search_all (f, "{'since': <int64 39000000>}", 10);
  g_assert_cmpstr (ids, ==, "100 40 39 ");
  g_assert_true (g_file_test (foreign, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/track-search/" name,                                                               \
              TrackStoreFixture,                                                                   \
              NULL,                                                                                \
              track_store_set_up,                                                                  \
              func,                                                                                \
              track_store_tear_down)
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
  return g_test_run ();
}
