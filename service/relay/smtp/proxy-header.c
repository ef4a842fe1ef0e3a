/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * proxy-header.c - whose connection a proxy passes on
 *
 * To the letter: nothing is guessed from a header that is almost right, as who may relay hangs on
 * it.
 *
 * Source: HAProxy, "The PROXY protocol, versions 1 & 2", sections 2.1 and 2.2.
 */

#include "config.h"

#include "service/relay/smtp/proxy-header.h"

#include <string.h>

#define V1_OCTETS 107 /* section 2.1: with CR LF */
#define V2_FIXED_OCTETS 16
#define V2_IPV4_OCTETS 12 /* two addresses, two ports */
#define V2_IPV6_OCTETS 36

static const guint8 v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_signature[] = "PROXY ";

/* Decimal, without zeros in front. */
static gboolean
is_port (const char *text)
{
  guint64 port;

  return (text[0] != '0' || text[1] == '\0') && strlen (text) <= 5 &&
         g_ascii_string_to_unsigned (text, 10, 0, 65535, &port, NULL);
}

static gboolean
parse_address (const char *text, gboolean ipv4, RerouteIp *ip)
{
  return reroute_ip_parse (text, ip) && (strchr (text, ':') == NULL) == ipv4;
}

/* "PROXY TCP4 SOURCE DESTINATION PORT PORT", one blank between each two. */
static RerouteProxyResult
judge_line (const char *line, RerouteIp *client)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 7);
  guint n = g_strv_length (words);
  RerouteIp destination;

  if (n >= 2 && g_str_equal (words[1], "UNKNOWN"))
    return REROUTE_PROXY_ITSELF;
  if (n != 6)
    return REROUTE_PROXY_BAD;
  gboolean ipv4 = g_str_equal (words[1], "TCP4");
  if (!ipv4 && !g_str_equal (words[1], "TCP6"))
    return REROUTE_PROXY_BAD;
  if (!parse_address (words[2], ipv4, client) || !parse_address (words[3], ipv4, &destination) ||
      !is_port (words[4]) || !is_port (words[5]))
    return REROUTE_PROXY_BAD;
  return REROUTE_PROXY_CLIENT;
}

static RerouteProxyResult
parse_v1 (const guint8 *octets, gsize length, gsize *taken, RerouteIp *client)
{
  const guint8 *lf = memchr (octets, '\n', MIN (length, V1_OCTETS));
  gsize n = lf != NULL ? (gsize) (lf - octets) + 1 : length;

  if (lf == NULL)
    return length < V1_OCTETS ? REROUTE_PROXY_UNFINISHED : REROUTE_PROXY_BAD;
  if (n < 2 || octets[n - 2] != '\r' || memchr (octets, '\0', n) != NULL)
    return REROUTE_PROXY_BAD;
  g_autofree char *line = g_strndup ((const char *) octets, n - 2);
  *taken = n;
  return judge_line (line, client);
}

static RerouteProxyResult
parse_v2 (const guint8 *octets, gsize length, gsize *taken, RerouteIp *client)
{
  if (length < V2_FIXED_OCTETS)
    return REROUTE_PROXY_UNFINISHED;

  guint command = octets[12];
  guint family = octets[13];
  gsize n_rest = (gsize) octets[14] << 8 | octets[15];
  if ((command != 0x20 && command != 0x21) ||
      V2_FIXED_OCTETS + n_rest > REROUTE_PROXY_HEADER_OCTETS)
    return REROUTE_PROXY_BAD;
  if (length < V2_FIXED_OCTETS + n_rest)
    return REROUTE_PROXY_UNFINISHED;
  *taken = V2_FIXED_OCTETS + n_rest;
  if (command == 0x20)
    return REROUTE_PROXY_ITSELF;
  if (family == 0x11 && n_rest >= V2_IPV4_OCTETS)
    {
      memset (client->octets, 0, 10);
      memset (client->octets + 10, 0xff, 2);
      memcpy (client->octets + 12, octets + V2_FIXED_OCTETS, 4);
      return REROUTE_PROXY_CLIENT;
    }
  if (family == 0x21 && n_rest >= V2_IPV6_OCTETS)
    {
      memcpy (client->octets, octets + V2_FIXED_OCTETS, 16);
      return REROUTE_PROXY_CLIENT;
    }
  return REROUTE_PROXY_BAD;
}

RerouteProxyResult
reroute_proxy_header_parse (const guint8 *octets, gsize length, gsize *taken, RerouteIp *client)
{
  g_return_val_if_fail (octets != NULL || length == 0, REROUTE_PROXY_BAD);

  gsize n_v1 = MIN (length, strlen (v1_signature));
  gsize n_v2 = MIN (length, sizeof v2_signature);
  *taken = 0;
  if (length == 0)
    return REROUTE_PROXY_UNFINISHED;
  if (memcmp (octets, v1_signature, n_v1) == 0)
    return parse_v1 (octets, length, taken, client);
  if (memcmp (octets, v2_signature, n_v2) == 0)
    return parse_v2 (octets, length, taken, client);
  return REROUTE_PROXY_BAD;
}
