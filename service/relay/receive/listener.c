/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * listener.c - a listening socket
 *
 * Standards: RFC 3493 section 5.3 (IPV6_V6ONLY).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-receive"

#include "service/relay/receive/listener.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/receive/handed-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union
{
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} SocketAddress;

gboolean
reroute_endpoint_parse (const char *endpoint, RerouteIp *ip, guint16 *port, GError **error)
{
  g_return_val_if_fail (endpoint != NULL && ip != NULL && port != NULL, FALSE);

  const char *colon = strrchr (endpoint, ':');
  guint64 number;

  if (colon != NULL && g_ascii_string_to_unsigned (colon + 1, 10, 0, 65535, &number, NULL))
    {
      gboolean bracketed = endpoint[0] == '[' && colon > endpoint && colon[-1] == ']';
      g_autofree char *address = bracketed ? g_strndup (endpoint + 1, colon - endpoint - 2)
                                           : g_strndup (endpoint, colon - endpoint);
      *port = number;
      if (reroute_ip_parse (address, ip) && bracketed == !reroute_ip_is_ipv4 (ip))
        return TRUE;
    }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "“%s” is no address and port: wanted like “127.0.0.1:2525” or “[::1]:2525”",
               endpoint);
  return FALSE;
}

static socklen_t
to_socket_address (const RerouteIp *ip, guint16 port, SocketAddress *address)
{
  memset (address, 0, sizeof *address);
  if (reroute_ip_is_ipv4 (ip))
    {
      address->v4.sin_family = AF_INET;
      address->v4.sin_port = g_htons (port);
      memcpy (&address->v4.sin_addr, ip->octets + 12, 4);
      return sizeof address->v4;
    }
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = g_htons (port);
  memcpy (&address->v6.sin6_addr, ip->octets, 16);
  return sizeof address->v6;
}

static guint16
from_socket_address (const SocketAddress *address, RerouteIp *ip)
{
  if (address->any.sa_family == AF_INET)
    {
      memset (ip->octets, 0, 10);
      memset (ip->octets + 10, 0xff, 2);
      memcpy (ip->octets + 12, &address->v4.sin_addr, 4);
      return g_ntohs (address->v4.sin_port);
    }
  memcpy (ip->octets, &address->v6.sin6_addr, 16);
  return g_ntohs (address->v6.sin6_port);
}

/* What the system's refusal means here, and what to do. */
static void
set_system_error (GError **error, const char *endpoint, int code)
{
  const char *advice = "see the setting “listen”, or --listen";
  gboolean no_address = code == EADDRNOTAVAIL || code == EAFNOSUPPORT;

  if (code == EADDRINUSE)
    advice = "another program receives there: stop it, or choose another port (setting “listen”, "
             "or --listen)";
  else if (code == EACCES || code == EPERM)
    advice = "ports below 1024 need CAP_NET_BIND_SERVICE: start it by systemd, or choose a higher "
             "port (setting “listen”, or --listen)";
  else if (code == EADDRNOTAVAIL)
    advice = "this machine has no such address: see “ip address”, and the setting “listen”";
  else if (code == EAFNOSUPPORT)
    advice = "this machine has no IPv6: leave the address out";

  g_set_error (error,
               REROUTE_ERROR,
               no_address ? REROUTE_ERROR_HOST : REROUTE_ERROR_UNAVAILABLE,
               "cannot listen on %s: %s; %s",
               endpoint,
               g_strerror (code),
               advice);
}

