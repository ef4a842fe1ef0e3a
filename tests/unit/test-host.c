/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-host.c - hosts and ports as they are typed
 */

#include "config.h"

#include "common/host.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *source;
  const char *text;
  const char *canonical; /* NULL: refused */
  const char *message;
} Row;

static const Row rows[] = {
  { "name", "Q190710", "mail.example.com", "mail.example.com", NULL },
  { "kept-as-typed", "design 3", " Mail.Example.COM. ", "Mail.Example.COM", NULL },
  { "beyond-ascii", "RFC 5891", " Mail.Bücher.example. ", "mail.xn--bcher-kva.example", NULL },
  { "mx-beyond-ascii", "RFC 5891", "mx:bücher.example", "mx:xn--bcher-kva.example", NULL },
  { "a-labels", "RFC 5891", "XN--Bcher-KVA.example", "XN--Bcher-KVA.example", NULL },
  { "default-port", "design 8", "mx1.example.net:25", "mx1.example.net", NULL },
  { "list",
    "design 8",
    "mx1.example.net:2525;mx2.example.net",
    "mx1.example.net:2525;mx2.example.net",
    NULL },
  { "comma", "Q279323", "192.0.2.1, 192.0.2.2", "192.0.2.1;192.0.2.2", NULL },
  { "mx", "design 3", "MX:relay.example.net", "mx:relay.example.net", NULL },
  { "mx-port-is-dropped",
    "RFC 5321 5.1",
    "mx: relay.example.net:26",
    "mx:relay.example.net",
    NULL },
  { "a-host-called-mx", "containers", "mx.:26", "mx:26", NULL },
  { "mx-of-a-host-called-mx", "containers", "mx:mx:26", "mx:mx", NULL },
  { "bracketed", "conformance O12", "[192.0.2.25]", "192.0.2.25", NULL },
  { "ipv6", "design 8", "[2001:DB8::1]:2525", "[2001:db8::1]:2525", NULL },
  { "bare-ipv6", "design 8", "2001:db8::1", "[2001:db8::1]", NULL },
  { "underscore", "names of containers", "mail_1", "mail_1", NULL },
  { "digit-first", "Q146677", "1mail.example.net", "1mail.example.net", NULL },
  { "empty", "issue 2", "", NULL, "host is empty" },
  { "empty-in-list", "issue 2", "a.example;", NULL, "host is empty" },
  { "mailbox", "issue 2", "user@a.example", NULL, "host “user@a.example” is an e-mail address" },
  { "web-address", "issue 2", "smtp://a.example", NULL, "is a web address" },
  { "port-zero", "issue 2", "a.example:0", NULL, "port “0” is not a number from 1 to 65535" },
  { "port-big",
    "issue 2",
    "a.example:65536",
    NULL,
    "port “65536” is not a number from 1 to 65535" },
  { "port-sign", "wire-defaults 3", "a.example:+25", NULL, "port “+25” is not a number" },
  { "port-word", "issue 2", "a.example:smtp", NULL, "port “smtp” is not a number" },
  { "port-missing", "issue 2", "a.example:", NULL, "has no port behind its “:”" },
  { "star", "issue 2", "*.example", NULL, "has a “*”" },
  { "mx-address", "design 3", "mx:192.0.2.1", NULL, "is an address and has no MX" },
  { "broken-address", "issue 2", "192.0.2", NULL, "ends in a number" },
};

typedef RerouteHosts *(*Parse) (const char *text, GError **error);

static void
check_row (const Row *row, Parse parse)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteHosts) hosts = parse (row->text, &error);

  if (row->canonical == NULL)
    {
      g_assert_null (hosts);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_HOST);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, row->message));
      return;
    }
  g_assert_no_error (error);
  g_autofree char *canonical = reroute_hosts_to_string (hosts);
  g_assert_cmpstr (canonical, ==, row->canonical);
  g_autoptr (RerouteHosts) again = parse (canonical, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_hosts_equal (hosts, again));
}

static RerouteHosts *
parse_list (const char *text, GError **error)
{
  return reroute_hosts_parse (text, FALSE, error);
}

static void
test_row (gconstpointer data)
{
  check_row (data, parse_list);
}

