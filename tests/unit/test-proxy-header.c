/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-proxy-header.c - the PROXY protocol to the letter
 */

#include "config.h"

#include "service/relay/smtp/proxy-header.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x01\xc0\x00\x02\x02\x10\x00\x00\x19"
#define V6                                                                                         \
  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                                                     \
  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x10\x00\x00\x19"
#define OCTETS(text) text, sizeof text - 1

static const struct
{
  const char *name;
  const char *octets;
  gsize length;
  RerouteProxyResult result;
  const char *client;
  gsize surplus; /* octets behind the header */
} rows[] = {
  /* clang-format off */
  { "v1-ipv4",           OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 4096 25\r\n"),            REROUTE_PROXY_CLIENT, "192.0.2.1", 0 },
  { "v1-ipv6",           OCTETS ("PROXY TCP6 2001:db8::1 2001:db8::2 4096 25\r\n"),        REROUTE_PROXY_CLIENT, "2001:db8::1", 0 },
  { "v1-surplus",        OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 0 65535\r\nEHLO"),        REROUTE_PROXY_CLIENT, "192.0.2.1", 4 },
  { "v1-unknown",        OCTETS ("PROXY UNKNOWN\r\n"),                                     REROUTE_PROXY_ITSELF, NULL, 0 },
  { "v1-unknown-more",   OCTETS ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"),                 REROUTE_PROXY_ITSELF, NULL, 0 },
  { "v1-bare-lf",        OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 4096 25\n"),              REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-lower-case",     OCTETS ("proxy TCP4 192.0.2.1 192.0.2.2 4096 25\r\n"),            REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-mixed",          OCTETS ("PROXY TCP4 2001:db8::1 192.0.2.2 4096 25\r\n"),          REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-mixed-6",        OCTETS ("PROXY TCP6 192.0.2.1 2001:db8::2 4096 25\r\n"),          REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-two-blanks",     OCTETS ("PROXY TCP4  192.0.2.1 192.0.2.2 4096 25\r\n"),           REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-more",           OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 4096 25 x\r\n"),          REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-less",           OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 4096\r\n"),               REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-port",           OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n"),           REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-port-zero",      OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 01 25\r\n"),              REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-port-sign",      OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 +1 25\r\n"),              REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-octet",          OCTETS ("PROXY TCP4 192.0.2.256 192.0.2.2 1 25\r\n"),             REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-other-protocol", OCTETS ("PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n"),               REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-nul",            OCTETS ("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\0\r\n"),             REROUTE_PROXY_BAD, NULL, 0 },
  { "v1-endless",        OCTETS ("PROXY TCP4 000000000000000000000000000000000000000000000000000000000000"
                                 "000000000000000000000000000000000000000000000000"),     REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-ipv4",           OCTETS (SIGNATURE "\x21\x11\x00\x0c" V4),                         REROUTE_PROXY_CLIENT, "192.0.2.1", 0 },
  { "v2-ipv6",           OCTETS (SIGNATURE "\x21\x21\x00\x24" V6),                         REROUTE_PROXY_CLIENT, "2001:db8::1", 0 },
  { "v2-extension",      OCTETS (SIGNATURE "\x21\x11\x00\x10" V4 "\x04\x00\x01x" "EH"),    REROUTE_PROXY_CLIENT, "192.0.2.1", 2 },
  { "v2-local",          OCTETS (SIGNATURE "\x20\x00\x00\x00"),                            REROUTE_PROXY_ITSELF, NULL, 0 },
  { "v2-local-more",     OCTETS (SIGNATURE "\x20\x11\x00\x0c" V4),                         REROUTE_PROXY_ITSELF, NULL, 0 },
  { "v2-version",        OCTETS (SIGNATURE "\x31\x11\x00\x0c" V4),                         REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-command",        OCTETS (SIGNATURE "\x22\x11\x00\x0c" V4),                         REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-unspecified",    OCTETS (SIGNATURE "\x21\x00\x00\x00"),                            REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-udp",            OCTETS (SIGNATURE "\x21\x12\x00\x0c" V4),                         REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-short",          OCTETS (SIGNATURE "\x21\x11\x00\x0b" V4),                         REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-short-6",        OCTETS (SIGNATURE "\x21\x21\x00\x0c" V4),                         REROUTE_PROXY_BAD, NULL, 0 },
  { "v2-huge",           OCTETS (SIGNATURE "\x21\x11\xff\xff" V4),                         REROUTE_PROXY_BAD, NULL, 0 },
  { "smtp",              OCTETS ("EHLO client.test\r\n"),                                  REROUTE_PROXY_BAD, NULL, 0 },
  { "empty",             OCTETS (""),                                                      REROUTE_PROXY_UNFINISHED, NULL, 0 },
  /* clang-format on */
};

static void
test_row (gconstpointer data)
{
  gsize index = GPOINTER_TO_SIZE (data);
  const guint8 *octets = (const guint8 *) rows[index].octets;
  RerouteIp client;
  gsize taken;

  g_assert_cmpint (reroute_proxy_header_parse (octets, rows[index].length, &taken, &client),
                   ==,
                   rows[index].result);
  if (rows[index].result == REROUTE_PROXY_CLIENT)
    {
      g_autofree char *text = reroute_ip_to_string (&client);
      g_assert_cmpstr (text, ==, rows[index].client);
      g_assert_cmpuint (taken, ==, rows[index].length - rows[index].surplus);
    }
  /* A beginning of a sound header is never judged before its end. */
  if (rows[index].result == REROUTE_PROXY_CLIENT || rows[index].result == REROUTE_PROXY_ITSELF)
    for (gsize n = 0; n < rows[index].length - rows[index].surplus; n++)
      g_assert_cmpint (
        reroute_proxy_header_parse (octets, n, &taken, &client), ==, REROUTE_PROXY_UNFINISHED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/smtp/proxy-header/", rows[i].name, NULL);
      g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_row);
    }
  return g_test_run ();
}
