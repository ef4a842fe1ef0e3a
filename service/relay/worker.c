/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * worker.c - a thread whose sockets stand in one epoll descriptor
 *
 * One turn: events of descriptors with the posted functions among them, then of those that yield,
 * what is to be sent, timers that are due, and what was deferred to the end, with what is to be
 * sent then.  The eventfd is edge-triggered and never read.
 *
 * epoll_wait() is called by the thread itself: a GMainContext around it costs a poll() a turn.
 */

#include "config.h"

#include "service/relay/worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Descriptors and timers looked at in one turn; the rest have theirs in the next. */
#define EVENTS_PER_TURN 64
#define TIMERS_PER_TURN 256
#define ROUNDS_PER_TURN 8 /* of what is asked for while a turn ends */

typedef struct
{
  RerouteWorkerFunc func;
  gpointer user_data;
} Call;

struct _RerouteWorker
{
  guint number;
  GThread *thread;
  gboolean quitting;
  int epoll_fd;
  RerouteIo yielding; /* the epoll set of those that yield, in the first */
  gboolean new_work;  /* one of them has an event */
  gboolean paused;
  RerouteIo wake; /* the eventfd */
  RerouteTallies tallies;

  gint64 turn_now_us;         /* 0 between turns */
  struct epoll_event *events; /* of this turn; an io that is removed is taken out */
  int n_events;
  GPtrArray *timers; /* (element-type RerouteTimer): a binary heap, the earliest first */
  GArray *deferred;  /* (element-type Call) */
  GQueue flushes;    /* of RerouteFlush; links are in them */

  GMutex lock;
  GArray *posted;     /* (element-type Call); under lock */
  gboolean signalled; /* the eventfd was written since posted was last taken; under lock */
};

/* The worker whose thread this is. */
static __thread RerouteWorker *current;

/* --- the heap of timers --- */

static RerouteTimer *
timer_at (RerouteWorker *self, gsize index)
{
  return self->timers->pdata[index];
}

static void
place_timer (RerouteWorker *self, RerouteTimer *timer, gsize index)
{
  self->timers->pdata[index] = timer;
  timer->heap_index = index;
}

static void
sift_up (RerouteWorker *self, RerouteTimer *timer, gsize index)
{
  while (index > 0 && timer_at (self, (index - 1) / 2)->due_us > timer->due_us)
    {
      place_timer (self, timer_at (self, (index - 1) / 2), index);
      index = (index - 1) / 2;
    }
  place_timer (self, timer, index);
}

static void
sift_down (RerouteWorker *self, RerouteTimer *timer, gsize index)
{
  gsize n = self->timers->len;
  gsize child;

  while ((child = 2 * index + 1) < n)
    {
      if (child + 1 < n && timer_at (self, child + 1)->due_us < timer_at (self, child)->due_us)
        child++;
      if (timer_at (self, child)->due_us >= timer->due_us)
        break;
      place_timer (self, timer_at (self, child), index);
      index = child;
    }
  place_timer (self, timer, index);
}

void
reroute_worker_disarm_timer (RerouteWorker *self, RerouteTimer *timer)
{
  gsize index = timer->heap_index;
  RerouteTimer *last;

  if (timer->due_us == 0)
    return;
  timer->due_us = 0;
  last = timer_at (self, self->timers->len - 1);
  g_ptr_array_set_size (self->timers, (int) self->timers->len - 1);
  if (last == timer)
    return;
  if (index > 0 && timer_at (self, (index - 1) / 2)->due_us > last->due_us)
    sift_up (self, last, index);
  else
    sift_down (self, last, index);
}

void
reroute_worker_arm_timer (RerouteWorker *self, RerouteTimer *timer, gint64 due_us)
{
  g_return_if_fail (timer->func != NULL && due_us > 0);

  reroute_worker_disarm_timer (self, timer);
  timer->due_us = due_us;
  g_ptr_array_add (self->timers, timer);
  sift_up (self, timer, self->timers->len - 1);
}

static void
run_timers (RerouteWorker *self)
{
  gint64 now_us = self->turn_now_us;

  for (guint n = 0;
       n < TIMERS_PER_TURN && self->timers->len > 0 && timer_at (self, 0)->due_us <= now_us;
       n++)
    {
      RerouteTimer *timer = timer_at (self, 0);

      reroute_worker_disarm_timer (self, timer);
      timer->func (timer);
    }
}

