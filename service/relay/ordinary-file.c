/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ordinary-file.c - files that an administrator names, read without waiting for anybody
 *
 * A file that is none, such as a pipe, would hold up who reads it: only ordinary ones of a bounded
 * size are read.
 */

#include "config.h"

#include "service/relay/ordinary-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_OCTETS_MOST (1024 * 1024)
#define NO_ORDINARY_FILE "it is no ordinary file"

void
reroute_file_text_free (RerouteFileText *self)
{
  if (self != NULL)
    explicit_bzero (self, strlen (self));
  g_free (self);
}

static gboolean
read_all (int fd, char *text, gsize size)
{
  gsize n_read = 0;

  while (n_read < size)
    {
      ssize_t n = read (fd, text + n_read, size - n_read);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      n_read += (gsize) n;
    }
  return TRUE;
}

static RerouteFileText *
read_open_file (int fd, const char **why)
{
  struct stat status;
  g_autoptr (RerouteFileText) text = NULL;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    {
      *why = NO_ORDINARY_FILE;
      return NULL;
    }
  if (status.st_size > FILE_OCTETS_MOST)
    {
      *why = "it is too large for one";
      return NULL;
    }
  text = g_malloc0 ((gsize) status.st_size + 1);
  if (read_all (fd, text, (gsize) status.st_size))
    return g_steal_pointer (&text);
  *why = "it cannot be read to its end";
  return NULL;
}

RerouteFileText *
reroute_ordinary_file_read (const char *file, const char **why)
{
  g_return_val_if_fail (file != NULL && why != NULL, NULL);

  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  RerouteFileText *text;

  if (fd < 0)
    {
      *why = g_strerror (errno);
      return NULL;
    }
  text = read_open_file (fd, why);
  close (fd);
  return text;
}

gboolean
reroute_ordinary_file_check (const char *file, const char **why)
{
  g_return_val_if_fail (file != NULL && why != NULL, FALSE);

  struct stat status;

  if (stat (file, &status) != 0)
    *why = g_strerror (errno);
  else if (!S_ISREG (status.st_mode))
    *why = NO_ORDINARY_FILE;
  else
    return TRUE;
  return FALSE;
}
