/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool-faults.c - a disk that loses power, or fails, at a chosen step
 *
 * The functions of the C library that the spool uses to change the disk, and to read segments, are
 * defined here once more; the linker prefers these.  Every write keeps what it replaced until its
 * file is synced, so a power failure can drop any of them whole, in any order, or tear it at a
 * sector or a page; files that were created and names that were changed in an unsynced directory go
 * back too, the last first.
 */

#include "config.h"

#include "tests/unit/spool-faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR_OCTETS 512
#define PAGE_OCTETS 4096

typedef struct
{
  enum
  {
    UNDO_WRITE,
    UNDO_ALLOCATE,
    UNDO_RENAME,
    UNDO_CREATE,
  } kind;
  int fd; /* of the file, or of the directory */
  ino_t inode;
  guint64 offset;
  gsize length;
  guint8 *before;
  char *from, *to; /* RENAME: from goes back to to; CREATE: to goes away */
  ino_t created;   /* CREATE: the file */
} Undo;

static struct
{
  GMutex lock;
  SpoolFault fault;
  guint step;
  guint n_steps;
  guint n_moved;
  gboolean has_struck;
  gboolean is_over; /* it strikes no more */
  guint32 seed;
  GPtrArray *undos;
  const gint *waits_ms;
  guint n_waits;
  int refused_mode;
} faults = { .refused_mode = -1 };

static guint32
get_random (void)
{
  faults.seed = faults.seed * 1664525u + 1013904223u;
  return faults.seed >> 8;
}

static void
free_undo (gpointer data)
{
  Undo *self = data;

  close (self->fd);
  g_free (self->before);
  g_free (self->from);
  g_free (self->to);
  g_free (self);
}

void
spool_faults_arm (SpoolFault fault, guint step, guint32 seed)
{
  g_mutex_lock (&faults.lock);
  faults.fault = fault;
  faults.step = step;
  faults.seed = seed;
  faults.n_steps = 0;
  faults.has_struck = FALSE;
  faults.is_over = FALSE;
  g_clear_pointer (&faults.undos, g_ptr_array_unref);
  faults.undos = g_ptr_array_new_with_free_func (free_undo);
  g_mutex_unlock (&faults.lock);
}

void
spool_faults_disarm (void)
{
  g_mutex_lock (&faults.lock);
  faults.fault = SPOOL_FAULT_NONE;
  g_clear_pointer (&faults.undos, g_ptr_array_unref);
  g_mutex_unlock (&faults.lock);
}

guint
spool_faults_get_steps (void)
{
  return faults.n_steps;
}

gboolean
spool_faults_have_struck (void)
{
  return faults.has_struck;
}

void
spool_faults_script_syncs (const gint *waits_ms, guint n)
{
  g_mutex_lock (&faults.lock);
  faults.waits_ms = waits_ms;
  faults.n_waits = n;
  g_mutex_unlock (&faults.lock);
}

void
spool_faults_refuse_opens (int mode)
{
  g_mutex_lock (&faults.lock);
  faults.refused_mode = mode;
  g_mutex_unlock (&faults.lock);
}

