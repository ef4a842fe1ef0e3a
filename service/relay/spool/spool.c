/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool.c - the durable queue: verdicts, reading back, figures
 *
 * The journal's rules are in data/man/reroute-spool.5; opening.c and scan.c read it, writer.c,
 * batch.c and compact.c write it.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/private-file.h"
#include "service/relay/spool/srs-keys.h"

#include <unistd.h>

void
reroute_spool_push_mark (RerouteSpool *self)
{
  if (__atomic_exchange_n (&self->mark_asked, 1, __ATOMIC_RELAXED) == 0)
    reroute_spool_push (self, reroute_job_new (REROUTE_JOB_MARK));
}

void
reroute_spool_record (RerouteSpool *self,
                      RerouteMessage *message,
                      const RerouteVerdict *verdicts,
                      guint n,
                      RerouteSpoolFunc func,
                      gpointer user_data)
{
  g_return_if_fail (self != NULL && message != NULL && verdicts != NULL && n > 0);

  RerouteJob *job = reroute_job_new (REROUTE_JOB_VERDICT);
  job->message = reroute_message_ref (message);
  job->func = func;
  job->user_data = user_data;
  reroute_job_set_payload (job, reroute_verdicts_encode (message->id, verdicts, n), NULL);
  REROUTE_FAULT_POINT ("verdict-known");
  reroute_spool_push (self, job);
}

void
reroute_spool_sync (RerouteSpool *self, RerouteSpoolFunc func, gpointer user_data)
{
  g_return_if_fail (self != NULL && func != NULL);

  RerouteJob *job = reroute_job_new (REROUTE_JOB_SYNC);
  job->func = func;
  job->user_data = user_data;
  reroute_spool_push (self, job);
}

void
reroute_spool_drop_contents (RerouteSpool *self, RerouteEntry *entry)
{
  self->parts_octets -= reroute_entry_drop_contents (entry);
}

GBytes *
reroute_spool_get_content (RerouteSpool *self, RerouteMessage *message)
{
  g_return_val_if_fail (self != NULL && message != NULL, NULL);

  g_mutex_lock (&message->lock);
  GBytes *content = message->content != NULL ? g_bytes_ref (message->content) : NULL;
  g_mutex_unlock (&message->lock);
  return content;
}

void
reroute_spool_release_content (RerouteSpool *self, RerouteMessage *message)
{
  g_return_if_fail (self != NULL && message != NULL);

  g_mutex_lock (&message->lock);
  g_clear_pointer (&message->content, g_bytes_unref);
  g_mutex_unlock (&message->lock);
  g_mutex_lock (&self->lock);
  if (message->location != NULL)
    reroute_spool_drop_contents (self, message->location);
  g_mutex_unlock (&self->lock);
}

/* A stretch of content that lies in one record. */
typedef struct
{
  RerouteSegment segment; /* a copy of what names it: the original may be freed meanwhile */
  RerouteLocation location;
  gsize payload_offset; /* where the record's content starts */
  gsize content_offset; /* how far into it the wanted octets lie */
  gsize available;      /* from there on */
} Stretch;

/* The part that holds the content at *@offset, which then counts from its beginning.
   Returns: its index; n_parts_named: it is in the message's own record */
static guint32
find_part (const RerouteEntry *entry, gsize *offset)
{
  guint32 i = 0;

  for (; i < entry->n_parts_named; i++)
    {
      gsize octets = reroute_part_octets (&entry->parts[i].location);
      if (*offset < octets)
        break;
      *offset -= octets;
    }
  return i;
}

