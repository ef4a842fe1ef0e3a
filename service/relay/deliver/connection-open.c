/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection-open.c - the socket of an outgoing connection: TCP, or a Unix socket
 *
 * Standards: RFC 5321 section 4.5.4.1.
 */

#include "config.h"

#include "service/relay/deliver/connection-private.h"
#include "service/relay/socket-address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The address of the setting source-address that is of the endpoint's kind. */
static gboolean
bind_source (const RerouteConnection *self, int fd)
{
  gsize n;
  const RerouteIpRange *sources =
    reroute_settings_get_ranges (self->settings, REROUTE_SETTING_SOURCE_ADDRESS, &n);

  for (gsize i = 0; i < n; i++)
    {
      struct sockaddr_storage storage;
      socklen_t length;

      if (reroute_ip_is_ipv4 (&sources[i].first) != reroute_ip_is_ipv4 (&self->endpoint.ip))
        continue;
      length = reroute_socket_address_fill (&sources[i].first, 0, &storage);
      return bind (fd, (struct sockaddr *) &storage, length) == 0;
    }
  return TRUE;
}

static gboolean
prepare (const RerouteConnection *self, int fd)
{
  const int on = 1;

  if (self->endpoint.local)
    return TRUE;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return bind_source (self, fd);
}

RerouteIp
reroute_connection_get_source (const RerouteConnection *self)
{
  struct sockaddr_storage storage;
  socklen_t length = sizeof storage;
  RerouteIp ip = { 0 };

  if (getsockname (self->io.fd, (struct sockaddr *) &storage, &length) == 0)
    reroute_socket_address_read ((const struct sockaddr *) &storage, &ip);
  return ip;
}

static RerouteConnection *
of_knock (RerouteKnock *knock)
{
  return (RerouteConnection *) ((char *) knock - G_STRUCT_OFFSET (RerouteConnection, knock));
}

/* Returns 0, or an errno. */
static int
begin_connecting (RerouteKnock *knock)
{
  RerouteConnection *self = of_knock (knock);
  const RerouteEndpoint *endpoint = &self->endpoint;
  struct sockaddr_storage storage;
  socklen_t length = endpoint->local
                       ? reroute_socket_address_fill_path (endpoint->name, &storage)
                       : reroute_socket_address_fill (&endpoint->ip, endpoint->port, &storage);
  int fd = socket (storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  gboolean prepared;
  int failure;

  if (fd < 0)
    {
      failure = errno;
      self->failed_here =
        failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM;
      return failure;
    }
  prepared = prepare (self, fd);
  if (!prepared || (connect (fd, (struct sockaddr *) &storage, length) < 0 && errno != EINPROGRESS))
    {
      failure = errno;
      self->failed_here = !prepared || failure == EADDRNOTAVAIL;
      close (fd);
      return failure;
    }
  self->io.fd = fd;
  self->stream.fd = fd;
  self->io.events = EPOLLOUT;
  reroute_worker_add_io (self->worker, &self->io);
  return 0;
}

static void
connecting_failed (RerouteKnock *knock, int failure)
{
  RerouteConnection *self = of_knock (knock);

  reroute_connection_fail (self, reroute_connection_trouble (self, "4.4.1", g_strerror (failure)));
}

int
reroute_connection_begin (RerouteConnection *self)
{
  self->knock.begin = begin_connecting;
  self->knock.failed = connecting_failed;
  return reroute_knock_start (&self->knock, self->worker);
}
