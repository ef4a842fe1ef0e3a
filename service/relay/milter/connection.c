/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection.c - a milter over a socket
 *
 * Each whole reply moves the time limit on, and so does what the socket takes of the content: a
 * filter that works says so by progress replies.
 */

#include "config.h"

#include "service/relay/milter/connection.h"

#include "service/relay/knock.h"
#include "service/relay/socket-address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_OCTETS 16384

struct _RerouteMilterConnection
{
  RerouteIo io;
  RerouteTimer timer;
  RerouteKnock knock;
  RerouteWorker *worker;
  const RerouteMilterSpec *spec;
  RerouteMilterMachine *machine;
  const RerouteMilterConnectionHandler *handler;
  gpointer user_data;
  int failure; /* errno, to be told at the next turn */
  gboolean connecting;
  gboolean asking;
  gboolean in_content;
  gboolean lost;
};

static void timed_out (RerouteTimer *timer);

static void
arm (RerouteMilterConnection *self)
{
  gint64 limit_s = self->spec->command_s;

  self->timer.func = timed_out;
  if (self->connecting || !reroute_milter_machine_is_negotiated (self->machine))
    limit_s = self->spec->connect_s;
  else if (self->in_content)
    limit_s = self->spec->content_s;
  reroute_worker_arm_timer (
    self->worker, &self->timer, reroute_worker_now_us (self->worker) + limit_s * G_USEC_PER_SEC);
}

static void
fail (RerouteMilterConnection *self, const char *why)
{
  if (!self->asking)
    {
      /* Out of the epoll: a hang-up is told again and again. */
      self->lost = TRUE;
      reroute_worker_remove_io (self->worker, &self->io);
      return;
    }
  self->asking = FALSE;
  reroute_worker_disarm_timer (self->worker, &self->timer);
  self->handler->failed (self, why, self->user_data);
}

static void
timed_out (RerouteTimer *timer)
{
  RerouteMilterConnection *self =
    (RerouteMilterConnection *) ((char *) timer - G_STRUCT_OFFSET (RerouteMilterConnection, timer));

  timer->due_us = 0;
  fail (self,
        self->connecting ? "no connection within the time limit"
                         : "no answer within the time limit");
}

/* Sends what there is to send, and sees whether all is answered. */
static void
pump (RerouteMilterConnection *self)
{
  g_autoptr (GError) error = NULL;

  while (!self->connecting)
    {
      const guint8 *octets;
      gsize length;
      if (!reroute_milter_machine_peek_output (self->machine, &octets, &length, &error))
        {
          fail (self, error->message);
          return;
        }
      if (length == 0)
        break;
      gssize n = send (self->io.fd, octets, length, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN)
        {
          reroute_worker_set_events (self->worker, &self->io, EPOLLIN | EPOLLOUT);
          return;
        }
      if (n < 0)
        {
          fail (self, g_strerror (errno));
          return;
        }
      reroute_milter_machine_sent (self->machine, (gsize) n);
      if (self->asking)
        arm (self);
    }
  if (self->connecting)
    return;
  reroute_worker_set_events (self->worker, &self->io, EPOLLIN);
  if (!self->asking || reroute_milter_machine_get_verdict (self->machine) == REROUTE_MILTER_WORKING)
    return;
  self->asking = FALSE;
  reroute_worker_disarm_timer (self->worker, &self->timer);
  self->handler->answered (self, self->user_data);
}

static void
take_input (RerouteMilterConnection *self)
{
  g_autoptr (GError) error = NULL;
  guint8 octets[READ_OCTETS];
  gssize n = recv (self->io.fd, octets, sizeof octets, 0);
  guint64 n_replies = reroute_milter_machine_get_n_replies (self->machine);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      fail (self, n == 0 ? "connection lost" : g_strerror (errno));
      return;
    }
  if (!reroute_milter_machine_feed (self->machine, octets, (gsize) n, &error))
    {
      fail (self, error->message);
      return;
    }
  if (self->asking && reroute_milter_machine_get_n_replies (self->machine) > n_replies)
    arm (self);
  pump (self);
}

