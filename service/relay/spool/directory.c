/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * directory.c - the spool's directory: whose it is, the lock, the token
 */

#include "config.h"

#include "service/relay/spool/directory.h"

#include "common/error.h"
#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_NAME "token"
#define TOKEN_NEW_NAME "token.new"
#define TOKEN_DIGITS 16

static gboolean
fail (GError **error, const char *path, const char *why)
{
  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL, "spool directory “%s” %s", path, why);
  return FALSE;
}

/* Whoever may write in a directory may put another one in place of what is in it. */
static gboolean
check_parent (const char *path, const char *parent, GError **error)
{
  struct stat status;
  g_autofree char *why = NULL;

  if (stat (parent, &status) != 0)
    why = g_strdup_printf ("has a parent “%s” that cannot be read: %s", parent, g_strerror (errno));
  else if (status.st_uid != 0 && status.st_uid != geteuid ())
    why = g_strdup_printf ("lies below “%s”, which belongs to neither root nor the relay's user",
                           parent);
  else if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
    why = g_strdup_printf ("lies below “%s”, where everyone may write", parent);
  return why == NULL || fail (error, path, why);
}

static gboolean
check_parents (const char *path, GError **error)
{
  g_autofree char *real = realpath (path, NULL);

  if (real == NULL)
    return fail (error, path, g_strerror (errno));
  for (char *slash = strrchr (real, '/'); slash != NULL; slash = strrchr (real, '/'))
    {
      *slash = '\0';
      if (!check_parent (path, *real != '\0' ? real : "/", error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_directory (int fd, const char *path, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return fail (error, path, g_strerror (errno));
  if (status.st_uid != geteuid ())
    {
      g_autofree char *why =
        g_strdup_printf ("belongs to user %u, it must belong to the relay's user, %u: change its "
                         "owner, or the user of the unit (User=)",
                         (guint) status.st_uid,
                         (guint) geteuid ());
      return fail (error, path, why);
    }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail (error, path, "may be written by others, it must be writable by its owner alone");
  if (faccessat (fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
    return fail (error,
                 path,
                 errno == EROFS
                   ? "is read-only for the relay: let its unit write there (StateDirectory= or "
                     "ReadWritePaths=)"
                   : "is not writable for the relay's user");
  return check_parents (path, error);
}

int
reroute_spool_directory_open (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    {
      if (errno == ENOENT)
        fail (error, path, "does not exist, create it for the relay's user");
      else if (errno == ENOTDIR)
        fail (error, path, "is not a directory");
      else
        fail (error, path, g_strerror (errno));
      return -1;
    }
  if (check_directory (fd, path, error))
    return fd;
  close (fd);
  return -1;
}

/* @held: what is said when another process holds it */
static gboolean
lock (int dir_fd, int operation, const char *path, const char *held, GError **error)
{
  if (flock (dir_fd, operation | LOCK_NB) == 0)
    return TRUE;
  return fail (error, path, errno == EWOULDBLOCK ? held : g_strerror (errno));
}

gboolean
reroute_spool_directory_lock (int dir_fd, const char *path, GError **error)
{
  return lock (dir_fd,
               LOCK_EX,
               path,
               "is in use by another relay, or “reroute-relayd --check” reads it",
               error);
}

gboolean
reroute_spool_directory_lock_shared (int dir_fd, const char *path, GError **error)
{
  return lock (dir_fd, LOCK_SH, path, "is in use by a relay: stop it, then check", error);
}

/* FALSE with errno set: some may be missing. */
static gboolean
add_names (GPtrArray *names, DIR *dir, const char *prefix)
{
  const struct dirent *file;

  for (errno = 0; (file = readdir (dir)) != NULL; errno = 0)
    if (g_str_has_prefix (file->d_name, prefix))
      g_ptr_array_add (names, g_strdup (file->d_name));
  return errno == 0;
}

GPtrArray *
reroute_spool_directory_list (int dir_fd, const char *prefix, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd = openat (dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;

  if (dir == NULL)
    {
      reroute_spool_set_error (error, errno, "list the spool directory");
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  gboolean is_whole = add_names (names, dir, prefix);
  if (!is_whole)
    reroute_spool_set_error (error, errno, "list the spool directory");
  closedir (dir);
  return is_whole ? g_steal_pointer (&names) : NULL;
}

gboolean
reroute_spool_directory_has_damaged (int dir_fd)
{
  g_autoptr (GPtrArray) names = reroute_spool_directory_list (dir_fd, REROUTE_SPOOL_DAMAGED, NULL);

  return names != NULL && names->len > 0;
}

guint64
reroute_spool_random (void)
{
  guint64 value;

  while (getrandom (&value, sizeof value, 0) != sizeof value)
    ;
  return value;
}

static gboolean
write_fully (int fd, const guint8 *octets, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, octets, length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      octets += n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
reroute_spool_directory_write (
  int dir_fd, const char *name, const void *octets, gsize length, GError **error)
{
  int fd = openat (dir_fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    {
      reroute_spool_set_error (error, errno, "create a file in the spool");
      return FALSE;
    }
  gboolean done = write_fully (fd, octets, length) && fsync (fd) == 0;
  if (!done)
    {
      reroute_spool_set_error (error, errno, "write a file in the spool");
      unlinkat (dir_fd, name, 0);
    }
  close (fd);
  return done && reroute_sync_directory (dir_fd, error);
}

/* NULL when there is none, or none that is ours and whole. */
static char *
read_token (int dir_fd)
{
  char digits[TOKEN_DIGITS + 1] = "";
  struct stat status;

  int fd = openat (dir_fd, TOKEN_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return NULL;
  gboolean good = fstat (fd, &status) == 0 && S_ISREG (status.st_mode) &&
                  status.st_uid == geteuid () && read (fd, digits, TOKEN_DIGITS) == TOKEN_DIGITS;
  close (fd);
  good = good && strspn (digits, "0123456789abcdef") == TOKEN_DIGITS;
  return good ? g_strdup (digits) : NULL;
}

char *
reroute_spool_directory_get_token (int dir_fd, GError **error)
{
  char *kept = read_token (dir_fd);

  if (kept != NULL)
    return kept;
  g_autofree char *token = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", reroute_spool_random ());
  if (!reroute_spool_directory_write (dir_fd, TOKEN_NEW_NAME, token, TOKEN_DIGITS, error))
    return NULL;
  REROUTE_FAULT_POINT ("token-written");
  if (renameat (dir_fd, TOKEN_NEW_NAME, dir_fd, TOKEN_NAME) != 0)
    {
      reroute_spool_set_error (error, errno, "keep the token of the spool");
      return NULL;
    }
  return reroute_sync_directory (dir_fd, error) ? g_steal_pointer (&token) : NULL;
}
