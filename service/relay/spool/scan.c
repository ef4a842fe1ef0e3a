/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scan.c - reads a journal from its first record to its last
 *
 * Numbers follow one another; where they stop, either the writer was stopped (the torn tail, which
 * was never acknowledged) or the disk lost something.  The difference is what later batches say:
 * each names the last number that was synced when it was written.  Damage at or below such a number
 * is set aside and the scan goes on behind it; above, the scan stops.  What the disk does not give
 * back looks unwritten, and is told as damage in any case: nothing is written over it.
 */

#include "config.h"

#include "service/relay/spool/scan.h"

#include "common/error.h"
#include "service/relay/spool/octets-private.h"
#include "service/relay/spool/read-ahead.h"
#include "service/relay/spool/segment.h"

#include <string.h>

/* How far numbers may jump inside a segment: an opening of the spool skips fewer.  A larger step
   is not ours, whatever its checksum says. */
#define PLAUSIBLE_STEP (G_GUINT64_CONSTANT (1) << 36)

/* One segment while it is read. */
typedef struct
{
  RerouteScan *scan;
  RerouteSegment *segment;
  guint index; /* in scan->segments */
  const guint8 *data;
  gsize size;
  gsize end; /* of what was ever written; zeros behind it */
  gsize offset;
  gsize trusted;     /* end of the last record that counted */
  guint64 limit;     /* numbers above are void: a later segment says so */
  guint64 batch_end; /* number of the batch's last record */
  gboolean is_void;
} Walk;

static gsize
next_block (gsize offset)
{
  return (offset / REROUTE_SPOOL_BLOCK_OCTETS + 1) * REROUTE_SPOOL_BLOCK_OCTETS;
}

static gboolean
is_zero (const guint8 *octets, gsize length)
{
  return length == 0 || (octets[0] == 0 && memcmp (octets, octets + 1, length - 1) == 0);
}

/* Whether there is nothing but zeros from @offset on. */
static gboolean
is_unwritten (const Walk *walk, gsize offset)
{
  return offset >= walk->end || is_zero (walk->data + offset, walk->end - offset);
}

/* Records behind scan->last and up to @up_to were synced once and are not there. */
static void
lose (Walk *walk, guint64 up_to)
{
  RerouteScan *scan = walk->scan;
  g_autofree char *what = g_strdup_printf ("records up to number %" G_GUINT64_FORMAT
                                           " are lost, behind %" G_GUINT64_FORMAT,
                                           up_to,
                                           scan->last);

  if (scan->pending != NULL && g_bytes_get_size (scan->pending) > 0)
    reroute_scan_set_aside (scan,
                            scan->pending_serial,
                            scan->pending_offset,
                            g_bytes_get_data (scan->pending, NULL),
                            g_bytes_get_size (scan->pending),
                            what);
  if (scan->pending == NULL || walk->offset > walk->trusted)
    reroute_scan_set_aside (scan,
                            walk->segment->serial,
                            walk->trusted,
                            walk->data + walk->trusted,
                            walk->offset - walk->trusted,
                            what);
  g_clear_pointer (&scan->pending, g_bytes_unref);
}

static gboolean
open_batch (Walk *walk, const RerouteRecordHeader *header, const guint8 *payload)
{
  RerouteScan *scan = walk->scan;
  RerouteBatchRecord batch;

  if (!reroute_batch_record_decode (&batch, payload, header->length) ||
      batch.synced >= header->sequence || batch.synced < scan->last)
    return FALSE;
  if (scan->last != 0 && batch.synced > scan->last)
    lose (walk, batch.synced);
  scan->last = header->sequence;
  scan->ids = MAX (scan->ids, batch.ids);
  walk->batch_end = header->sequence + batch.n_records - 1;
  return TRUE;
}

/* Takes the record at the walk's offset when it is the next one. */
static gboolean
take_record (Walk *walk)
{
  RerouteScan *scan = walk->scan;
  RerouteRecordHeader header;

  if (!reroute_record_header_decode (
        &header, walk->data + walk->offset, walk->size - walk->offset, walk->segment->serial))
    return FALSE;
  walk->is_void = header.sequence > walk->limit;
  if (walk->is_void)
    return FALSE;

  const guint8 *payload = walk->data + walk->offset + REROUTE_RECORD_HEADER_OCTETS;
  if (header.type == REROUTE_RECORD_BATCH)
    {
      if (!open_batch (walk, &header, payload))
        return FALSE;
    }
  else if (scan->last == 0 || header.sequence != scan->last + 1)
    return FALSE;
  else
    {
      scan->last = header.sequence;
      reroute_scan_take (scan, walk->segment, walk->offset, &header, payload);
    }
  scan->n_records++;
  g_clear_pointer (&scan->pending, g_bytes_unref);
  walk->offset += reroute_record_octets (header.length);
  walk->trusted = walk->offset;
  return TRUE;
}

