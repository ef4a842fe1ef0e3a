/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * record.c - what happened to a message, in octets
 *
 * All numbers are little-endian.  A record: length of the whole u32, kind u8, three octets of zero,
 * recipient u32, number of recipients u32, id u64, time i64, received i64, octets u64, then texts:
 * field u8, length u16, the text.  Unknown kinds and fields are passed over, so that a file of a
 * newer relay can be read.
 *
 * A frame: magic, length of its records u32, CRC-32C of them u32, CRC-32C of the twelve octets in
 * front u32, the records.  Nobody waits for the disk, so a crash leaves a torn frame, or a hole: it
 * is found by its checksum, and what follows by its magic.
 */

#include "config.h"

#include "service/relay/track/record.h"

#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/octets-private.h"

#define HEAD_OCTETS 48
#define TEXT_HEAD_OCTETS 3
#define TEXT_MOST_OCTETS G_MAXUINT16

static const char frame_magic[4] = { 'R', 'T', 'F', '\xf7' }; /* no text has the last octet there */

static const char *const kind_names[REROUTE_N_TRACK_KINDS] = {
  [REROUTE_TRACK_ACCEPTED] = "accepted", [REROUTE_TRACK_SENT] = "sent",
  [REROUTE_TRACK_DEFERRED] = "deferred", [REROUTE_TRACK_FAILED] = "failed",
  [REROUTE_TRACK_EXPIRED] = "expired",   [REROUTE_TRACK_NOTICE] = "notice",
  [REROUTE_TRACK_HELD] = "held",         [REROUTE_TRACK_RELEASED] = "released",
  [REROUTE_TRACK_DELETED] = "deleted",
};

static const char *const field_names[REROUTE_N_TRACK_FIELDS] = {
  [REROUTE_TRACK_SENDER] = "sender",       [REROUTE_TRACK_RECIPIENT] = "recipient",
  [REROUTE_TRACK_RCPT_OUT] = "rcpt-out",   [REROUTE_TRACK_ENTRY] = "entry",
  [REROUTE_TRACK_CLIENT] = "client",       [REROUTE_TRACK_HELO] = "helo",
  [REROUTE_TRACK_ACCOUNT] = "account",     [REROUTE_TRACK_NEXT_HOP] = "next-hop",
  [REROUTE_TRACK_RELAY] = "relay",         [REROUTE_TRACK_TLS] = "tls",
  [REROUTE_TRACK_REPLY] = "reply",         [REROUTE_TRACK_NOTICE_ID] = "notice",
  [REROUTE_TRACK_ADMITTING] = "admitting",
};

const char *
reroute_track_kind_to_string (RerouteTrackKind kind)
{
  return (guint) kind < G_N_ELEMENTS (kind_names) && kind_names[kind] != NULL ? kind_names[kind]
                                                                              : "";
}

const char *
reroute_track_field_to_string (RerouteTrackField field)
{
  return (guint) field < G_N_ELEMENTS (field_names) && field_names[field] != NULL
           ? field_names[field]
           : "";
}

/* --- writing --- */

guint
reroute_track_record_begin (GByteArray *octets, const RerouteTrackHead *head)
{
  guint start = octets->len;
  guint8 *at;

  g_byte_array_set_size (octets, start + HEAD_OCTETS);
  at = octets->data + start;
  store_u32 (at + 4, (guint8) head->kind);
  store_u32 (at + 8, head->recipient);
  store_u32 (at + 12, head->n_recipients);
  store_u64 (at + 16, head->id);
  store_u64 (at + 24, (guint64) head->time_us);
  store_u64 (at + 32, (guint64) head->received_us);
  store_u64 (at + 40, head->octets);
  return start;
}

static guint8 *
open_text (GByteArray *octets, RerouteTrackField field, gsize length)
{
  guint start = octets->len;
  guint8 *at;

  g_byte_array_set_size (octets, start + TEXT_HEAD_OCTETS + (guint) length);
  at = octets->data + start;
  at[0] = (guint8) field;
  at[1] = (guint8) (length & 0xff);
  at[2] = (guint8) (length >> 8);
  return at + TEXT_HEAD_OCTETS;
}

void
reroute_track_record_add (GByteArray *octets, RerouteTrackField field, const char *text)
{
  gsize length;

  if (text == NULL)
    return;
  length = MIN (strlen (text), (gsize) TEXT_MOST_OCTETS);
  memcpy (open_text (octets, field, length), text, length);
}

void
reroute_track_record_add_entry (GByteArray *octets,
                                RerouteTrackField field,
                                const char *page,
                                const char *mark,
                                const char *domain)
{
  gsize page_length = strlen (page);
  gsize mark_length = strlen (mark);
  gsize domain_length = MIN (strlen (domain), (gsize) TEXT_MOST_OCTETS / 2);
  guint8 *at = open_text (octets, field, page_length + 1 + mark_length + domain_length);

  memcpy (at, page, page_length);
  at[page_length] = ' ';
  memcpy (at + page_length + 1, mark, mark_length);
  memcpy (at + page_length + 1 + mark_length, domain, domain_length);
}

