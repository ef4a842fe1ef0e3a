/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-https-addresses.c - which addresses of a stranger's host are asked by HTTPS
 */

#include "config.h"

#include "service/relay/deliver/https.h"

#define PUBLIC "198.51.100.7"

typedef struct
{
  const char *name;
  const char *addresses; /* separated by blanks */
  const char *chosen;
  const char *allowed; /* (nullable): the setting private-targets */
  gboolean loopback;
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "public", "198.51.100.7 2001:db8::1", "198.51.100.7 2001:db8::1" },
  { "none", "", "" },
  { "loopback", "127.0.0.1 ::1 127.255.255.255", "" },
  { "loopback-in-tests", "127.0.0.1 ::1", "127.0.0.1 ::1", NULL, TRUE },
  { "unspecified", "0.0.0.0 ::", "", NULL, TRUE },
  { "private", "10.0.0.1 172.16.0.1 192.168.0.1", "" },
  { "link-local", "169.254.169.254 fe80::1", "" },
  { "carrier", "100.64.0.1", "" },
  { "unique-local", "fd00::1", "" },
  { "multicast", "224.0.0.1 ff02::1", "" },
  { "mapped", "::ffff:10.0.0.1 ::ffff:127.0.0.1", "" },
  { "translated", "64:ff9b::10.0.0.1 64:ff9b::198.51.100.7", "64:ff9b::c633:6407" },
  { "both-kinds", "10.0.0.1 " PUBLIC " 127.0.0.1", PUBLIC },
  { "ours", "10.1.2.3 10.2.2.3", "10.1.2.3", "10.1.0.0/16" },
  { "loopback-is-never-ours", "127.0.0.1 " PUBLIC, PUBLIC, "127.0.0.0/8" },
  { "private-in-tests", "10.0.0.1 127.0.0.1", "127.0.0.1", NULL, TRUE },
  /* clang-format on */
};

static GArray *
parse (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  GArray *addresses = g_array_new (FALSE, FALSE, sizeof (RerouteIp));

  for (gsize i = 0; words[i] != NULL; i++)
    {
      RerouteIp ip;

      g_assert_true (reroute_ip_parse (words[i], &ip));
      g_array_append_val (addresses, ip);
    }
  return addresses;
}

static char *
print (const GArray *addresses)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < addresses->len; i++)
    {
      g_autofree char *each = reroute_ip_to_string (&g_array_index (addresses, RerouteIp, i));

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", each);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();
  g_autoptr (RerouteSettings) settings = reroute_settings_with (
    defaults, "private-targets", row->allowed != NULL ? row->allowed : "", &error);
  g_autoptr (GArray) addresses = parse (row->addresses);
  const RerouteDnsAnswer answer = { .status = REROUTE_DNS_ANSWER, .addresses = addresses };
  const char *why = NULL;

  g_assert_no_error (error);
  g_autoptr (GArray) chosen =
               reroute_https_choose_addresses (&answer, "a.test", settings, row->loopback, &why);
  g_autofree char *text = print (chosen);
  g_assert_cmpstr (text, ==, row->chosen);
  if (addresses->len == 0)
    g_assert_cmpstr (why, ==, "the host has no address");
  else if (chosen->len == 0)
    g_assert_cmpstr (why, ==, "the host leads to private addresses alone");
}

static void
test_failure (void)
{
  char reason[] = "no answer";
  const RerouteDnsAnswer answer = { .status = REROUTE_DNS_FAILED, .reason = reason };
  g_autoptr (RerouteSettings) settings = reroute_settings_new ();
  const char *why = NULL;
  g_autoptr (GArray) chosen =
               reroute_https_choose_addresses (&answer, "a.test", settings, FALSE, &why);

  g_assert_cmpuint (chosen->len, ==, 0);
  g_assert_cmpstr (why, ==, "no answer");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/https-addresses/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/https-addresses/failure", test_failure);
  return g_test_run ();
}
