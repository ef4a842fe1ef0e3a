/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * endpoint.c - what source and sink want of sockets and epoll
 */

#include "config.h"

#include "tests/bench/endpoint.h"

#include "tests/bench/ledger.h"

#include <gio/gio.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG 4096

/* @text: IP address and port, as in `127.0.0.1:2525` or `[::1]:2525` */
gboolean
load_endpoint_parse (LoadEndpoint *self, const char *text, GError **error)
{
  g_autoptr (GSocketConnectable) address = g_network_address_parse (text, 25, error);
  g_autoptr (GSocketAddress) socket_address = NULL;

  if (address == NULL)
    return FALSE;
  socket_address = g_inet_socket_address_new_from_string (
    g_network_address_get_hostname (G_NETWORK_ADDRESS (address)),
    g_network_address_get_port (G_NETWORK_ADDRESS (address)));
  if (socket_address == NULL)
    {
      g_set_error (
        error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "“%s” is no IP address and port", text);
      return FALSE;
    }
  self->octets = (socklen_t) g_socket_address_get_native_size (socket_address);
  return g_socket_address_to_native (socket_address, &self->address, sizeof self->address, error);
}

/* Returns: a listening descriptor, or -1 with @error set; what it accepts sends at once */
int
load_endpoint_listen (const LoadEndpoint *self, GError **error)
{
  int fd = socket (self->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;

  if (fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
      bind (fd, (const struct sockaddr *) &self->address, self->octets) == 0 &&
      listen (fd, BACKLOG) == 0)
    return fd;
  g_set_error (error,
               G_IO_ERROR,
               g_io_error_from_errno (errno),
               "the sink cannot listen: %s",
               g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Returns: a descriptor whose connection may still be under way, or -1 with errno set */
int
load_endpoint_connect (const LoadEndpoint *self)
{
  int fd = socket (self->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1, failure;

  if (fd < 0)
    return -1;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect (fd, (const struct sockaddr *) &self->address, self->octets) == 0 ||
      errno == EINPROGRESS)
    return fd;
  failure = errno;
  close (fd);
  errno = failure;
  return -1;
}

/* epoll_ctl() that cannot fail for a cause other than a fault in the program or an exhausted
 * machine. */
void
load_watch (int epoll, int operation, int fd, guint32 events, gpointer data)
{
  struct epoll_event event = { .events = events, .data.ptr = data };

  if (epoll_ctl (epoll, operation, fd, &event) != 0)
    g_error ("epoll_ctl: %s", g_strerror (errno));
}

/* A step of the handshake of @stream, which @epoll watches: from now on for what comes next. */
RerouteHandshake
load_shake_hands (int epoll, RerouteStream *stream, gpointer data)
{
  RerouteHandshake result = reroute_stream_shake_hands (stream);
  guint32 events =
    result == REROUTE_HANDSHAKE_WAITS ? reroute_stream_get_wanted_events (stream) : EPOLLIN;

  load_watch (epoll, EPOLL_CTL_MOD, stream->fd, events, data);
  return result;
}

/* Waits for events until @until_ns of load_now_ns(); G_MAXINT64: for ever. */
int
load_wait (int epoll, struct epoll_event *events, int n_events, gint64 until_ns)
{
  gint64 now_ns = load_now_ns ();
  gint64 left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
  struct timespec left = { left_ns / 1000000000, left_ns % 1000000000 };
  int count = epoll_pwait2 (epoll, events, n_events, until_ns == G_MAXINT64 ? NULL : &left, NULL);

  if (count < 0 && errno != EINTR)
    g_error ("epoll_pwait2: %s", g_strerror (errno));
  return MAX (0, count);
}
