/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection-open.c - the socket of an outgoing connection: TCP, or a Unix socket
 *
 * Standards: RFC 5321 section 4.5.4.1.
 */

#include "config.h"

#include "service/relay/deliver/connection-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t
fill_address (const RerouteIp *ip, guint16 port, struct sockaddr_storage *storage)
{
  struct sockaddr_in *v4 = (struct sockaddr_in *) storage;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) storage;

  memset (storage, 0, sizeof *storage);
  if (reroute_ip_is_ipv4 (ip))
    {
      v4->sin_family = AF_INET;
      v4->sin_port = htons (port);
      memcpy (&v4->sin_addr, ip->octets + 12, 4);
      return sizeof *v4;
    }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons (port);
  memcpy (&v6->sin6_addr, ip->octets, sizeof ip->octets);
  return sizeof *v6;
}

static socklen_t
fill_path (const char *path, struct sockaddr_storage *storage)
{
  struct sockaddr_un *local = (struct sockaddr_un *) storage;

  memset (storage, 0, sizeof *storage);
  local->sun_family = AF_UNIX;
  g_strlcpy (local->sun_path, path, sizeof local->sun_path);
  return sizeof *local;
}

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
      length = fill_address (&sources[i].first, 0, &storage);
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

int
reroute_connection_begin (RerouteConnection *self)
{
  const RerouteEndpoint *endpoint = &self->endpoint;
  struct sockaddr_storage storage;
  socklen_t length = endpoint->local ? fill_path (endpoint->name, &storage)
                                     : fill_address (&endpoint->ip, endpoint->port, &storage);
  int fd = socket (storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failure;

  if (fd < 0)
    return errno;
  if (!prepare (self, fd) ||
      (connect (fd, (struct sockaddr *) &storage, length) < 0 && errno != EINPROGRESS))
    {
      failure = errno;
      close (fd);
      return failure;
    }
  self->io.fd = fd;
  self->stream.fd = fd;
  self->io.events = EPOLLOUT;
  reroute_worker_add_io (self->worker, &self->io);
  return 0;
}
