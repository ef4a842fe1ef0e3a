/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-ip.c - addresses, and which range they are in
 */

#include "config.h"

#include "common/ip.h"

#include "common/error.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *source;
  const char *text;
  const char *canonical; /* NULL: refused */
  const char *inside;    /* or part of the refusal */
  const char *outside;
} Row;

static const Row rows[] = {
  { "one", "Q193922", "192.168.1.17", "192.168.1.17", "192.168.1.17", "192.168.1.18" },
  { "one-32",
    "conformance I05",
    "192.168.1.17/32",
    "192.168.1.17",
    "192.168.1.17",
    "192.168.1.16" },
  { "prefix",
    "conformance I02",
    "192.168.1.0/24",
    "192.168.1.0/24",
    "192.168.1.255",
    "192.168.2.0" },
  { "odd-prefix", "RFC 4632", "10.0.0.8/29", "10.0.0.8/29", "10.0.0.15", "10.0.0.16" },
  { "mask", "Q193922", "192.0.2.0;255.255.255.0", "192.0.2.0/24", "192.0.2.9", "192.0.3.9" },
  { "all-ipv4", "conformance A01", "0.0.0.0/0", "0.0.0.0/0", "198.51.100.7", "2001:db8::1" },
  { "all", "RFC 4291", "::/0", "::/0", "198.51.100.7", NULL },
  { "ipv6", "RFC 4291", "2001:db8::/32", "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1" },
  { "mapped", "RFC 4291 2.5.5.2", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1" },
  { "blanks", "typed", " 192.0.2.0 / 24 ", "192.0.2.0/24", "192.0.2.1", "192.0.3.1" },
  { "host-bits", "ip.h", "192.0.2.5/24", NULL, "write “192.0.2.0/24” for the network", NULL },
  { "host-bits-6", "ip.h", "2001:db8::1/32", NULL, "write “2001:db8::/32” for the network", NULL },
  { "prefix-33", "RFC 4632", "192.0.2.0/33", NULL, "a number from 0 to 32", NULL },
  { "prefix-129", "RFC 4291", "2001:db8::/129", NULL, "a number from 0 to 128", NULL },
  { "prefix-sign", "wire-defaults 3", "192.0.2.0/+24", NULL, "a number from 0 to 32", NULL },
  { "mask-holes", "RFC 4632", "192.0.2.0;255.0.255.0", NULL, "a mask such as", NULL },
  { "name", "design 8", "localhost", NULL, "is no address or range", NULL },
  { "short", "design 8", "10/8", NULL, "is no address or range", NULL },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  RerouteIpRange range;
  RerouteIp ip;
  g_autoptr (GError) error = NULL;
  gboolean valid = reroute_ip_range_parse (row->text, &range, &error);

  if (row->canonical == NULL)
    {
      g_assert_false (valid);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
      g_assert_nonnull (strstr (error->message, row->inside));
      return;
    }
  g_assert_no_error (error);
  g_autofree char *canonical = reroute_ip_range_to_string (&range);
  g_assert_cmpstr (canonical, ==, row->canonical);
  g_assert_true (reroute_ip_parse (row->inside, &ip));
  g_assert_true (reroute_ip_range_contains (&range, &ip));
  if (row->outside == NULL)
    return;
  g_assert_true (reroute_ip_parse (row->outside, &ip));
  g_assert_false (reroute_ip_range_contains (&range, &ip));
}

/* The borders of every network, from both sides. */
static void
test_private (void)
{
  static const char *const inside[] = {
    "0.0.0.1",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.0.1",
    "192.168.0.0",
    "192.168.1.1",
    "224.0.0.1",
    "240.0.0.1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "255.255.255.255",
    "64:ff9b::10.0.0.1",
    "64:ff9b::127.0.0.1",
    "2002:c0a8:101::1",
    "2002:7f00:1::1",
  };
  static const char *const outside[] = {
    "1.0.0.1",           "9.255.255.255",
    "11.0.0.0",          "100.63.255.255",
    "100.128.0.0",       "127.0.0.1",
    "169.253.255.255",   "169.255.0.0",
    "172.15.255.255",    "172.32.0.0",
    "192.0.2.1",         "192.167.255.255",
    "192.169.0.0",       "198.51.100.1",
    "223.255.255.255",   "2001:db8::1",
    "fbff::1",           "fe00::1",
    "fe7f::1",           "::1",
    "2a00::1",           "64:ff9b::198.51.100.1",
    "2002:c633:6401::1", "64:ff9c::10.0.0.1",
  };
  RerouteIp ip;

  for (gsize i = 0; i < G_N_ELEMENTS (inside); i++)
    {
      g_test_message ("%s", inside[i]);
      g_assert_true (reroute_ip_parse (inside[i], &ip));
      g_assert_true (reroute_ip_is_private (&ip));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (outside); i++)
    {
      g_test_message ("%s", outside[i]);
      g_assert_true (reroute_ip_parse (outside[i], &ip));
      g_assert_false (reroute_ip_is_private (&ip));
    }
}

static void
test_kinds (void)
{
  static const struct
  {
    const char *text;
    const char *canonical;
    gboolean ipv4, loopback, unspecified;
  } cases[] = {
    { "127.1.2.3", "127.1.2.3", TRUE, TRUE, FALSE },
    { "::1", "::1", FALSE, TRUE, FALSE },
    { "::ffff:127.0.0.1", "127.0.0.1", TRUE, TRUE, FALSE },
    { "0.0.0.0", "0.0.0.0", TRUE, FALSE, TRUE },
    { "::", "::", FALSE, FALSE, TRUE },
    { "2001:DB8:0:0:0:0:0:1", "2001:db8::1", FALSE, FALSE, FALSE },
    { "128.0.0.1", "128.0.0.1", TRUE, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      RerouteIp ip;
      g_assert_true (reroute_ip_parse (cases[i].text, &ip));
      g_autofree char *canonical = reroute_ip_to_string (&ip);
      g_assert_cmpstr (canonical, ==, cases[i].canonical);
      g_assert_cmpint (reroute_ip_is_ipv4 (&ip), ==, cases[i].ipv4);
      g_assert_cmpint (reroute_ip_is_loopback (&ip), ==, cases[i].loopback);
      g_assert_cmpint (reroute_ip_is_unspecified (&ip), ==, cases[i].unspecified);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/ip/range/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/ip/kinds", test_kinds);
  g_test_add_func ("/ip/private", test_private);
  return g_test_run ();
}
