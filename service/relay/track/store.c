/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store.c - the files of what happened to messages
 *
 * Why no database: at 13,000 messages a second, of 73 microseconds of processor time each, SQLite
 * with the indexes that a search by any of seven fields needs costs more than the relay itself.
 * Records are appended, and a search reads them: 100,000 messages are 40 MB, which pass in some
 * 50 ms.
 */

#include "config.h"

#include "service/relay/track/store.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/octets-private.h"
#include "service/relay/spool/segment.h"
#include "service/relay/track/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NAME_PREFIX "track."
#define NAME_OCTETS (sizeof NAME_PREFIX + 8)
#define FILE_MOST_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC) /* that a file is appended to */
#define FRAME_OCTETS (64 * 1024)  /* a frame is closed when it has so many */
#define SLICE_OCTETS (256 * 1024) /* written at a time */

struct _RerouteTrackStore
{
  int dir_fd;
  guint64 file_octets;
  gboolean is_listed; /* the directory was, to its end */
  GArray *files;      /* (element-type RerouteTrackFile): oldest first */
  guint64 octets;     /* of all */
  guint32 serial;     /* the highest there was: a cursor never points into another file */
  int fd;             /* of the last of them; -1: it is not open */
  GByteArray *frames; /* on their way to the disk; kept for its room */
};

static void
format_name (guint32 serial, char name[NAME_OCTETS])
{
  g_snprintf (name, NAME_OCTETS, NAME_PREFIX "%08x", serial);
}

/* 0: it is no name of ours. */
static guint32
parse_name (const char *name)
{
  char again[NAME_OCTETS];
  guint32 serial;

  if (!g_str_has_prefix (name, NAME_PREFIX))
    return 0;
  serial = (guint32) g_ascii_strtoull (name + strlen (NAME_PREFIX), NULL, 16);
  format_name (serial, again);
  return g_str_equal (name, again) ? serial : 0;
}

static int
compare_files (gconstpointer a, gconstpointer b)
{
  const RerouteTrackFile *first = a;
  const RerouteTrackFile *second = b;

  return first->serial < second->serial ? -1 : first->serial > second->serial;
}

static void
add_files (RerouteTrackStore *self, const GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      RerouteTrackFile file = { .serial = parse_name (name) };
      struct stat status;

      if (file.serial == 0 || fstatat (self->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISREG (status.st_mode))
        continue;
      file.octets = (guint64) status.st_size;
      file.newest_us = status.st_mtim.tv_sec * G_USEC_PER_SEC;
      /* When it was begun nobody knows: a day before, at the earliest. */
      file.begun_us = file.newest_us;
      g_array_append_val (self->files, file);
      self->octets += file.octets;
      self->serial = MAX (self->serial, file.serial);
    }
  g_array_sort (self->files, compare_files);
}

/* Finds the files of earlier lives, once.  FALSE: they are not known, and a new one could get a
   serial number below theirs. */
static gboolean
list_files (RerouteTrackStore *self, GError **error)
{
  if (self->is_listed)
    return TRUE;
  g_autoptr (GPtrArray) names = reroute_spool_directory_list (self->dir_fd, NAME_PREFIX, error);
  if (names == NULL)
    return FALSE;
  add_files (self, names);
  self->is_listed = TRUE;
  return TRUE;
}

RerouteTrackStore *
reroute_track_store_new (int dir_fd, guint64 file_octets)
{
  g_return_val_if_fail (dir_fd >= 0, NULL);

  RerouteTrackStore *self = g_new0 (RerouteTrackStore, 1);
  self->dir_fd = dir_fd;
  self->file_octets = file_octets > 0 ? file_octets : REROUTE_LIMIT_TRACK_FILE_OCTETS;
  self->files = g_array_new (FALSE, FALSE, sizeof (RerouteTrackFile));
  self->fd = -1;
  self->frames = g_byte_array_new ();
  list_files (self, NULL);
  return self;
}