/* --- calls --- */

static void
run_calls (RerouteWorker *self, GArray *calls)
{
  for (guint i = 0; i < calls->len; i++)
    {
      Call call = g_array_index (calls, Call, i);

      call.func (self, call.user_data);
    }
  g_array_set_size (calls, 0);
}

static gboolean
run_posted (RerouteWorker *self)
{
  g_autoptr (GArray) calls = NULL;

  g_mutex_lock (&self->lock);
  if (self->posted->len > 0)
    {
      calls = self->posted;
      self->posted = g_array_new (FALSE, FALSE, sizeof (Call));
    }
  self->signalled = FALSE;
  g_mutex_unlock (&self->lock);
  if (calls == NULL)
    return FALSE;
  run_calls (self, calls);
  return TRUE;
}

static void
run_flushes (RerouteWorker *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->flushes)) != NULL)
    {
      RerouteFlush *flush = g_steal_pointer (&link->data);

      flush->func (flush);
    }
}

/* What these functions ask for again runs too, some of it in the next turn: who has always more to
   do keeps nobody else waiting. */
static void
end_turn (RerouteWorker *self)
{
  run_flushes (self);
  for (guint n = 0; n < ROUNDS_PER_TURN && self->deferred->len > 0; n++)
    {
      g_autoptr (GArray) calls = self->deferred;

      self->deferred = g_array_new (FALSE, FALSE, sizeof (Call));
      run_calls (self, calls);
      run_flushes (self);
    }
}

void
reroute_worker_flush_later (RerouteWorker *self, RerouteFlush *flush)
{
  g_return_if_fail (flush->func != NULL);

  if (reroute_flush_is_pending (flush))
    return;
  flush->link.data = flush;
  g_queue_push_tail_link (&self->flushes, &flush->link);
}

void
reroute_worker_forget_flush (RerouteWorker *self, RerouteFlush *flush)
{
  if (!reroute_flush_is_pending (flush))
    return;
  flush->link.data = NULL;
  g_queue_unlink (&self->flushes, &flush->link);
}

void
reroute_worker_post (RerouteWorker *self, RerouteWorkerFunc func, gpointer user_data)
{
  Call call = { func, user_data };
  const guint64 one = 1;
  gboolean signalled;

  if (current == self)
    {
      g_array_append_val (self->deferred, call);
      return;
    }
  g_mutex_lock (&self->lock);
  g_array_append_val (self->posted, call);
  signalled = self->signalled;
  self->signalled = TRUE;
  g_mutex_unlock (&self->lock);
  if (!signalled && write (self->wake.fd, &one, sizeof one) < 0)
    g_critical ("cannot wake worker %u: %s", self->number, g_strerror (errno));
}

void
reroute_worker_defer (RerouteWorker *self, RerouteWorkerFunc func, gpointer user_data)
{
  Call call = { func, user_data };

  g_array_append_val (self->deferred, call);
}

static void
woken (RerouteIo *io, guint32 epoll_events)
{
  run_posted ((RerouteWorker *) ((char *) io - G_STRUCT_OFFSET (RerouteWorker, wake)));
}

/* --- a turn --- */

/* How long nothing is to be done, in milliseconds; -1: until something happens. */
static int
find_wait_ms (RerouteWorker *self)
{
  gint64 wait_us;

  if (self->deferred->len > 0)
    return 0;
  if (self->timers->len == 0)
    return -1;
  wait_us = timer_at (self, 0)->due_us - g_get_monotonic_time ();
  return (int) CLAMP ((wait_us + 999) / 1000, 0, G_MAXINT);
}

static void
run_events (RerouteWorker *self, int epoll_fd, int wait_ms)
{
  struct epoll_event events[EVENTS_PER_TURN];
  int n = epoll_wait (epoll_fd, events, EVENTS_PER_TURN, wait_ms);

  self->turn_now_us = g_get_monotonic_time ();
  self->events = events;
  self->n_events = MAX (n, 0);
  for (int i = 0; i < self->n_events; i++)
    {
      RerouteIo *io = events[i].data.ptr;

      if (io != NULL)
        io->func (io, events[i].events);
    }
  self->events = NULL;
  self->n_events = 0;
}

static void
note_new_work (RerouteIo *io, guint32 epoll_events)
{
  ((RerouteWorker *) ((char *) io - G_STRUCT_OFFSET (RerouteWorker, yielding)))->new_work = TRUE;
}

