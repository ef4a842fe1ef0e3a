/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sink.c - takes messages: a thread with an epoll descriptor, which others give orders to
 *
 * What is said and compared is in sink-session.c.
 */

#include "config.h"

#include "tests/bench/sink-private.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define READ_OCTETS (256 * 1024)
#define EVENTS 256

static void
close_connection (LoadSink *self, LoadSinkConnection *connection)
{
  if (connection->previous != NULL)
    connection->previous->next = connection->next;
  else
    self->connections = connection->next;
  if (connection->next != NULL)
    connection->next->previous = connection->previous;
  reroute_stream_clear (&connection->stream);
  close (connection->stream.fd);
  g_byte_array_unref (connection->carry);
  g_byte_array_unref (connection->unsent);
  g_array_unref (connection->recipients);
  g_string_free (connection->tail, TRUE);
  g_string_free (connection->chunks, TRUE);
  g_free (connection);
  self->figures.open--;
}

/* Returns: %FALSE when the connection is over and closed */
static gboolean
send_replies (LoadSink *self, LoadSinkConnection *connection)
{
  const void *data = self->replies->str;
  gsize octets = self->replies->len;
  gssize sent;

  if (connection->unsent->len > 0)
    {
      g_byte_array_append (connection->unsent, data, octets);
      data = connection->unsent->data;
      octets = connection->unsent->len;
    }
  sent = octets > 0 ? reroute_stream_write (&connection->stream, data, octets) : 0;
  if ((sent < 0 && errno != EAGAIN) || (sent == (gssize) octets && connection->closing))
    {
      g_string_truncate (self->replies, 0);
      close_connection (self, connection);
      return FALSE;
    }
  sent = MAX (sent, 0);
  if (connection->unsent->len > 0)
    g_byte_array_remove_range (connection->unsent, 0, sent);
  else
    g_byte_array_append (connection->unsent, (const guint8 *) data + sent, octets - sent);
  g_string_truncate (self->replies, 0);
  if (connection->writing != (connection->unsent->len > 0))
    {
      connection->writing = !connection->writing;
      load_watch (self->epoll,
                  EPOLL_CTL_MOD,
                  connection->stream.fd,
                  EPOLLIN | (connection->writing ? EPOLLOUT : 0),
                  connection);
    }
  return TRUE;
}

/* Returns: whether the client's first command has come with the end of the handshake */
static gboolean
shake_hands (LoadSink *self, LoadSinkConnection *connection)
{
  RerouteHandshake result = load_shake_hands (self->epoll, &connection->stream, connection);

  connection->shaking = result == REROUTE_HANDSHAKE_WAITS;
  if (result == REROUTE_HANDSHAKE_DONE)
    return reroute_stream_has_input (&connection->stream);
  if (result == REROUTE_HANDSHAKE_FAILED)
    close_connection (self, connection);
  return FALSE;
}

/* Nothing that came in clear text counts in TLS. Returns: as shake_hands() */
static gboolean
begin_tls (LoadSink *self, LoadSinkConnection *connection)
{
  g_autoptr (GError) error = NULL;

  connection->starting = FALSE;
  g_byte_array_set_size (connection->carry, 0);
  if (reroute_tls_server_begin (self->tls, &connection->stream, &error))
    return shake_hands (self, connection);
  g_printerr ("load: %s\n", error->message);
  close_connection (self, connection);
  return FALSE;
}

/* Reads once. Returns: whether there is more that no event will announce */
static gboolean
take_input (LoadSink *self, LoadSinkConnection *connection)
{
  gssize got = reroute_stream_read (&connection->stream, self->buffer, READ_OCTETS);
  const char *data = self->buffer;
  gsize octets = (gsize) got, used;

  if (got < 0 && errno == EAGAIN)
    {
      send_replies (self, connection);
      return FALSE;
    }
  if (got <= 0)
    {
      close_connection (self, connection);
      return FALSE;
    }
  if (connection->carry->len > 0)
    {
      g_byte_array_append (connection->carry, (const guint8 *) self->buffer, octets);
      data = (const char *) connection->carry->data;
      octets = connection->carry->len;
    }
  used = load_sink_consume (self, connection, data, octets);
  if (connection->carry->len > 0)
    g_byte_array_remove_range (connection->carry, 0, used);
  else if (used < octets)
    g_byte_array_append (connection->carry, (const guint8 *) data + used, octets - used);
  if (!send_replies (self, connection))
    return FALSE;
  if (connection->starting)
    return begin_tls (self, connection);
  return reroute_stream_has_input (&connection->stream);
}

static void
serve (LoadSink *self, LoadSinkConnection *connection)
{
  gboolean more =
    connection->shaking ? shake_hands (self, connection) : take_input (self, connection);

  while (more)
    more = take_input (self, connection);
}

