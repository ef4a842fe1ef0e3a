/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * track-fixture.c - events of messages, and a directory for them
 */

#include "config.h"

#include "track-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

void
track_fixture_init (TrackFixture *self)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("track-XXXXXX", &error);
  g_assert_no_error (error);
  self->fd = open (self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (self->fd, >=, 0);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(char *const *) a, *(char *const *) b);
}

GPtrArray *
track_fixture_list (const TrackFixture *self)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "track."))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

guint64
track_fixture_octets (const TrackFixture *self)
{
  g_autoptr (GPtrArray) names = track_fixture_list (self);
  guint64 octets = 0;

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (self->folder, names->pdata[i], NULL);
      GStatBuf status;

      g_assert_cmpint (g_stat (path, &status), ==, 0);
      octets += (guint64) status.st_size;
    }
  return octets;
}

void
track_fixture_clear (TrackFixture *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);

      g_remove (path);
    }
  close (self->fd);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_clear_pointer (&self->folder, g_free);
}

static void
add_number (GByteArray *records,
            RerouteTrackField field,
            const char *prefix,
            guint64 number,
            const char *suffix)
{
  g_autofree char *text = g_strdup_printf ("%s%" G_GUINT64_FORMAT "%s", prefix, number, suffix);

  reroute_track_record_add (records, field, text);
}

void
track_fixture_accept (GByteArray *records, guint64 id, gint64 time_us, guint n_recipients)
{
  const RerouteTrackHead head = { .kind = REROUTE_TRACK_ACCEPTED,
                                  .n_recipients = n_recipients,
                                  .id = id,
                                  .time_us = time_us,
                                  .received_us = time_us,
                                  .octets = 2048 };
  guint start = reroute_track_record_begin (records, &head);

  add_number (records, REROUTE_TRACK_SENDER, "s", id, "@from.test");
  for (guint i = 0; i < n_recipients; i++)
    add_number (records, REROUTE_TRACK_RECIPIENT, "r", i, "@old.test");
  reroute_track_record_add (records, REROUTE_TRACK_CLIENT, "192.0.2.7");
  reroute_track_record_add (records, REROUTE_TRACK_HELO, "client.example");
  reroute_track_record_end (records, start);
}

void
track_fixture_tell (
  GByteArray *records, guint64 id, gint64 time_us, guint recipient, RerouteTrackKind kind)
{
  const RerouteTrackHead head = { .kind = kind,
                                  .recipient = recipient,
                                  .n_recipients = recipient + 1,
                                  .id = id,
                                  .time_us = time_us,
                                  .received_us = (gint64) id * G_USEC_PER_SEC };
  guint start = reroute_track_record_begin (records, &head);

  add_number (records, REROUTE_TRACK_SENDER, "s", id, "@from.test");
  add_number (records, REROUTE_TRACK_RECIPIENT, "r", recipient, "@old.test");
  add_number (records, REROUTE_TRACK_RCPT_OUT, "r", recipient, "@new.test");
  reroute_track_record_add_entry (records, REROUTE_TRACK_ENTRY, "routing", "", "old.test");
  reroute_track_record_add (records, REROUTE_TRACK_CLIENT, "192.0.2.7");
  reroute_track_record_add (records, REROUTE_TRACK_NEXT_HOP, "new.test");
  reroute_track_record_add (records, REROUTE_TRACK_RELAY, "mx.new.test[192.0.2.25]:25");
  add_number (records, REROUTE_TRACK_REPLY, "250 2.0.0 Ok: queued as ", id, "");
  reroute_track_record_end (records, start);
}