/* Steps over the filling behind a batch. */
static gboolean
skip_padding (Walk *walk)
{
  gsize end = MIN (next_block (walk->offset - 1), walk->size);

  if (walk->scan->last < walk->batch_end || walk->offset % REROUTE_SPOOL_BLOCK_OCTETS == 0 ||
      !is_zero (walk->data + walk->offset, end - walk->offset))
    return FALSE;
  walk->offset = end;
  return TRUE;
}

static gboolean
is_plausible (const RerouteScan *scan, guint64 number)
{
  return scan->last == 0 || number - scan->last < PLAUSIBLE_STEP;
}

/* The batch record at @offset, when it may follow what was read. */
static gboolean
peek_batch (const Walk *walk, gsize offset, RerouteRecordHeader *header, RerouteBatchRecord *batch)
{
  return reroute_record_header_decode (
           header, walk->data + offset, walk->size - offset, walk->segment->serial) &&
         header->type == REROUTE_RECORD_BATCH && header->sequence > walk->scan->last &&
         header->sequence <= walk->limit && is_plausible (walk->scan, header->sequence) &&
         reroute_batch_record_decode (
           batch, walk->data + offset + REROUTE_RECORD_HEADER_OCTETS, header->length) &&
         batch->synced < header->sequence && batch->synced >= walk->scan->last;
}

/* The highest number that anything behind the walk's offset calls synced. */
static guint64
find_known_synced (const Walk *walk)
{
  RerouteRecordHeader header;
  RerouteBatchRecord batch;
  guint64 known = 0;

  for (guint i = walk->index + 1; i < walk->scan->segments->len; i++)
    known = MAX (known, walk->scan->first_synced[i]);
  for (gsize offset = next_block (walk->offset); offset + REROUTE_RECORD_HEADER_OCTETS <= walk->end;
       offset += REROUTE_SPOOL_BLOCK_OCTETS)
    if (peek_batch (walk, offset, &header, &batch))
      known = MAX (known, batch.synced);
  return known;
}

static void
keep_pending (Walk *walk)
{
  gsize end = MAX (walk->end, walk->offset);

  while (end > walk->offset && walk->data[end - 1] == 0)
    end--;
  g_clear_pointer (&walk->scan->pending, g_bytes_unref);
  walk->scan->pending = g_bytes_new (walk->data + walk->offset, end - walk->offset);
  walk->scan->pending_serial = walk->segment->serial;
  walk->scan->pending_offset = walk->offset;
}

/* Whether the scan can go on with the record at @offset, behind what is lost. */
static gboolean
can_resume (const Walk *walk, gsize offset, guint64 known, RerouteRecordHeader *header)
{
  RerouteBatchRecord batch;

  if (offset % REROUTE_SPOOL_BLOCK_OCTETS == 0 && peek_batch (walk, offset, header, &batch))
    return TRUE;
  return reroute_record_header_decode (
           header, walk->data + offset, walk->size - offset, walk->segment->serial) &&
         header->type != REROUTE_RECORD_BATCH && header->sequence > walk->scan->last &&
         header->sequence <= MIN (known, walk->limit) &&
         known - header->sequence < PLAUSIBLE_STEP && is_plausible (walk->scan, header->sequence);
}

/* A record that the scan could go on with. */
typedef struct
{
  gsize offset;
  RerouteRecordHeader header;
} Resumption;

/* (element-type Resumption): all behind the walk's offset, in the order of their offsets */
static GArray *
list_resumptions (const Walk *walk, guint64 known)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Resumption));
  gsize offset = walk->offset + REROUTE_RECORD_ALIGNMENT;

  while (offset + REROUTE_RECORD_HEADER_OCTETS <= walk->end)
    {
      Resumption resumption = { .offset = offset };
      if (can_resume (walk, offset, known, &resumption.header))
        {
          g_array_append_val (found, resumption);
          offset += reroute_record_octets (resumption.header.length);
        }
      else
        offset += REROUTE_RECORD_ALIGNMENT;
    }
  return found;
}

