/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-endpoint.c - whether a typed host is this server itself
 *
 * By the settings alone: what DNS says of a name is the relay's to find out.
 */

#include "config.h"

#include "common/own-endpoint.h"

#include <string.h>

/* Whether a name or address is this machine. */
static gboolean
is_own_host (const RerouteSettings *settings, const RerouteHost *host)
{
  const char *hostname = reroute_settings_get_text (settings, REROUTE_SETTING_HOSTNAME);
  RerouteIp ip;

  if (!host->literal)
    return g_ascii_strcasecmp (host->name, "localhost") == 0 ||
           (*hostname != '\0' && g_ascii_strcasecmp (host->name, hostname) == 0);
  return reroute_ip_parse (host->name, &ip) &&
         (reroute_ip_is_loopback (&ip) || reroute_ip_is_unspecified (&ip) ||
          reroute_settings_contains (settings, REROUTE_SETTING_OWN_ADDRESSES, &ip));
}

static gboolean
is_listening (const RerouteSettings *settings, const RerouteHost *host, const char *endpoint)
{
  const char *const *listen = reroute_settings_get_endpoints (settings, REROUTE_SETTING_LISTEN);
  g_autofree char *port = g_strdup_printf (":%u", host->port);

  for (gsize i = 0; listen[i] != NULL; i++)
    {
      gboolean any =
        g_str_has_prefix (listen[i], "0.0.0.0:") || g_str_has_prefix (listen[i], "[::]:");
      if (g_str_equal (listen[i], endpoint) ||
          (g_str_has_suffix (listen[i], port) && (any || !host->literal)))
        return TRUE;
    }
  return FALSE;
}

char *
reroute_own_endpoint (const RerouteSettings *settings, const RerouteHost *host)
{
  g_return_val_if_fail (settings != NULL && host != NULL, NULL);

  if (host->mx || host->local || !is_own_host (settings, host))
    return NULL;
  g_autofree char *endpoint = g_strdup_printf (
    strchr (host->name, ':') != NULL ? "[%s]:%u" : "%s:%u", host->name, host->port);
  return is_listening (settings, host, endpoint) ? g_steal_pointer (&endpoint) : NULL;
}