static Undo *
add_undo (int kind, int fd)
{
  Undo *undo = g_new0 (Undo, 1);
  struct stat status;

  g_assert_cmpint (fstat (fd, &status), ==, 0);
  undo->kind = kind;
  /* A duplicate of the directory would keep the spool locked. */
  if (S_ISDIR (status.st_mode))
    undo->fd = (int) syscall (SYS_openat, fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  else
    undo->fd = dup (fd);
  undo->inode = status.st_ino;
  g_ptr_array_add (faults.undos, undo);
  return undo;
}

static void
add_write (int fd, guint64 offset, gsize length)
{
  Undo *undo = add_undo (UNDO_WRITE, fd);

  undo->offset = offset;
  undo->length = length;
  undo->before = g_malloc0 (length);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int reader = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (syscall (SYS_pread64, reader, undo->before, length, offset), >=, 0);
  close (reader);
}

/* What was there before, from @from to @to within the write. */
static void
restore (const Undo *undo, gsize from, gsize to)
{
  if (from < to)
    syscall (SYS_pwrite64, undo->fd, undo->before + from, to - from, undo->offset + from);
}

/* Each piece of the write is there or is not. */
static void
tear (const Undo *undo, gsize piece)
{
  for (gsize done = 0; done < undo->length; done += piece)
    if (get_random () % 2 == 0)
      restore (undo, done, MIN (done + piece, undo->length));
}

static void
undo_write (const Undo *undo)
{
  gsize sectors = undo->length / SECTOR_OCTETS;
  gsize cut = sectors > 0 ? get_random () % (sectors + 1) * SECTOR_OCTETS : 0;

  switch (get_random () % 6)
    {
    case 0: /* it reached the disk by itself */
      break;
    case 1:
      restore (undo, 0, undo->length);
      break;
    case 2: /* its beginning did */
      restore (undo, cut, undo->length);
      break;
    case 3: /* its end did */
      restore (undo, 0, cut);
      break;
    case 4:
      tear (undo, PAGE_OCTETS);
      break;
    default:
      tear (undo, SECTOR_OCTETS);
    }
}

/* A directory is journaled: its changes are lost from the last one backwards.  Returns: whether
 * this one is */
static gboolean
undo_name (const Undo *undo)
{
  if (get_random () % 2 != 0)
    return FALSE;
  if (undo->kind == UNDO_RENAME)
    syscall (SYS_renameat, undo->fd, undo->from, undo->fd, undo->to);
  else
    syscall (SYS_unlinkat, undo->fd, undo->to, 0);
  return TRUE;
}

/* Undoes what concerns @inode, or everything when it is 0. */
static void
lose_unsynced (ino_t inode)
{
  gboolean may_rename = TRUE;

  for (guint i = faults.undos->len; i > 0; i--)
    {
      const Undo *undo = g_ptr_array_index (faults.undos, i - 1);
      if (inode != 0 && undo->inode != inode)
        continue;
      if (undo->kind == UNDO_WRITE)
        undo_write (undo);
      else if (undo->kind == UNDO_ALLOCATE && get_random () % 2 == 0)
        g_assert_cmpint (ftruncate (undo->fd, 0), ==, 0);
      else if (undo->kind == UNDO_RENAME || undo->kind == UNDO_CREATE)
        may_rename = may_rename && undo_name (undo);
    }
}

static void
forget_undos (int fd)
{
  struct stat status;

  g_assert_cmpint (fstat (fd, &status), ==, 0);
  for (guint i = faults.undos->len; i > 0; i--)
    {
      const Undo *undo = g_ptr_array_index (faults.undos, i - 1);
      if (undo->inode != status.st_ino)
        continue;
      if (undo->kind == UNDO_RENAME && g_str_has_prefix (undo->from, "unlinked-"))
        syscall (SYS_unlinkat, undo->fd, undo->from, 0);
      g_ptr_array_remove_index (faults.undos, i - 1);
    }
}

/* Counts a step, with the lock held.  Returns: whether the fault strikes now */
static gboolean
take_step (void)
{
  if (faults.fault == SPOOL_FAULT_NONE)
    return FALSE;
  gboolean strikes = ++faults.n_steps == faults.step;
  faults.has_struck = faults.has_struck || strikes;
  if (strikes && faults.fault == SPOOL_FAULT_POWER)
    {
      lose_unsynced (0);
      _exit (SPOOL_FAULT_EXIT_STATUS);
    }
  return strikes;
}

static gboolean
is_full (void)
{
  return faults.fault == SPOOL_FAULT_FULL && faults.has_struck;
}

static gssize
write_vectors (int fd, const struct iovec *vectors, int n, off_t offset)
{
  gsize length = 0;

  for (int i = 0; i < n; i++)
    length += vectors[i].iov_len;
  g_mutex_lock (&faults.lock);
  gboolean strikes = take_step ();
  if (is_full ())
    {
      g_mutex_unlock (&faults.lock);
      errno = ENOSPC;
      return -1;
    }
  if (faults.fault == SPOOL_FAULT_WRITE && faults.has_struck && faults.n_steps <= faults.step + 2)
    {
      g_mutex_unlock (&faults.lock);
      errno = EIO;
      return -1;
    }
  if (faults.fault != SPOOL_FAULT_NONE)
    add_write (fd, (guint64) offset, length);
  gboolean is_short = faults.fault == SPOOL_FAULT_SHORT_WRITE && strikes;
  gboolean is_after = faults.fault == SPOOL_FAULT_SHORT_WRITE && faults.has_struck &&
                      faults.n_steps == faults.step + 1;
  g_mutex_unlock (&faults.lock);
  if (is_after)
    {
      errno = ENOSPC;
      return -1;
    }
  if (!is_short)
    return syscall (SYS_pwritev, fd, vectors, n, (long) offset, (long) 0);

  g_autofree guint8 *octets = g_malloc (length);
  gsize filled = 0;
  for (int i = 0; i < n; filled += vectors[i++].iov_len)
    memcpy (octets + filled, vectors[i].iov_base, vectors[i].iov_len);
  return syscall (SYS_pwrite64, fd, octets, length / 2, offset);
}

ssize_t
pwritev (int fd, const struct iovec *vectors, int n, off_t offset)
{
  return write_vectors (fd, vectors, n, offset);
}

ssize_t
pwrite (int fd, const void *octets, size_t length, off_t offset)
{
  struct iovec vector = { (void *) octets, length };
  return write_vectors (fd, &vector, 1, offset);
}

/* What the script has for this sync.  Returns: FALSE, it fails */
static gboolean
play_sync (int fd)
{
  struct stat status;
  gint wait_ms = 0;

  g_mutex_lock (&faults.lock);
  if (faults.n_waits > 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    {
      wait_ms = *faults.waits_ms++;
      faults.n_waits--;
    }
  g_mutex_unlock (&faults.lock);
  if (wait_ms > 0)
    g_usleep ((gulong) wait_ms * 1000);
  return wait_ms >= 0;
}

/* Of a directory, with the lock held: the first one once the fault has struck. */
static gboolean
fails_in_directory (void)
{
  gboolean fails =
    faults.fault == SPOOL_FAULT_DIRECTORY_SYNC && faults.has_struck && !faults.is_over;

  faults.is_over = faults.is_over || fails;
  return fails;
}

static int
sync_file (int fd, long number)
{
  struct stat status;
  int result = 0;

  if (!play_sync (fd))
    {
      errno = EIO;
      return -1;
    }
  g_mutex_lock (&faults.lock);
  take_step ();
  gboolean fails =
    faults.fault == SPOOL_FAULT_SYNC && faults.has_struck && faults.n_steps <= faults.step + 2;
  gboolean is_file = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
  if (!is_file && fails_in_directory ())
    {
      errno = EIO;
      result = -1;
    }
  else if (fails && is_file)
    {
      lose_unsynced (status.st_ino);
      forget_undos (fd);
      errno = EIO;
      result = -1;
    }
  else
    {
      if (faults.fault != SPOOL_FAULT_NONE)
        forget_undos (fd);
      /* The kernel's own sync adds nothing to this disk but time. */
      if (faults.fault == SPOOL_FAULT_NONE)
        result = (int) syscall (number, fd);
    }
  g_mutex_unlock (&faults.lock);
  return result;
}

int
fdatasync (int fd)
{
  return sync_file (fd, SYS_fdatasync);
}

int
fsync (int fd)
{
  return sync_file (fd, SYS_fsync);
}

int
fallocate (int fd, int mode, off_t offset, off_t length)
{
  g_mutex_lock (&faults.lock);
  take_step ();
  gboolean fails = is_full () || (faults.fault == SPOOL_FAULT_NO_ROOM && faults.has_struck);
  if (faults.fault != SPOOL_FAULT_NONE && !fails)
    add_undo (UNDO_ALLOCATE, fd);
  g_mutex_unlock (&faults.lock);
  if (!fails)
    return (int) syscall (SYS_fallocate, fd, mode, (long) offset, (long) length);
  errno = ENOSPC;
  return -1;
}

/* What unsynced changes of names need to go back. */
static void
add_rename (int dir_fd, const char *now, const char *before)
{
  Undo *undo = add_undo (UNDO_RENAME, dir_fd);

  undo->from = g_strdup (now);
  undo->to = g_strdup (before);
}

int
renameat (int from_dir, const char *from, int to_dir, const char *to)
{
  g_mutex_lock (&faults.lock);
  take_step ();
  int result = (int) syscall (SYS_renameat, from_dir, from, to_dir, to);
  if (faults.fault != SPOOL_FAULT_NONE && result == 0)
    add_rename (to_dir, to, from);
  g_mutex_unlock (&faults.lock);
  return result;
}

int
unlinkat (int dir_fd, const char *name, int flags)
{
  g_mutex_lock (&faults.lock);
  take_step ();
  int result;
  if (faults.fault == SPOOL_FAULT_NONE)
    result = (int) syscall (SYS_unlinkat, dir_fd, name, flags);
  else
    {
      /* Kept under another name until the directory is synced. */
      g_autofree char *kept = g_strdup_printf ("unlinked-%u", faults.n_moved++);
      result = (int) syscall (SYS_renameat, dir_fd, name, dir_fd, kept);
      if (result == 0)
        add_rename (dir_fd, kept, name);
    }
  g_mutex_unlock (&faults.lock);
  return result;
}

static gboolean
is_there (int dir_fd, const char *name)
{
  struct stat status;

  return fstatat (dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

int
openat (int dir_fd, const char *name, int flags, ...)
{
  va_list arguments;
  struct stat status;

  va_start (arguments, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg (arguments, mode_t) : 0;
  va_end (arguments);
  g_mutex_lock (&faults.lock);
  if (faults.refused_mode == (flags & O_ACCMODE) && g_str_has_prefix (name, "journal-"))
    {
      g_mutex_unlock (&faults.lock);
      errno = EMFILE;
      return -1;
    }
  gboolean creates =
    faults.fault != SPOOL_FAULT_NONE && (flags & O_CREAT) != 0 && !is_there (dir_fd, name);
  if (creates)
    take_step ();
  int fd = (int) syscall (SYS_openat, dir_fd, name, flags, mode);
  if (creates && fd >= 0 && fstat (fd, &status) == 0)
    {
      Undo *undo = add_undo (UNDO_CREATE, dir_fd);
      undo->to = g_strdup (name);
      undo->created = status.st_ino;
    }
  g_mutex_unlock (&faults.lock);
  return fd;
}

/* Whether the file was created since its directory was synced. */
static gboolean
is_new (int fd)
{
  struct stat status;
  gboolean found = FALSE;

  if (faults.undos == NULL || fstat (fd, &status) != 0)
    return FALSE;
  for (guint i = 0; i < faults.undos->len && !found; i++)
    found = ((const Undo *) g_ptr_array_index (faults.undos, i))->created == status.st_ino;
  return found;
}

/* The small files of the spool; what the test itself prints is none of the disk's business. */
ssize_t
write (int fd, const void *octets, size_t length)
{
  g_mutex_lock (&faults.lock);
  if (faults.fault != SPOOL_FAULT_NONE && is_new (fd))
    {
      take_step ();
      add_write (fd, (guint64) lseek (fd, 0, SEEK_CUR), length);
    }
  g_mutex_unlock (&faults.lock);
  return syscall (SYS_write, fd, octets, length);
}
