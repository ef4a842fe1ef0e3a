/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session-named.c - how a proxy, and a host by XCLIENT, says who the client is; over real
 * sockets
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"

#include <string.h>
#include <unistd.h>

#define RULES "routing,test.com,exact,relay,,anyone,yes\n"

/* --- behind a proxy --- */

typedef struct
{
  const char *name;
  const char *settings;
  const char *header;
  gsize length;
  const char *greeting; /* NULL: closed without a word */
  const char *talk;
} ProxyRow;

#define OCTETS(text) text, sizeof text - 1
#define V1 "PROXY TCP4 192.0.2.9 127.0.0.1 4096 25\r\n"
#define V2_LOCAL "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"
#define V2 "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x09\x7f\x00\x00\x01\x10\x00\x00\x19"
#define RELAYS "EHLO c -> 250\nMAIL FROM:<> -> 250\nRCPT TO:<a@else.test> -> 250"
#define RELAYS_NOT "EHLO c -> 250\nMAIL FROM:<> -> 250\nRCPT TO:<a@else.test> -> 550 5.7.1"

static const ProxyRow proxy_rows[] = {
  /* clang-format off */
  { "client-permitted", "permitted-hosts=192.0.2.9", OCTETS (V1), "220 ", RELAYS },
  { "v2-permitted", "permitted-hosts=192.0.2.9", OCTETS (V2), "220 ", RELAYS },
  { "proxy-permitted", "permitted-hosts=127.0.0.1", OCTETS (V1), "220 ", RELAYS_NOT },
  { "health-check", "permitted-hosts=127.0.0.1", OCTETS (V2_LOCAL), "220 ", "QUIT -> 221" },
  { "forbidden", "forbidden-hosts=192.0.2.9", OCTETS (V1), "554 5.7.1", NULL },
  { "early-talker", "", OCTETS (V1 "EHLO c\r\n"), "554 5.5.0", NULL },
  { "no-header", "permitted-hosts=127.0.0.1", OCTETS ("EHLO client.test\r\n"), NULL, NULL },
  { "bad-header", "permitted-hosts=127.0.0.1", OCTETS ("PROXY TCP4 192.0.2.9 127.0.0.1 x 25\r\n"), NULL, NULL },
  /* clang-format on */
};

static void
test_proxy (gconstpointer data)
{
  const ProxyRow *row = data;
  g_autofree char *settings = g_strdup_printf ("proxy-hosts=127.0.0.1\n%s", row->settings);
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, settings));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  /* In two pieces. */
  client_send (fd, row->header, 5);
  receive_fixture_sync (&fixture);
  client_send (fd, row->header + 5, (gssize) row->length - 5);
  if (row->greeting != NULL)
    client_expect (fd, row->greeting);
  if (row->talk != NULL)
    client_talk (fd, row->talk);
  else
    client_expect_end (fd);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Limits are the client's that the header names. */
static void
test_proxy_counts_clients (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (
    &fixture, sample_rules (RULES, "proxy-hosts=127.0.0.1\nmax-connections-per-client=1"));
  int first = client_connect (receive_fixture_get_port (&fixture));
  int second = client_connect (receive_fixture_get_port (&fixture));
  int third = client_connect (receive_fixture_get_port (&fixture));
  client_send (first, V1, -1);
  client_expect (first, "220 ");
  client_send (second, "PROXY TCP4 192.0.2.10 127.0.0.1 4096 25\r\n", -1);
  client_expect (second, "220 ");
  client_send (third, V1, -1);
  client_expect (third, "421 4.7.0");
  close (first);
  close (second);
  close (third);
  receive_fixture_clear (&fixture);
}

/* Who says nothing holds a place among all, and not for long. */
static void
test_silent_proxy (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture,
                        sample_rules (RULES, "proxy-hosts=127.0.0.1\nmax-inbound-connections=1"));
  int silent = client_connect (receive_fixture_get_port (&fixture));
  receive_fixture_sync (&fixture);
  int other = client_connect (receive_fixture_get_port (&fixture));
  client_expect (other, "421 4.3.2");
  client_expect_end (silent);
  close (other);
  close (silent);
  receive_fixture_clear (&fixture);
}

