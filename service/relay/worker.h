/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/tally.h"

G_BEGIN_DECLS

/**
 * RerouteWorker:
 *
 * A thread whose descriptors stand in two epoll sets, one nested in the other: those that yield
 * bring new work, are looked at behind the others, and can be left alone all at once.  Sessions,
 * outgoing connections and timers live on one worker and are touched by its thread alone; other
 * threads reach it by reroute_worker_post().
 */
typedef struct _RerouteWorker RerouteWorker;

typedef struct _RerouteIo RerouteIo;
typedef void (*RerouteIoFunc) (RerouteIo *io, guint32 epoll_events);

/* A descriptor in the worker's epoll; embedded in its owner.  func may remove it. */
struct _RerouteIo
{
  int fd;
  guint32 events;  /* EPOLLIN, EPOLLOUT, EPOLLEXCLUSIVE, … as registered now */
  gboolean yields; /* brings new work; not changed while it is watched */
  RerouteIoFunc func;
};

typedef struct _RerouteTimer RerouteTimer;
typedef void (*RerouteTimerFunc) (RerouteTimer *timer);

/* A one-shot time limit on the monotonic clock; embedded in its owner.  Zeroed is not armed. */
struct _RerouteTimer
{
  gint64 due_us; /* 0: not armed */
  gsize heap_index;
  RerouteTimerFunc func;
};

typedef struct _RerouteFlush RerouteFlush;
typedef void (*RerouteFlushFunc) (RerouteFlush *flush);

/* What its owner has to send, behind the events of the turn or its deferred functions and in a row
   with what others have: who is sent to many times in a row wakes once.  Embedded in the owner;
   zeroed is not pending. */
struct _RerouteFlush
{
  GList link; /* data: NULL while it is not pending */
  RerouteFlushFunc func;
};

RerouteWorker *reroute_worker_new (guint number); /* not started */
void reroute_worker_start (RerouteWorker *self);
void reroute_worker_stop (RerouteWorker *self); /* runs what was posted, then joins the thread */
void reroute_worker_free (RerouteWorker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteWorker, reroute_worker_free)

guint reroute_worker_get_number (const RerouteWorker *self);

/* What the worker counts: it adds, any thread reads. */
RerouteTallies *reroute_worker_get_tallies (RerouteWorker *self);

/* Any thread.  Functions run in the order they were posted; many posts cost one wake, and those of
   the worker's own thread none: they run at the end of its turn. */
typedef void (*RerouteWorkerFunc) (RerouteWorker *worker, gpointer user_data);
void reroute_worker_post (RerouteWorker *self, RerouteWorkerFunc func, gpointer user_data);

/* The worker's own thread. */
void reroute_worker_add_io (RerouteWorker *self, RerouteIo *io);
void reroute_worker_set_events (RerouteWorker *self, RerouteIo *io, guint32 events);
void reroute_worker_remove_io (RerouteWorker *self,
                               RerouteIo *io); /* also drops events of this turn; does not close */
/* Back-pressure: descriptors that yield are not looked at until it ends.  One system call. */
void reroute_worker_set_paused (RerouteWorker *self, gboolean paused);
void reroute_worker_arm_timer (RerouteWorker *self, RerouteTimer *timer, gint64 due_us);
void reroute_worker_disarm_timer (RerouteWorker *self, RerouteTimer *timer);
gint64 reroute_worker_now_us (RerouteWorker *self); /* monotonic, read once a turn */

/* Runs once at the end of this turn of the loop, behind the flushes that are pending by then; of
   what is asked for there again and again, some runs at the end of the next. */
void reroute_worker_defer (RerouteWorker *self, RerouteWorkerFunc func, gpointer user_data);

/* One that is pending already stays where it is.  Its function may ask for it again. */
void reroute_worker_flush_later (RerouteWorker *self, RerouteFlush *flush);
void reroute_worker_forget_flush (RerouteWorker *self, RerouteFlush *flush);

static inline gboolean
reroute_flush_is_pending (const RerouteFlush *flush)
{
  return flush->link.data != NULL;
}

G_END_DECLS
