/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * private-file.c - small files in the spool's directory that are for nobody's eyes but ours
 */

#include "config.h"

#include "service/relay/spool/private-file.h"

#include "common/error.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (GError **error, RerouteError code, const char *name, const char *why)
{
  g_set_error (error, REROUTE_ERROR, code, "file “%s” of the spool %s", name, why);
  return FALSE;
}

static gboolean
check (int fd, const char *name, gsize most, gsize *octets, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return fail (error, REROUTE_ERROR_SPOOL, name, g_strerror (errno));
  if (!S_ISREG (status.st_mode) || status.st_uid != geteuid () ||
      (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail (
      error, REROUTE_ERROR_FAILED, name, "must be a file of the relay's user, with mode 0600");
  if ((guint64) status.st_size > most)
    return fail (error, REROUTE_ERROR_FAILED, name, "is too long");
  *octets = (gsize) status.st_size;
  return TRUE;
}

static gboolean
read_fully (int fd, char *text, gsize length)
{
  while (length > 0)
    {
      gssize n = read (fd, text, length);

      if (n == 0)
        return TRUE;
      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        {
          text += n;
          length -= (gsize) n;
        }
    }
  return TRUE;
}

GBytes *
reroute_private_file_read (int dir_fd, const char *name, gsize most, GError **error)
{
  GBytes *content = NULL;
  gsize octets;
  int fd = openat (dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0 && errno == ENOENT)
    return g_bytes_new (NULL, 0);
  if (fd < 0)
    {
      gboolean is_fit = errno != ELOOP && errno != ENXIO; /* a link, a socket */
      fail (error, is_fit ? REROUTE_ERROR_SPOOL : REROUTE_ERROR_FAILED, name, g_strerror (errno));
      return NULL;
    }
  if (check (fd, name, most, &octets, error))
    {
      g_autofree char *text = g_malloc0 (octets);
      if (read_fully (fd, text, octets))
        content = g_bytes_new_take (g_steal_pointer (&text), octets);
      else
        fail (error, REROUTE_ERROR_SPOOL, name, g_strerror (errno));
    }
  close (fd);
  return content;
}

gboolean
reroute_private_file_write (
  int dir_fd, const char *name, const void *octets, gsize length, GError **error)
{
  g_autofree char *new_name = g_strconcat (name, ".new", NULL);

  if (!reroute_spool_directory_write (dir_fd, new_name, octets, length, error))
    return FALSE;
  if (renameat (dir_fd, new_name, dir_fd, name) != 0)
    {
      g_autofree char *what = g_strdup_printf ("keep the file “%s”", name);

      reroute_spool_set_error (error, errno, what);
      return FALSE;
    }
  return reroute_sync_directory (dir_fd, error);
}