static const Row inbound_rows[] = {
  { "smtp", "Q190710", "mail.example.com:2525", "mail.example.com:2525", NULL },
  { "lmtp-beyond-ascii", "RFC 5891", "lmtp:bücher.example", "lmtp:xn--bcher-kva.example", NULL },
  { "lmtp", "RFC 2033", "lmtp:mail.example.com", "lmtp:mail.example.com", NULL },
  { "lmtp-default-port", "RFC 2033 5", "LMTP: mail.example.com:24", "lmtp:mail.example.com", NULL },
  { "lmtp-port-25", "RFC 2033 5", "lmtp:192.0.2.1:25", "lmtp:192.0.2.1:25", NULL },
  { "lmtp-brackets", "Postfix", "lmtp:[192.0.2.1]:2003", "lmtp:192.0.2.1:2003", NULL },
  { "lmtp-ipv6", "design 8", "lmtp:[2001:DB8::1]:2003", "lmtp:[2001:db8::1]:2003", NULL },
  { "lmtp-bare-ipv6", "design 8", "lmtp:::1", "lmtp:[::1]", NULL },
  { "lmtp-inet", "Postfix", "lmtp:inet:mail.example.com:2003", "lmtp:mail.example.com:2003", NULL },
  { "lmtp-socket", "Dovecot", " lmtp:/run/dovecot/lmtp ", "lmtp:/run/dovecot/lmtp", NULL },
  { "lmtp-socket-comma", "issue 4", "lmtp:/run/a,b;c", "lmtp:/run/a,b;c", NULL },
  { "lmtp-unix", "Postfix", "lmtp:unix:/run/dovecot/lmtp", "lmtp:/run/dovecot/lmtp", NULL },
  { "a-host-called-lmtp", "containers", "lmtp:24", "lmtp:24", NULL },
  { "lmtp-of-a-host-called-inet", "containers", "lmtp:inet.:26", "lmtp:inet:26", NULL },
  { "lmtp-of-a-host-called-unix", "containers", "lmtp:unix:26", "lmtp:unix:26", NULL },
  { "lmtp-nothing", "issue 4", "lmtp:", NULL, "host is empty: write “lmtp:mail.example.com” or" },
  { "lmtp-list", "issue 4", "lmtp:a.example;b.example", NULL, "one is possible" },
  { "lmtp-mx", "issue 4", "lmtp:mx:a.example", NULL, "write it without “mx:”" },
  { "lmtp-mailbox", "issue 4", "lmtp:user@a.example", NULL, "is an e-mail address" },
  { "lmtp-port-zero", "issue 4", "lmtp:a.example:0", NULL, "is not a number from 1 to 65535" },
  { "path-relative", "issue 4", "lmtp:run/lmtp", NULL, "from the first “/” on" },
  { "socket-relative", "Postfix", "lmtp:unix:private/lmtp", NULL, "from the first “/” on" },
  { "socket-root", "issue 4", "lmtp:/", NULL, "names no socket" },
  { "socket-control", "wire-defaults 11", "lmtp:/run/a\nb", NULL, "has a control character" },
  { "socket-longest",
    "unix(7)",
    "lmtp:/12345678901234567890123456789012345678901234567890"
    "12345678901234567890123456789012345678901234567890123456",
    "lmtp:/12345678901234567890123456789012345678901234567890"
    "12345678901234567890123456789012345678901234567890123456",
    NULL },
  { "socket-too-long",
    "unix(7)",
    "lmtp:/12345678901234567890123456789012345678901234567890"
    "123456789012345678901234567890123456789012345678901234567",
    NULL,
    "is longer than the path of a socket can be" },
};

static void
test_inbound_row (gconstpointer data)
{
  check_row (data, reroute_inbound_host_parse);
}

static void
test_inbound_fields (void)
{
  g_autoptr (RerouteHosts) socket = reroute_inbound_host_parse ("lmtp:/run/lmtp", NULL);
  g_autoptr (RerouteHosts) lmtp = reroute_inbound_host_parse ("lmtp:a.example:2003", NULL);
  g_autoptr (RerouteHosts) smtp = reroute_inbound_host_parse ("a.example:2003", NULL);

  g_assert_true (socket->hosts[0].lmtp && socket->hosts[0].local);
  g_assert_cmpstr (socket->hosts[0].name, ==, "/run/lmtp");
  g_assert_true (lmtp->hosts[0].lmtp && !lmtp->hosts[0].local);
  g_assert_cmpstr (lmtp->hosts[0].name, ==, "a.example");
  g_assert_cmpuint (lmtp->hosts[0].port, ==, 2003);
  g_assert_false (reroute_hosts_equal (lmtp, smtp));
  g_assert_null (reroute_hosts_parse ("lmtp:/run/lmtp", FALSE, NULL));
}

