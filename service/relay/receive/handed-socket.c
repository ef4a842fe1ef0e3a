/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * handed-socket.c - listening sockets of the service manager
 *
 * Its descriptor and ours are one socket: what is shut down here is shut down there.  systemd looks
 * at it when the relay is gone, so it is left listening.
 *
 * Sources: sd_listen_fds(3), systemd.socket(5), RFC 3493 section 5.3 (IPV6_V6ONLY).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-receive"

#include "service/relay/receive/handed-socket.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/socket-address.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static const RerouteIp any_ipv4 = { { [10] = 0xff, [11] = 0xff } };
static const RerouteIp any_ipv6;

static gboolean
has_option (int fd, int level, int option, int *value)
{
  socklen_t length = sizeof *value;

  return getsockopt (fd, level, option, value, &length) == 0;
}

/* Where it receives.  FALSE: it is no listening socket of TCP. */
static gboolean
read_address (RerouteHandedSocket *self)
{
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  int type = 0, is_listening = 0, v6_only = 1;

  if (!has_option (self->fd, SOL_SOCKET, SO_TYPE, &type) || type != SOCK_STREAM ||
      !has_option (self->fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening) || !is_listening ||
      getsockname (self->fd, (struct sockaddr *) &address, &length) != 0 ||
      !reroute_socket_address_read ((const struct sockaddr *) &address, &self->ip))
    return FALSE;
  if (address.ss_family == AF_INET)
    self->port = g_ntohs (((const struct sockaddr_in *) &address)->sin_port);
  else
    self->port = g_ntohs (((const struct sockaddr_in6 *) &address)->sin6_port);
  self->is_dual = address.ss_family == AF_INET6 && reroute_ip_equal (&self->ip, &any_ipv6) &&
                  has_option (self->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only) && !v6_only;
  return TRUE;
}

RerouteHandedSocket *
reroute_handed_socket_new (int fd, const char *name, GError **error)
{
  g_return_val_if_fail (fd >= 0 && name != NULL, NULL);

  const int on = 1;
  RerouteHandedSocket *self = g_new0 (RerouteHandedSocket, 1);

  self->fd = fd;
  self->name = g_strdup (name);
  if (!read_address (self))
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_VALUE,
                 "the socket “%s” of the service manager does not listen for TCP: wanted "
                 "ListenStream= with an address and port, and Accept=no",
                 name);
  else if (setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_VALUE,
                 "cannot use the socket “%s” of the service manager: %s",
                 name,
                 g_strerror (errno));
  else if (!g_unix_set_fd_nonblocking (fd, TRUE, error))
    g_prefix_error (error, "cannot use the socket “%s” of the service manager: ", name);
  else
    return self;
  close (fd);
  g_free (self->name);
  g_free (self);
  return NULL;
}

void
reroute_handed_socket_free (RerouteHandedSocket *self)
{
  g_return_if_fail (self != NULL);

  if (!reroute_handed_socket_put_up (self))
    g_warning ("“%s” (port %u) of the service manager does not listen any more: %s",
               self->name,
               self->port,
               g_strerror (errno));
  close (self->fd);
  g_free (self->name);
  g_free (self);
}

gboolean
reroute_handed_socket_put_up (RerouteHandedSocket *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (listen (self->fd, REROUTE_LIMIT_LISTEN_BACKLOG) != 0)
    return FALSE;
  self->is_down = FALSE;
  return TRUE;
}

/* Whether @endpoints have that address and port, in TLS or not as @like is. */
static gboolean
are_named (const char *const *endpoints, const char *like, const RerouteIp *ip, guint16 port)
{
  gboolean in_tls = g_str_has_prefix (like, REROUTE_LISTENER_IN_TLS);

  for (gsize i = 0; endpoints[i] != NULL; i++)
    {
      RerouteIp other;
      guint16 other_port;

      if (g_str_has_prefix (endpoints[i], REROUTE_LISTENER_IN_TLS) == in_tls &&
          reroute_listener_endpoint_parse (endpoints[i], &other, &other_port, NULL) &&
          reroute_ip_equal (&other, ip) && other_port == port)
        return TRUE;
    }
  return FALSE;
}

/* Whether it receives at @endpoint, and nowhere that @endpoints do not name. */
static gboolean
serves (const RerouteHandedSocket *self, const char *const *endpoints, const char *endpoint)
{
  RerouteIp ip;
  guint16 port;

  if (!reroute_listener_endpoint_parse (endpoint, &ip, &port, NULL) || port != self->port)
    return FALSE;
  if (!self->is_dual)
    return reroute_ip_equal (&ip, &self->ip);
  return (reroute_ip_equal (&ip, &any_ipv4) || reroute_ip_equal (&ip, &any_ipv6)) &&
         are_named (endpoints, endpoint, &any_ipv4, port) &&
         are_named (endpoints, endpoint, &any_ipv6, port);
}

RerouteHandedSocket *
reroute_handed_sockets_find (const GPtrArray *sockets,
                             const char *const *endpoints,
                             const char *endpoint)
{
  g_return_val_if_fail (endpoints != NULL && endpoint != NULL, NULL);

  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    {
      RerouteHandedSocket *socket = sockets->pdata[i];
      if (serves (socket, endpoints, endpoint))
        return socket;
    }
  return NULL;
}

static gboolean
is_wanted (const RerouteHandedSocket *self, const char *const *endpoints)
{
  for (gsize i = 0; endpoints[i] != NULL; i++)
    {
      if (serves (self, endpoints, endpoints[i]))
        return TRUE;
    }
  return FALSE;
}

void
reroute_handed_sockets_put_down (const GPtrArray *sockets,
                                 const char *const *endpoints,
                                 guint16 port)
{
  g_return_if_fail (endpoints != NULL);

  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    {
      RerouteHandedSocket *socket = sockets->pdata[i];

      if (socket->is_down || (port != 0 && socket->port != port) || is_wanted (socket, endpoints))
        continue;
      shutdown (socket->fd, SHUT_RDWR);
      socket->is_down = TRUE;
      g_message ("the settings do not have all addresses of “%s” (port %u): no mail is taken there",
                 socket->name,
                 socket->port);
    }
}