/* How many of the @n numbers in @starts, which fall, are above @number. */
static guint
count_above (const guint64 *starts, guint n, guint64 number)
{
  guint low = 0;

  while (low < n)
    {
      guint middle = low + (n - low) / 2;
      if (starts[middle] > number)
        low = middle + 1;
      else
        n = middle;
    }
  return low;
}

/* The one behind which the most records follow with rising numbers: a disk may have written a block
   to a wrong place, and a record that comes too early would void all those before its number. */
static const Resumption *
choose_resumption (const GArray *found)
{
  /* starts[n]: the highest number that begins a row of n + 1 */
  g_autofree guint64 *starts = g_new (guint64, found->len);
  const Resumption *best = NULL;
  guint n_rows = 0;

  for (guint i = found->len; i-- > 0;)
    {
      const Resumption *resumption = &g_array_index (found, Resumption, i);
      guint64 number = resumption->header.sequence;
      guint n = count_above (starts, n_rows, number);
      if (n == n_rows)
        n_rows++;
      else if (starts[n] >= number)
        continue;
      starts[n] = number;
      if (n + 1 == n_rows)
        best = resumption;
    }
  return best;
}

/* The record expected at the walk's offset is not there: finds where to go on.  FALSE: nowhere, it
   is the end of what counts in this segment. */
static gboolean
resynchronize (Walk *walk)
{
  guint64 known = find_known_synced (walk);
  g_autoptr (GArray) found = list_resumptions (walk, known);
  const Resumption *resumption = choose_resumption (found);

  if (resumption == NULL)
    {
      keep_pending (walk);
      return FALSE;
    }
  RerouteRecordHeader header = resumption->header;
  walk->offset = resumption->offset;
  if (header.type == REROUTE_RECORD_BATCH && walk->scan->last != 0)
    return TRUE;
  lose (walk, header.sequence - 1);
  walk->scan->last = header.type == REROUTE_RECORD_BATCH ? 0 : header.sequence - 1;
  walk->batch_end = 0;
  return TRUE;
}

/* Whether all from the walk's offset on is what the file held when it had other serial numbers:
   nothing calls itself a record of this one, not even a damaged one. */
static gboolean
is_from_before (const Walk *walk)
{
  gsize offset = walk->offset;

  while (offset + REROUTE_RECORD_HEADER_OCTETS <= walk->end &&
         !reroute_record_header_claims (walk->data + offset, walk->segment->serial))
    offset += REROUTE_RECORD_ALIGNMENT;
  return offset + REROUTE_RECORD_HEADER_OCTETS > walk->end;
}

/* What follows the last batch of the newest segment. */
static RerouteScanTail
judge_tail (const Walk *walk, gboolean is_clean)
{
  if (walk->segment->is_unreadable || walk->offset % REROUTE_SPOOL_BLOCK_OCTETS != 0 ||
      walk->size % REROUTE_SPOOL_BLOCK_OCTETS != 0)
    return REROUTE_SCAN_TAIL_TORN;
  if (is_clean)
    return REROUTE_SCAN_TAIL_CLEAN;
  gboolean is_newest = walk->index + 1 == walk->scan->segments->len;
  return is_newest && walk->scan->last >= walk->batch_end && is_from_before (walk)
           ? REROUTE_SCAN_TAIL_OLD
           : REROUTE_SCAN_TAIL_TORN;
}

static void
walk_segment (Walk *walk)
{
  gboolean is_clean = FALSE;

  walk->offset = walk->trusted = REROUTE_SPOOL_BLOCK_OCTETS;
  while (!is_clean && walk->offset + REROUTE_RECORD_HEADER_OCTETS <= walk->size)
    {
      if (take_record (walk) || skip_padding (walk))
        continue;
      is_clean =
        !walk->is_void && walk->scan->last >= walk->batch_end && is_unwritten (walk, walk->offset);
      if (!is_clean && (walk->is_void || !resynchronize (walk)))
        break;
    }
  walk->scan->tail = judge_tail (walk, is_clean);
  walk->segment->used =
    walk->scan->tail != REROUTE_SCAN_TAIL_TORN ? walk->offset : walk->segment->size;
  walk->segment->zeroed = walk->segment->used;
}

