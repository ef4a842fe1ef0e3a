/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch.c - group commit: everything that waits in one write and one sync
 *
 * A batch is a record that says what is known synced, then the records of all who wait, filled up
 * to whole blocks so that no committed block is ever written again.  After it is synced the index
 * changes, and only then anybody is told.  A batch that failed never counted: its numbers are not
 * used again, and the next batch says so.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/fault-point.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#define BATCH_MAX_OCTETS (16u * 1024 * 1024)
#define COPY_RETRY_US G_USEC_PER_SEC
#define RESERVE_SHARE                                                                              \
  16 /* of a full segment, kept for verdicts while no other segment is in hand */

RerouteSegment *
reroute_spool_get_current (RerouteSpool *self)
{
  guint n = self->segments->len;
  RerouteSegment *newest = n > 0 ? g_ptr_array_index (self->segments, n - 1) : NULL;

  return newest != NULL && newest->fd >= 0 && !newest->failed ? newest : NULL;
}

static guint64
fill_up (guint64 octets)
{
  return (octets + REROUTE_SPOOL_BLOCK_OCTETS - 1) / REROUTE_SPOOL_BLOCK_OCTETS *
         REROUTE_SPOOL_BLOCK_OCTETS;
}

static guint64
get_reserve (guint64 segment_octets)
{
  return MAX (segment_octets / RESERVE_SHARE, 2 * REROUTE_SPOOL_BLOCK_OCTETS);
}

guint64
reroute_spool_get_least_segment (const RerouteSpool *self, gsize octets)
{
  return fill_up (octets) + 3 * REROUTE_SPOOL_BLOCK_OCTETS + get_reserve (self->segment_octets);
}

/* Whether a batch of @octets goes into the segment that is written. */
static gboolean
fits (RerouteSpool *self, RerouteJobKind kind, gsize octets)
{
  RerouteSegment *current = reroute_spool_get_current (self);

  if (current == NULL)
    return FALSE;
  gboolean may_use_reserve = kind == REROUTE_JOB_VERDICT || kind == REROUTE_JOB_MARK ||
                             self->spare != NULL ||
                             (self->is_cramped && kind >= REROUTE_JOB_COPY_MESSAGE);
  guint64 reserve = may_use_reserve ? 0 : get_reserve (self->segment_octets);
  return current->used + fill_up (octets) + reserve <= current->size;
}

gboolean
reroute_spool_is_in_reserve (RerouteSpool *self)
{
  return self->spare == NULL && reroute_spool_get_current (self) != NULL &&
         !fits (self, REROUTE_JOB_MESSAGE, 1);
}

static void
start_batch (RerouteSpool *self)
{
  g_ptr_array_set_size (self->batch, 0);
  self->batch_octets = reroute_record_octets (REROUTE_BATCH_PAYLOAD_OCTETS);
  self->n_batch_records = 1;
  self->batch_is_wanted = FALSE;
}

static gboolean
is_empty (const RerouteSpool *self)
{
  for (guint i = 0; i < self->segments->len; i++)
    if (((const RerouteSegment *) g_ptr_array_index (self->segments, i))->first != NULL)
      return FALSE;
  return TRUE;
}

/* Starts over in the file that is full of what nobody needs, when there is room for no other.  Once
   it is called otherwise no start would look there: nothing more is written in it as it is. */
static void
recycle_current (RerouteSpool *self, guint64 needed)
{
  RerouteSegment *current = reroute_spool_get_current (self);

  if (current == NULL || self->segments->len != 1 || current->size < needed || !is_empty (self))
    return;
  self->spare = reroute_spare_recycle (self->dir_fd, current, NULL);
  if (self->spare == NULL && reroute_segment_exists (self->dir_fd, current->serial))
    return;
  if (self->spare != NULL)
    g_clear_error (&self->no_room);
  g_mutex_lock (&self->lock);
  g_ptr_array_set_size (self->segments, 0);
  g_mutex_unlock (&self->lock);
}

