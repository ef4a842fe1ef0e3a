/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * web-address.c - where alarms are posted
 *
 * Standards: RFC 3986 (syntax of a URI).
 */

#include "config.h"

#include "common/web-address.h"

#include "common/domain-private.h"
#include "common/error.h"
#include "common/ip.h"
#include "common/limits.h"

#include <string.h>

static gboolean
refuse (const char *text, const char *why, GError **error)
{
  g_autofree char *value = reroute_quote_value (text, -1);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "%s %s", value, why);
  return FALSE;
}

static gboolean
is_this_machine (const char *host)
{
  RerouteIp ip;

  return g_ascii_strcasecmp (host, "localhost") == 0 ||
         (reroute_ip_parse (host, &ip) && reroute_ip_is_loopback (&ip));
}

static gboolean
is_printable (const char *text)
{
  while (g_ascii_isgraph (*text))
    text++;
  return *text == '\0';
}

gboolean
reroute_web_address_check (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, FALSE);

  g_autoptr (GUri) uri = is_printable (text) ? g_uri_parse (text, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  gboolean secure = uri != NULL && g_str_equal (g_uri_get_scheme (uri), "https");

  if (strlen (text) > REROUTE_LIMIT_WEB_ADDRESS_OCTETS)
    return refuse (text, "is too long for a web address", error);
  if (host == NULL || *host == '\0' || (!secure && !g_str_equal (g_uri_get_scheme (uri), "http")))
    return refuse (text, "is no web address: write “https://alarms.example.com/reroute”", error);
  if (!secure && !is_this_machine (host))
    return refuse (text, "goes over the network in clear text: write “https://…”", error);
  if (g_uri_get_userinfo (uri) != NULL)
    return refuse (text, "has a user name or password in it, and settings are no secret", error);
  return TRUE;
}