static void
test_fields (void)
{
  g_autoptr (RerouteHosts) hosts =
               reroute_hosts_parse ("[::1]:26;mx:a.example;b.example", TRUE, NULL);
  g_autoptr (RerouteHosts) in_order =
               reroute_hosts_parse ("[::1]:26;mx:a.example;b.example", FALSE, NULL);

  g_assert_cmpuint (hosts->n_hosts, ==, 3);
  g_assert_true (hosts->by_turns);
  g_assert_cmpstr (hosts->hosts[0].name, ==, "::1");
  g_assert_true (hosts->hosts[0].literal);
  g_assert_cmpuint (hosts->hosts[0].port, ==, 26);
  g_assert_true (hosts->hosts[1].mx);
  g_assert_cmpuint (hosts->hosts[2].port, ==, REROUTE_DEFAULT_SMTP_PORT);
  g_assert_false (reroute_hosts_equal (hosts, in_order));
  g_assert_false (reroute_hosts_equal (hosts, NULL));
  g_assert_true (reroute_hosts_equal (NULL, NULL));
}

static const struct
{
  const char *text;
  const char *message; /* NULL: it may be typed */
} typed[] = {
  { "mx:a.example", NULL },
  { "mx:a.example:25;b.example:26", NULL },
  { "mx:26", NULL },
  { "lmtp:/run/a;mx:b.example:26", NULL },
  { "no host", NULL },
  { "a.example; MX: b.example:26",
    "host “MX: b.example:26” has a port: an MX is always reached at port 25" },
  { "mx:mx:26", "leave the port out" },
};

static void
test_typed (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (typed); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean taken = reroute_hosts_check_typed (typed[i].text, &error);

      g_assert_cmpint (taken, ==, typed[i].message == NULL);
      if (taken)
        continue;
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_HOST);
      g_assert_nonnull (strstr (error->message, typed[i].message));
    }
}

static void
test_too_many (void)
{
  g_autoptr (GString) text = g_string_new ("a0.example");
  g_autoptr (GError) error = NULL;

  for (int i = 1; i < REROUTE_LIMIT_HOSTS_PER_ROW; i++)
    g_string_append_printf (text, ";a%d.example", i);
  g_autoptr (RerouteHosts) most = reroute_hosts_parse (text->str, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (most->n_hosts, ==, REROUTE_LIMIT_HOSTS_PER_ROW);
  g_string_append (text, ";b.example");
  g_assert_null (reroute_hosts_parse (text->str, FALSE, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_HOST);
}

static void
test_single_fields (void)
{
  g_autoptr (GError) error = NULL;
  guint16 port = 0;

  g_assert_true (reroute_port_parse (" ", &port, NULL));
  g_assert_cmpuint (port, ==, REROUTE_DEFAULT_SMTP_PORT);
  g_assert_true (reroute_port_parse ("65535", &port, NULL));
  g_assert_cmpuint (port, ==, 65535);
  g_assert_false (reroute_port_parse ("0x19", &port, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_HOST);
  g_assert_true (reroute_host_validate ("mx1.example.com", NULL));
  g_assert_true (reroute_host_validate ("192.0.2.1", NULL));
  g_assert_false (reroute_host_validate ("mx1.example.com:25", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/host/parse/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (inbound_rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/host/inbound/%s", inbound_rows[i].name);
      g_test_add_data_func (path, &inbound_rows[i], test_inbound_row);
    }
  g_test_add_func ("/host/inbound-fields", test_inbound_fields);
  g_test_add_func ("/host/fields", test_fields);
  g_test_add_func ("/host/typed", test_typed);
  g_test_add_func ("/host/too-many", test_too_many);
  g_test_add_func ("/host/single-fields", test_single_fields);
  return g_test_run ();
}
