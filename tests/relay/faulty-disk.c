/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * faulty-disk.c - a relay whose disk fails while a file says so
 *
 * REROUTE_DISK_FAULT=FILE   while FILE exists, what it says happens to the journal:
 *                           `write` (EIO), `short` (half of a write, then ENOSPC), `sync` (EIO),
 *                           `full` (ENOSPC), `hang` (a sync ends when FILE says something else),
 *                           `low` (little room is left, a hundredth of all)
 *
 * These functions stand in front of those of the C library, as in tests/unit/spool-faults.c.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define WORD_OCTETS 16
#define HANG_STEP_US 10000
#define LOW_OCTETS (100UL * 1024 * 1024)

static gboolean
is_failing (const char *how)
{
  const char *path = g_getenv ("REROUTE_DISK_FAULT");
  char word[WORD_OCTETS] = "";

  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0)
    return FALSE;
  gssize n = read (fd, word, sizeof word - 1);
  close (fd);
  return n > 0 && strcmp (word, how) == 0;
}

/* Half of the first part, so that the write is short and the next one fails. */
static gssize
write_half (int fd, const struct iovec *vectors, off_t offset)
{
  static gint n_calls;

  if (g_atomic_int_add (&n_calls, 1) % 2 == 0 && vectors->iov_len > 1)
    return syscall (SYS_pwrite64, fd, vectors->iov_base, vectors->iov_len / 2, (long) offset);
  errno = ENOSPC;
  return -1;
}

ssize_t
pwritev (int fd, const struct iovec *vectors, int n, off_t offset)
{
  if (is_failing ("short"))
    return write_half (fd, vectors, offset);
  if (!is_failing ("write") && !is_failing ("full"))
    return syscall (SYS_pwritev, fd, vectors, n, (long) offset, (long) 0);
  errno = is_failing ("full") ? ENOSPC : EIO;
  return -1;
}

int
fallocate (int fd, int mode, off_t offset, off_t length)
{
  if (!is_failing ("full"))
    return (int) syscall (SYS_fallocate, fd, mode, (long) offset, (long) length);
  errno = ENOSPC;
  return -1;
}

int
fdatasync (int fd)
{
  while (is_failing ("hang"))
    g_usleep (HANG_STEP_US);
  if (!is_failing ("sync"))
    return (int) syscall (SYS_fdatasync, fd);
  errno = EIO;
  return -1;
}

int
fstatvfs (int fd, struct statvfs *figures)
{
  struct statfs all;

  if (syscall (SYS_fstatfs, fd, &all) != 0)
    return -1;
  *figures = (struct statvfs){
    .f_bsize = all.f_bsize,
    .f_frsize = all.f_frsize,
    .f_blocks = all.f_blocks,
    .f_bfree = all.f_bfree,
    .f_bavail = all.f_bavail,
    .f_files = all.f_files,
    .f_ffree = all.f_ffree,
    .f_favail = all.f_ffree,
    .f_namemax = all.f_namelen,
  };
  if (is_failing ("low"))
    {
      figures->f_bavail = LOW_OCTETS / figures->f_frsize;
      figures->f_blocks = figures->f_bavail * 100;
    }
  return 0;
}