static gboolean
bind_and_listen (int fd, const RerouteIp *ip, guint16 port)
{
  const int on = 1;
  SocketAddress address;
  socklen_t length = to_socket_address (ip, port, &address);

  if (address.any.sa_family == AF_INET6 &&
      setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
    return FALSE;
  /* Connections inherit TCP_NODELAY: replies leave in one send, so nothing is gained by waiting. */
  return setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
         bind (fd, &address.any, length) == 0 && listen (fd, REROUTE_LIMIT_LISTEN_BACKLOG) == 0;
}

static char *
make_label (const RerouteListener *self)
{
  g_autofree char *text = reroute_ip_to_string (&self->ip);
  const char *how = self->in_tls ? " (TLS)" : "";

  if (self->handed != NULL && self->handed->is_dual)
    return g_strdup_printf ("0.0.0.0:%u%s, [::]:%u%s", self->port, how, self->port, how);
  return reroute_ip_is_ipv4 (&self->ip) ? g_strdup_printf ("%s:%u%s", text, self->port, how)
                                        : g_strdup_printf ("[%s]:%u%s", text, self->port, how);
}

/* Past the word for TLS. */
static const char *
get_address (const char *endpoint)
{
  return endpoint + (g_str_has_prefix (endpoint, REROUTE_LISTENER_IN_TLS)
                       ? strlen (REROUTE_LISTENER_IN_TLS)
                       : 0);
}

gboolean
reroute_listener_endpoint_parse (const char *endpoint, RerouteIp *ip, guint16 *port, GError **error)
{
  g_return_val_if_fail (endpoint != NULL, FALSE);

  return reroute_endpoint_parse (get_address (endpoint), ip, port, error);
}

static RerouteListener *
new_listener (int fd, const char *endpoint)
{
  RerouteListener *self = g_new0 (RerouteListener, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->fd = fd;
  self->endpoint = g_strdup (endpoint);
  self->in_tls = get_address (endpoint) != endpoint;
  return self;
}

RerouteListener *
reroute_listener_open (const char *endpoint, GError **error)
{
  RerouteIp ip;
  guint16 port;

  if (!reroute_listener_endpoint_parse (endpoint, &ip, &port, error))
    return NULL;

  int family = reroute_ip_is_ipv4 (&ip) ? AF_INET : AF_INET6;
  int fd = socket (family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || !bind_and_listen (fd, &ip, port))
    {
      int code = errno;
      if (fd >= 0)
        close (fd);
      set_system_error (error, get_address (endpoint), code);
      return NULL;
    }

  SocketAddress address;
  socklen_t length = sizeof address;
  RerouteListener *self = new_listener (fd, endpoint);
  self->ip = ip;
  self->port = port;
  if (getsockname (fd, &address.any, &length) == 0)
    self->port = from_socket_address (&address, &self->ip);
  self->label = make_label (self);
  return self;
}

RerouteListener *
reroute_listener_ref (RerouteListener *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_listener_unref (RerouteListener *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  close (self->fd);
  g_free (self->endpoint);
  g_free (self->label);
  g_free (self);
}

int
reroute_listener_accept (RerouteListener *self, RerouteIp *client)
{
  SocketAddress address;
  socklen_t length = sizeof address;
  int fd = accept4 (self->fd, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd >= 0)
    from_socket_address (&address, client);
  return fd;
}

/* --- a set of them --- */

static RerouteListener *
find (GPtrArray *listeners, const char *endpoint)
{
  for (guint i = 0; i < listeners->len; i++)
    {
      RerouteListener *listener = listeners->pdata[i];
      if (g_str_equal (listener->endpoint, endpoint))
        return listener;
    }
  return NULL;
}

/* A listening socket that is shut down stays bound but leaves its port to others that, like it, set
   SO_REUSEADDR; listening again takes it back. */
static void
suspend_dropped (GPtrArray *old, const char *const *endpoints, guint16 port)
{
  for (guint i = 0; i < old->len; i++)
    {
      RerouteListener *listener = old->pdata[i];
      if (listener->port == port && !g_strv_contains (endpoints, listener->endpoint))
        shutdown (listener->fd, SHUT_RDWR);
    }
}

/* Does nothing to one that listens. */
static void
resume (GPtrArray *listeners)
{
  for (guint i = 0; i < listeners->len; i++)
    {
      RerouteListener *listener = listeners->pdata[i];
      gboolean done = listener->handed != NULL
                        ? reroute_handed_socket_put_up (listener->handed)
                        : listen (listener->fd, REROUTE_LIMIT_LISTEN_BACKLOG) == 0;
      if (!done)
        g_warning ("cannot listen on %s again: %s", listener->label, g_strerror (errno));
    }
}

/* A socket of ours. */
static RerouteListener *
open_among (GPtrArray *old,
            const GPtrArray *handed,
            const char *const *endpoints,
            const char *endpoint,
            GError **error)
{
  RerouteIp ip;
  guint16 port;
  RerouteListener *listener = reroute_listener_open (endpoint, NULL);

  if (listener != NULL || !reroute_listener_endpoint_parse (endpoint, &ip, &port, error))
    return listener;

  suspend_dropped (old, endpoints, port);
  if (port != 0)
    reroute_handed_sockets_put_down (handed, endpoints, port);
  return reroute_listener_open (endpoint, error);
}

/* With a descriptor of its own; the socket is the service manager's. */
static RerouteListener *
take_handed (GPtrArray *old,
             RerouteHandedSocket *handed,
             const char *const *endpoints,
             const char *endpoint,
             GError **error)
{
  if (handed->is_down)
    suspend_dropped (old, endpoints, handed->port);

  int fd = fcntl (handed->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0 || !reroute_handed_socket_put_up (handed))
    {
      int code = errno;
      if (fd >= 0)
        close (fd);
      set_system_error (error, get_address (endpoint), code);
      return NULL;
    }
  RerouteListener *self = new_listener (fd, endpoint);
  self->handed = handed;
  self->ip = handed->ip;
  self->port = handed->port;
  self->label = make_label (self);
  return self;
}

static RerouteListener *
keep_or_open (GPtrArray *old,
              const GPtrArray *handed,
              const char *const *endpoints,
              const char *endpoint,
              GError **error)
{
  RerouteHandedSocket *socket = reroute_handed_sockets_find (handed, endpoints, endpoint);
  RerouteListener *listener = find (old, endpoint);

  if (listener != NULL && listener->handed == socket)
    return reroute_listener_ref (listener);
  return socket != NULL ? take_handed (old, socket, endpoints, endpoint, error)
                        : open_among (old, handed, endpoints, endpoint, error);
}

/* A socket of the service manager that takes IPv4 and IPv6 is two endpoints. */
static gboolean
is_taken (GPtrArray *listeners, RerouteHandedSocket *socket)
{
  for (guint i = 0; socket != NULL && i < listeners->len; i++)
    {
      if (((RerouteListener *) listeners->pdata[i])->handed == socket)
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_wildcard_ipv6 (const char *endpoint)
{
  return g_str_has_prefix (get_address (endpoint), "[::]:");
}

/* Errors: as reroute_listeners_update() */
static gboolean
add_listener (GPtrArray *listeners,
              GPtrArray *old,
              const GPtrArray *handed,
              const char *const *endpoints,
              const char *endpoint,
              GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (find (listeners, endpoint) != NULL ||
      is_taken (listeners, reroute_handed_sockets_find (handed, endpoints, endpoint)))
    return TRUE;
  RerouteListener *listener = keep_or_open (old, handed, endpoints, endpoint, &local_error);
  if (listener != NULL)
    g_ptr_array_add (listeners, listener);
  else if (is_wildcard_ipv6 (endpoint) && listeners->len > 0 &&
           g_error_matches (local_error, REROUTE_ERROR, REROUTE_ERROR_HOST))
    g_message ("%s", local_error->message);
  else
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  return TRUE;
}

GPtrArray *
reroute_listeners_update (GPtrArray *old,
                          const GPtrArray *handed,
                          const char *const *endpoints,
                          GError **error)
{
  g_return_val_if_fail (old != NULL && endpoints != NULL, NULL);

  g_autoptr (GPtrArray) listeners =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_listener_unref);
  for (gsize i = 0; endpoints[i] != NULL; i++)
    {
      if (!add_listener (listeners, old, handed, endpoints, endpoints[i], error))
        {
          g_ptr_array_set_size (listeners, 0);
          resume (old);
          return NULL;
        }
    }
  reroute_handed_sockets_put_down (handed, endpoints, 0);
  return g_steal_pointer (&listeners);
}

char *
reroute_listeners_dup_labels (const GPtrArray *listeners)
{
  g_return_val_if_fail (listeners != NULL, NULL);

  GString *text = g_string_new (NULL);
  for (guint i = 0; i < listeners->len; i++)
    g_string_append_printf (
      text, "%s%s", i > 0 ? ", " : "", ((RerouteListener *) listeners->pdata[i])->label);
  return g_string_free (text, FALSE);
}