/* @image: (nullable): it cannot be read, as @error says */
static gboolean
scan_segment (RerouteScan *self, guint index, const RerouteSegmentImage *image)
{
  RerouteSegment *segment = g_ptr_array_index (self->segments, index);

  if (image == NULL)
    return FALSE;
  Walk walk = {
    .scan = self,
    .segment = segment,
    .index = index,
    .data = image->octets,
    .size = segment->size,
    .end = image->end,
    .limit = G_MAXUINT64,
  };
  for (guint i = index + 1; i < self->segments->len; i++)
    if (self->first_synced[i] != 0)
      walk.limit = MIN (walk.limit, self->first_synced[i]);
  segment->is_unreadable |= image->unreadable->len > 0;
  walk_segment (&walk);
  for (guint i = 0; i < image->unreadable->len; i++)
    {
      const RerouteUnreadable *part = &g_array_index (image->unreadable, RerouteUnreadable, i);
      reroute_scan_set_aside (self,
                              segment->serial,
                              part->offset,
                              NULL,
                              part->octets,
                              "the disk does not give them back");
    }
  return TRUE;
}

static void
drop_unfinished (RerouteScan *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      RerouteEntry *entry = value;
      if (entry->message != NULL && reroute_entry_is_whole (entry))
        continue;
      if (entry->message != NULL)
        {
          g_autofree char *what = g_strdup_printf (
            "parts of the content of message %" G_GINT64_MODIFIER "x are lost", entry->id);
          g_autoptr (GBytes) payload = reroute_location_load (self->dir_fd, &entry->record, NULL);
          reroute_scan_set_aside (self,
                                  entry->record.segment->serial,
                                  entry->record.offset,
                                  payload != NULL ? g_bytes_get_data (payload, NULL) : NULL,
                                  payload != NULL ? g_bytes_get_size (payload) : 0,
                                  what);
        }
      g_hash_table_iter_remove (&iter);
    }
}

static void
free_entry (gpointer data)
{
  reroute_entry_free (data);
}

static void
free_segment (gpointer data)
{
  reroute_segment_free (data);
}

RerouteScan *
reroute_scan_new (int dir_fd, gboolean repair)
{
  RerouteScan *self = g_new (RerouteScan, 1);

  *self = (RerouteScan){ .dir_fd = dir_fd, .repair = repair, .ids = 1 };
  self->segments = g_ptr_array_new_with_free_func (free_segment);
  self->entries = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_entry);
  self->damages = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
reroute_scan_free (RerouteScan *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->entries, g_hash_table_unref);
  g_clear_pointer (&self->segments, g_ptr_array_unref);
  g_clear_pointer (&self->damages, g_ptr_array_unref);
  g_free (self->first_synced);
  g_clear_pointer (&self->pending, g_bytes_unref);
  g_free (self);
}

/* The highest number that the batches of one segment reserve; 1: it has no batch, 0: unreadable. */
static guint64
read_ids (const RerouteScan *self, const RerouteSegment *segment)
{
  RerouteScan *alone = reroute_scan_new (self->dir_fd, FALSE);

  g_ptr_array_add (alone->segments, reroute_segment_new (segment->serial, segment->size));
  alone->first_synced = g_new0 (guint64, 1);
  RerouteReadAhead *ahead = reroute_read_ahead_new (self->dir_fd, alone->segments, FALSE);
  guint64 ids = scan_segment (alone, 0, reroute_read_ahead_next (ahead, NULL)) ? alone->ids : 0;
  reroute_read_ahead_free (ahead);
  reroute_scan_free (alone);
  return ids;
}

guint64
reroute_scan_bound_ids (const RerouteScan *self)
{
  guint64 ids = 1;

  for (guint i = self->segments->len; i-- > 0 && ids == 1;)
    ids = read_ids (self, g_ptr_array_index (self->segments, i));
  return ids > 1 ? ids + REROUTE_SPOOL_IDS_AHEAD : 0;
}

static gboolean
is_stopped (const RerouteScan *self, GError **error)
{
  if (self->is_stopped == NULL || !g_atomic_int_get (self->is_stopped))
    return FALSE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "it was closed meanwhile");
  return TRUE;
}

static gboolean
scan_segments (RerouteScan *self, RerouteReadAhead *ahead, GError **error)
{
  for (guint i = 0; i < self->segments->len; i++)
    {
      if (is_stopped (self, error) ||
          !scan_segment (self, i, reroute_read_ahead_next (ahead, error)))
        return FALSE;
      if (self->n_moves != NULL)
        g_atomic_int_inc (self->n_moves);
    }
  return TRUE;
}

gboolean
reroute_scan_run (RerouteScan *self, GError **error)
{
  RerouteReadAhead *ahead = reroute_read_ahead_new (self->dir_fd, self->segments, self->repair);
  gboolean is_read = scan_segments (self, ahead, error);

  reroute_read_ahead_free (ahead);
  if (is_read)
    drop_unfinished (self);
  return is_read;
}
