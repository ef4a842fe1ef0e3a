/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * compact.c - segments go, strictly oldest first
 *
 * A verdict must outlive its message, so the oldest segment is freed first or none is.  When most
 * of the journal is dead, what still lives in the oldest is appended anew: a message as one record
 * with every recipient's state, a part as it was.  The old file goes only after the copies are
 * synced; it becomes the next segment as it is.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#include "service/relay/spool/fault-point.h"

#include <unistd.h>

#define COPY_OCTETS (1024 * 1024) /* a round */
#define FEW_SEGMENTS 3            /* so many are never worth a copy */
#define SPARE_RETRY_US G_USEC_PER_SEC
#define FILE_RETRY_US (5 * G_USEC_PER_SEC) /* of a segment that cannot be opened, or removed */

static RerouteSegment *
get_oldest (RerouteSpool *self)
{
  return self->segments->len > 0 ? g_ptr_array_index (self->segments, 0) : NULL;
}

/* Whether the oldest segment should be emptied by copying.  A copy says what is known of its
   message, so none is made while there are verdicts that are not written yet and come first. */
static gboolean
is_due (RerouteSpool *self)
{
  RerouteSegment *oldest = get_oldest (self);
  RerouteSegment *current = reroute_spool_get_current (self);
  guint64 used = 0, live = 0;

  if (self->kept.first != NULL || oldest == NULL || current == NULL || oldest == current ||
      oldest->pinned || oldest->first == NULL || g_get_monotonic_time () < self->copy_retry_us)
    return FALSE;
  if (self->is_cramped && oldest->live_octets <= (current->size - current->used) / 2)
    return TRUE;
  if (self->segments->len <= FEW_SEGMENTS)
    return FALSE;
  for (guint i = 0; i < self->segments->len; i++)
    {
      const RerouteSegment *segment = g_ptr_array_index (self->segments, i);
      used += segment->used;
      live += segment->live_octets;
    }
  return live < used / 2;
}

static GBytes *
slice (GBytes *payload, gsize offset)
{
  return g_bytes_new_from_bytes (payload, offset, g_bytes_get_size (payload) - offset);
}

static RerouteJob *
copy_part (RerouteEntry *entry, guint32 index, GBytes *payload)
{
  RerouteJob *job = reroute_job_new (REROUTE_JOB_COPY_PART);
  GByteArray *prefix = g_byte_array_new ();

  g_byte_array_append (prefix, g_bytes_get_data (payload, NULL), REROUTE_PART_PREFIX_OCTETS);
  job->entry = entry;
  job->part = index;
  reroute_job_set_payload (job, prefix, slice (payload, REROUTE_PART_PREFIX_OCTETS));
  return job;
}

static RerouteJob *
copy_message (RerouteEntry *entry, GBytes *payload)
{
  RerouteJob *job = reroute_job_new (REROUTE_JOB_COPY_MESSAGE);
  const guint8 *octets = g_bytes_get_data (payload, NULL);
  RerouteMessageRecord old;

  /* It was decoded once, and its checksum has just been verified. */
  g_assert (reroute_message_record_decode (&old, octets, g_bytes_get_size (payload)));
  job->entry = entry;
  job->fields = old;
  GByteArray *head = reroute_message_record_encode (&job->fields,
                                                    octets + old.envelope_offset,
                                                    old.envelope_octets,
                                                    entry->statuses,
                                                    entry->n_recipients);
  reroute_job_set_payload (job, head, slice (payload, old.content_offset));
  return job;
}

/* The payload at @location, of the segment @fd; NULL when it cannot be read, and then that stays.
 */
static GBytes *
load (int fd, const RerouteEntry *entry, const RerouteLocation *location)
{
  g_autoptr (GError) error = NULL;
  GBytes *payload = reroute_location_read (fd, location, &error);

  if (payload != NULL)
    return payload;
  location->segment->pinned = TRUE;
  g_warning ("message %" G_GINT64_MODIFIER "x is damaged in spool segment %" G_GINT64_MODIFIER
             "x, which is kept: %s",
             entry->id,
             location->segment->serial,
             error->message);
  return NULL;
}

/* Adds copies of what @entry has in @oldest, which is @fd.
   Returns: octets, or 0 when it cannot be read */
static gsize
pick_entry (int fd, RerouteEntry *entry, const RerouteSegment *oldest, RerouteJobs *jobs)
{
  gsize octets = 0;

  for (guint32 i = 0; i < entry->n_parts; i++)
    if (entry->parts[i].location.segment == oldest)
      {
        g_autoptr (GBytes) payload = load (fd, entry, &entry->parts[i].location);
        if (payload == NULL)
          return 0;
        reroute_jobs_push (jobs, copy_part (entry, i, payload));
        octets += entry->parts[i].location.length;
        if (octets >= COPY_OCTETS)
          return octets;
      }
  if (entry->record.segment == oldest)
    {
      g_autoptr (GBytes) payload = load (fd, entry, &entry->record);
      if (payload == NULL)
        return 0;
      reroute_jobs_push (jobs, copy_message (entry, payload));
      octets += entry->record.length;
    }
  return octets;
}

