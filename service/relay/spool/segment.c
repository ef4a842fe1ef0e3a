/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.c - the journal's files: reserved, zeroed, recycled, read
 *
 * A commit into blocks that are written already costs the disk no metadata; so a new segment is
 * zeroed a little ahead of small batches, and a used one serves again as it is: its old records
 * carry another serial.  Only its first block is zeroed, which is what a segment without a batch
 * looks like.  A name appears in the directory, or goes, only with the directory synced behind it:
 * segments vanish oldest first even when the power fails.
 */

#include "config.h"

#include "service/relay/spool/segment.h"

#include "common/error.h"
#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/octets-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_MAGIC "RRSPOOL\n"
#define HEADER_OCTETS 40
#define ZERO_AHEAD_OCTETS (1024 * 1024)
#define ZERO_AHEAD_SHARE 16             /* of a small segment */
#define USED_SHARE 64                   /* from then on it is worth to zero all of it */
#define LARGE_BATCH_OCTETS (256 * 1024) /* a sync of so much is worth its metadata */
#define ZERO_CHUNK_OCTETS (64 * 1024)
#define SMALLEST_OCTETS (1024 * 1024)
#define VECTORS_A_CALL 1000
#define CALL_OCTETS (256 * 1024)
#define READ_CHUNK_OCTETS (4 * 1024 * 1024)

void
reroute_segment_name (guint64 serial, char name[REROUTE_SEGMENT_NAME_OCTETS])
{
  g_snprintf (
    name, REROUTE_SEGMENT_NAME_OCTETS, REROUTE_SEGMENT_PREFIX "%016" G_GINT64_MODIFIER "x", serial);
}

void
reroute_segment_header_encode (guint64 serial, guint64 size, guint8 *block)
{
  memset (block, 0, REROUTE_SPOOL_BLOCK_OCTETS);
  memcpy (block, HEADER_MAGIC, 8);
  store_u32 (block + 8, REROUTE_SPOOL_VERSION);
  store_u64 (block + 16, serial);
  store_u64 (block + 24, size);
  store_u32 (block + 12, reroute_crc32c (0, block, HEADER_OCTETS));
}

RerouteSegmentHeader
reroute_segment_header_check (const guint8 *block, guint32 *version, guint64 *size)
{
  static const guint8 zeros[HEADER_OCTETS];
  guint8 copy[HEADER_OCTETS];

  if (memcmp (block, zeros, sizeof zeros) == 0)
    return REROUTE_SEGMENT_HEADER_EMPTY;
  memcpy (copy, block, sizeof copy);
  store_u32 (copy + 12, 0);
  if (memcmp (block, HEADER_MAGIC, 8) != 0 ||
      reroute_crc32c (0, copy, sizeof copy) != load_u32 (block + 12))
    return REROUTE_SEGMENT_HEADER_BAD;
  *version = load_u32 (block + 8);
  *size = load_u64 (block + 24);
  return *version >= REROUTE_SPOOL_OLDEST_VERSION && *version <= REROUTE_SPOOL_VERSION
           ? REROUTE_SEGMENT_HEADER_GOOD
           : REROUTE_SEGMENT_HEADER_NEWER;
}

void
reroute_spool_set_error (GError **error, int error_number, const char *doing)
{
  gboolean full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;

  g_set_error (error,
               REROUTE_ERROR,
               full ? REROUTE_ERROR_SPOOL_FULL : REROUTE_ERROR_SPOOL,
               "cannot %s: %s%s",
               doing,
               g_strerror (error_number),
               full ? ": make room on its file system" : "");
}

gboolean
reroute_sync_directory (int dir_fd, GError **error)
{
  if (fsync (dir_fd) == 0)
    return TRUE;
  reroute_spool_set_error (error, errno, "sync the spool directory");
  return FALSE;
}

static gboolean
write_zeros (int fd, guint64 from, guint64 to)
{
  static const guint8 zeros[ZERO_CHUNK_OCTETS];

  while (from < to)
    {
      gssize n = pwrite (fd, zeros, MIN (sizeof zeros, to - from), (off_t) from);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      from += (guint64) n;
    }
  return TRUE;
}

/* The size a new segment may have: half of what is free at most, so that the last room is never
   taken from everyone else on the file system at once. */