/* A proxy is believed for as long as the setting names it. */
static void
test_proxy_not_trusted (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture,
                        sample_rules (RULES, "proxy-hosts=127.0.0.1\npermitted-hosts=192.0.2.9"));
  int named = client_connect (receive_fixture_get_port (&fixture));
  client_send (named, V1, -1);
  client_expect (named, "220 ");
  int itself = client_connect (receive_fixture_get_port (&fixture));
  client_send (itself, V2_LOCAL, sizeof V2_LOCAL - 1);
  client_expect (itself, "220 ");
  int silent = client_connect (receive_fixture_get_port (&fixture));
  receive_fixture_sync (&fixture);
  receive_fixture_set_rules (
    &fixture, sample_rules (RULES, "proxy-hosts=127.0.0.0/8\npermitted-hosts=192.0.2.9"));
  client_talk (named, RELAYS);
  receive_fixture_set_rules (
    &fixture, sample_rules (RULES, "proxy-hosts=127.0.0.2\npermitted-hosts=192.0.2.9"));
  client_expect (named, "421 4.3.2");
  client_expect_end (named);
  client_expect (itself, "421 4.3.2");
  client_expect_end (itself);
  receive_fixture_sync (&fixture);
  g_assert_true (client_wait (silent, 0));
  client_expect_end (silent);
  int client = client_connect (receive_fixture_get_port (&fixture));
  client_expect (client, "220 ");
  close (named);
  close (itself);
  close (silent);
  close (client);
  receive_fixture_clear (&fixture);
}

/* From an address that the setting does not name a header is an unknown command. */
static void
test_no_proxy (gconstpointer data)
{
  g_autofree char *settings = g_strconcat ("permitted-hosts=192.0.2.9\n", data, NULL);
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, settings));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, "220 ");
  client_talk (fd, "PROXY TCP4 192.0.2.9 127.0.0.1 4096 25 -> 500\n" RELAYS_NOT);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* --- XCLIENT: the session is another client's from there on --- */

typedef struct
{
  const char *name;
  const char *settings;
  const char *talk; /* from one connection */
  gboolean closed;
} XclientRow;

