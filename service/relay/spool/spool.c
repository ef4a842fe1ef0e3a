/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool.c - the durable queue: open, close, verdicts, reading back
 *
 * The journal's rules are in data/man/reroute-spool.5; scan.c reads it, writer.c, batch.c and
 * compact.c write it.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/srs-keys.h"
#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define SMALLEST_SEGMENT_OCTETS (64 * 1024)
#define IDS_A_SECOND                                                                               \
  4096 /* an empty spool starts its ids by the clock, so that they do not repeat */
#define FIRST_NUMBER_MASK ((G_GUINT64_CONSTANT (1) << 60) - 1)
/* How far the numbers skip at each opening: those of a torn tail are not used again. */
#define SKIP_MASK ((G_GUINT64_CONSTANT (1) << 32) - 1)

void
reroute_spool_push (RerouteSpool *self, RerouteJob *job)
{
  /* A verdict that nobody waits for rides on the next commit. */
  gboolean is_urgent = job->kind != REROUTE_JOB_VERDICT || job->func != NULL;

  g_mutex_lock (&self->queue_lock);
  reroute_jobs_push (&self->queue, job);
  self->n_urgent += is_urgent;
  gboolean wakes = self->writer_waits == REROUTE_WRITER_WAITS_FOR_ANY ||
                   (is_urgent && self->writer_waits == REROUTE_WRITER_WAITS_FOR_URGENT);
  if (wakes)
    self->writer_waits = REROUTE_WRITER_BUSY;
  g_mutex_unlock (&self->queue_lock);
  if (wakes)
    g_cond_signal (&self->queue_cond);
}

void
reroute_spool_push_mark (RerouteSpool *self)
{
  if (__atomic_exchange_n (&self->mark_asked, 1, __ATOMIC_RELAXED) == 0)
    reroute_spool_push (self, reroute_job_new (REROUTE_JOB_MARK));
}

/* Octets of the replies with their ends. */
static gsize
measure_replies (const RerouteEntry *entry)
{
  gsize octets = 0;

  for (guint i = 0; entry->statuses != NULL && i < entry->n_recipients; i++)
    if (entry->statuses[i].reply != NULL)
      octets += strlen (entry->statuses[i].reply) + 1;
  return octets;
}

/* One block of memory: a long queue has many. */
static RerouteSpoolEntry *
make_spool_entry (const RerouteEntry *entry)
{
  guint n = entry->n_recipients;
  RerouteSpoolEntry *self =
    g_malloc (sizeof *self + n * sizeof self->verdicts[0] + measure_replies (entry));
  char *text = (char *) &self->verdicts[n];

  self->message = reroute_message_ref (entry->message);
  self->n_verdicts = n;
  for (guint i = 0; i < n; i++)
    {
      RerouteVerdict *verdict = &self->verdicts[i];
      const RerouteRecipientStatus *status = entry->statuses != NULL ? &entry->statuses[i] : NULL;
      *verdict = (RerouteVerdict){ .recipient = i, .state = REROUTE_RECIPIENT_WAITING };
      if (status == NULL)
        continue;
      verdict->state = status->state;
      verdict->due_us = status->due_us;
      verdict->tries = status->tries;
      verdict->flags = status->flags;
      if (status->reply == NULL)
        continue;
      verdict->reply = text;
      text = g_stpcpy (text, status->reply) + 1;
    }
  return self;
}

void
reroute_spool_entry_free (RerouteSpoolEntry *self)
{
  g_return_if_fail (self != NULL);

  reroute_message_unref (self->message);
  g_free (self);
}

static void
free_spool_entry (gpointer data)
{
  reroute_spool_entry_free (data);
}

static int
compare_spool_entries (gconstpointer a, gconstpointer b)
{
  const RerouteSpoolEntry *left = *(RerouteSpoolEntry *const *) a;
  const RerouteSpoolEntry *right = *(RerouteSpoolEntry *const *) b;
  return left->message->id < right->message->id ? -1 : left->message->id > right->message->id;
}

