/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-journal.c - whatever may stand in the segments of a journal
 *
 * The input is a row of steps: records with right checksums and any fields, octets as they are,
 * new segments.  The scan changes nothing and says no; what it takes for a message is whole.
 */

#include "config.h"

#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/record.h"
#include "service/relay/spool/scan.h"
#include "service/relay/spool/segment.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENTS_MAX 4

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

typedef struct
{
  const uint8_t *octets;
  size_t length;
  int dir_fd;
  GByteArray *segment;
  guint64 serial;
  guint64 sequence;
} Journal;

static guint
take (Journal *self)
{
  if (self->length == 0)
    return 0;
  self->length--;
  return *self->octets++;
}

static void
start_segment (Journal *self)
{
  self->serial++;
  g_byte_array_set_size (self->segment, REROUTE_SPOOL_BLOCK_OCTETS);
  memset (self->segment->data, 0, self->segment->len);
}

static void
fill_block (Journal *self)
{
  static const guint8 zeros[REROUTE_SPOOL_BLOCK_OCTETS];
  guint over = self->segment->len % REROUTE_SPOOL_BLOCK_OCTETS;

  if (over > 0)
    g_byte_array_append (self->segment, zeros, REROUTE_SPOOL_BLOCK_OCTETS - over);
}

static void
finish_segment (Journal *self)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  fill_block (self);
  reroute_segment_header_encode (self->serial, self->segment->len, self->segment->data);
  reroute_segment_name (self->serial, name);
  int fd = openat (self->dir_fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (
    write (fd, self->segment->data, self->segment->len), ==, (gssize) self->segment->len);
  close (fd);
}

static void
add_record (Journal *self, RerouteRecordType type, const guint8 *payload, gsize length)
{
  static const guint8 zeros[REROUTE_RECORD_ALIGNMENT];
  RerouteRecordHeader header = { (guint32) length, type, self->sequence++, self->serial };
  guint8 encoded[REROUTE_RECORD_HEADER_OCTETS];

  reroute_record_header_encode (&header, reroute_crc32c (0, payload, length), encoded);
  g_byte_array_append (self->segment, encoded, sizeof encoded);
  g_byte_array_append (self->segment, payload, (guint) length);
  g_byte_array_append (
    self->segment, zeros, (guint) (reroute_record_octets (length) - sizeof encoded - length));
}

static void
add_batch (Journal *self, guint n_records, guint behind)
{
  RerouteBatchRecord batch = { self->sequence - 1 - behind, 1000, n_records };
  guint8 payload[REROUTE_BATCH_PAYLOAD_OCTETS];

  fill_block (self);
  reroute_batch_record_encode (&batch, payload);
  add_record (self, REROUTE_RECORD_BATCH, payload, sizeof payload);
}

/* One step; the octets behind it are its payload. */
static void
step (Journal *self)
{
  guint what = take (self);
  gsize n = take (self);

  switch (what % 8)
    {
    case 0: /* a batch as it should be, of n records */
    case 1: /* one that calls more or less synced */
      add_batch (self, (guint) n, what % 8 == 0 ? 0 : take (self));
      break;
    case 2:
      self->sequence += n;
      break;
    case 3:
      if (self->serial < SEGMENTS_MAX)
        {
          finish_segment (self);
          start_segment (self);
        }
      break;
    case 4: /* octets as they are */
      n = MIN (n, self->length);
      g_byte_array_append (self->segment, self->octets, (guint) n);
      self->octets += n;
      self->length -= n;
      break;
    default: /* message, part, verdict */
      n = MIN (n, self->length);
      add_record (self, (RerouteRecordType) (what % 8 - 3), self->octets, n);
      self->octets += n;
      self->length -= n;
    }
}

static void
check_entry (gpointer key, gpointer value, gpointer user_data)
{
  const RerouteEntry *entry = value;
  const Journal *journal = user_data;

  g_assert_nonnull (entry->message);
  g_assert_true (reroute_entry_is_whole (entry));
  g_assert_cmpuint (entry->n_open, >, 0);
  g_assert_cmpuint (entry->n_open, <=, entry->n_recipients);
  g_assert_cmpuint (
    entry->n_recipients, ==, reroute_message_unpack (entry->message)->recipients->len);
  g_autoptr (GBytes) payload = reroute_location_load (journal->dir_fd, &entry->record, NULL);
  g_assert_nonnull (payload);
}

static char *directory;

static void
remove_directory (void)
{
  rmdir (directory);
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  Journal journal = { .octets = octets, .length = length, .sequence = 1000 };

  if (directory == NULL)
    {
      directory = g_dir_make_tmp ("fuzz-journal-XXXXXX", NULL);
      atexit (remove_directory);
    }
  journal.dir_fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (journal.dir_fd, >=, 0);
  journal.segment = g_byte_array_new ();
  start_segment (&journal);
  while (journal.length > 0)
    step (&journal);
  finish_segment (&journal);

  g_autoptr (RerouteScan) scan = reroute_scan_new (journal.dir_fd, FALSE);
  if (reroute_scan_look (scan, NULL) && reroute_scan_run (scan, NULL))
    g_hash_table_foreach (scan->entries, check_entry, &journal);
  for (guint64 serial = 1; serial <= journal.serial; serial++)
    {
      char name[REROUTE_SEGMENT_NAME_OCTETS];
      reroute_segment_name (serial, name);
      unlinkat (journal.dir_fd, name, 0);
    }
  g_byte_array_unref (journal.segment);
  close (journal.dir_fd);
  return 0;
}
