/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-proxy-header.c - whatever may stand in front of a proxy's connection
 *
 * A header is judged once: more octets behind it change nothing, and fewer never give a client.
 */

#include "config.h"

#include "service/relay/smtp/proxy-header.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  RerouteIp client = { { 0 } };
  RerouteIp again = { { 0 } };
  gsize taken, taken_again;
  RerouteProxyResult result = reroute_proxy_header_parse (octets, length, &taken, &client);

  if (result == REROUTE_PROXY_UNFINISHED)
    g_assert_cmpuint (length, <, REROUTE_PROXY_HEADER_OCTETS);
  if (result != REROUTE_PROXY_CLIENT && result != REROUTE_PROXY_ITSELF)
    return 0;
  g_assert_cmpuint (taken, <=, length);
  g_assert_cmpuint (taken, <=, REROUTE_PROXY_HEADER_OCTETS);
  for (gsize n = 0; n < taken; n++)
    g_assert_cmpint (
      reroute_proxy_header_parse (octets, n, &taken_again, &again), ==, REROUTE_PROXY_UNFINISHED);
  memset (&again, 0, sizeof again);
  g_assert_cmpint (reroute_proxy_header_parse (octets, taken, &taken_again, &again), ==, result);
  g_assert_cmpuint (taken_again, ==, taken);
  if (result == REROUTE_PROXY_CLIENT)
    g_assert_cmpmem (&client, sizeof client, &again, sizeof again);
  return 0;
}
