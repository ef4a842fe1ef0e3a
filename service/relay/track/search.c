/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * search.c - finds messages in what was tracked, newest first
 *
 * Files are read whole, from the newest to the oldest.  A message has many records and is told
 * once, where its newest record stands that matches.  What became of it since, and whether an
 * answer before has told it, is found by reading the newer records again, for the ids alone.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-track"

#include "service/relay/track/search.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/message.h"
#include "service/relay/track/cursor.h"

#include <gio/gio.h>

#define CLOCK_SLACK_US (60 * G_USEC_PER_SEC) /* records of many threads are nearly in order */
#define ANSWER_MOST_OCTETS (512 * 1024)

#define NEWEST REROUTE_TRACK_PLACE (G_MAXUINT32, 0) /* above every record's place */

#define ROW_TYPE "(txxsssusssss)"

/* A file in memory, with where its records begin. */
typedef struct
{
  const RerouteTrackReader *reader;
  GByteArray *octets;
  GArray *offsets; /* (element-type guint32) */
  guint32 serial;
} Page;

static void
page_clear (Page *self)
{
  g_clear_pointer (&self->octets, g_byte_array_unref);
  g_clear_pointer (&self->offsets, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Page, page_clear)

static void
page_init (Page *self, const RerouteTrackReader *reader)
{
  *self = (Page){ reader, g_byte_array_new (), g_array_new (FALSE, FALSE, sizeof (guint32)), 0 };
}

/* The record @index of the page. */
static RerouteTrackRecord
get_record (const Page *self, guint index, guint64 *place)
{
  guint32 offset = g_array_index (self->offsets, guint32, index);
  RerouteTrackRecord record = { 0 };

  reroute_track_record_parse (self->octets->data + offset, self->octets->len - offset, &record);
  *place = REROUTE_TRACK_PLACE (self->serial, offset);
  return record;
}

/* What cannot be read is passed over: it is history, and the rest counts. */
static void
load (Page *self, guint32 serial)
{
  g_autoptr (GError) error = NULL;
  gsize damaged;

  self->serial = serial;
  g_array_set_size (self->offsets, 0);
  if (!reroute_track_store_read (self->reader->store, serial, self->octets, &error))
    {
      g_message ("%s", error->message);
      g_byte_array_set_size (self->octets, 0);
      return;
    }
  damaged = reroute_track_frames_index (self->octets->data, self->octets->len, self->offsets);
  if (damaged > 0)
    g_info ("track.%08x: %" G_GSIZE_FORMAT " octets are damaged", serial, damaged);
}

/* The newest file older than @serial. */
static const RerouteTrackFile *
find_older (const RerouteTrackStore *store, guint32 serial)
{
  const GArray *files = reroute_track_store_get_files (store);

  for (guint i = files->len; i > 0; i--)
    {
      const RerouteTrackFile *file = &g_array_index (files, RerouteTrackFile, i - 1);

      if (file->serial < serial)
        return file;
    }
  return NULL;
}

/* Between two files, what was tracked meanwhile is written and the store may change. */
static gboolean
pause_reading (const RerouteTrackReader *reader, GError **error)
{
  if (reader->pause == NULL || reader->pause (reader->user_data))
    return TRUE;
  g_set_error_literal (
    error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the search was given up: the relay is stopping");
  return FALSE;
}

/* --- messages --- */

/* A message that was found. */
typedef struct
{
  guint64 id;
  guint32 recipient; /* the one that is told of */
  gboolean is_old;   /* an answer before has told it */
  gboolean has_state;
  RerouteTrackHead head; /* of the newest record about that recipient */
  char *sender, *address, *rcpt_out, *entry, *next_hop, *relay, *reply;
} Found;

static void
found_free (gpointer data)
{
  Found *self = data;

  g_free (self->sender);
  g_free (self->address);
  g_free (self->rcpt_out);
  g_free (self->entry);
  g_free (self->next_hop);
  g_free (self->relay);
  g_free (self->reply);
  g_free (self);
}

/* A search under way. */
typedef struct
{
  const RerouteTrackFilter *filter;
  GPtrArray *found;  /* (element-type Found): newest first */
  GHashTable *by_id; /* (element-type guint64 Found) */
  RerouteTrackCursor from;
  guint64 end;   /* the lowest place that was looked at */
  gint64 end_us; /* of the record there */
  guint limit;
  guint64 octets_left; /* that may be read yet */
  gsize answer_octets;
} Search;

static void
search_clear (Search *self)
{
  g_clear_pointer (&self->by_id, g_hash_table_unref);
  g_clear_pointer (&self->found, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static void
take_text (char **where, const RerouteTrackRecord *record, RerouteTrackField field)
{
  g_free (*where);
  *where = reroute_track_record_dup (record, field);
}

/* The recipient of index @index as the record names it. */
static char *
dup_recipient (const RerouteTrackRecord *record, const RerouteTrackHead *head, guint32 index)
{
  guint32 n = head->kind == REROUTE_TRACK_ACCEPTED ? index - head->recipient : 0;
  RerouteTrackText text = { 0 };

  while (reroute_track_record_next (record, &text))
    if (text.field == REROUTE_TRACK_RECIPIENT && n-- == 0)
      return g_utf8_make_valid (text.text, text.length);
  return g_strdup ("");
}

static void
add_found (Search *self, const RerouteTrackRecord *record, guint32 recipient)
{
  RerouteTrackHead head = reroute_track_record_get_head (record);
  Found *found = g_new0 (Found, 1);

  found->id = head.id;
  found->recipient = recipient;
  found->head = head;
  found->sender = reroute_track_record_dup (record, REROUTE_TRACK_SENDER);
  found->address = dup_recipient (record, &head, recipient);
  g_ptr_array_add (self->found, found);
  g_hash_table_insert (self->by_id, &found->id, found);
  self->answer_octets += record->length;
}

/* FALSE: the answer is full; the record is the first of the next. */
static gboolean
look_at (Search *self, const RerouteTrackRecord *record, guint64 place)
{
  RerouteTrackHead head = reroute_track_record_get_head (record);
  guint64 id = head.id;
  guint32 recipient;

  if (head.kind != REROUTE_TRACK_NOTICE && !g_hash_table_contains (self->by_id, &id) &&
      reroute_track_filter_matches (self->filter, record, &recipient))
    {
      if (self->found->len >= self->limit || self->answer_octets > ANSWER_MOST_OCTETS)
        return FALSE;
      add_found (self, record, recipient);
    }
  self->end = place;
  self->end_us = head.time_us;
  return TRUE;
}

/* FALSE: as look_at(). */
static gboolean
look_through (Search *self, const Page *page)
{
  for (guint i = page->offsets->len; i > 0; i--)
    {
      guint64 place;
      RerouteTrackRecord record = get_record (page, i - 1, &place);

      if (place < self->from.start && !look_at (self, &record, place))
        return FALSE;
    }
  return TRUE;
}

/* From the cursor on, until there are messages enough.  @over: (out): nothing older is left */
static gboolean
look_for_messages (Search *self, Page *page, gboolean *over, GError **error)
{
  gint64 since_us = reroute_track_filter_get_since_us (self->filter);
  const RerouteTrackStore *store = page->reader->store;
  const RerouteTrackFile *file;
  guint32 serial = (guint32) (self->from.start >> 32);
  gboolean within = (guint32) self->from.start > 0; /* the file that the cursor points into */

  *over = FALSE;
  while ((file = find_older (store, within ? serial + 1 : serial)) != NULL)
    {
      guint64 octets = MIN (file->octets, REROUTE_LIMIT_TRACK_READ_OCTETS);

      within = FALSE;
      serial = file->serial;
      /* One before it may be newer: the clock may have been wrong. */
      if (since_us > G_MININT64 + CLOCK_SLACK_US && file->newest_us < since_us - CLOCK_SLACK_US)
        continue;
      if (octets > self->octets_left)
        return TRUE;
      self->octets_left -= octets;
      load (page, serial);
      if (!look_through (self, page))
        return TRUE;
      self->end = REROUTE_TRACK_PLACE (serial, 0);
      if (!pause_reading (page->reader, error))
        return FALSE;
    }
  *over = TRUE;
  return TRUE;
}

static void
take_state (Found *found, const RerouteTrackRecord *record, const RerouteTrackHead *head)
{
  found->has_state = TRUE;
  found->head = *head;
  take_text (&found->rcpt_out, record, REROUTE_TRACK_RCPT_OUT);
  take_text (&found->entry, record, REROUTE_TRACK_ENTRY);
  take_text (&found->next_hop, record, REROUTE_TRACK_NEXT_HOP);
  take_text (&found->relay, record, REROUTE_TRACK_RELAY);
  take_text (&found->reply, record, REROUTE_TRACK_REPLY);
}

static void
update (Search *self, const RerouteTrackRecord *record, guint64 place)
{
  guint64 id = reroute_track_record_get_id (record);
  Found *found = g_hash_table_lookup (self->by_id, &id);
  RerouteTrackHead head;
  guint32 recipient;

  if (found == NULL)
    return;
  head = reroute_track_record_get_head (record);
  if (head.kind == REROUTE_TRACK_NOTICE)
    return;
  if (place >= self->from.start && place < self->from.top &&
      reroute_track_filter_matches (self->filter, record, &recipient))
    found->is_old = TRUE;
  if (!found->has_state &&
      (head.recipient == found->recipient || head.kind == REROUTE_TRACK_ACCEPTED))
    take_state (found, record, &head);
}

/* All that is newer than the last of the messages. */
static gboolean
update_messages (Search *self, Page *page, GError **error)
{
  const RerouteTrackFile *file;
  guint32 serial = G_MAXUINT32;

  while (self->found->len > 0 && (file = find_older (page->reader->store, serial)) != NULL &&
         REROUTE_TRACK_PLACE (file->serial, G_MAXUINT32) >= self->end)
    {
      serial = file->serial;
      if (page->serial != serial)
        load (page, serial);
      for (guint i = page->offsets->len; i > 0; i--)
        {
          guint64 place;
          RerouteTrackRecord record = get_record (page, i - 1, &place);

          if (place >= self->end)
            update (self, &record, place);
        }
      if (!pause_reading (page->reader, error))
        return FALSE;
    }
  return TRUE;
}

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

static void
add_row (GVariantBuilder *rows, const Found *found)
{
  g_variant_builder_add (rows,
                         ROW_TYPE,
                         found->id,
                         found->head.received_us,
                         found->head.time_us,
                         found->sender,
                         found->address,
                         or_empty (found->rcpt_out),
                         found->head.n_recipients,
                         or_empty (found->entry),
                         or_empty (found->next_hop),
                         or_empty (found->relay),
                         reroute_track_kind_to_string (found->head.kind),
                         or_empty (found->reply));
}

/* Where the answer begins.  @cursor: 0: it is the first one */
static RerouteTrackCursor
find_start (const RerouteTrackStore *store, guint64 cursor)
{
  const RerouteTrackFile *newest = find_older (store, G_MAXUINT32);

  if (cursor != 0)
    return reroute_track_cursor_unpack (cursor, newest != NULL ? newest->serial : 0);
  return (RerouteTrackCursor){ NEWEST,
                               newest != NULL ? REROUTE_TRACK_PLACE (newest->serial, newest->octets)
                                              : 0 };
}

GVariant *
reroute_track_search (const RerouteTrackReader *reader,
                      const RerouteTrackFilter *filter,
                      guint64 cursor,
                      guint limit,
                      GError **error)
{
  g_return_val_if_fail (reader != NULL && filter != NULL && limit > 0, NULL);

  g_auto (Page) page = { 0 };
  RerouteTrackCursor from = find_start (reader->store, cursor);
  g_auto (Search) search = {
    .filter = filter,
    .found = g_ptr_array_new_with_free_func (found_free),
    .by_id = g_hash_table_new (g_int64_hash, g_int64_equal),
    .from = from,
    .end = from.start,
    .limit = limit,
    .octets_left = REROUTE_LIMIT_TRACK_SEARCH_OCTETS,
  };
  GVariantBuilder rows;
  gboolean over;

  page_init (&page, reader);
  if (!look_for_messages (&search, &page, &over, error) || !update_messages (&search, &page, error))
    return NULL;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a" ROW_TYPE));
  for (guint i = 0; i < search.found->len; i++)
    {
      const Found *found = search.found->pdata[i];

      if (!found->is_old)
        add_row (&rows, found);
    }
  from.start = search.end;
  return g_variant_new ("(txa" ROW_TYPE ")",
                        over ? G_GUINT64_CONSTANT (0) : reroute_track_cursor_pack (&from),
                        search.end_us,
                        &rows);
}

/* --- one message --- */

static void
add_text (GVariantBuilder *event, const char *name, const RerouteTrackText *text)
{
  g_autofree char *valid = g_utf8_make_valid (text->text, text->length);

  g_variant_builder_add (event, "{sv}", name, g_variant_new_string (valid));
}

/* (transfer floating): a{sv} */
static GVariant *
describe (const RerouteTrackRecord *record)
{
  RerouteTrackHead head = reroute_track_record_get_head (record);
  RerouteTrackText text = { 0 };
  GVariantBuilder event, recipients;

  g_variant_builder_init (&event, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_init (&recipients, G_VARIANT_TYPE_STRING_ARRAY);
  g_variant_builder_add (&event, "{sv}", "time", g_variant_new_int64 (head.time_us));
  g_variant_builder_add (
    &event, "{sv}", "kind", g_variant_new_string (reroute_track_kind_to_string (head.kind)));
  g_variant_builder_add (&event, "{sv}", "received", g_variant_new_int64 (head.received_us));
  if (head.kind == REROUTE_TRACK_ACCEPTED)
    g_variant_builder_add (&event, "{sv}", "octets", g_variant_new_uint64 (head.octets));
  while (reroute_track_record_next (record, &text))
    {
      const char *name = reroute_track_field_to_string (text.field);

      if (text.field == REROUTE_TRACK_RECIPIENT && head.kind == REROUTE_TRACK_ACCEPTED)
        {
          g_autofree char *valid = g_utf8_make_valid (text.text, text.length);
          g_variant_builder_add (&recipients, "s", valid);
        }
      else if (*name != '\0')
        add_text (&event, name, &text);
    }
  if (head.kind == REROUTE_TRACK_ACCEPTED)
    g_variant_builder_add (&event, "{sv}", "recipients", g_variant_builder_end (&recipients));
  else
    g_variant_builder_clear (&recipients);
  return g_variant_builder_end (&event);
}

/* The copies of the message's records in one file are put in front of @records, which is newest
   first.  TRUE: its first one is among them */
static gboolean
collect (const Page *page, guint64 id, GPtrArray *records)
{
  for (guint i = page->offsets->len; i > 0; i--)
    {
      guint64 place;
      RerouteTrackRecord record = get_record (page, i - 1, &place);
      RerouteTrackHead head;

      if (reroute_track_record_get_id (&record) != id)
        continue;
      g_ptr_array_add (records, g_bytes_new (record.octets, record.length));
      head = reroute_track_record_get_head (&record);
      if (head.kind == REROUTE_TRACK_ACCEPTED && head.recipient == 0)
        return TRUE;
    }
  return FALSE;
}

static GVariant *
answer_trace (const GPtrArray *records, guint offset, guint limit)
{
  GVariantBuilder events;
  gsize octets = 0;

  g_variant_builder_init (&events, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = offset; i < records->len && i - offset < limit && octets < ANSWER_MOST_OCTETS; i++)
    {
      GBytes *copy = records->pdata[records->len - 1 - i];
      RerouteTrackRecord record = { g_bytes_get_data (copy, NULL),
                                    (guint32) g_bytes_get_size (copy) };

      g_variant_builder_add_value (&events, describe (&record));
      octets += record.length;
    }
  return g_variant_new ("(uaa{sv})", records->len, &events);
}

GVariant *
reroute_track_trace (
  const RerouteTrackReader *reader, guint64 id, guint offset, guint limit, GError **error)
{
  g_return_val_if_fail (reader != NULL, NULL);

  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_auto (Page) page = { 0 };
  const RerouteTrackFile *file;
  guint32 serial = G_MAXUINT32;
  gboolean complete = FALSE;

  page_init (&page, reader);
  while (!complete && (file = find_older (reader->store, serial)) != NULL)
    {
      serial = file->serial;
      load (&page, serial);
      complete = collect (&page, id, records);
      if (!pause_reading (reader, error))
        return NULL;
    }
  if (records->len > 0)
    return answer_trace (records, offset, limit);
  g_autofree char *text = reroute_message_id_to_string (id);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_ENTRY,
               "nothing is known of a message %s: it never was here, or too long ago",
               text);
  return NULL;
}