/* Finds the record that holds the content at @offset.  FALSE: the message is not in the spool. */
static gboolean
find_stretch (RerouteSpool *self, RerouteMessage *message, gsize offset, Stretch *stretch)
{
  const RerouteLocation *location = NULL;

  g_mutex_lock (&self->lock);
  const RerouteEntry *entry = message->location;
  gsize octets = 0, payload_offset = REROUTE_PART_PREFIX_OCTETS;
  guint32 part = entry != NULL ? find_part (entry, &offset) : 0;
  if (entry != NULL && part < entry->n_parts_named)
    {
      location = &entry->parts[part].location;
      octets = reroute_part_octets (location);
    }
  else if (entry != NULL)
    {
      location = &entry->record;
      octets = entry->inline_octets;
      payload_offset = entry->content_offset;
    }
  if (location != NULL)
    {
      stretch->segment.serial = location->segment->serial;
      stretch->location = *location;
      stretch->location.segment = &stretch->segment;
      stretch->payload_offset = payload_offset;
      stretch->content_offset = offset;
      stretch->available = octets > offset ? octets - offset : 0;
    }
  g_mutex_unlock (&self->lock);
  return location != NULL;
}

static gboolean
is_same_place (const Stretch *a, const Stretch *b)
{
  return a->segment.serial == b->segment.serial && a->location.offset == b->location.offset;
}

static GBytes *
load_from_journal (RerouteSpool *self, RerouteMessage *message, gsize offset, GError **error)
{
  Stretch stretch = { 0 }, now = { 0 };

  gboolean is_there = find_stretch (self, message, offset, &stretch);
  while (is_there)
    {
      g_autoptr (GError) local_error = NULL;
      g_autoptr (GBytes) payload =
                   reroute_location_load (self->dir_fd, &stretch.location, &local_error);
      /* When its segment was freed meanwhile, the message is elsewhere and what was read is void.
       */
      is_there = find_stretch (self, message, offset, &now);
      if (is_there && is_same_place (&now, &stretch))
        {
          if (payload != NULL && stretch.available > 0)
            return g_bytes_new_from_bytes (
              payload, stretch.payload_offset + stretch.content_offset, stretch.available);
          if (local_error == NULL)
            g_set_error_literal (&local_error,
                                 REROUTE_ERROR,
                                 REROUTE_ERROR_SPOOL,
                                 "its content ends early in the spool");
          g_propagate_prefixed_error (error,
                                      g_steal_pointer (&local_error),
                                      "message %" G_GINT64_MODIFIER "x: ",
                                      message->id);
          return NULL;
        }
      stretch = now;
      stretch.location.segment = &stretch.segment;
    }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_SPOOL,
               "message %" G_GINT64_MODIFIER "x is not in the spool any more",
               message->id);
  return NULL;
}

/* (transfer full) (nullable): the content at @offset up to the end of its part, when that is in
   memory.  It is read once as a rule: whoever comes later finds it in the journal. */
static GBytes *
take_part (RerouteSpool *self, RerouteMessage *message, gsize offset)
{
  g_autoptr (GBytes) content = NULL;

  g_mutex_lock (&self->lock);
  RerouteEntry *entry = message->location;
  guint32 part = entry != NULL ? find_part (entry, &offset) : 0;
  if (entry != NULL && part < entry->n_parts_named)
    content = reroute_entry_take_content (entry, part);
  if (content != NULL)
    self->parts_octets -= g_bytes_get_size (content);
  g_mutex_unlock (&self->lock);
  return content != NULL
           ? g_bytes_new_from_bytes (content, offset, g_bytes_get_size (content) - offset)
           : NULL;
}

GBytes *
reroute_spool_load (RerouteSpool *self, RerouteMessage *message, gsize offset, GError **error)
{
  g_return_val_if_fail (self != NULL && message != NULL, NULL);
  g_return_val_if_fail (offset < message->content_octets, NULL);

  g_autoptr (GBytes) content = reroute_spool_get_content (self, message);
  if (content != NULL)
    return g_bytes_new_from_bytes (content, offset, g_bytes_get_size (content) - offset);
  GBytes *part = take_part (self, message, offset);
  return part != NULL ? part : load_from_journal (self, message, offset, error);
}

