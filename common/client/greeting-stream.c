/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * greeting-stream.c - a limit to what another computer says before it is known to be a bus
 *
 * The authentication of GDBus keeps a line until its end comes, however long it is.  It reads in
 * threads of GIO's, one after the other; the limit is lifted in another one.
 *
 * Standards: D-Bus specification, "Authentication Protocol".
 */

#include "config.h"

#include "common/client/greeting-stream.h"

#include "common/limits.h"

struct _RerouteGreetingStream
{
  GFilterInputStream parent_instance;

  gsize n_read;  /* while it is not open */
  gint open;     /* atomic */
  gint exceeded; /* atomic */
};

G_DEFINE_FINAL_TYPE (RerouteGreetingStream, reroute_greeting_stream, G_TYPE_FILTER_INPUT_STREAM)

/* 0: no more than that, and @error is set */
static gsize
limit_count (RerouteGreetingStream *self, gsize count, GError **error)
{
  if (g_atomic_int_get (&self->open))
    return count;
  if (self->n_read < REROUTE_LIMIT_SSH_GREETING_OCTETS)
    return MIN (count, REROUTE_LIMIT_SSH_GREETING_OCTETS - self->n_read);
  g_atomic_int_set (&self->exceeded, TRUE);
  g_set_error (error,
               G_IO_ERROR,
               G_IO_ERROR_MESSAGE_TOO_LARGE,
               "%d octets, and no bus has answered",
               REROUTE_LIMIT_SSH_GREETING_OCTETS);
  return 0;
}

static void
note_read (RerouteGreetingStream *self, gssize n)
{
  if (n > 0 && !g_atomic_int_get (&self->open))
    self->n_read += (gsize) n;
}

static GInputStream *
get_base (GInputStream *stream)
{
  return g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream));
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  note_read (g_task_get_source_object (task), n);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, n);
}

static gssize
read_fn (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  RerouteGreetingStream *self = REROUTE_GREETING_STREAM (stream);
  gsize limited = limit_count (self, count, error);
  gssize n = -1;

  if (limited == 0)
    return -1;
  n = g_input_stream_read (get_base (stream), buffer, limited, cancellable, error);
  note_read (self, n);
  return n;
}

static void
read_async (GInputStream *stream,
            void *buffer,
            gsize count,
            int io_priority,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);
  GError *error = NULL;
  gsize limited = limit_count (REROUTE_GREETING_STREAM (stream), count, &error);

  g_task_set_source_tag (task, read_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_priority (task, io_priority);
  if (limited == 0)
    g_task_return_error (task, error);
  else
    g_input_stream_read_async (
      get_base (stream), buffer, limited, io_priority, cancellable, read_cb, g_object_ref (task));
}

static gssize
read_finish (GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

static void
reroute_greeting_stream_class_init (RerouteGreetingStreamClass *klass)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  stream_class->read_fn = read_fn;
  stream_class->read_async = read_async;
  stream_class->read_finish = read_finish;
}

static void
reroute_greeting_stream_init (RerouteGreetingStream *self)
{
}

RerouteGreetingStream *
reroute_greeting_stream_new (GInputStream *base)
{
  g_return_val_if_fail (G_IS_INPUT_STREAM (base), NULL);

  return g_object_new (REROUTE_TYPE_GREETING_STREAM, "base-stream", base, NULL);
}

void
reroute_greeting_stream_open (RerouteGreetingStream *self)
{
  g_return_if_fail (REROUTE_IS_GREETING_STREAM (self));

  g_atomic_int_set (&self->open, TRUE);
}

gboolean
reroute_greeting_stream_is_exceeded (RerouteGreetingStream *self)
{
  g_return_val_if_fail (REROUTE_IS_GREETING_STREAM (self), FALSE);

  return g_atomic_int_get (&self->exceeded);
}
