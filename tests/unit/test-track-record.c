/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-track-record.c - what happened to a message, in octets, whole and damaged
 */

#include "config.h"

#include "service/relay/track/record.h"

#include <string.h>

#define N_FRAMES 3
#define N_RECORDS 2 /* in each frame */

static void
append_record (GByteArray *octets, guint64 id)
{
  const RerouteTrackHead head = { .kind = REROUTE_TRACK_SENT,
                                  .recipient = 3,
                                  .n_recipients = 5,
                                  .id = id,
                                  .time_us = 1795651200000000,
                                  .received_us = 1795651100000000,
                                  .octets = 77 };
  guint start = reroute_track_record_begin (octets, &head);

  reroute_track_record_add (octets, REROUTE_TRACK_SENDER, "");
  reroute_track_record_add (octets, REROUTE_TRACK_RECIPIENT, "user@test.com");
  reroute_track_record_add (octets, REROUTE_TRACK_RCPT_OUT, NULL);
  reroute_track_record_add_entry (octets, REROUTE_TRACK_ENTRY, "routing", "#", "test.com");
  reroute_track_record_end (octets, start);
}

/* A file of frames, each with records that are numbered from 1 on; (transfer full) */
static GByteArray *
make_file (void)
{
  GByteArray *file = g_byte_array_new ();
  guint64 id = 1;

  g_byte_array_append (
    file, (const guint8 *) REROUTE_TRACK_FILE_HEADER, REROUTE_TRACK_FILE_HEADER_OCTETS);
  for (guint frame = 0; frame < N_FRAMES; frame++)
    {
      g_autoptr (GByteArray) records = g_byte_array_new ();

      for (guint i = 0; i < N_RECORDS; i++)
        append_record (records, id++);
      reroute_track_frame_append (file, records->data, records->len);
    }
  return file;
}

/* The ids that are found, as "1 2 3"; (transfer full).  @damaged: (out) */
static char *
read_ids (const GByteArray *file, gsize *damaged)
{
  g_autoptr (GArray) offsets = g_array_new (FALSE, FALSE, sizeof (guint32));
  GString *ids = g_string_new (NULL);

  *damaged = reroute_track_frames_index (file->data, file->len, offsets);
  for (guint i = 0; i < offsets->len; i++)
    {
      guint32 offset = g_array_index (offsets, guint32, i);
      RerouteTrackRecord record;

      g_assert_true (reroute_track_record_parse (file->data + offset, file->len - offset, &record));
      g_string_append_printf (
        ids, "%s%" G_GUINT64_FORMAT, i > 0 ? " " : "", reroute_track_record_get_id (&record));
    }
  return g_string_free (ids, FALSE);
}

static void
test_round_trip (void)
{
  g_autoptr (GByteArray) octets = g_byte_array_new ();
  RerouteTrackRecord record;
  RerouteTrackText text;

  append_record (octets, 0x1a2b3c);
  g_assert_true (reroute_track_record_parse (octets->data, octets->len, &record));
  g_assert_cmpuint (record.length, ==, octets->len);

  RerouteTrackHead head = reroute_track_record_get_head (&record);
  g_assert_cmpint (head.kind, ==, REROUTE_TRACK_SENT);
  g_assert_cmpuint (head.recipient, ==, 3);
  g_assert_cmpuint (head.n_recipients, ==, 5);
  g_assert_cmpuint (head.id, ==, 0x1a2b3c);
  g_assert_cmpint (head.time_us, ==, 1795651200000000);
  g_assert_cmpint (head.received_us, ==, 1795651100000000);
  g_assert_cmpuint (head.octets, ==, 77);

  g_autofree char *sender = reroute_track_record_dup (&record, REROUTE_TRACK_SENDER);
  g_autofree char *recipient = reroute_track_record_dup (&record, REROUTE_TRACK_RECIPIENT);
  g_autofree char *entry = reroute_track_record_dup (&record, REROUTE_TRACK_ENTRY);
  g_assert_cmpstr (sender, ==, "");
  g_assert_cmpstr (recipient, ==, "user@test.com");
  g_assert_cmpstr (entry, ==, "routing #test.com");
  g_assert_true (reroute_track_record_find (&record, REROUTE_TRACK_SENDER, &text));
  g_assert_false (reroute_track_record_find (&record, REROUTE_TRACK_RCPT_OUT, &text));
}

static void
test_names (void)
{
  for (guint i = 1; i < REROUTE_N_TRACK_KINDS; i++)
    g_assert_cmpstr (reroute_track_kind_to_string (i), !=, "");
  for (guint i = 1; i < REROUTE_N_TRACK_FIELDS; i++)
    g_assert_cmpstr (reroute_track_field_to_string (i), !=, "");
  g_assert_cmpstr (reroute_track_kind_to_string (0), ==, "");
  g_assert_cmpstr (reroute_track_kind_to_string (REROUTE_N_TRACK_KINDS), ==, "");
  g_assert_cmpstr (reroute_track_field_to_string (REROUTE_N_TRACK_FIELDS), ==, "");
}

