/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * track-store-fixture.c - a store of tracking in a directory of its own, and what is found there
 */

#include "config.h"

#include "tests/unit/track-store-fixture.h"

void
track_store_append (TrackStoreFixture *f, GByteArray *records)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reroute_track_store_append (f->store, records, g_get_real_time (), &error));
  g_assert_no_error (error);
  g_byte_array_set_size (records, 0);
}

void
track_store_fill (TrackStoreFixture *f)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();

  for (guint64 id = 1; id <= N_MESSAGES; id++)
    {
      track_fixture_accept (records, id, SECOND (id), 1);
      track_fixture_tell (
        records, id, SECOND (id), 0, id % 10 == 0 ? REROUTE_TRACK_DEFERRED : REROUTE_TRACK_SENT);
      track_store_append (f, records);
    }
  for (guint64 id = 10; id <= N_MESSAGES; id += 10)
    track_fixture_tell (records, id, SECOND (N_MESSAGES + id), 0, REROUTE_TRACK_SENT);
  track_store_append (f, records);
}

void
track_store_set_up (TrackStoreFixture *f, gconstpointer data)
{
  track_fixture_init (&f->directory);
  f->store = reroute_track_store_new (f->directory.fd, SMALL_OCTETS);
}

void
track_store_tear_down (TrackStoreFixture *f, gconstpointer data)
{
  reroute_track_store_free (f->store);
  track_fixture_clear (&f->directory);
}

RerouteTrackFilter *
track_store_parse_filter (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) values = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  RerouteTrackFilter *filter = reroute_track_filter_new (values, &error);
  g_assert_no_error (error);
  return filter;
}

guint64
track_store_search (
  TrackStoreFixture *f, const char *filter_text, guint64 cursor, guint limit, GString *ids)
{
  const RerouteTrackReader reader = { f->store, NULL, NULL };
  g_autoptr (RerouteTrackFilter) filter = track_store_parse_filter (filter_text);
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

char *
track_store_search_all (TrackStoreFixture *f, const char *filter, guint limit)
{
  GString *ids = g_string_new (NULL);
  guint64 cursor = 0;

  do
    cursor = track_store_search (f, filter, cursor, limit, ids);
  while (cursor != 0);
  return g_string_free (ids, FALSE);
}