static const XclientRow xclient_rows[] = {
  /* clang-format off */
  { "permitted", "permitted-hosts=192.0.2.9",
    "XCLIENT ADDR=192.0.2.9 -> 220\n" RELAYS, FALSE },
  { "permitted-ipv6", "permitted-hosts=2001:db8::/32",
    "XCLIENT ADDR=IPV6:2001:db8::9 -> 220\n" RELAYS, FALSE },
  { "not-permitted", "permitted-hosts=127.0.0.1",
    "EHLO c -> 250\nXCLIENT ADDR=192.0.2.9 -> 220\n" RELAYS_NOT, FALSE },
  { "not-permitted-ipv6", "permitted-hosts=2001:db8::/32",
    "XCLIENT ADDR=IPV6:2001:db9::9 -> 220\n" RELAYS_NOT, FALSE },
  { "unknown-address", "permitted-hosts=127.0.0.1",
    "XCLIENT ADDR=[UNAVAILABLE] -> 220\n" RELAYS_NOT, FALSE },
  { "login", "",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\n" RELAYS, FALSE },
  { "login-in-two-commands", "",
    "XCLIENT LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.9 -> 220\n" RELAYS, FALSE },
  { "login-taken-back", "",
    "XCLIENT LOGIN=anna -> 220\nXCLIENT LOGIN=[UNAVAILABLE] -> 220\n" RELAYS_NOT, FALSE },
  { "login-in-two-commands-for-each", "",
    "XCLIENT LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.9 -> 220\n"
    "XCLIENT LOGIN=bert -> 220\nXCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS, FALSE },
  { "login-of-one-with-a-name", "",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\nXCLIENT NAME=far.test PROTO=ESMTP -> 220\n" RELAYS, FALSE },
  { "login-of-the-one-before", "",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-of-the-one-before-the-unknown", "",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\nXCLIENT ADDR=[UNAVAILABLE] -> 220\n" RELAYS_NOT, FALSE },
  { "login-of-the-unknown-before", "",
    "XCLIENT ADDR=[UNAVAILABLE] LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-of-the-one-before-a-name", "",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\nXCLIENT NAME=far.test PROTO=ESMTP -> 220\n"
    "XCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-of-the-one-before-in-two-commands", "",
    "XCLIENT LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.9 -> 220\nXCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-behind-the-address-of-the-one-before", "",
    "XCLIENT ADDR=192.0.2.9 -> 220\nXCLIENT LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-of-one-without-address", "",
    "XCLIENT LOGIN=anna -> 220\nEHLO c -> 250\nMAIL FROM:<> -> 250\nRSET -> 250\n"
    "XCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-taken-back-before-another", "",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\nXCLIENT LOGIN=[UNAVAILABLE] -> 220\n"
    "XCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT, FALSE },
  { "login-gone-in-a-mode", "transfer-mode=outbound",
    "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220\nXCLIENT ADDR=192.0.2.10 -> 421 4.3.2", TRUE },
  { "again", "permitted-hosts=192.0.2.9",
    "XCLIENT ADDR=192.0.2.10 -> 220\nXCLIENT ADDR=192.0.2.9 -> 220\n" RELAYS, FALSE },
  { "rate", "max-message-rate=1",
    "EHLO c -> 250\nMAIL FROM:<> -> 250\nRSET -> 250\nXCLIENT ADDR=192.0.2.9 -> 220\nEHLO c -> 250\n"
    "MAIL FROM:<> -> 250\nRSET -> 250\nMAIL FROM:<> -> 450 4.7.1", FALSE },
  { "error-rate", "max-error-rate=2",
    "EHLO c -> 250\nX -> 500\nXCLIENT ADDR=192.0.2.9 -> 220\nX -> 500\nXCLIENT ADDR=192.0.2.10 -> 220\n"
    "XCLIENT ADDR=192.0.2.9 -> 220\nX -> 500\nNOOP -> 421 4.7.0", TRUE },
  { "limits-anew", "max-refused-recipients=2\nmax-bad-commands=2",
    "XCLIENT ADDR=192.0.2.9 -> 220\n" RELAYS_NOT "\nX -> 500\nRSET -> 250\n"
    "XCLIENT ADDR=192.0.2.10 -> 220\n" RELAYS_NOT "\nX -> 500\nNOOP -> 250", FALSE },
  { "junk-anew", "max-junk-commands=4",
    "XCLIENT ADDR=192.0.2.9 -> 220\nNOOP -> 250\nNOOP -> 250\n"
    "XCLIENT ADDR=192.0.2.10 -> 220\nNOOP -> 250\nNOOP -> 250\nNOOP -> 250\nNOOP -> 421 4.7.0", TRUE },
  { "limits-of-the-same", "max-bad-commands=2",
    "XCLIENT ADDR=192.0.2.9 -> 220\nX -> 500\nXCLIENT ADDR=192.0.2.9 -> 220\nX -> 500\nNOOP -> 421 4.7.0", TRUE },
  { "clients-in-a-row", "max-junk-commands=3",
    "XCLIENT ADDR=192.0.2.9 -> 220\nXCLIENT ADDR=192.0.2.10 -> 220\nXCLIENT ADDR=192.0.2.9 -> 220\n"
    "NOOP -> 421 4.7.0", TRUE },
  { "forbidden", "forbidden-hosts=192.0.2.9", "XCLIENT ADDR=192.0.2.9 -> 554 5.7.1", TRUE },
  { "forbidden-ipv6", "forbidden-hosts=2001:db8::/32\npermitted-hosts=2001:db8::9",
    "XCLIENT ADDR=IPV6:2001:db8::9 -> 554 5.7.1", TRUE },
  { "mode", "transfer-mode=outbound\npermitted-hosts=127.0.0.1", "XCLIENT ADDR=192.0.2.9 -> 421 4.3.2", TRUE },
  { "refused", "", "XCLIENT ADDR=x -> 501\nMAIL FROM:<> -> 503", FALSE },
  /* clang-format on */
};

static void
test_xclient (gconstpointer data)
{
  const XclientRow *row = data;
  g_autofree char *settings = g_strdup_printf ("xclient-hosts=127.0.0.1\n%s", row->settings);
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, settings));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, "220 ");
  client_talk (fd, row->talk);
  if (row->closed)
    client_expect_end (fd);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Who is not named is not told of the command, and has none of its effects. */
static void
test_no_xclient (gconstpointer data)
{
  g_autofree char *settings = g_strconcat ("permitted-hosts=192.0.2.9\n", data, NULL);
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, settings));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, "220 ");
  client_send (fd, "EHLO c\r\n", -1);
  g_autofree char *line = NULL;
  do
    {
      g_free (line);
      line = client_read_line (fd);
      g_assert_null (strstr (line, "XCLIENT"));
    }
  while (line[3] == '-');
  client_talk (fd, "XCLIENT ADDR=192.0.2.9 -> 500 5.5.2\n" RELAYS_NOT);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Sessions count as those of the client that is named, and are given back as such. */