/* The entries go over to the segments' lists, which hold them from now on. */
static GPtrArray *
take_entries (RerouteSpool *self, RerouteScan *scan)
{
  GPtrArray *entries = g_ptr_array_new_full (g_hash_table_size (scan->entries), free_spool_entry);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, scan->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      g_ptr_array_add (entries, make_spool_entry (value));
      g_hash_table_iter_steal (&iter);
    }
  g_ptr_array_sort (entries, compare_spool_entries);
  self->n_messages = entries->len;
  return entries;
}

/* The newest segment goes on when it ends cleanly. */
static void
continue_segment (RerouteSpool *self, const RerouteScan *scan)
{
  RerouteSegment *newest =
    self->segments->len > 0 ? g_ptr_array_index (self->segments, self->segments->len - 1) : NULL;
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  if (newest == NULL)
    return;
  self->last_serial = newest->serial;
  if (!scan->tail_is_clean || newest->used + REROUTE_SPOOL_BLOCK_OCTETS > newest->size)
    return;
  reroute_segment_name (newest->serial, name);
  newest->fd = openat (self->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

static void
take_scan (RerouteSpool *self, RerouteScan *scan, GPtrArray **entries)
{
  *entries = take_entries (self, scan);
  self->segments = g_steal_pointer (&scan->segments);
  self->last_synced = scan->last;
  if (self->last_synced == 0)
    self->last_synced = 1 + (reroute_spool_random () & FIRST_NUMBER_MASK);
  self->next_sequence = self->last_synced + 1 + (reroute_spool_random () & SKIP_MASK);
  guint64 first_id = (guint64) (g_get_real_time () / G_USEC_PER_SEC) * IDS_A_SECOND;
  self->next_id = scan->last != 0 ? scan->ids : first_id;
  self->reserved_ids = self->next_id;
  continue_segment (self, scan);
}

/* Reserves ids before one is given away.  A full disk is no reason not to start: what is queued can
   be delivered. */
static void
write_first_mark (RerouteSpool *self)
{
  RerouteJobs jobs = { NULL, NULL };

  reroute_jobs_push (&jobs, reroute_job_new (REROUTE_JOB_MARK));
  reroute_spool_write_jobs (self, &jobs);
}

RerouteSpool *
reroute_spool_open (const char *directory,
                    gsize segment_octets,
                    GPtrArray **entries,
                    GError **error)
{
  RerouteScan scan;

  g_return_val_if_fail (directory != NULL && entries != NULL, NULL);

  /* A file over RLIMIT_FSIZE must be a failed write (452), not the end of the process. */
  signal (SIGXFSZ, SIG_IGN);
  int dir_fd = reroute_spool_directory_open (directory, error);
  if (dir_fd < 0)
    return NULL;
  g_autofree char *token = NULL;
  reroute_scan_init (&scan, dir_fd, TRUE);
  if (!reroute_spool_directory_lock (dir_fd, directory, error) ||
      (token = reroute_spool_directory_get_token (dir_fd, error)) == NULL ||
      !reroute_scan_run (&scan, error))
    {
      g_prefix_error (error, "cannot open the spool “%s”: ", directory);
      reroute_scan_clear (&scan);
      close (dir_fd);
      return NULL;
    }

  RerouteSpool *self = g_new0 (RerouteSpool, 1);
  self->dir_fd = dir_fd;
  self->path = g_strdup (directory);
  self->token = g_steal_pointer (&token);
  self->segment_octets = segment_octets != 0 ? segment_octets : REROUTE_LIMIT_SEGMENT_OCTETS;
  self->segment_octets = MAX (self->segment_octets, SMALLEST_SEGMENT_OCTETS);
  self->segment_octets -= self->segment_octets % REROUTE_SPOOL_BLOCK_OCTETS;
  self->writable = TRUE;
  self->batch = g_ptr_array_new ();
  g_mutex_init (&self->queue_lock);
  g_cond_init (&self->queue_cond);
  g_mutex_init (&self->lock);
  take_scan (self, &scan, entries);
  REROUTE_FAULT_POINT ("journal-read");
  reroute_scan_clear (&scan);
  write_first_mark (self);
  self->thread = g_thread_new ("spool", reroute_spool_writer_run, self);
  return self;
}

void
reroute_spool_close (RerouteSpool *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->queue_lock);
  self->closing = TRUE;
  g_cond_signal (&self->queue_cond);
  g_mutex_unlock (&self->queue_lock);
  g_thread_join (self->thread);

  for (guint i = 0; i < self->segments->len; i++)
    {
      RerouteSegment *segment = g_ptr_array_index (self->segments, i);
      while (segment->first != NULL)
        reroute_entry_free (segment->first);
    }
  g_ptr_array_unref (self->segments);
  g_ptr_array_unref (self->batch);
  g_clear_pointer (&self->spare, reroute_spare_free);
  g_clear_error (&self->no_room);
  g_mutex_clear (&self->queue_lock);
  g_cond_clear (&self->queue_cond);
  g_mutex_clear (&self->lock);
  close (self->dir_fd);
  g_free (self->path);
  g_free (self->token);
  g_free (self);
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

/* Finds the record that holds the content at @offset.  FALSE: the message is not in the spool. */
static gboolean
find_stretch (RerouteSpool *self, RerouteMessage *message, gsize offset, Stretch *stretch)
{
  const RerouteLocation *location = NULL;

  g_mutex_lock (&self->lock);
  const RerouteEntry *entry = message->location;
  gsize octets = 0, payload_offset = REROUTE_PART_PREFIX_OCTETS;
  for (guint32 i = 0; entry != NULL && location == NULL && i < entry->n_parts; i++)
    {
      octets = reroute_part_octets (&entry->parts[i]);
      if (offset < octets)
        location = &entry->parts[i];
      else
        offset -= octets;
    }
  if (entry != NULL && location == NULL)
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

GBytes *
reroute_spool_load (RerouteSpool *self, RerouteMessage *message, gsize offset, GError **error)
{
  g_return_val_if_fail (self != NULL && message != NULL, NULL);
  g_return_val_if_fail (offset < message->content_octets, NULL);

  g_autoptr (GBytes) content = reroute_spool_get_content (self, message);
  if (content == NULL)
    return load_from_journal (self, message, offset, error);
  return g_bytes_new_from_bytes (content, offset, g_bytes_get_size (content) - offset);
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
  figures->octets = self->spare_octets;
  for (guint i = 0; i < self->segments->len; i++)
    figures->octets += ((const RerouteSegment *) g_ptr_array_index (self->segments, i))->size;
  g_mutex_unlock (&self->lock);
}

const char *
reroute_spool_get_token (RerouteSpool *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->token;
}

GPtrArray *
reroute_spool_open_srs_keys (RerouteSpool *self, gint64 now_s, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  return reroute_srs_keys_open (self->dir_fd, now_s, error);
}

gboolean
reroute_spool_verify (const char *directory, GString *report, GError **error)
{
  RerouteScan scan;

  g_return_val_if_fail (directory != NULL && report != NULL, FALSE);

  int dir_fd = reroute_spool_directory_open (directory, error);
  if (dir_fd < 0)
    return FALSE;
  reroute_scan_init (&scan, dir_fd, FALSE);
  gboolean is_read = reroute_scan_run (&scan, error);
  if (is_read)
    g_string_append_printf (report,
                            "spool “%s”, format %u: %u segments, %" G_GUINT64_FORMAT
                            " records, %u messages wait\n",
                            directory,
                            REROUTE_SPOOL_VERSION,
                            scan.segments->len,
                            scan.n_records,
                            g_hash_table_size (scan.entries));
  for (guint i = 0; is_read && i < scan.damages->len; i++)
    g_string_append_printf (
      report, "damage: %s\n", (const char *) g_ptr_array_index (scan.damages, i));
  gboolean is_sound = is_read && scan.damages->len == 0;
  if (is_read && !is_sound)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_SPOOL,
                 "spool directory “%s” is damaged in %u places",
                 directory,
                 scan.damages->len);
  reroute_scan_clear (&scan);
  close (dir_fd);
  return is_sound;
}