void
reroute_spool_pick_copies (RerouteSpool *self, RerouteJobs *jobs)
{
  g_autoptr (GError) error = NULL;
  gsize octets = 0;

  if (!is_due (self))
    return;
  RerouteSegment *oldest = get_oldest (self);
  int fd = reroute_segment_open (self->dir_fd, oldest->serial, &error);
  if (fd < 0)
    {
      /* Nothing is damaged: there are too many descriptors, say. */
      g_warning ("what is needed of a spool segment is not copied now: %s", error->message);
      self->copy_retry_us = g_get_monotonic_time () + FILE_RETRY_US;
      return;
    }
  for (RerouteEntry *entry = oldest->first;
       entry != NULL && octets < COPY_OCTETS && !oldest->pinned;
       entry = entry->next)
    octets += pick_entry (fd, entry, oldest, jobs);
  close (fd);
  REROUTE_FAULT_POINT ("copies-picked");
}

static void
set_spare (RerouteSpool *self, RerouteSpare *spare)
{
  self->spare = spare;
  if (spare != NULL)
    self->is_cramped = FALSE;
  g_mutex_lock (&self->lock);
  self->spare_octets = spare != NULL ? spare->size : 0;
  g_mutex_unlock (&self->lock);
}

/* Frees the oldest segment, in which nothing is needed any more.  While its file stays it stays
   too, and all behind it: they hold the verdicts about what is in it. */
static void
free_oldest (RerouteSpool *self)
{
  g_autoptr (GError) error = NULL;
  RerouteSegment *oldest = get_oldest (self);

  REROUTE_FAULT_POINT ("segment-emptied");
  g_debug ("segment %" G_GINT64_MODIFIER "x is freed", oldest->serial);
  if (self->spare == NULL && !oldest->failed && !oldest->is_unreadable &&
      oldest->size == self->segment_octets)
    set_spare (self, reroute_spare_recycle (self->dir_fd, oldest, &error));
  else if (reroute_segment_remove (self->dir_fd, oldest, &error))
    {
      REROUTE_FAULT_POINT ("segment-unlinked");
      reroute_sync_directory (self->dir_fd, &error);
    }
  if (error != NULL)
    g_warning ("a spool segment that is no longer needed: %s", error->message);
  if (error != NULL && reroute_segment_exists (self->dir_fd, oldest->serial))
    {
      self->free_retry_us = g_get_monotonic_time () + FILE_RETRY_US;
      return;
    }
  g_mutex_lock (&self->lock);
  g_ptr_array_remove_index (self->segments, 0);
  g_mutex_unlock (&self->lock);
}

/* Has the next segment ready before the present one is full. */
static void
prepare_spare (RerouteSpool *self)
{
  RerouteSegment *current = reroute_spool_get_current (self);
  gint64 now_us = g_get_monotonic_time ();

  if (self->spare != NULL || current == NULL || current->used < current->size / 2 ||
      now_us < self->spare_retry_us)
    return;
  g_autoptr (GError) error = NULL;
  set_spare (
    self,
    reroute_spare_create (
      self->dir_fd,
      self->segment_octets,
      MIN (self->segment_octets,
           MAX (COPY_OCTETS, reroute_spool_get_least_segment (self, REROUTE_SPOOL_BLOCK_OCTETS))),
      &error));
  if (error == NULL)
    return;
  g_debug ("no next segment yet: %s", error->message);
  self->spare_retry_us = now_us + SPARE_RETRY_US;
  self->is_cramped = reroute_spool_is_in_reserve (self);
}

/* Whether the oldest segment should go now.  One more than live may be empty and stay for a while,
   beside the next one that is ready: how much is alive goes up and down, and to unlink a segment
   and to make another takes milliseconds, in which no mail is answered. */
static gboolean
is_spent (RerouteSpool *self)
{
  RerouteSegment *current = reroute_spool_get_current (self);
  guint n_empty = 0;

  if (g_get_monotonic_time () < self->free_retry_us)
    return FALSE;
  while (n_empty < self->segments->len && g_ptr_array_index (self->segments, n_empty) != current &&
         ((RerouteSegment *) g_ptr_array_index (self->segments, n_empty))->first == NULL)
    n_empty++;
  guint n_living = self->segments->len - n_empty;
  return n_empty > 0 && (self->spare == NULL || self->is_cramped || n_empty > n_living + 1);
}

static gboolean
is_idle (RerouteSpool *self)
{
  g_mutex_lock (&self->queue_lock);
  gboolean is_idle = self->queue.first == NULL;
  g_mutex_unlock (&self->queue_lock);
  return is_idle;
}

/* What the next batches would have to do while their senders wait is done while none does.
   Returns: whether there was something to do */
static gboolean
zero_ahead (RerouteSpool *self)
{
  RerouteSegment *current = reroute_spool_get_current (self);

  if (current == NULL || !reroute_segment_wants_zeros (current) || !is_idle (self))
    return FALSE;
  if (!reroute_segment_zero_ahead (current))
    reroute_spool_abandon_segment (self, current);
  return TRUE;
}

gboolean
reroute_spool_keep_house (RerouteSpool *self)
{
  gboolean has_zeroed = zero_ahead (self);
  if (is_spent (self))
    free_oldest (self);
  prepare_spare (self);
  return has_zeroed || is_spent (self) || is_due (self);
}