static guint64
choose_size (int dir_fd, guint64 size, guint64 needed)
{
  struct statvfs figures;
  struct rlimit limit;
  guint64 smallest = MAX (needed, MIN (size, SMALLEST_OCTETS));

  size = MAX (size, needed);
  if (fstatvfs (dir_fd, &figures) == 0)
    size = MIN (size, (guint64) figures.f_bavail * figures.f_frsize / 2);
  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    size = MIN (size, (guint64) limit.rlim_cur);
  size -= size % REROUTE_SPOOL_BLOCK_OCTETS;
  return size >= smallest ? size : 0;
}

static RerouteSpare *
new_spare (int fd, guint64 size, gboolean is_written)
{
  RerouteSpare *self = g_new0 (RerouteSpare, 1);

  self->fd = fd;
  self->size = size;
  self->is_written = is_written;
  return self;
}

/* The spare that an earlier life left, or a failure, has its room yet.  It is zeroed, so that the
   next life sees where the last batch ends, and goes on there.  Returns: %NULL: there is none of
   @needed octets; when there is it has @size at most */
static RerouteSpare *
adopt_spare (int dir_fd, guint64 size, guint64 needed)
{
  struct stat status;
  int fd = openat (dir_fd, REROUTE_SPARE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0)
    return NULL;
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    size = 0;
  else
    size = MIN (size, MIN ((guint64) status.st_size, (guint64) status.st_blocks * S_BLKSIZE));
  size -= size % REROUTE_SPOOL_BLOCK_OCTETS;
  if (size >= needed && write_zeros (fd, 0, size))
    return new_spare (fd, size, TRUE);
  close (fd);
  return NULL;
}

RerouteSpare *
reroute_spare_create (int dir_fd, guint64 size, guint64 needed, GError **error)
{
  guint64 wanted = MAX (size, needed);
  guint64 room = choose_size (dir_fd, size, needed);
  RerouteSpare *old = room < wanted ? adopt_spare (dir_fd, wanted, MAX (room, needed)) : NULL;

  if (old != NULL)
    return old;
  if (room == 0)
    {
      reroute_spool_set_error (error, ENOSPC, "reserve room for a spool segment");
      return NULL;
    }

  int fd =
    openat (dir_fd, REROUTE_SPARE_NAME, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      reroute_spool_set_error (error, errno, "create a spool segment");
      return NULL;
    }
  REROUTE_FAULT_POINT ("spare-created");
  gboolean reserved = fallocate (fd, 0, 0, (off_t) room) == 0;
  if (!reserved && (errno == EOPNOTSUPP || errno == ENOSYS))
    reserved = write_zeros (fd, 0, room);
  if (!reserved)
    {
      reroute_spool_set_error (error, errno, "reserve room for a spool segment");
      close (fd);
      unlinkat (dir_fd, REROUTE_SPARE_NAME, 0);
      return NULL;
    }
  REROUTE_FAULT_POINT ("spare-reserved");
  return new_spare (fd, room, FALSE);
}

RerouteSpare *
reroute_spare_recycle (int dir_fd, const RerouteSegment *segment, GError **error)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  reroute_segment_name (segment->serial, name);
  int fd = openat (dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || renameat (dir_fd, name, dir_fd, REROUTE_SPARE_NAME) != 0)
    {
      reroute_spool_set_error (error, errno, "recycle a spool segment");
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  REROUTE_FAULT_POINT ("segment-taken-back");
  gboolean is_synced = reroute_sync_directory (dir_fd, error);
  REROUTE_FAULT_POINT ("segment-recycled");
  if (is_synced)
    return new_spare (fd, segment->size, TRUE);
  close (fd);
  return NULL;
}

void
reroute_spare_free (RerouteSpare *self)
{
  close (self->fd);
  g_free (self);
}

/* Nothing else writes in the directory; what has the name nevertheless may be mail.  FALSE: with
   errno set */
static gboolean
name_spare (int dir_fd, guint64 serial)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  reroute_segment_name (serial, name);
  if (!reroute_segment_exists (dir_fd, serial))
    return renameat (dir_fd, REROUTE_SPARE_NAME, dir_fd, name) == 0;
  errno = EEXIST;
  return FALSE;
}