void
reroute_track_record_end (GByteArray *octets, guint start)
{
  store_u32 (octets->data + start, octets->len - start);
}

/* --- reading --- */

gboolean
reroute_track_record_parse (const guint8 *octets, gsize length, RerouteTrackRecord *record)
{
  guint32 record_length;

  if (length < HEAD_OCTETS)
    return FALSE;
  record_length = load_u32 (octets);
  if (record_length < HEAD_OCTETS || record_length > length)
    return FALSE;
  *record = (RerouteTrackRecord){ octets, record_length };
  return TRUE;
}

RerouteTrackHead
reroute_track_record_get_head (const RerouteTrackRecord *self)
{
  const guint8 *at = self->octets;

  return (RerouteTrackHead){
    .kind = at[4],
    .recipient = load_u32 (at + 8),
    .n_recipients = load_u32 (at + 12),
    .id = load_u64 (at + 16),
    .time_us = (gint64) load_u64 (at + 24),
    .received_us = (gint64) load_u64 (at + 32),
    .octets = load_u64 (at + 40),
  };
}

guint64
reroute_track_record_get_id (const RerouteTrackRecord *self)
{
  return load_u64 (self->octets + 16);
}

gboolean
reroute_track_record_next (const RerouteTrackRecord *self, RerouteTrackText *text)
{
  guint32 at = text->next != 0 ? text->next : HEAD_OCTETS;
  guint length;

  if (self->length - at < TEXT_HEAD_OCTETS)
    return FALSE;
  length = self->octets[at + 1] | (guint) self->octets[at + 2] << 8;
  if (self->length - at - TEXT_HEAD_OCTETS < length)
    return FALSE;
  text->field = self->octets[at];
  text->text = (const char *) self->octets + at + TEXT_HEAD_OCTETS;
  text->length = length;
  text->next = at + TEXT_HEAD_OCTETS + length;
  return TRUE;
}

gboolean
reroute_track_record_find (const RerouteTrackRecord *self,
                           RerouteTrackField field,
                           RerouteTrackText *text)
{
  *text = (RerouteTrackText){ 0 };
  while (reroute_track_record_next (self, text))
    if (text->field == field)
      return TRUE;
  return FALSE;
}

char *
reroute_track_record_dup (const RerouteTrackRecord *self, RerouteTrackField field)
{
  RerouteTrackText text;

  return reroute_track_record_find (self, field, &text) ? g_utf8_make_valid (text.text, text.length)
                                                        : g_strdup ("");
}

/* --- frames --- */

void
reroute_track_frame_append (GByteArray *frames, const guint8 *octets, gsize length)
{
  guint8 header[REROUTE_TRACK_FRAME_HEADER_OCTETS];

  memcpy (header, frame_magic, sizeof frame_magic);
  store_u32 (header + 4, (guint32) length);
  store_u32 (header + 8, reroute_crc32c (0, octets, length));
  store_u32 (header + 12, reroute_crc32c (0, header, 12));
  g_byte_array_append (frames, header, sizeof header);
  g_byte_array_append (frames, octets, (guint) length);
}

/* Whether a whole frame begins there.  @n_records: (out): octets of its records */
static gboolean
check_frame (const guint8 *octets, gsize length, gsize *n_records)
{
  if (length < REROUTE_TRACK_FRAME_HEADER_OCTETS ||
      memcmp (octets, frame_magic, sizeof frame_magic) != 0 ||
      load_u32 (octets + 12) != reroute_crc32c (0, octets, 12))
    return FALSE;
  *n_records = load_u32 (octets + 4);
  return *n_records <= length - REROUTE_TRACK_FRAME_HEADER_OCTETS &&
         load_u32 (octets + 8) ==
           reroute_crc32c (0, octets + REROUTE_TRACK_FRAME_HEADER_OCTETS, *n_records);
}

static void
index_records (const guint8 *octets, gsize start, gsize end, GArray *offsets)
{
  RerouteTrackRecord record;

  while (reroute_track_record_parse (octets + start, end - start, &record))
    {
      guint32 offset = (guint32) start;

      g_array_append_val (offsets, offset);
      start += record.length;
    }
}

gsize
reroute_track_frames_index (const guint8 *octets, gsize length, GArray *offsets)
{
  gsize damaged = 0;
  gsize at = 0;
  gsize n_records;

  if (length >= REROUTE_TRACK_FILE_HEADER_OCTETS &&
      memcmp (octets, REROUTE_TRACK_FILE_HEADER, REROUTE_TRACK_FILE_HEADER_OCTETS) == 0)
    at = REROUTE_TRACK_FILE_HEADER_OCTETS;
  while (at < length)
    {
      const guint8 *next;

      if (check_frame (octets + at, length - at, &n_records))
        {
          at += REROUTE_TRACK_FRAME_HEADER_OCTETS;
          index_records (octets, at, at + n_records, offsets);
          at += n_records;
          continue;
        }
      next = memmem (octets + at + 1, length - at - 1, frame_magic, sizeof frame_magic);
      damaged += (next != NULL ? (gsize) (next - octets) : length) - at;
      at = next != NULL ? (gsize) (next - octets) : length;
    }
  return damaged;
}
