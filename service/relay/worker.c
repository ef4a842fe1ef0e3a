/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * worker.c - a thread whose sockets stand in one epoll descriptor
 *
 * One turn: events of descriptors, posted functions, timers that are due, then what was
 * deferred to the end.  The source may recurse, or GLib would take its descriptor out and in
 * again around every dispatch; the eventfd is edge-triggered and never read.
 */

#include "config.h"

#include "service/relay/worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Descriptors looked at in one turn; the rest keep their events for the next. */
#define EVENTS_PER_TURN 256

typedef struct
{
  RerouteWorkerFunc func;
  gpointer user_data;
} Call;

typedef struct
{
  GSource base;
  RerouteWorker *worker;
  gpointer tag; /* of the epoll descriptor */
} WorkerSource;

struct _RerouteWorker
{
  guint number;
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  GSource *source;
  int epoll_fd;
  RerouteIo wake; /* the eventfd */

  gint64 turn_now_us;         /* 0 between turns */
  struct epoll_event *events; /* of this turn; an io that is removed is taken out */
  int n_events;
  GPtrArray *timers; /* (element-type RerouteTimer): a binary heap, the earliest first */
  GArray *deferred;  /* (element-type Call) */

  GMutex lock;
  GArray *posted;     /* (element-type Call); under lock */
  gboolean signalled; /* the eventfd was written since posted was last taken; under lock */
};

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

  while (self->timers->len > 0 && timer_at (self, 0)->due_us <= now_us)
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

/* The functions may defer again; those run too, in this turn. */
static void
run_deferred (RerouteWorker *self)
{
  while (self->deferred->len > 0)
    {
      g_autoptr (GArray) calls = self->deferred;

      self->deferred = g_array_new (FALSE, FALSE, sizeof (Call));
      run_calls (self, calls);
    }
}

void
reroute_worker_post (RerouteWorker *self, RerouteWorkerFunc func, gpointer user_data)
{
  Call call = { func, user_data };
  const guint64 one = 1;
  gboolean signalled;

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

/* --- the source --- */

static gboolean
worker_source_prepare (GSource *source, int *timeout_ms)
{
  RerouteWorker *self = ((WorkerSource *) source)->worker;
  gint64 wait_us;

  *timeout_ms = -1;
  if (self->deferred->len > 0)
    return TRUE;
  if (self->timers->len == 0)
    return FALSE;
  wait_us = timer_at (self, 0)->due_us - g_source_get_time (source);
  if (wait_us <= 0)
    return TRUE;
  *timeout_ms = (int) MIN ((wait_us + 999) / 1000, G_MAXINT);
  return FALSE;
}

static gboolean
worker_source_check (GSource *source)
{
  WorkerSource *worker_source = (WorkerSource *) source;
  RerouteWorker *self = worker_source->worker;

  return g_source_query_unix_fd (source, worker_source->tag) != 0 || self->deferred->len > 0 ||
         (self->timers->len > 0 && timer_at (self, 0)->due_us <= g_source_get_time (source));
}

static gboolean
worker_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  RerouteWorker *self = ((WorkerSource *) source)->worker;
  struct epoll_event events[EVENTS_PER_TURN];

  self->turn_now_us = g_get_monotonic_time ();
  self->events = events;
  self->n_events = epoll_wait (self->epoll_fd, events, EVENTS_PER_TURN, 0);
  for (int i = 0; i < self->n_events; i++)
    {
      RerouteIo *io = events[i].data.ptr;

      if (io != NULL)
        io->func (io, events[i].events);
    }
  self->events = NULL;
  self->n_events = 0;

  run_timers (self);
  run_deferred (self);
  self->turn_now_us = 0;
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs worker_source_funcs = {
  worker_source_prepare, worker_source_check, worker_source_dispatch, NULL, NULL, NULL,
};

/* --- public --- */

RerouteWorker *
reroute_worker_new (guint number)
{
  RerouteWorker *self = g_new0 (RerouteWorker, 1);
  WorkerSource *source;

  self->number = number;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->timers = g_ptr_array_new ();
  self->deferred = g_array_new (FALSE, FALSE, sizeof (Call));
  self->posted = g_array_new (FALSE, FALSE, sizeof (Call));
  g_mutex_init (&self->lock);

  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->wake.fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll_fd < 0 || self->wake.fd < 0)
    g_error ("cannot make a worker: %s", g_strerror (errno));
  self->wake.events = EPOLLIN | EPOLLET;
  self->wake.func = woken;
  reroute_worker_add_io (self, &self->wake);

  self->source = g_source_new (&worker_source_funcs, sizeof (WorkerSource));
  source = (WorkerSource *) self->source;
  source->worker = self;
  source->tag = g_source_add_unix_fd (self->source, self->epoll_fd, G_IO_IN);
  g_source_set_can_recurse (self->source, TRUE);
  g_source_set_static_name (self->source, "worker epoll");
  g_source_attach (self->source, self->context);
  return self;
}

static gpointer
run (gpointer user_data)
{
  RerouteWorker *self = user_data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  while (run_posted (self))
    run_deferred (self);
  g_main_context_pop_thread_default (self->context);
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
  g_main_loop_quit (self->loop);
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
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  close (self->wake.fd);
  close (self->epoll_fd);
  g_ptr_array_unref (self->timers);
  g_array_unref (self->deferred);
  g_array_unref (self->posted);
  g_mutex_clear (&self->lock);
  g_free (self);
}

GMainContext *
reroute_worker_get_context (RerouteWorker *self)
{
  return self->context;
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

  if (epoll_ctl (self->epoll_fd, operation, io->fd, &event) < 0)
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

gint64
reroute_worker_now_us (RerouteWorker *self)
{
  return self->turn_now_us != 0 ? self->turn_now_us : g_get_monotonic_time ();
}