static void
ready_cb (RerouteIo *io, guint32 events)
{
  RerouteMilterConnection *self = (RerouteMilterConnection *) io;
  int failure = 0;
  socklen_t length = sizeof failure;

  if (self->connecting)
    {
      if (getsockopt (io->fd, SOL_SOCKET, SO_ERROR, &failure, &length) < 0)
        failure = errno;
      if (failure != 0)
        {
          fail (self, g_strerror (failure));
          return;
        }
      self->connecting = FALSE;
      arm (self);
    }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    take_input (self);
  else
    pump (self);
}

static RerouteMilterConnection *
of_knock (RerouteKnock *knock)
{
  return (RerouteMilterConnection *) ((char *) knock -
                                      G_STRUCT_OFFSET (RerouteMilterConnection, knock));
}

/* Returns 0, or an errno. */
static int
begin_connecting (RerouteKnock *knock)
{
  RerouteMilterConnection *self = of_knock (knock);
  struct sockaddr_storage storage;
  socklen_t length = self->spec->path != NULL
                       ? reroute_socket_address_fill_path (self->spec->path, &storage)
                       : reroute_socket_address_fill (&self->spec->ip, self->spec->port, &storage);
  const int on = 1;
  int fd = socket (storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return errno;
  if (self->spec->path == NULL)
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect (fd, (struct sockaddr *) &storage, length) < 0 && errno != EINPROGRESS)
    {
      int failure = errno;
      close (fd);
      return failure;
    }
  self->io.fd = fd;
  self->io.events = EPOLLOUT;
  reroute_worker_add_io (self->worker, &self->io);
  return 0;
}

static void
connecting_failed (RerouteKnock *knock, int failure)
{
  RerouteMilterConnection *self = of_knock (knock);

  if (self->asking)
    fail (self, g_strerror (failure));
  else
    self->failure = failure;
}

RerouteMilterConnection *
reroute_milter_connection_new (RerouteWorker *worker,
                               const RerouteMilterSpec *spec,
                               const RerouteMilterSession *session,
                               const RerouteMilterConnectionHandler *handler,
                               gpointer user_data)
{
  RerouteMilterConnection *self = g_new0 (RerouteMilterConnection, 1);

  self->worker = worker;
  self->spec = spec;
  self->machine = reroute_milter_machine_new (session);
  self->handler = handler;
  self->user_data = user_data;
  self->connecting = TRUE;
  self->io = (RerouteIo){ .fd = -1, .func = ready_cb };
  self->timer.func = timed_out;
  self->knock.begin = begin_connecting;
  self->knock.failed = connecting_failed;
  self->failure = reroute_knock_start (&self->knock, worker);
  return self;
}

void
reroute_milter_connection_free (RerouteMilterConnection *self)
{
  const guint8 *octets;
  gsize length;

  reroute_worker_disarm_timer (self->worker, &self->timer);
  reroute_knock_stop (&self->knock);
  if (self->io.fd >= 0)
    {
      /* One that was asked and has not answered is in the middle of a packet, perhaps. */
      if (!self->connecting && !self->asking && !self->lost)
        {
          reroute_milter_machine_quit (self->machine);
          if (reroute_milter_machine_peek_output (self->machine, &octets, &length, NULL) &&
              length > 0 && send (self->io.fd, octets, length, MSG_NOSIGNAL) < 0)
            g_debug ("a milter was not told QUIT: %s", g_strerror (errno));
        }
      if (!self->lost)
        reroute_worker_remove_io (self->worker, &self->io);
      close (self->io.fd);
    }
  reroute_milter_machine_free (self->machine);
  g_free (self);
}

RerouteMilterMachine *
reroute_milter_connection_get_machine (RerouteMilterConnection *self)
{
  return self->machine;
}

static void
begin_cb (RerouteTimer *timer)
{
  RerouteMilterConnection *self =
    (RerouteMilterConnection *) ((char *) timer - G_STRUCT_OFFSET (RerouteMilterConnection, timer));

  timer->due_us = 0;
  if (self->failure != 0)
    {
      fail (self, g_strerror (self->failure));
      return;
    }
  arm (self);
  pump (self);
}

void
reroute_milter_connection_ask (RerouteMilterConnection *self, gboolean in_content)
{
  self->asking = TRUE;
  self->in_content = in_content;
  /* In a turn of its own: who asks is in the middle of one. */
  self->timer.func = begin_cb;
  reroute_worker_arm_timer (self->worker, &self->timer, reroute_worker_now_us (self->worker));
}

gboolean
reroute_milter_connection_is_lost (const RerouteMilterConnection *self)
{
  return self->lost;
}