static void
accept_all (LoadSink *self)
{
  int fd;

  while ((fd = accept4 (self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    {
      LoadSinkConnection *connection = g_new0 (LoadSinkConnection, 1);

      connection->stream.fd = fd;
      connection->carry = g_byte_array_new ();
      connection->unsent = g_byte_array_new ();
      connection->recipients = g_array_new (FALSE, FALSE, sizeof (LoadSinkRecipient));
      connection->tail = g_string_new (NULL);
      connection->chunks = g_string_new (NULL);
      connection->next = self->connections;
      if (connection->next != NULL)
        connection->next->previous = connection;
      self->connections = connection;
      self->figures.connections++;
      self->figures.open++;
      self->figures.most = MAX (self->figures.most, self->figures.open);
      load_watch (self->epoll, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
      connection->closing = self->mode == LOAD_SINK_REFUSE;
      self->figures.refused += connection->closing;
      g_string_append (self->replies,
                       connection->closing ? "421 4.3.2 not now\r\n" : "220 sink.test ESMTP\r\n");
      send_replies (self, connection);
    }
}

/* Does what another thread has asked for. */
static void
obey (LoadSink *self)
{
  guint64 count;

  if (read (self->wake, &count, sizeof count) < 0)
    return;
  g_mutex_lock (&self->mutex);
  self->mode = self->wanted;
  self->stop = self->wanted_stop;
  if ((self->stop || self->mode == LOAD_SINK_CLOSED) && self->listener >= 0)
    {
      close (self->listener);
      self->listener = -1;
    }
  if (self->stop || self->mode == LOAD_SINK_CLOSED)
    while (self->connections != NULL)
      close_connection (self, self->connections);
  else if (self->listener < 0)
    {
      self->listener = load_endpoint_listen (&self->endpoint, &self->error);
      if (self->listener >= 0)
        load_watch (self->epoll, EPOLL_CTL_ADD, self->listener, EPOLLIN, &self->listener);
    }
  self->ordered = FALSE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* What was read of @events belongs to connections that obey() may have closed: it comes last. */
static void
dispatch (LoadSink *self, const struct epoll_event *events, int count)
{
  gboolean woken = FALSE;

  for (int n = 0; n < count; n++)
    {
      gpointer data = events[n].data.ptr;

      if (data == &self->wake)
        woken = TRUE;
      else if (data == &self->listener)
        accept_all (self);
      else
        serve (self, data);
    }
  if (woken)
    obey (self);
}

static gpointer
run (gpointer data)
{
  LoadSink *self = data;
  struct epoll_event events[EVENTS];
  struct rusage usage;

  while (!self->stop)
    dispatch (self, events, load_wait (self->epoll, events, EVENTS, G_MAXINT64));
  getrusage (RUSAGE_THREAD, &usage);
  self->figures.cpu_s = (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return NULL;
}

/* Hands an order to the thread and waits until it is done. */
static gboolean
order (LoadSink *self, LoadSinkMode mode, gboolean stop, GError **error)
{
  guint64 one = 1;
  GError *failure;

  g_mutex_lock (&self->mutex);
  self->wanted = mode;
  self->wanted_stop = stop;
  self->ordered = TRUE;
  if (write (self->wake, &one, sizeof one) < 0)
    g_error ("eventfd: %s", g_strerror (errno));
  while (self->ordered)
    g_cond_wait (&self->cond, &self->mutex);
  failure = g_steal_pointer (&self->error);
  g_mutex_unlock (&self->mutex);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

/* A sink, closed as yet, and its thread. @tls (nullable), @shape and @ledger stay until
   load_sink_stop(). */
LoadSink *
load_sink_new (const LoadEndpoint *endpoint,
               RerouteTlsServer *tls,
               gboolean chunking,
               const LoadShape *shape,
               LoadLedger *ledger)
{
  LoadSink *self = g_new0 (LoadSink, 1);

  self->endpoint = *endpoint;
  self->tls = tls;
  self->chunking = chunking;
  self->shape = shape;
  self->ledger = ledger;
  self->mode = LOAD_SINK_CLOSED;
  self->listener = -1;
  self->replies = g_string_new (NULL);
  self->buffer = g_malloc (READ_OCTETS);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  load_watch (self->epoll, EPOLL_CTL_ADD, self->wake, EPOLLIN, &self->wake);
  self->thread = g_thread_new ("sink", run, self);
  return self;
}

/* Returns: %FALSE when its port is not to be had; then it stays closed */
gboolean
load_sink_set_mode (LoadSink *self, LoadSinkMode mode, GError **error)
{
  return order (self, mode, FALSE, error);
}

/* Ends and frees it. */
LoadSinkFigures
load_sink_stop (LoadSink *self)
{
  LoadSinkFigures figures;

  order (self, LOAD_SINK_CLOSED, TRUE, NULL);
  g_thread_join (self->thread);
  figures = self->figures;
  close (self->epoll);
  close (self->wake);
  g_string_free (self->replies, TRUE);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_free (self->buffer);
  g_free (self);
  return figures;
}
