/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool-refusals.c - a disk that has less room, or gives back less, than it should
 *
 * As in spool-faults.c, the functions of the C library that the spool asks are defined once more.
 */

#include "config.h"

#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct
{
  GMutex lock;
  int names_left; /* -1: all */
  guint64 free_octets;
  ino_t refused_inode; /* 0: none */
  guint64 refused_offset;
} refusals = { .names_left = -1, .free_octets = G_MAXUINT64 };

void
spool_faults_break_list (guint n_names)
{
  g_mutex_lock (&refusals.lock);
  refusals.names_left = (int) n_names;
  g_mutex_unlock (&refusals.lock);
}

void
spool_faults_set_free (guint64 octets)
{
  g_mutex_lock (&refusals.lock);
  refusals.free_octets = octets;
  g_mutex_unlock (&refusals.lock);
}

void
spool_faults_refuse_reads (const char *path, guint64 offset)
{
  struct stat status = { 0 };

  if (path != NULL)
    g_assert_cmpint (stat (path, &status), ==, 0);
  g_mutex_lock (&refusals.lock);
  refusals.refused_inode = status.st_ino;
  refusals.refused_offset = offset;
  g_mutex_unlock (&refusals.lock);
}

int
fstatvfs (int fd, struct statvfs *figures)
{
  struct statfs own;

  if (fstatfs (fd, &own) != 0)
    return -1;
  *figures = (struct statvfs){ .f_bsize = 1, .f_frsize = 1 };
  g_mutex_lock (&refusals.lock);
  figures->f_bavail = MIN (refusals.free_octets, (guint64) own.f_bavail * (guint64) own.f_bsize);
  g_mutex_unlock (&refusals.lock);
  return 0;
}

struct dirent *
readdir (DIR *dir)
{
  static struct dirent *(*get_next) (DIR *);

  g_mutex_lock (&refusals.lock);
  if (get_next == NULL)
    get_next = dlsym (RTLD_NEXT, "readdir64");
  gboolean fails = refusals.names_left == 0;
  if (refusals.names_left >= 0)
    refusals.names_left--;
  g_mutex_unlock (&refusals.lock);
  if (!fails)
    return get_next (dir);
  errno = EIO;
  return NULL;
}

ssize_t
pread (int fd, void *octets, size_t length, off_t offset)
{
  struct stat status;

  g_mutex_lock (&refusals.lock);
  gboolean fails = refusals.refused_inode != 0 && fstat (fd, &status) == 0 &&
                   status.st_ino == refusals.refused_inode &&
                   (guint64) offset < refusals.refused_offset + REROUTE_SPOOL_BLOCK_OCTETS &&
                   (guint64) offset + length > refusals.refused_offset;
  g_mutex_unlock (&refusals.lock);
  if (!fails)
    return syscall (SYS_pread64, fd, octets, length, offset);
  errno = EIO;
  return -1;
}