static void
run_turn (RerouteWorker *self)
{
  run_events (self, self->epoll_fd, find_wait_ms (self));
  if (self->new_work && !self->paused)
    run_events (self, self->yielding.fd, 0);
  self->new_work = FALSE;
  run_flushes (self); /* what is under way is no reason for a time limit */
  run_timers (self);
  end_turn (self);
  self->turn_now_us = 0;
}

/* --- public --- */

RerouteWorker *
reroute_worker_new (guint number)
{
  RerouteWorker *self = g_new0 (RerouteWorker, 1);

  self->number = number;
  self->timers = g_ptr_array_new ();
  self->deferred = g_array_new (FALSE, FALSE, sizeof (Call));
  self->posted = g_array_new (FALSE, FALSE, sizeof (Call));
  g_queue_init (&self->flushes);
  g_mutex_init (&self->lock);

  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->yielding.fd = epoll_create1 (EPOLL_CLOEXEC);
  self->wake.fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll_fd < 0 || self->yielding.fd < 0 || self->wake.fd < 0)
    g_error ("cannot make a worker: %s", g_strerror (errno));
  self->wake.events = EPOLLIN | EPOLLET;
  self->wake.func = woken;
  reroute_worker_add_io (self, &self->wake);
  self->yielding.events = EPOLLIN;
  self->yielding.func = note_new_work;
  reroute_worker_add_io (self, &self->yielding);
  return self;
}

static gpointer
run (gpointer user_data)
{
  RerouteWorker *self = user_data;

  current = self;
  while (!self->quitting)
    run_turn (self);
  while (run_posted (self) || self->deferred->len > 0)
    end_turn (self);
  return NULL;
}

void
reroute_worker_start (RerouteWorker *self)
{
  g_autofree char *name = g_strdup_printf ("worker-%u", self->number);

  g_return_if_fail (self->thread == NULL);

  self->thread = g_thread_new (name, run, self);
}

static void
quit (RerouteWorker *self, gpointer user_data)
{
  self->quitting = TRUE;
}

void
reroute_worker_stop (RerouteWorker *self)
{
  if (self->thread == NULL)
    return;
  reroute_worker_post (self, quit, NULL);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
reroute_worker_free (RerouteWorker *self)
{
  reroute_worker_stop (self);
  close (self->wake.fd);
  close (self->yielding.fd);
  close (self->epoll_fd);
  g_ptr_array_unref (self->timers);
  g_array_unref (self->deferred);
  g_array_unref (self->posted);
  g_mutex_clear (&self->lock);
  g_free (self);
}

RerouteTallies *
reroute_worker_get_tallies (RerouteWorker *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return &self->tallies;
}

guint
reroute_worker_get_number (const RerouteWorker *self)
{
  return self->number;
}

static void
control (RerouteWorker *self, int operation, RerouteIo *io)
{
  struct epoll_event event = { .events = io->events, .data.ptr = io };

  if (epoll_ctl (io->yields ? self->yielding.fd : self->epoll_fd, operation, io->fd, &event) < 0)
    g_critical ("cannot watch descriptor %d: %s", io->fd, g_strerror (errno));
}

void
reroute_worker_add_io (RerouteWorker *self, RerouteIo *io)
{
  g_return_if_fail (io->func != NULL);

  control (self, EPOLL_CTL_ADD, io);
}

void
reroute_worker_set_events (RerouteWorker *self, RerouteIo *io, guint32 events)
{
  if (io->events == events)
    return;
  io->events = events;
  control (self, EPOLL_CTL_MOD, io);
}

void
reroute_worker_remove_io (RerouteWorker *self, RerouteIo *io)
{
  control (self, EPOLL_CTL_DEL, io);
  for (int i = 0; i < self->n_events; i++)
    {
      if (self->events[i].data.ptr == io)
        self->events[i].data.ptr = NULL;
    }
}

void
reroute_worker_set_paused (RerouteWorker *self, gboolean paused)
{
  if (self->paused == paused)
    return;
  self->paused = paused;
  /* To add a nested set makes the kernel walk all of it. */
  reroute_worker_set_events (self, &self->yielding, paused ? 0 : EPOLLIN);
}

gint64
reroute_worker_now_us (RerouteWorker *self)
{
  return self->turn_now_us != 0 ? self->turn_now_us : g_get_monotonic_time ();
}