/* The file of a segment that nobody will know of is the spare again: no failure leaves one more. */
static void
take_name_back (int dir_fd, guint64 serial)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  reroute_segment_name (serial, name);
  renameat (dir_fd, name, dir_fd, REROUTE_SPARE_NAME);
}

RerouteSegment *
reroute_spare_take (RerouteSpare *self, int dir_fd, guint64 serial, GError **error)
{
  gboolean is_clear =
    write_zeros (self->fd, 0, REROUTE_SPOOL_BLOCK_OCTETS) && fdatasync (self->fd) == 0;
  REROUTE_FAULT_POINT ("spare-cleared");
  if (!is_clear || !name_spare (dir_fd, serial))
    {
      reroute_spool_set_error (error, errno, "start a spool segment");
      reroute_spare_free (self);
      return NULL;
    }

  REROUTE_FAULT_POINT ("segment-named");
  RerouteSegment *segment = reroute_segment_new (serial, self->size);
  segment->fd = self->fd;
  segment->zeroed = self->is_written ? self->size : REROUTE_SPOOL_BLOCK_OCTETS;
  segment->used = REROUTE_SPOOL_BLOCK_OCTETS;
  g_free (self);
  gboolean is_synced = reroute_sync_directory (dir_fd, error);
  REROUTE_FAULT_POINT ("segment-started");
  if (is_synced)
    return segment;
  take_name_back (dir_fd, serial);
  reroute_segment_free (segment);
  return NULL;
}

/* Writes zeros behind @end; when they cannot be written, without them. */
static void
write_zeros_ahead (RerouteSegment *self, guint64 end)
{
  guint64 ahead = MAX (self->size / ZERO_AHEAD_SHARE, REROUTE_SPOOL_BLOCK_OCTETS);
  guint64 target = MIN (self->size, end + MIN (ahead, ZERO_AHEAD_OCTETS));

  self->zeroed = write_zeros (self->fd, end, target) ? target : self->size;
}

gboolean
reroute_segment_sync (RerouteSegment *self, guint64 end)
{
  if (end > self->zeroed && end - self->used < LARGE_BATCH_OCTETS)
    write_zeros_ahead (self, end);
  return fdatasync (self->fd) == 0;
}

gboolean
reroute_segment_wants_zeros (const RerouteSegment *self)
{
  return MAX (self->used, self->zeroed) < self->size && self->used >= self->size / USED_SHARE;
}

gboolean
reroute_segment_zero_ahead (RerouteSegment *self)
{
  /* A large batch goes beyond what is zeroed. */
  write_zeros_ahead (self, MAX (self->used, self->zeroed));
  REROUTE_FAULT_POINT ("zeros-written");
  return fdatasync (self->fd) == 0;
}

/* How many of @n vectors go with one call: about as many octets as the disk is given at once. */
static guint
count_for_call (const struct iovec *vectors, guint n)
{
  gsize octets = 0;
  guint i = 0;

  while (i < n && i < VECTORS_A_CALL && octets < CALL_OCTETS)
    octets += vectors[i++].iov_len;
  return i;
}

guint64
reroute_segment_write (RerouteSegment *self, GArray *vectors, guint64 offset)
{
  struct iovec *vector = (struct iovec *) vectors->data;
  guint n = vectors->len;
  guint64 written = 0;

  while (n > 0)
    {
      gssize octets =
        pwritev (self->fd, vector, (int) count_for_call (vector, n), (off_t) (offset + written));
      if (octets < 0 && errno == EINTR)
        continue;
      if (octets <= 0)
        break;
      /* The disk begins with these while the next are copied; the sync will tell how it went. */
      if (octets >= CALL_OCTETS)
        sync_file_range (
          self->fd, (off_t) (offset + written), (off_t) octets, SYNC_FILE_RANGE_WRITE);
      written += (guint64) octets;
      for (; n > 0 && (gsize) octets >= vector->iov_len; vector++, n--)
        octets -= (gssize) vector->iov_len;
      if (octets > 0)
        {
          vector->iov_base = (guint8 *) vector->iov_base + octets;
          vector->iov_len -= (gsize) octets;
        }
    }
  return written;
}

