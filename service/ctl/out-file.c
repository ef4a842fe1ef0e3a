/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * out-file.c - a file that is written whole or not at all
 */

#include "config.h"

#include "service/ctl/out-file.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (const RerouteOutFile *self, GError **error)
{
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_FAILED,
    /* Translators: the name of a file; what the system says */
    _ ("cannot write “%s”: %s"), self->name != NULL ? self->name : "-", g_strerror (errno));
  return FALSE;
}

static gboolean
refuse_existing (const RerouteOutFile *self, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_FAILED,
               /* Translators: the name of a file */
               _ ("“%s” is there already: name another file, or say --force to replace it"),
                  self->name);
  return FALSE;
}

/* What one that broke off left under that name is used again: unless it is somebody else's, or
   another one has given it its own name meanwhile. */
static gboolean
take_part (const RerouteOutFile *self)
{
  struct stat mine, named;

  if (flock (self->fd, LOCK_EX | LOCK_NB) != 0 || fstat (self->fd, &mine) != 0 ||
      lstat (self->part, &named) != 0)
    return FALSE;
  if (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev || mine.st_uid != geteuid ())
    {
      errno = EEXIST;
      return FALSE;
    }
  return fchmod (self->fd, 0600) == 0 && ftruncate (self->fd, 0) == 0;
}

/* Owner and mode are those of what had the name, else as for any new file. */
static gboolean
share_part (const RerouteOutFile *self)
{
  mode_t mask = umask (0);
  struct stat before;

  umask (mask);
  if (stat (self->path, &before) != 0)
    return fchmod (self->fd, 0666 & ~mask) == 0;
  /* Only root may give a file away; to others it stays their own. */
  if (geteuid () == 0 && fchown (self->fd, before.st_uid, before.st_gid) != 0)
    return FALSE;
  return fchmod (self->fd, before.st_mode & 0777) == 0;
}

static gboolean
open_part (RerouteOutFile *self, GError **error)
{
  self->part = g_strconcat (self->path, ".part", NULL);
  self->fd = open (self->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
  if (self->fd >= 0 && take_part (self))
    return TRUE;
  fail (self, error);
  g_clear_pointer (&self->part, g_free);
  return FALSE;
}

gboolean
reroute_out_file_open (RerouteOutFile *self, GError **error)
{
  gboolean exists = self->name != NULL && g_file_test (self->name, G_FILE_TEST_EXISTS);
  gboolean is_file = exists && g_file_test (self->name, G_FILE_TEST_IS_REGULAR);

  self->fd = STDOUT_FILENO;
  if (self->name == NULL)
    return TRUE;
  self->fd = -1;
  if (exists && !self->replaces)
    return refuse_existing (self, error);
  if (exists && !is_file && self->secret)
    {
      /* A device would lose its name to it. */
      errno = EEXIST;
      return fail (self, error);
    }
  if (exists && !is_file)
    {
      self->fd = open (self->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
      return self->fd >= 0 || fail (self, error);
    }
  /* A link that somebody else has laid is no way to a secret. */
  self->path = is_file && !self->secret ? realpath (self->name, NULL) : g_strdup (self->name);
  return self->path != NULL ? open_part (self, error) : fail (self, error);
}

gboolean
reroute_out_file_write (RerouteOutFile *self, gconstpointer data, gsize n_octets, GError **error)
{
  const char *octets = data;

  for (gsize done = 0; done < n_octets;)
    {
      gssize n = write (self->fd, octets + done, n_octets - done);

      if (n < 0)
        return fail (self, error);
      done += (gsize) n;
    }
  return TRUE;
}

/* Not every file system can keep a name from being replaced at once. */
static int
rename_part (RerouteOutFile *self)
{
  int result =
    renameat2 (AT_FDCWD, self->part, AT_FDCWD, self->path, self->replaces ? 0 : RENAME_NOREPLACE);

  if (result != 0 && errno == EINVAL)
    result = rename (self->part, self->path);
  return result;
}

/* The new name is on the disk, too; but of a folder that may be written and not read. */
static gboolean
sync_folder (const char *name)
{
  g_autofree char *folder = g_path_get_dirname (name);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = fd >= 0 ? fsync (fd) == 0 : errno == EACCES;

  if (fd >= 0)
    close (fd);
  return synced;
}

gboolean
reroute_out_file_finish (RerouteOutFile *self, GError **error)
{
  if (self->part == NULL)
    return TRUE;
  if ((!self->secret && !share_part (self)) || fsync (self->fd) != 0)
    return fail (self, error);
  if (rename_part (self) != 0)
    return errno == EEXIST ? refuse_existing (self, error) : fail (self, error);
  g_clear_pointer (&self->part, g_free);
  return sync_folder (self->path) || fail (self, error);
}

void
reroute_out_file_close (RerouteOutFile *self)
{
  if (self->part != NULL)
    g_unlink (self->part);
  if (self->name != NULL && self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_clear_pointer (&self->part, g_free);
  g_clear_pointer (&self->path, g_free);
}
