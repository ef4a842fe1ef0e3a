/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tracker.c - the buffer of what happens to messages, and the thread that writes it
 *
 * An event costs the thread that it happens on some copies under a lock: no system call, no
 * allocation.  The tracker's thread lingers before it writes, so that the events of many messages
 * share a wake and a write.  The same thread answers, and between two files that it reads for an
 * answer it writes what came meanwhile.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-track"

#include "service/relay/track/tracker.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/track/search.h"

#define LINGER_US (100 * 1000)
#define FULL_OCTETS (256 * 1024) /* do not linger: what fits a cache is cheap to write */
#define KEPT_OCTETS (512 * 1024) /* of a buffer, for the next events */
#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)
#define PRUNE_WAIT_US (60 * G_USEC_PER_SEC)

struct _RerouteTracker
{
  GThread *thread;
  RerouteTrackStore *store; /* the thread's */
  GByteArray *writing;      /* the thread's: swapped with waiting */
  gint64 pruned_us;         /* the thread's: monotonic */

  gint is_on; /* atomic */

  GMutex lock; /* of what follows */
  GCond changed;
  GByteArray *waiting; /* records */
  guint64 n_lost;
  GQueue calls; /* (element-type GTask) */
  guint days;
  guint64 octets;
  gboolean configured; /* anew, and the files are not pruned yet */
  gboolean forgets;    /* it was off meanwhile: what is there goes */
  gboolean stopping;
  char *failure; /* (nullable) */
};

/* What is asked for. */
typedef struct
{
  RerouteTrackFilter *filter; /* NULL: one message */
  guint64 cursor;
  guint64 id;
  guint offset, limit;
} Call;

static void
call_free (gpointer data)
{
  Call *self = data;

  reroute_track_filter_free (self->filter);
  g_free (self);
}

/* --- the thread: writing --- */

/* Warned of once, and told when it is over. */
static void
note_failure (RerouteTracker *self, const GError *error)
{
  gboolean had = self->failure != NULL;

  if (error == NULL && !had)
    return;
  g_mutex_lock (&self->lock);
  g_free (self->failure);
  self->failure = error != NULL ? g_strdup (error->message) : NULL;
  g_mutex_unlock (&self->lock);
  if (error != NULL && !had)
    g_warning ("messages are not tracked: %s", error->message);
  else if (error == NULL)
    g_message ("messages are tracked again");
}

/* @octets, @days: as configured */
static void
prune (RerouteTracker *self, guint64 octets, guint days)
{
  self->pruned_us = g_get_monotonic_time ();
  reroute_track_store_prune (self->store, octets, g_get_real_time () - days * DAY_US);
}

static void
write_waiting (RerouteTracker *self)
{
  g_autoptr (GError) error = NULL;
  gboolean is_due = g_get_monotonic_time () - self->pruned_us > PRUNE_WAIT_US;
  guint64 n_lost, octets;
  gboolean forgets;
  guint days;

  g_mutex_lock (&self->lock);
  GByteArray *records = self->waiting;
  self->waiting = self->writing;
  self->writing = records;
  n_lost = self->n_lost;
  self->n_lost = 0;
  octets = self->octets;
  days = self->days;
  is_due = is_due || self->configured;
  self->configured = FALSE;
  forgets = self->forgets;
  self->forgets = FALSE;
  g_mutex_unlock (&self->lock);

  if (n_lost > 0)
    g_message ("%" G_GUINT64_FORMAT " events were not tracked: they came too fast", n_lost);
  if (forgets)
    {
      reroute_track_store_prune (self->store, 0, G_MAXINT64);
      note_failure (self, NULL);
    }
  if (records->len > 0)
    {
      reroute_track_store_append (self->store, records, g_get_real_time (), &error);
      note_failure (self, error);
    }
  if (is_due || records->len > 0)
    prune (self, octets, days);
  /* The room of a burst is given back. */
  if (records->len > KEPT_OCTETS)
    {
      g_byte_array_unref (records);
      self->writing = g_byte_array_new ();
    }
  else
    g_byte_array_set_size (records, 0);
}

/* --- the thread: answers --- */

static gboolean
between_files (gpointer user_data)
{
  RerouteTracker *self = user_data;
  gboolean has_much, stopping;

  g_mutex_lock (&self->lock);
  has_much = self->waiting->len > REROUTE_LIMIT_TRACK_WAITING_OCTETS / 4;
  stopping = self->stopping;
  g_mutex_unlock (&self->lock);
  if (has_much)
    write_waiting (self);
  return !stopping;
}

