/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * socket-address.c - addresses as the kernel wants them
 */

#include "config.h"

#include "service/relay/socket-address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

socklen_t
reroute_socket_address_fill (const RerouteIp *ip, guint16 port, struct sockaddr_storage *storage)
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

socklen_t
reroute_socket_address_fill_path (const char *path, struct sockaddr_storage *storage)
{
  struct sockaddr_un *local = (struct sockaddr_un *) storage;

  memset (storage, 0, sizeof *storage);
  local->sun_family = AF_UNIX;
  g_strlcpy (local->sun_path, path, sizeof local->sun_path);
  return sizeof *local;
}

gboolean
reroute_socket_address_read (const struct sockaddr *address, RerouteIp *ip)
{
  static const RerouteIp mapped = { { [10] = 0xff, [11] = 0xff } };

  if (address->sa_family == AF_INET)
    {
      *ip = mapped;
      memcpy (
        ip->octets + 12, &((const struct sockaddr_in *) (gconstpointer) address)->sin_addr, 4);
      return TRUE;
    }
  if (address->sa_family != AF_INET6)
    return FALSE;
  memcpy (ip->octets, &((const struct sockaddr_in6 *) (gconstpointer) address)->sin6_addr, 16);
  return TRUE;
}