static void
close_file (RerouteTrackStore *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

void
reroute_track_store_free (RerouteTrackStore *self)
{
  if (self == NULL)
    return;
  close_file (self);
  g_array_unref (self->files);
  g_byte_array_unref (self->frames);
  g_free (self);
}

const GArray *
reroute_track_store_get_files (const RerouteTrackStore *self)
{
  return self->files;
}

/* --- writing --- */

static RerouteTrackFile *
get_last (RerouteTrackStore *self)
{
  return self->files->len > 0 ? &g_array_index (self->files, RerouteTrackFile, self->files->len - 1)
                              : NULL;
}

/* Opens the file that is to be appended to.  A file of an earlier life is left as it is, and so is
   whatever else has such a name. */
static gboolean
open_file (RerouteTrackStore *self, gint64 now_us, GError **error)
{
  const RerouteTrackFile *last = get_last (self);
  RerouteTrackFile file = { .serial = self->serial, .begun_us = now_us, .newest_us = now_us };
  char name[NAME_OCTETS];

  if (self->fd >= 0 && last->octets < self->file_octets && now_us - last->begun_us < FILE_MOST_US &&
      now_us >= last->begun_us)
    return TRUE;
  close_file (self);
  do
    {
      format_name (++file.serial, name);
      self->fd = openat (
        self->dir_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
  while (self->fd < 0 && errno == EEXIST);
  if (self->fd < 0)
    {
      reroute_spool_set_error (error, errno, "create a file for tracking");
      return FALSE;
    }
  g_array_append_val (self->files, file);
  self->serial = file.serial;
  return TRUE;
}

/* The mail needs the rest. */
static gboolean
check_room (RerouteTrackStore *self, GError **error)
{
  struct statvfs status;

  if (fstatvfs (self->dir_fd, &status) != 0 ||
      (guint64) status.f_bavail * status.f_frsize >= REROUTE_LIMIT_TRACK_SPARE_OCTETS)
    return TRUE;
  reroute_spool_set_error (error, ENOSPC, "leave room for mail");
  return FALSE;
}

/* Whole records, about a slice of them.  Returns: their octets */
static gsize
make_frames (RerouteTrackStore *self, const guint8 *records, gsize length, gboolean is_new)
{
  RerouteTrackRecord record;
  gsize start = 0;
  gsize end = 0;

  g_byte_array_set_size (self->frames, 0);
  if (is_new)
    g_byte_array_append (
      self->frames, (const guint8 *) REROUTE_TRACK_FILE_HEADER, REROUTE_TRACK_FILE_HEADER_OCTETS);
  while (end < SLICE_OCTETS && reroute_track_record_parse (records + end, length - end, &record))
    {
      end += record.length;
      if (end - start < FRAME_OCTETS && end < length)
        continue;
      reroute_track_frame_append (self->frames, records + start, end - start);
      start = end;
    }
  return start;
}

/* What was written in part is taken back; if that fails too, its checksum tells. */
static gboolean
write_frames (RerouteTrackStore *self, RerouteTrackFile *file, GError **error)
{
  const GByteArray *frames = self->frames;
  gsize done = 0;

  while (done < frames->len)
    {
      gssize n = write (self->fd, frames->data + done, frames->len - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          int error_number = n < 0 ? errno : ENOSPC;

          if (done > 0 && ftruncate (self->fd, (off_t) file->octets) != 0)
            close_file (self);
          reroute_spool_set_error (error, error_number, "write what was tracked");
          return FALSE;
        }
      done += (gsize) n;
    }
  file->octets += done;
  self->octets += done;
  return TRUE;
}

gboolean
reroute_track_store_append (RerouteTrackStore *self,
                            const GByteArray *records,
                            gint64 now_us,
                            GError **error)
{
  g_return_val_if_fail (self != NULL && records != NULL, FALSE);

  if (!list_files (self, error))
    return FALSE;
  /* However much came at once, no file is much larger than it should be. */
  for (gsize done = 0, n; done < records->len; done += n)
    {
      if (!check_room (self, error) || !open_file (self, now_us, error))
        return FALSE;
      RerouteTrackFile *file = get_last (self);
      n = make_frames (self, records->data + done, records->len - done, file->octets == 0);
      g_return_val_if_fail (n > 0, FALSE);
      if (!write_frames (self, file, error))
        return FALSE;
      file->newest_us = now_us;
    }
  return TRUE;
}

static gboolean
remove_file (RerouteTrackStore *self, guint i)
{
  const RerouteTrackFile *file = &g_array_index (self->files, RerouteTrackFile, i);
  char name[NAME_OCTETS];

  format_name (file->serial, name);
  if (unlinkat (self->dir_fd, name, 0) != 0 && errno != ENOENT)
    return FALSE;
  if (i + 1 == self->files->len)
    close_file (self);
  self->octets -= file->octets;
  g_array_remove_index (self->files, i);
  return TRUE;
}

/* The clock may have been wrong: a file that is not old says nothing of those behind it. */
void
reroute_track_store_prune (RerouteTrackStore *self, guint64 most_octets, gint64 oldest_us)
{
  list_files (self, NULL);
  for (guint i = 0; i < self->files->len;)
    if (g_array_index (self->files, RerouteTrackFile, i).newest_us >= oldest_us ||
        !remove_file (self, i))
      i++;
  while (self->files->len > 0 && self->octets > most_octets && remove_file (self, 0))
    continue;
}

/* --- reading --- */

static gboolean
read_fully (int fd, GByteArray *octets)
{
  gsize done = 0;

  while (done < octets->len)
    {
      gssize n = read (fd, octets->data + done, octets->len - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      if (n == 0)
        break;
      done += (gsize) n;
    }
  g_byte_array_set_size (octets, (guint) done);
  return TRUE;
}

gboolean
reroute_track_store_read (const RerouteTrackStore *self,
                          guint32 serial,
                          GByteArray *octets,
                          GError **error)
{
  char name[NAME_OCTETS];
  struct stat status;
  gboolean done;

  g_return_val_if_fail (self != NULL && octets != NULL, FALSE);

  format_name (serial, name);
  int fd = openat (self->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    {
      reroute_spool_set_error (error, errno, "open what was tracked");
      return FALSE;
    }
  done = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
  if (done)
    {
      g_byte_array_set_size (
        octets, (guint) MIN ((guint64) status.st_size, REROUTE_LIMIT_TRACK_READ_OCTETS));
      done = read_fully (fd, octets);
    }
  if (!done)
    reroute_spool_set_error (error, errno, "read what was tracked");
  close (fd);
  return done;
}