static void
answer (RerouteTracker *self, GTask *task)
{
  const Call *call = g_task_get_task_data (task);
  const RerouteTrackReader reader = { self->store, between_files, self };
  GError *error = NULL;
  GVariant *value;

  if (g_task_return_error_if_cancelled (task))
    return;
  if (call->filter != NULL)
    value = reroute_track_search (&reader, call->filter, call->cursor, call->limit, &error);
  else
    value = reroute_track_trace (&reader, call->id, call->offset, call->limit, &error);
  if (value != NULL)
    g_task_return_pointer (task, g_variant_ref_sink (value), (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* With the lock held. */
static gboolean
has_work (const RerouteTracker *self)
{
  return self->calls.length > 0 || self->configured || self->stopping;
}

/* With the lock held. */
static void
wait_for_work (RerouteTracker *self)
{
  gint64 end_us = g_get_monotonic_time () + PRUNE_WAIT_US;

  while (self->waiting->len == 0 && !has_work (self) &&
         g_cond_wait_until (&self->changed, &self->lock, end_us))
    ;
  end_us = g_get_monotonic_time () + LINGER_US;
  while (!has_work (self) && self->waiting->len > 0 && self->waiting->len < FULL_OCTETS &&
         g_cond_wait_until (&self->changed, &self->lock, end_us))
    ;
}

static gpointer
run (gpointer user_data)
{
  RerouteTracker *self = user_data;
  gboolean stopping;

  do
    {
      g_mutex_lock (&self->lock);
      wait_for_work (self);
      g_autoptr (GTask) task = g_queue_pop_head (&self->calls);
      stopping = self->stopping && task == NULL;
      g_mutex_unlock (&self->lock);
      write_waiting (self);
      if (task != NULL)
        answer (self, task);
    }
  while (!stopping);
  return NULL;
}

/* --- any thread --- */

RerouteTracker *
reroute_tracker_new (int dir_fd)
{
  g_return_val_if_fail (dir_fd >= 0, NULL);

  RerouteTracker *self = g_new0 (RerouteTracker, 1);
  self->store = reroute_track_store_new (dir_fd, 0);
  self->waiting = g_byte_array_new ();
  self->writing = g_byte_array_new ();
  self->pruned_us = g_get_monotonic_time ();
  /* Nothing is deleted before it is said how long it is kept. */
  self->days = G_MAXINT16;
  self->octets = G_MAXUINT64;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->calls);
  self->thread = g_thread_new ("track", run, self);
  return self;
}

void
reroute_tracker_free (RerouteTracker *self)
{
  if (self == NULL)
    return;
  g_atomic_int_set (&self->is_on, FALSE);
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  reroute_track_store_free (self->store);
  g_byte_array_unref (self->waiting);
  g_byte_array_unref (self->writing);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->failure);
  g_free (self);
}

void
reroute_tracker_configure (RerouteTracker *self, guint days, guint64 octets)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->lock);
  if (self->days != days || self->octets != octets)
    {
      self->days = days;
      self->octets = octets;
      self->configured = TRUE;
      g_cond_signal (&self->changed);
    }
  g_atomic_int_set (&self->is_on, days > 0);
  if (days == 0)
    {
      self->forgets = TRUE;
      g_byte_array_set_size (self->waiting, 0);
    }
  g_mutex_unlock (&self->lock);
}

char *
reroute_tracker_dup_failure (RerouteTracker *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_mutex_lock (&self->lock);
  char *failure = g_strdup (self->failure);
  g_mutex_unlock (&self->lock);
  return failure;
}

gboolean
reroute_tracker_is_on (RerouteTracker *self)
{
  return self != NULL && g_atomic_int_get (&self->is_on);
}

gboolean
reroute_tracker_begin (RerouteTracker *self,
                       const RerouteTrackHead *head,
                       RerouteTrackWriter *writer)
{
  if (!reroute_tracker_is_on (self))
    return FALSE;
  g_mutex_lock (&self->lock);
  if (self->days == 0)
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  if (self->waiting->len > REROUTE_LIMIT_TRACK_WAITING_OCTETS)
    {
      self->n_lost++;
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  *writer = (RerouteTrackWriter){ self, self->waiting, 0 };
  writer->start = reroute_track_record_begin (self->waiting, head);
  return TRUE;
}

void
reroute_tracker_end (RerouteTrackWriter *writer)
{
  RerouteTracker *self = writer->tracker;

  reroute_track_record_end (writer->octets, writer->start);
  /* Only the first one wakes the thread, and the one that makes it full. */
  if (writer->start == 0 || (writer->start < FULL_OCTETS && self->waiting->len >= FULL_OCTETS))
    g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
ask (RerouteTracker *self, GTask *task, Call *call)
{
  g_task_set_task_data (task, call, call_free);
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->calls, task);
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* (transfer full) (nullable): NULL: it is off, and the caller has been told */
static GTask *
make_task (RerouteTracker *self,
           gpointer source_tag,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  gboolean is_off;

  g_task_set_source_tag (task, source_tag);
  if (reroute_tracker_is_on (self))
    return g_steal_pointer (&task);
  g_mutex_lock (&self->lock);
  is_off = self->days == 0;
  g_mutex_unlock (&self->lock);
  if (is_off)
    g_task_return_new_error (task,
                             REROUTE_ERROR,
                             REROUTE_ERROR_VALUE,
                             "messages are not tracked: the setting track-days is 0");
  else
    g_task_return_new_error (
      task,
      REROUTE_ERROR,
      REROUTE_ERROR_NO_RULES,
      "the relay has not received any rules yet: is reroute-rulesd running?");
  return NULL;
}

void
reroute_tracker_search_async (RerouteTracker *self,
                              GVariant *filter,
                              guint64 cursor,
                              guint limit,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (self != NULL && filter != NULL);

  GTask *task = make_task (self, reroute_tracker_search_async, cancellable, callback, user_data);
  GError *error = NULL;
  RerouteTrackFilter *parsed;
  Call *call;

  if (task == NULL)
    return;
  parsed = reroute_track_filter_new (filter, &error);
  if (parsed == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  call = g_new0 (Call, 1);
  call->filter = parsed;
  call->cursor = cursor;
  call->limit = CLAMP (limit, 1, REROUTE_LIMIT_PAGE_ROWS);
  ask (self, task, call);
}

void
reroute_tracker_trace_async (RerouteTracker *self,
                             guint64 id,
                             guint offset,
                             guint limit,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (self != NULL);

  GTask *task = make_task (self, reroute_tracker_trace_async, cancellable, callback, user_data);
  Call *call;

  if (task == NULL)
    return;
  call = g_new0 (Call, 1);
  call->id = id;
  call->offset = offset;
  call->limit = MIN (limit, REROUTE_LIMIT_TRACK_EVENTS);
  ask (self, task, call);
}

GVariant *
reroute_tracker_call_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