static void
test_xclient_counts_clients (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture,
                        sample_rules (RULES,
                                      "xclient-hosts=127.0.0.1\nmax-connections-per-client=1\n"
                                      "max-inbound-connections=2"));
  int first = client_connect (receive_fixture_get_port (&fixture));
  client_expect (first, "220 ");
  client_talk (first, "XCLIENT ADDR=192.0.2.9 -> 220");
  int second = client_connect (receive_fixture_get_port (&fixture));
  client_expect (second, "220 ");
  client_talk (second, "XCLIENT ADDR=192.0.2.9 -> 421 4.7.0");
  client_expect_end (second);
  close (second);
  client_talk (first, "XCLIENT ADDR=192.0.2.10 -> 220\nQUIT -> 221");
  client_expect_end (first);
  close (first);
  receive_fixture_sync (&fixture);
  g_assert_cmpuint (reroute_admission_get_n_sessions (fixture.admission), ==, 0);
  receive_fixture_clear (&fixture);
}

/* Whom the message is from goes with it. */
static void
test_xclient_in_the_message (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, "xclient-hosts=127.0.0.1"));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, "220 ");
  client_talk (fd,
               "XCLIENT ADDR=192.0.2.9 HELO=far.test PROTO=ESMTP -> 220\nMAIL FROM:<> -> 250\n"
               "RCPT TO:<a@test.com> -> 250\nDATA -> 354\n. -> 250");
  g_autoptr (RerouteMessage) message = receive_fixture_pop (&fixture);
  g_autofree char *content = receive_fixture_read (&fixture, message);
  g_assert_nonnull (strstr (content, "Received: from far.test ([192.0.2.9])"));
  close (fd);
  receive_fixture_clear (&fixture);
}

/* A client that is named is shut out as any other, and the host with whom it may name it. */
static void
test_xclient_shut_out (gconstpointer data)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, "xclient-hosts=127.0.0.1"));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, "220 ");
  client_talk (fd, "XCLIENT ADDR=192.0.2.9 -> 220");
  receive_fixture_set_rules (&fixture, sample_rules (RULES, data));
  client_expect (fd, "421 4.");
  client_expect_end (fd);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* A login that is told is no account of ours. */
static void
test_xclient_login_without_accounts (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, "xclient-hosts=127.0.0.1"));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, "220 ");
  client_talk (fd, "XCLIENT ADDR=192.0.2.9 LOGIN=anna -> 220");
  reroute_receiver_set_accounts (fixture.receiver, NULL);
  receive_fixture_set_rules (&fixture, sample_rules (RULES, "xclient-hosts=127.0.0.1"));
  receive_fixture_sync (&fixture);
  client_talk (fd, RELAYS);
  close (fd);
  receive_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (proxy_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/proxy/", proxy_rows[i].name, NULL);
      g_test_add_data_func (path, &proxy_rows[i], test_proxy);
    }
  g_test_add_func ("/proxy/counts-clients", test_proxy_counts_clients);
  g_test_add_func ("/proxy/silent", test_silent_proxy);
  g_test_add_func ("/proxy/not-trusted", test_proxy_not_trusted);
  g_test_add_data_func ("/proxy/not-set", "", test_no_proxy);
  g_test_add_data_func (
    "/proxy/others-named", "proxy-hosts=192.0.2.9, 127.0.0.2, ::1", test_no_proxy);
  for (gsize i = 0; i < G_N_ELEMENTS (xclient_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/xclient/", xclient_rows[i].name, NULL);
      g_test_add_data_func (path, &xclient_rows[i], test_xclient);
    }
  g_test_add_data_func ("/xclient/not-set", "", test_no_xclient);
  g_test_add_data_func (
    "/xclient/others-named", "xclient-hosts=192.0.2.9, 127.0.0.2, ::1", test_no_xclient);
  g_test_add_func ("/xclient/counts-clients", test_xclient_counts_clients);
  g_test_add_func ("/xclient/in-the-message", test_xclient_in_the_message);
  g_test_add_data_func ("/xclient/shut-out/client",
                        "xclient-hosts=127.0.0.1\nforbidden-hosts=192.0.2.9",
                        test_xclient_shut_out);
  g_test_add_data_func ("/xclient/shut-out/host",
                        "xclient-hosts=127.0.0.1\nforbidden-hosts=127.0.0.1",
                        test_xclient_shut_out);
  g_test_add_data_func (
    "/xclient/shut-out/not-trusted", "xclient-hosts=192.0.2.1", test_xclient_shut_out);
  g_test_add_func ("/xclient/login-without-accounts", test_xclient_login_without_accounts);
  return g_test_run ();
}