/* Makes the next segment the one that is written; big enough for one record of @octets. */
static gboolean
start_segment (RerouteSpool *self, gsize octets)
{
  guint64 needed = reroute_spool_get_least_segment (self, octets + self->batch_octets);

  if (self->no_room != NULL)
    return FALSE;
  if (self->spare != NULL && self->spare->size < needed)
    g_clear_pointer (&self->spare, reroute_spare_free);
  if (self->spare == NULL)
    self->spare = reroute_spare_create (self->dir_fd, self->segment_octets, needed, &self->no_room);
  if (self->spare == NULL)
    recycle_current (self, needed);
  RerouteSegment *segment = NULL;
  if (self->spare != NULL)
    segment = reroute_spare_take (
      g_steal_pointer (&self->spare), self->dir_fd, ++self->last_serial, &self->no_room);
  if (segment == NULL)
    {
      g_debug ("no next segment: %s", self->no_room->message);
      g_mutex_lock (&self->lock);
      self->writable = FALSE;
      g_mutex_unlock (&self->lock);
      return FALSE;
    }

  g_debug ("segment %" G_GINT64_MODIFIER "x is started", segment->serial);
  RerouteSegment *old = reroute_spool_get_current (self);
  g_mutex_lock (&self->lock);
  if (old != NULL)
    {
      close (old->fd);
      old->fd = -1;
    }
  self->spare_octets = 0;
  g_ptr_array_add (self->segments, segment);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* Whether @job wants a record; sets its error when it must not have one. */
static gboolean
wants_record (RerouteJob *job)
{
  if (job->kind == REROUTE_JOB_DISCARD || job->kind == REROUTE_JOB_SYNC)
    return FALSE;
  if (job->error == NULL && job->draft != NULL)
    job->error = reroute_spool_draft_copy_error (job->draft);
  return job->error == NULL;
}

typedef enum
{
  ADDED,
  BATCH_IS_FULL, /* write it, then come again */
  KEPT,          /* no room; the verdict waits */
} Addition;

static Addition
add_to_batch (RerouteSpool *self, RerouteJob *job)
{
  job->has_record = FALSE;
  /* Verdicts stay in order, even when a later one is smaller. */
  if (job->kind == REROUTE_JOB_VERDICT && self->kept.first != NULL)
    return KEPT;
  if (!wants_record (job))
    {
      g_ptr_array_add (self->batch, job);
      return ADDED;
    }

  gsize octets =
    job->head != NULL ? reroute_record_octets (reroute_job_get_payload_octets (job)) : 0;
  gboolean has_some = self->n_batch_records > 1 || self->batch_is_wanted;
  if (has_some && self->batch_octets + octets > BATCH_MAX_OCTETS)
    return BATCH_IS_FULL;
  if (!fits (self, job->kind, self->batch_octets + octets))
    {
      if (has_some)
        return BATCH_IS_FULL;
      if (!start_segment (self, octets))
        {
          if (job->kind == REROUTE_JOB_VERDICT)
            return KEPT;
          job->error = g_error_copy (self->no_room);
          if (job->kind == REROUTE_JOB_PART)
            reroute_spool_draft_fail (job->draft, job->error);
          g_ptr_array_add (self->batch, job);
          return ADDED;
        }
    }
  job->has_record = job->head != NULL;
  self->n_batch_records += job->has_record;
  self->batch_octets += octets;
  self->batch_is_wanted = self->batch_is_wanted || job->kind == REROUTE_JOB_MARK;
  g_ptr_array_add (self->batch, job);
  return ADDED;
}

static void
add_vector (GArray *vectors, const void *octets, gsize length)
{
  struct iovec vector = { (void *) octets, length };

  if (length > 0)
    g_array_append_val (vectors, vector);
}

static void
add_filling (GArray *vectors, gsize length)
{
  static const guint8 zeros[REROUTE_SPOOL_BLOCK_OCTETS];

  add_vector (vectors, zeros, length);
}

static void
add_record (GArray *vectors, const RerouteJob *job, const guint8 *header)
{
  gsize payload = reroute_job_get_payload_octets (job);

  add_vector (vectors, header, REROUTE_RECORD_HEADER_OCTETS);
  add_vector (vectors, job->head->data, job->head->len);
  if (job->body != NULL)
    add_vector (vectors, g_bytes_get_data (job->body, NULL), g_bytes_get_size (job->body));
  add_filling (vectors, reroute_record_octets (payload) - REROUTE_RECORD_HEADER_OCTETS - payload);
}

static void
encode_batch_record (RerouteSpool *self, guint64 serial, guint64 ids, guint8 *octets)
{
  RerouteBatchRecord batch = { self->last_synced, ids, self->n_batch_records };
  RerouteRecordHeader header = {
    REROUTE_BATCH_PAYLOAD_OCTETS, REROUTE_RECORD_BATCH, self->next_sequence, serial
  };
  guint8 *payload = octets + REROUTE_RECORD_HEADER_OCTETS;

  reroute_batch_record_encode (&batch, payload);
  reroute_record_header_encode (
    &header, reroute_crc32c (0, payload, REROUTE_BATCH_PAYLOAD_OCTETS), octets);
}

/* The headers of the records of the batch, numbered behind the batch's own. */
static guint8 *
encode_headers (RerouteSpool *self, guint64 serial)
{
  static const RerouteRecordType types[] = {
    [REROUTE_JOB_MESSAGE] = REROUTE_RECORD_MESSAGE,
    [REROUTE_JOB_PART] = REROUTE_RECORD_PART,
    [REROUTE_JOB_VERDICT] = REROUTE_RECORD_VERDICT,
    [REROUTE_JOB_COPY_MESSAGE] = REROUTE_RECORD_MESSAGE,
    [REROUTE_JOB_COPY_PART] = REROUTE_RECORD_PART,
  };
  guint8 *headers = g_malloc (self->n_batch_records * REROUTE_RECORD_HEADER_OCTETS);
  guint8 *p = headers;
  guint64 sequence = self->next_sequence;

  for (guint i = 0; i < self->batch->len; i++)
    {
      RerouteJob *job = g_ptr_array_index (self->batch, i);
      if (!job->has_record)
        continue;
      RerouteRecordHeader header = {
        (guint32) reroute_job_get_payload_octets (job), types[job->kind], ++sequence, serial
      };
      reroute_record_header_encode (&header, job->payload_crc, p);
      p += REROUTE_RECORD_HEADER_OCTETS;
    }
  return headers;
}

static guint64
write_batch_records (RerouteSpool *self, RerouteSegment *segment, guint64 ids)
{
  gboolean is_fresh = segment->used == REROUTE_SPOOL_BLOCK_OCTETS;
  guint8 first_block[REROUTE_SPOOL_BLOCK_OCTETS];
  guint8 batch_record[REROUTE_RECORD_HEADER_OCTETS + REROUTE_BATCH_PAYLOAD_OCTETS];
  g_autofree guint8 *headers = encode_headers (self, segment->serial);
  g_autoptr (GArray) vectors = g_array_sized_new (
    FALSE, FALSE, sizeof (struct iovec), 4 * self->n_batch_records + 2);
  const guint8 *header = headers;

  if (is_fresh)
    {
      reroute_segment_header_encode (segment->serial, segment->size, first_block);
      add_vector (vectors, first_block, sizeof first_block);
    }
  encode_batch_record (self, segment->serial, ids, batch_record);
  add_vector (vectors, batch_record, sizeof batch_record);
  for (guint i = 0; i < self->batch->len; i++)
    {
      RerouteJob *job = g_ptr_array_index (self->batch, i);
      if (!job->has_record)
        continue;
      add_record (vectors, job, header);
      header += REROUTE_RECORD_HEADER_OCTETS;
    }
  add_filling (vectors, fill_up (self->batch_octets) - self->batch_octets);

  guint64 start = segment->used - (is_fresh ? REROUTE_SPOOL_BLOCK_OCTETS : 0);
  return start + reroute_segment_write (segment, vectors, start);
}

void
reroute_spool_abandon_segment (RerouteSpool *self, RerouteSegment *segment)
{
  g_mutex_lock (&self->lock);
  segment->failed = TRUE;
  close (segment->fd);
  segment->fd = -1;
  if (segment->used == REROUTE_SPOOL_BLOCK_OCTETS &&
      reroute_segment_unlink (self->dir_fd, segment->serial, NULL))
    g_ptr_array_remove (self->segments, segment);
  REROUTE_FAULT_POINT ("segment-abandoned");
  g_mutex_unlock (&self->lock);
}

/* Writes and syncs the batch.  On failure nothing of it counts, now or after a restart. */
static gboolean
commit_batch (RerouteSpool *self, GError **error)
{
  RerouteSegment *segment = reroute_spool_get_current (self);
  guint64 ids = __atomic_load_n (&self->next_id, __ATOMIC_RELAXED) + REROUTE_SPOOL_IDS_AHEAD;
  guint64 end = segment->used + fill_up (self->batch_octets);

  REROUTE_FAULT_POINT ("batch-gathered");
  guint64 written = write_batch_records (self, segment, ids);
  REROUTE_FAULT_POINT ("batch-written");
  int error_number = written == end ? 0 : errno;
  if (written == end)
    error_number = reroute_segment_sync (segment, end) ? 0 : errno;
  REROUTE_FAULT_POINT ("batch-synced");
  self->next_sequence += self->n_batch_records;
  gboolean takes_mail = error_number == 0 && self->no_room == NULL &&
                        !(self->is_cramped && reroute_spool_is_in_reserve (self));
  g_mutex_lock (&self->lock);
  self->writable = takes_mail;
  self->n_syncs += error_number == 0;
  self->n_written += error_number == 0 ? end - segment->used : 0;
  g_mutex_unlock (&self->lock);
  if (error_number == 0)
    {
      self->last_synced = self->next_sequence - 1;
      __atomic_store_n (&self->reserved_ids, ids, __ATOMIC_RELAXED);
      __atomic_store_n (&self->mark_asked, 0, __ATOMIC_RELAXED);
      return TRUE;
    }
  reroute_spool_set_error (error, error_number, "write to the spool");
  /* The exception is a disk that took nothing at all because it is full. */
  gboolean is_untouched =
    written <= segment->used && g_error_matches (*error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  if (!is_untouched)
    reroute_spool_abandon_segment (self, segment);
  return FALSE;
}

static void
apply_cb (const RerouteVerdict *verdict, gpointer user_data)
{
  reroute_entry_apply (user_data, verdict);
}

static void
apply_verdicts (RerouteSpool *self, const RerouteJob *job)
{
  RerouteEntry *entry = job->message->location;
  guint64 id;

  if (entry == NULL)
    return;
  reroute_verdicts_decode (job->head->data, job->head->len, &id, apply_cb, entry);
  /* Done, or to be tried again later. */
  reroute_spool_drop_contents (self, entry);
  if (entry->n_open > 0)
    return;
  reroute_entry_free (entry);
  self->n_messages--;
}

static void
apply_message (RerouteSpool *self, const RerouteJob *job, const RerouteLocation *location)
{
  RerouteEntry *entry = g_steal_pointer (&job->draft->entry);

  if (entry == NULL)
    entry = reroute_entry_new (job->message->id);
  reroute_entry_set_message (entry, job->message);
  reroute_entry_set_record (entry, location, &job->fields);
  self->n_messages++;
  self->n_commits++;
}

static void
apply_part (RerouteSpool *self, const RerouteJob *job, const RerouteLocation *location)
{
  if (job->draft->entry == NULL)
    job->draft->entry = reroute_entry_new (job->draft->id);
  reroute_entry_set_part (job->draft->entry, job->part, location);
  if (self->parts_octets > REROUTE_LIMIT_MEMORY_PARTS_OCTETS)
    return;
  reroute_entry_keep_content (job->draft->entry, job->part, job->body);
  self->parts_octets += g_bytes_get_size (job->body);
}

static void
apply_record (RerouteSpool *self, const RerouteJob *job, const RerouteLocation *location)
{
  switch (job->kind)
    {
    case REROUTE_JOB_MESSAGE:
      apply_message (self, job, location);
      break;
    case REROUTE_JOB_PART:
      apply_part (self, job, location);
      break;
    case REROUTE_JOB_VERDICT:
      apply_verdicts (self, job);
      break;
    case REROUTE_JOB_COPY_MESSAGE:
      reroute_entry_set_record (job->entry, location, &job->fields);
      break;
    case REROUTE_JOB_COPY_PART:
      reroute_entry_set_part (job->entry, job->part, location);
      break;
    case REROUTE_JOB_DISCARD:
    case REROUTE_JOB_MARK:
    case REROUTE_JOB_SYNC:
      g_assert_not_reached ();
    }
}

/* The batch is durable: what it says is so from now on. */
static void
apply_batch (RerouteSpool *self)
{
  RerouteSegment *segment = reroute_spool_get_current (self);
  guint64 offset = segment->used + reroute_record_octets (REROUTE_BATCH_PAYLOAD_OCTETS);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->batch->len; i++)
    {
      const RerouteJob *job = g_ptr_array_index (self->batch, i);
      if (!job->has_record)
        continue;
      guint32 length = (guint32) reroute_job_get_payload_octets (job);
      RerouteLocation location = { segment, offset, length };
      apply_record (self, job, &location);
      offset += reroute_record_octets (length);
    }
  segment->used += fill_up (self->batch_octets);
  g_mutex_unlock (&self->lock);
}

/* Drops what a draft had written, once no message can come of it. */
static void
drop_entry (RerouteSpool *self, RerouteSpoolDraft *draft)
{
  if (draft == NULL || draft->entry == NULL)
    return;
  g_mutex_lock (&self->lock);
  reroute_spool_drop_contents (self, draft->entry);
  g_clear_pointer (&draft->entry, reroute_entry_free);
  g_mutex_unlock (&self->lock);
}

/* Why verdicts are kept.  @error: (nullable): of the batch.  Returns: NULL: none is */
static GError *
explain_kept (const RerouteSpool *self, const GError *error)
{
  if (self->kept.first == NULL)
    return NULL;
  if (error == NULL)
    error = self->no_room;
  return error != NULL ? g_error_copy (error)
                       : g_error_new_literal (
                           REROUTE_ERROR, REROUTE_ERROR_SPOOL, "the disk of the spool failed");
}

/* Tells the owner of @job how it ended, and is done with it. */
static void
answer (RerouteSpool *self, RerouteJob *job)
{
  if (job->kind == REROUTE_JOB_PART)
    reroute_spool_draft_part_done (job->draft, g_bytes_get_size (job->body), job->error);
  else if (job->kind == REROUTE_JOB_DISCARD || job->kind == REROUTE_JOB_MESSAGE)
    drop_entry (self, job->draft);
  if (job->func != NULL)
    job->func (job->message, job->error, job->user_data);
  reroute_spool_give_back (self, job);
}

static void
finish_batch (RerouteSpool *self)
{
  g_autoptr (GError) error = NULL;
  gboolean has_records = self->n_batch_records > 1 || self->batch_is_wanted;

  if (has_records && commit_batch (self, &error))
    apply_batch (self);
  REROUTE_FAULT_POINT ("batch-applied");
  for (guint i = 0; i < self->batch->len; i++)
    {
      RerouteJob *job = g_ptr_array_index (self->batch, i);
      if (error != NULL && job->kind == REROUTE_JOB_VERDICT)
        {
          reroute_jobs_push (&self->kept, job);
          continue;
        }
      if (job->kind == REROUTE_JOB_SYNC)
        job->error = explain_kept (self, error);
      else if (error != NULL && job->has_record)
        job->error = g_error_copy (error);
      answer (self, job);
    }
  REROUTE_FAULT_POINT ("batch-answered");
  g_ptr_array_set_size (self->batch, 0);
  if (error != NULL)
    g_debug ("a batch failed: %s", error->message);
  if (error != NULL || self->no_room != NULL)
    self->copy_retry_us = g_get_monotonic_time () + COPY_RETRY_US;
}

void
reroute_spool_write_jobs (RerouteSpool *self, RerouteJobs *jobs)
{
  RerouteJobs waiting = self->kept;
  gboolean is_full = FALSE;

  self->kept = (RerouteJobs){ NULL, NULL };
  reroute_jobs_append (&waiting, jobs);
  g_clear_error (&self->no_room);
  while (waiting.first != NULL)
    {
      start_batch (self);
      is_full = FALSE;
      while (!is_full && waiting.first != NULL)
        {
          /* Popped only once it is sure where it goes. */
          Addition addition = add_to_batch (self, waiting.first);
          is_full = addition == BATCH_IS_FULL;
          if (!is_full)
            {
              RerouteJob *job = reroute_jobs_pop (&waiting);
              if (addition == KEPT)
                reroute_jobs_push (&self->kept, job);
            }
        }
      finish_batch (self);
    }
  self->is_cramped =
    self->no_room != NULL || (self->is_cramped && reroute_spool_is_in_reserve (self));
}

void
reroute_spool_refuse_jobs (RerouteSpool *self, RerouteJobs *jobs)
{
  for (RerouteJob *job = reroute_jobs_pop (jobs); job != NULL; job = reroute_jobs_pop (jobs))
    {
      if (job->error == NULL)
        g_set_error_literal (
          &job->error, REROUTE_ERROR, REROUTE_ERROR_SPOOL, "the spool has not been read");
      answer (self, job);
    }
}