int
reroute_segment_open (int dir_fd, guint64 serial, GError **error)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  reroute_segment_name (serial, name);
  int fd = openat (dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    {
      reroute_spool_set_error (error, errno, "open a segment");
      g_prefix_error (error, "spool segment “%s”: ", name);
    }
  return fd;
}

gboolean
reroute_segment_unlink (int dir_fd, guint64 serial, GError **error)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  reroute_segment_name (serial, name);
  if (unlinkat (dir_fd, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  reroute_spool_set_error (error, errno, "remove a spool segment");
  return FALSE;
}

gboolean
reroute_segment_remove (int dir_fd, const RerouteSegment *segment, GError **error)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS], kept[REROUTE_SEGMENT_NAME_OCTETS];

  if (!segment->is_unreadable)
    return reroute_segment_unlink (dir_fd, segment->serial, error);
  reroute_segment_name (segment->serial, name);
  g_snprintf (
    kept, sizeof kept, REROUTE_SPOOL_DAMAGED "%016" G_GINT64_MODIFIER "x", segment->serial);
  if (renameat (dir_fd, name, dir_fd, kept) == 0 || errno == ENOENT)
    return TRUE;
  reroute_spool_set_error (error, errno, "keep a spool segment that cannot be read");
  return FALSE;
}

gboolean
reroute_segment_exists (int dir_fd, guint64 serial)
{
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  reroute_segment_name (serial, name);
  return faccessat (dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static gboolean
read_fully (int fd, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  while (length > 0)
    {
      gssize n = pread (fd, buffer, length, (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          reroute_spool_set_error (error, n < 0 ? errno : EIO, "read a spool segment");
          return FALSE;
        }
      buffer += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

static void
add_unreadable (GArray *unreadable, gsize offset, gsize octets)
{
  RerouteUnreadable *last = unreadable->len > 0
                              ? &g_array_index (unreadable, RerouteUnreadable, unreadable->len - 1)
                              : NULL;
  RerouteUnreadable next = { offset, octets };

  if (last != NULL && last->offset + last->octets == offset)
    last->octets += octets;
  else
    g_array_append_val (unreadable, next);
}

/* A block that the disk does not give back reads as zeros. */
static void
read_blocks (int fd, guint8 *buffer, gsize offset, gsize length, GArray *unreadable)
{
  for (gsize done = 0; done < length; done += REROUTE_SPOOL_BLOCK_OCTETS)
    {
      gsize n = MIN (REROUTE_SPOOL_BLOCK_OCTETS, length - done);
      if (read_fully (fd, offset + done, buffer + done, n, NULL))
        continue;
      memset (buffer + done, 0, n);
      if (unreadable != NULL)
        add_unreadable (unreadable, offset + done, n);
    }
}

void
reroute_segment_read (int fd, guint8 *buffer, gsize from, gsize size, GArray *unreadable)
{
  gsize done = 0;

  while (done < size)
    {
      gsize wanted = MIN (READ_CHUNK_OCTETS, size - done);
      gssize n = pread (fd, buffer + done, wanted, (off_t) (from + done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        read_blocks (fd, buffer + done, from + done, wanted, unreadable);
      done += n > 0 ? (gsize) n : wanted;
    }
}

GBytes *
reroute_location_read (int fd, const RerouteLocation *location, GError **error)
{
  gsize octets = REROUTE_RECORD_HEADER_OCTETS + (gsize) location->length;
  guint8 *octets_read = g_malloc (octets);
  g_autoptr (GBytes) record = g_bytes_new_take (octets_read, octets);
  RerouteRecordHeader header;

  if (!read_fully (fd, location->offset, octets_read, octets, error))
    return NULL;
  if (!reroute_record_header_decode (&header, octets_read, octets, location->segment->serial) ||
      header.length != location->length)
    {
      reroute_spool_set_error (error, EBADMSG, "read a spool record");
      return NULL;
    }
  return g_bytes_new_from_bytes (record, REROUTE_RECORD_HEADER_OCTETS, location->length);
}

GBytes *
reroute_location_load (int dir_fd, const RerouteLocation *location, GError **error)
{
  int fd = reroute_segment_open (dir_fd, location->segment->serial, error);

  if (fd < 0)
    return NULL;
  GBytes *payload = reroute_location_read (fd, location, error);
  close (fd);
  return payload;
}
