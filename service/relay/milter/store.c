/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store.c - the body of a message while milters look at it
 *
 * It never outlives the session, so the file has no name and is not synced.
 */

#include "config.h"

#include "service/relay/milter/store.h"

#include "common/error.h"
#include "common/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Octets in the memory of all stores; atomic. */
static gsize all_in_memory;

struct _RerouteMilterStore
{
  int dir_fd;
  int fd;             /* -1: all is in memory */
  GByteArray *memory; /* before there is a file */
  gsize size;
};

/* Whether one may have so many octets in memory. */
static gboolean
fits_in_memory (gsize octets)
{
  gsize all = __atomic_load_n (&all_in_memory, __ATOMIC_RELAXED);

  return octets <= (all > REROUTE_LIMIT_MEMORY_MILTERS_OCTETS ? REROUTE_LIMIT_PART_LEAST_OCTETS
                                                              : REROUTE_LIMIT_PART_OCTETS);
}

static void
append_to_memory (RerouteMilterStore *self, const guint8 *octets, gsize length)
{
  g_byte_array_append (self->memory, octets, (guint) length);
  __atomic_add_fetch (&all_in_memory, length, __ATOMIC_RELAXED);
}

static void
drop_memory (RerouteMilterStore *self)
{
  __atomic_sub_fetch (&all_in_memory, self->memory->len, __ATOMIC_RELAXED);
  g_byte_array_unref (self->memory);
}

RerouteMilterStore *
reroute_milter_store_new (int dir_fd)
{
  RerouteMilterStore *self = g_new0 (RerouteMilterStore, 1);

  self->dir_fd = dir_fd;
  self->fd = -1;
  self->memory = g_byte_array_new ();
  return self;
}

void
reroute_milter_store_free (RerouteMilterStore *self)
{
  g_return_if_fail (self != NULL);

  if (self->fd >= 0)
    close (self->fd);
  drop_memory (self);
  g_free (self);
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_SPOOL,
               "cannot %s a file for milters: %s",
               what,
               g_strerror (errno));
  return FALSE;
}

static gboolean
write_all (RerouteMilterStore *self, const guint8 *octets, gsize length, GError **error)
{
  while (length > 0)
    {
      gssize n = write (self->fd, octets, length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fail (error, "write");
      octets += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
begin_file (RerouteMilterStore *self, GError **error)
{
  self->fd = openat (self->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (self->fd < 0)
    return fail (error, "make");
  if (!write_all (self, self->memory->data, self->memory->len, error))
    return FALSE;
  drop_memory (self);
  self->memory = g_byte_array_new ();
  return TRUE;
}

gboolean
reroute_milter_store_append (RerouteMilterStore *self,
                             const guint8 *octets,
                             gsize length,
                             GError **error)
{
  g_return_val_if_fail (self != NULL && (octets != NULL || length == 0), FALSE);

  if (self->fd < 0 && !fits_in_memory (self->size + length) && !begin_file (self, error))
    return FALSE;
  if (self->fd < 0)
    append_to_memory (self, octets, length);
  else if (!write_all (self, octets, length, error))
    return FALSE;
  self->size += length;
  return TRUE;
}

gsize
reroute_milter_store_get_size (const RerouteMilterStore *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->size;
}

gboolean
reroute_milter_store_read (
  const RerouteMilterStore *self, gsize offset, gsize most, GByteArray *out, GError **error)
{
  g_return_val_if_fail (self != NULL && offset <= self->size && out != NULL, FALSE);

  gsize left = MIN (most, self->size - offset);
  if (left == 0)
    return TRUE;
  if (self->fd < 0)
    {
      g_byte_array_append (out, self->memory->data + offset, (guint) left);
      return TRUE;
    }
  guint begin = out->len;
  g_byte_array_set_size (out, begin + (guint) left);
  while (left > 0)
    {
      gssize n = pread (self->fd, out->data + out->len - left, left, (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n == 0)
        errno = EIO;
      if (n <= 0)
        {
          g_byte_array_set_size (out, begin);
          return fail (error, "read");
        }
      offset += (gsize) n;
      left -= (gsize) n;
    }
  return TRUE;
}
