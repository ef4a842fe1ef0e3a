/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ourselves.c - which addresses are this relay
 */

#include "config.h"

#include "service/relay/deliver/next-hop.h"

#include "common/limits.h"

static gboolean
is_own_address (const RerouteSelf *self, const RerouteIp *ip)
{
  for (gsize i = 0; i < self->n_addresses; i++)
    {
      if (reroute_ip_equal (&self->addresses[i], ip))
        return TRUE;
    }
  return FALSE;
}

gboolean
reroute_self_has (const RerouteSelf *self, const RerouteIp *ip, guint16 port, gboolean typed)
{
  g_return_val_if_fail (self != NULL && ip != NULL, FALSE);

  if (reroute_ip_is_unspecified (ip))
    return TRUE;
  if (typed)
    return port == self->listen_port && (reroute_ip_is_loopback (ip) || is_own_address (self, ip));
  if (reroute_ip_is_loopback (ip) && self->mx_port != REROUTE_DEFAULT_SMTP_PORT)
    return port == self->listen_port || is_own_address (self, ip);
  return reroute_ip_is_loopback (ip) || is_own_address (self, ip);
}
