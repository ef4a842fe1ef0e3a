/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scan-look.c - which segments there are, and what their beginnings say
 */

#include "config.h"

#include "service/relay/spool/scan.h"

#include "common/error.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A segment for the largest record, with all that stands around it. */
#define LARGEST_SEGMENT_OCTETS (REROUTE_RECORD_MAX_OCTETS + (256u << 20))
#define LOOK_OCTETS (1024 * 1024) /* at once, for a batch behind a damaged one */

/* Sets the segment's version and size. */
static gboolean
check_header (RerouteSegment *segment, const guint8 *block, GError **error)
{
  guint32 version = 0;
  guint64 size = 0;
  RerouteSegmentHeader header = reroute_segment_header_check (block, &version, &size);

  if (header == REROUTE_SEGMENT_HEADER_NEWER)
    g_set_error (
      error,
      REROUTE_ERROR,
      REROUTE_ERROR_SPOOL,
      "the spool has format %u, this version reads up to format %u; it is left as it is: "
      "install the newer version again",
      version,
      REROUTE_SPOOL_VERSION);
  else if (header == REROUTE_SEGMENT_HEADER_GOOD)
    {
      segment->version = version;
      /* What a file has beyond its own size is not ours. */
      segment->size = MIN (segment->size, size);
    }
  if (header != REROUTE_SEGMENT_HEADER_NEWER && segment->size > LARGEST_SEGMENT_OCTETS)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_SPOOL,
                 "spool segment %" G_GINT64_MODIFIER "x has %" G_GUINT64_FORMAT
                 " octets, more than any segment",
                 segment->serial,
                 segment->size);
  return header != REROUTE_SEGMENT_HEADER_NEWER && segment->size <= LARGEST_SEGMENT_OCTETS;
}

/* What the batch at @block calls synced; 0: there is none. */
static guint64
read_synced (const guint8 *block, gsize available, guint64 serial)
{
  RerouteRecordHeader header;
  RerouteBatchRecord batch;

  return reroute_record_header_decode (&header, block, available, serial) &&
             header.type == REROUTE_RECORD_BATCH &&
             reroute_batch_record_decode (
               &batch, block + REROUTE_RECORD_HEADER_OCTETS, header.length) &&
             batch.synced < header.sequence
           ? batch.synced
           : 0;
}

/* What the first batch calls synced that is not damaged; 0: there is none. */
static guint64
find_first_synced (int fd, const RerouteSegment *segment)
{
  g_autofree guint8 *octets = NULL;
  guint64 synced = 0;
  gsize n;

  for (gsize at = REROUTE_SPOOL_BLOCK_OCTETS; at < segment->size && synced == 0; at += n)
    {
      /* The first one is nearly always sound. */
      gsize wanted = at == REROUTE_SPOOL_BLOCK_OCTETS ? REROUTE_SPOOL_BLOCK_OCTETS : LOOK_OCTETS;
      n = MIN (wanted, segment->size - at);
      octets = g_realloc (octets, n);
      reroute_segment_read (fd, octets, at, n, NULL);
      for (gsize i = 0; i < n && synced == 0; i += REROUTE_SPOOL_BLOCK_OCTETS)
        synced = read_synced (octets + i, n - i, segment->serial);
    }
  return synced;
}

/* Reads the header, and what the first batch calls synced. */
static gboolean
look_into_segment (RerouteScan *self, guint index, GError **error)
{
  RerouteSegment *segment = g_ptr_array_index (self->segments, index);
  guint8 block[REROUTE_SPOOL_BLOCK_OCTETS] = { 0 };
  struct stat status;

  int fd = reroute_segment_open (self->dir_fd, segment->serial, error);
  if (fd < 0)
    return FALSE;
  gboolean is_file = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
  gboolean is_ours = is_file && status.st_uid == geteuid ();
  if (is_file)
    {
      segment->size = (guint64) status.st_size;
      reroute_segment_read (fd, block, 0, MIN (segment->size, sizeof block), NULL);
    }
  if (!is_ours)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_SPOOL,
                 "spool segment %" G_GINT64_MODIFIER "x is not a file of the relay's user",
                 segment->serial);
  gboolean is_good = is_ours && check_header (segment, block, error);
  if (is_good)
    self->first_synced[index] = find_first_synced (fd, segment);
  close (fd);
  return is_good;
}

static int
compare_segments (gconstpointer a, gconstpointer b)
{
  const RerouteSegment *left = *(RerouteSegment *const *) a;
  const RerouteSegment *right = *(RerouteSegment *const *) b;
  return left->serial < right->serial ? -1 : left->serial > right->serial;
}

static gboolean
list_segments (RerouteScan *self, GError **error)
{
  g_autoptr (GPtrArray) names =
               reroute_spool_directory_list (self->dir_fd, REROUTE_SEGMENT_PREFIX, error);

  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      char expected[REROUTE_SEGMENT_NAME_OCTETS];
      guint64 serial = g_ascii_strtoull (name + strlen (REROUTE_SEGMENT_PREFIX), NULL, 16);

      reroute_segment_name (serial, expected);
      if (serial != 0 && g_str_equal (name, expected))
        g_ptr_array_add (self->segments, reroute_segment_new (serial, 0));
    }
  g_ptr_array_sort (self->segments, compare_segments);
  self->first_synced = g_new0 (guint64, MAX (self->segments->len, 1));
  return TRUE;
}

/* What an earlier start could not read is not written over, though it may be read today: it counts
   no more by now. */
static gboolean
remember_unread (RerouteScan *self, GError **error)
{
  g_autoptr (GPtrArray) names =
               reroute_spool_directory_list (self->dir_fd, REROUTE_SPOOL_DAMAGED, error);

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = names->pdata[i];
      guint64 serial = g_ascii_strtoull (name + strlen (REROUTE_SPOOL_DAMAGED), NULL, 16);

      for (guint j = 0; g_str_has_suffix (name, REROUTE_SPOOL_UNREAD) && j < self->segments->len;
           j++)
        {
          RerouteSegment *segment = g_ptr_array_index (self->segments, j);
          segment->is_unreadable |= segment->serial == serial;
        }
    }
  return names != NULL;
}

gboolean
reroute_scan_look (RerouteScan *self, GError **error)
{
  if (!list_segments (self, error) || !remember_unread (self, error))
    return FALSE;
  for (guint i = 0; i < self->segments->len; i++)
    if (!look_into_segment (self, i, error))
      return FALSE;
  return TRUE;
}