void
reroute_spool_get_figures (RerouteSpool *self, RerouteSpoolFigures *figures)
{
  g_return_if_fail (self != NULL && figures != NULL);

  g_mutex_lock (&self->lock);
  figures->writable = self->writable;
  figures->messages = self->n_messages;
  figures->syncs = self->n_syncs;
  figures->commits = self->n_commits;
  figures->written = self->n_written;
  figures->segments = self->segments->len + (self->spare_octets > 0);
  figures->held = __atomic_load_n (&self->held, __ATOMIC_RELAXED);
  figures->octets = self->spare_octets;
  for (guint i = 0; i < self->segments->len; i++)
    figures->octets += ((const RerouteSegment *) g_ptr_array_index (self->segments, i))->size;
  g_mutex_unlock (&self->lock);
}

gboolean
reroute_spool_has_moved (RerouteSpool *self, guint *mark)
{
  g_return_val_if_fail (self != NULL && mark != NULL, FALSE);

  guint old = *mark;

  g_mutex_lock (&self->lock);
  *mark = (guint) g_atomic_int_get (&self->n_moves) + (guint) self->n_syncs;
  g_mutex_unlock (&self->lock);
  g_mutex_lock (&self->queue_lock);
  gboolean is_idle = self->writer_waits != REROUTE_WRITER_BUSY;
  g_mutex_unlock (&self->queue_lock);
  return is_idle || *mark != old;
}

int
reroute_spool_get_directory_fd (const RerouteSpool *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->dir_fd;
}

const char *
reroute_spool_get_token (RerouteSpool *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->token;
}

GBytes *
reroute_spool_read_file (RerouteSpool *self, const char *name, gsize most, GError **error)
{
  g_return_val_if_fail (self != NULL && name != NULL, NULL);

  return reroute_private_file_read (self->dir_fd, name, most, error);
}

gboolean
reroute_spool_write_file (RerouteSpool *self, const char *name, GBytes *octets, GError **error)
{
  g_return_val_if_fail (self != NULL && name != NULL && octets != NULL, FALSE);

  gsize length;
  const void *data = g_bytes_get_data (octets, &length);

  return reroute_private_file_write (self->dir_fd, name, data, length, error);
}

GPtrArray *
reroute_spool_open_srs_keys (RerouteSpool *self, gint64 now_s, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  return reroute_srs_keys_open (self->dir_fd, now_s, error);
}

RerouteSrsTokens *
reroute_spool_open_srs_tokens (RerouteSpool *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return reroute_srs_tokens_open (self->dir_fd);
}

gboolean
reroute_spool_verify (const char *directory, GString *report, GError **error)
{
  g_return_val_if_fail (directory != NULL && report != NULL, FALSE);

  int dir_fd = reroute_spool_directory_open (directory, error);
  if (dir_fd < 0)
    return FALSE;
  g_autoptr (RerouteScan) scan = reroute_scan_new (dir_fd, FALSE);
  gboolean is_read = reroute_spool_directory_lock_shared (dir_fd, directory, error) &&
                     reroute_scan_look (scan, error) && reroute_scan_run (scan, error);
  if (is_read)
    g_string_append_printf (report,
                            "spool “%s”, format %u: %u segments, %" G_GUINT64_FORMAT
                            " records, %u messages wait\n",
                            directory,
                            REROUTE_SPOOL_VERSION,
                            scan->segments->len,
                            scan->n_records,
                            g_hash_table_size (scan->entries));
  for (guint i = 0; is_read && i < scan->damages->len; i++)
    g_string_append_printf (
      report, "damage: %s\n", (const char *) g_ptr_array_index (scan->damages, i));
  gboolean is_sound = is_read && scan->damages->len == 0;
  if (is_read && !is_sound)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_SPOOL,
                 "spool directory “%s” is damaged in %u places",
                 directory,
                 scan->damages->len);
  close (dir_fd);
  return is_sound;
}