static void
test_a_long_text_is_cut (void)
{
  g_autoptr (GByteArray) octets = g_byte_array_new ();
  g_autofree char *text = g_strnfill (100000, 'x');
  const RerouteTrackHead head = { .kind = REROUTE_TRACK_FAILED };
  RerouteTrackRecord record;
  guint start = reroute_track_record_begin (octets, &head);

  reroute_track_record_add (octets, REROUTE_TRACK_REPLY, text);
  reroute_track_record_end (octets, start);
  g_assert_true (reroute_track_record_parse (octets->data, octets->len, &record));
  g_autofree char *read = reroute_track_record_dup (&record, REROUTE_TRACK_REPLY);
  g_assert_cmpuint (strlen (read), ==, G_MAXUINT16);
}

/* Of a record of a newer relay, or one whose lengths lie, nothing outside is read. */
static void
test_lengths_that_lie (void)
{
  g_autoptr (GByteArray) octets = g_byte_array_new ();

  append_record (octets, 1);
  for (guint length = 0; length <= octets->len; length++)
    {
      g_autofree guint8 *copy = g_memdup2 (octets->data, length);
      RerouteTrackText text = { 0 };
      RerouteTrackRecord record;

      g_assert_cmpint (
        reroute_track_record_parse (copy, length, &record), ==, length == octets->len);
      if (length < 48)
        continue;
      record = (RerouteTrackRecord){ copy, length };
      while (reroute_track_record_next (&record, &text))
        g_assert_true ((const guint8 *) text.text + text.length <= copy + length);
    }
}

static void
test_whole_file (void)
{
  g_autoptr (GByteArray) file = make_file ();
  gsize damaged;
  g_autofree char *ids = read_ids (file, &damaged);

  g_assert_cmpstr (ids, ==, "1 2 3 4 5 6");
  g_assert_cmpuint (damaged, ==, 0);
}

/* A file may end anywhere: what was whole before is found. */
static void
test_torn (void)
{
  g_autoptr (GByteArray) file = make_file ();
  gsize frame = (file->len - REROUTE_TRACK_FILE_HEADER_OCTETS) / N_FRAMES;

  for (guint length = 0; length < file->len; length++)
    {
      g_autoptr (GByteArray) torn = g_byte_array_new ();
      gsize n_whole = length > REROUTE_TRACK_FILE_HEADER_OCTETS
                        ? (length - REROUTE_TRACK_FILE_HEADER_OCTETS) / frame
                        : 0;
      const char *const wanted[] = { "", "1 2", "1 2 3 4" };
      gsize damaged;

      g_byte_array_append (torn, file->data, length);
      g_autofree char *ids = read_ids (torn, &damaged);
      g_assert_cmpstr (ids, ==, wanted[n_whole]);
    }
}

/* One octet that is wrong costs the frame that it stands in, and no other. */
static void
test_flipped (void)
{
  g_autoptr (GByteArray) file = make_file ();
  gsize frame = (file->len - REROUTE_TRACK_FILE_HEADER_OCTETS) / N_FRAMES;
  const char *const without[] = { "3 4 5 6", "1 2 5 6", "1 2 3 4" };

  for (guint at = 0; at < file->len; at++)
    {
      gsize damaged;

      file->data[at] ^= 0x20;
      g_autofree char *ids = read_ids (file, &damaged);
      file->data[at] ^= 0x20;
      g_assert_cmpuint (damaged, >, 0);
      g_assert_cmpstr (ids,
                       ==,
                       at < REROUTE_TRACK_FILE_HEADER_OCTETS
                         ? "1 2 3 4 5 6"
                         : without[(at - REROUTE_TRACK_FILE_HEADER_OCTETS) / frame]);
    }
}

/* What a crash may leave where octets were not written: zeros, of any length, anywhere. */
static void
test_a_hole (void)
{
  g_autoptr (GByteArray) file = make_file ();
  gsize frame = (file->len - REROUTE_TRACK_FILE_HEADER_OCTETS) / N_FRAMES;
  gsize second = REROUTE_TRACK_FILE_HEADER_OCTETS + frame;
  gsize damaged;

  memset (file->data + second, 0, frame);
  g_autofree char *ids = read_ids (file, &damaged);
  g_assert_cmpstr (ids, ==, "1 2 5 6");
  g_assert_cmpuint (damaged, ==, frame);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/track-record/round-trip", test_round_trip);
  g_test_add_func ("/track-record/names", test_names);
  g_test_add_func ("/track-record/a-long-text-is-cut", test_a_long_text_is_cut);
  g_test_add_func ("/track-record/lengths-that-lie", test_lengths_that_lie);
  g_test_add_func ("/track-record/whole-file", test_whole_file);
  g_test_add_func ("/track-record/torn", test_torn);
  g_test_add_func ("/track-record/flipped", test_flipped);
  g_test_add_func ("/track-record/a-hole", test_a_hole);
  return g_test_run ();
}
