/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * read-ahead.c - the segments of a journal, one after the other, each read while the one before it
 * is looked at
 *
 * A segment is a system call's worth of copying and a page fault's worth of room, which a start
 * with a long queue would wait for; a second processor does it meanwhile.
 */

#include "config.h"

#include "service/relay/spool/read-ahead.h"

#include "common/error.h"
#include "service/relay/spool/segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_IMAGES 2

typedef struct
{
  RerouteSegmentImage image;
  gsize room;
} Buffer;

struct _RerouteReadAhead
{
  int dir_fd;
  const GPtrArray *segments;
  gboolean sync;
  Buffer buffers[N_IMAGES]; /* by turns */
  GThread *thread;          /* NULL: there is one segment at most */

  GMutex lock; /* of what follows */
  GCond moved;
  guint n_read, n_released; /* segments; a buffer is used again when its segment was released */
  guint n_taken;
  gboolean stopping;
  GError *error;
};

static void
free_room (Buffer *self)
{
  if (self->image.octets != NULL)
    munmap (self->image.octets, self->room);
  self->image.octets = NULL;
  self->image.end = 0;
}

/* Reads what was ever written: of a segment that is merely reserved the rest is known to be zero.
 */
static void
read_written (Buffer *self, int fd, gsize size)
{
  gsize end = 0;

  g_array_set_size (self->image.unreadable, 0);
  while (end < size)
    {
      off_t start = lseek (fd, (off_t) end, SEEK_DATA);
      off_t hole = start >= 0 ? lseek (fd, start, SEEK_HOLE) : -1;
      if (start < 0 && errno == ENXIO)
        break;
      /* A file system that cannot tell has written everything. */
      gsize from = start >= 0 ? MIN ((gsize) start, size) : end;
      gsize to = hole > start ? MIN ((gsize) hole, size) : size;
      memset (self->image.octets + end, 0, from - end);
      reroute_segment_read (fd, self->image.octets + from, from, to - from, self->image.unreadable);
      end = to;
    }
  if (end < self->image.end)
    memset (self->image.octets + end, 0, self->image.end - end);
  self->image.end = end;
}

/* A buffer of zeros, of which only what is read costs memory; what was read stays until the next
   segment is. */
static gboolean
make_room (Buffer *self, gsize octets)
{
  if (self->image.octets != NULL && octets <= self->room)
    return TRUE;
  free_room (self);
  octets = MAX (octets, 1); /* an empty file is a segment too */
  self->image.octets =
    mmap (NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (self->image.octets == MAP_FAILED)
    self->image.octets = NULL;
  else
    madvise (self->image.octets, octets, MADV_HUGEPAGE);
  self->room = octets;
  return self->image.octets != NULL;
}

static gboolean
load (RerouteReadAhead *self, guint index, GError **error)
{
  const RerouteSegment *segment = g_ptr_array_index (self->segments, index);
  Buffer *buffer = &self->buffers[index % N_IMAGES];

  int fd = reroute_segment_open (self->dir_fd, segment->serial, error);
  if (fd < 0)
    return FALSE;
  if (!make_room (buffer, segment->size))
    {
      reroute_spool_set_error (error, ENOMEM, "read a spool segment");
      close (fd);
      return FALSE;
    }
  read_written (buffer, fd, segment->size);
  /* What is read now may be in memory only; the next batch will call it synced. */
  gboolean synced = !self->sync || fdatasync (fd) == 0;
  if (!synced)
    reroute_spool_set_error (error, errno, "sync a spool segment");
  close (fd);
  return synced;
}

/* FALSE: nobody wants segment @index any more. */
static gboolean
wait_for_buffer (RerouteReadAhead *self, guint index)
{
  g_mutex_lock (&self->lock);
  while (!self->stopping && index >= self->n_released + N_IMAGES)
    g_cond_wait (&self->moved, &self->lock);
  gboolean is_wanted = !self->stopping;
  g_mutex_unlock (&self->lock);
  return is_wanted;
}

static gpointer
read_all (gpointer data)
{
  RerouteReadAhead *self = data;
  gboolean is_read = TRUE;

  for (guint i = 0; i < self->segments->len && is_read && wait_for_buffer (self, i); i++)
    {
      g_autoptr (GError) error = NULL;
      is_read = load (self, i, &error);
      g_mutex_lock (&self->lock);
      self->n_read += is_read;
      self->error = g_steal_pointer (&error);
      g_cond_broadcast (&self->moved);
      g_mutex_unlock (&self->lock);
    }
  return NULL;
}

RerouteReadAhead *
reroute_read_ahead_new (int dir_fd, const GPtrArray *segments, gboolean sync)
{
  RerouteReadAhead *self = g_new0 (RerouteReadAhead, 1);

  self->dir_fd = dir_fd;
  self->segments = segments;
  self->sync = sync;
  for (guint i = 0; i < N_IMAGES; i++)
    self->buffers[i].image.unreadable = g_array_new (FALSE, FALSE, sizeof (RerouteUnreadable));
  g_mutex_init (&self->lock);
  g_cond_init (&self->moved);
  if (segments->len > 1)
    self->thread = g_thread_new ("read-ahead", read_all, self);
  return self;
}

const RerouteSegmentImage *
reroute_read_ahead_next (RerouteReadAhead *self, GError **error)
{
  if (self->thread == NULL)
    return load (self, self->n_taken++, error) ? &self->buffers[0].image : NULL;

  g_mutex_lock (&self->lock);
  self->n_released = self->n_taken;
  g_cond_broadcast (&self->moved);
  while (self->n_read == self->n_taken && self->error == NULL)
    g_cond_wait (&self->moved, &self->lock);
  gboolean is_read = self->n_read > self->n_taken;
  if (is_read)
    self->n_taken++;
  else
    g_propagate_error (error, g_steal_pointer (&self->error));
  g_mutex_unlock (&self->lock);
  return is_read ? &self->buffers[(self->n_taken - 1) % N_IMAGES].image : NULL;
}

void
reroute_read_ahead_free (RerouteReadAhead *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->moved);
  g_mutex_unlock (&self->lock);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  for (guint i = 0; i < N_IMAGES; i++)
    {
      free_room (&self->buffers[i]);
      g_array_unref (self->buffers[i].image.unreadable);
    }
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->moved);
  g_free (self);
}
