/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session-limits.c - what one client may ask for, and how a proxy says who it is; over real
 * sockets
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RULES "routing,test.com,exact,relay,,anyone,yes\n"
#define PATIENCE_US (20 * G_USEC_PER_SEC)
#define FLOOD_OCTETS 65536

/* --- what is counted --- */

typedef struct
{
  const char *name;
  const char *settings;
  const char *talk; /* from one connection */
  gboolean closed;
} LimitRow;

static const LimitRow limit_rows[] = {
  /* clang-format off */
  { "bad-commands", "max-bad-commands=2", "X -> 500\nX -> 500", TRUE },
  { "bad-commands-under", "max-bad-commands=3", "X -> 500\nX -> 500\nNOOP -> 250", FALSE },
  { "junk-commands", "max-junk-commands=3", "NOOP -> 250\nNOOP -> 250", TRUE },
  { "junk-commands-under", "max-junk-commands=4", "NOOP -> 250\nNOOP -> 250\nMAIL FROM:<> -> 250", FALSE },
  { "refused-recipients", "max-refused-recipients=2",
    "MAIL FROM:<> -> 250\nRCPT TO:<a@else.test> -> 550\nRCPT TO:<b@else.test> -> 550", TRUE },
  { "refused-recipients-under", "max-refused-recipients=3",
    "MAIL FROM:<> -> 250\nRCPT TO:<a@else.test> -> 550\nRCPT TO:<b@else.test> -> 550\n"
    "RCPT TO:<a@test.com> -> 250", FALSE },
  { "message-rate", "max-message-rate=2",
    "MAIL FROM:<> -> 250\nRSET -> 250\nMAIL FROM:<> -> 250\nRSET -> 250\nMAIL FROM:<> -> 450 4.7.1", FALSE },
  { "message-rate-permitted", "max-message-rate=1\npermitted-hosts=127.0.0.1",
    "MAIL FROM:<> -> 250\nRSET -> 250\nMAIL FROM:<> -> 250", FALSE },
  { "recipient-rate", "max-recipient-rate=2",
    "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250\nRCPT TO:<b@test.com> -> 250\n"
    "RCPT TO:<c@test.com> -> 450 4.7.1", FALSE },
  { "recipient-rate-permitted", "max-recipient-rate=1\npermitted-hosts=127.0.0.1",
    "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250\nRCPT TO:<b@test.com> -> 250", FALSE },
  { "error-rate", "max-error-rate=3", "X -> 500\nMAIL FROM:<> -> 250\nRCPT TO:<a@else.test> -> 550\nX -> 500", TRUE },
  { "error-rate-under", "max-error-rate=3", "X -> 500\nX -> 500\nNOOP -> 250", FALSE },
  { "error-rate-permitted", "max-error-rate=1\npermitted-hosts=127.0.0.1", "X -> 500\nX -> 500", FALSE },
  { "message-size-told", "max-message-size=1 KiB",
    "MAIL FROM:<> SIZE=1025 -> 552 5.3.4\nMAIL FROM:<> SIZE=1024 -> 250", FALSE },
  /* clang-format on */
};

static void
test_limit (gconstpointer data)
{
  const LimitRow *row = data;
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, row->settings));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd, row->talk);
  if (row->closed)
    {
      client_expect (fd, "421 4.7.0 ");
      client_expect_end (fd);
    }
  else
    {
      receive_fixture_sync (&fixture);
      g_assert_false (client_wait (fd, 0));
    }
  close (fd);
  receive_fixture_clear (&fixture);
}

/* A rate is the client's, not the connection's. */
static void
test_rate_over_connections (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, "max-message-rate=2"));
  int first = receive_fixture_greet (&fixture);
  client_talk (first, "MAIL FROM:<> -> 250");
  int second = receive_fixture_greet (&fixture);
  client_talk (second, "MAIL FROM:<> -> 250");
  int third = receive_fixture_greet (&fixture);
  client_talk (third, "MAIL FROM:<> -> 450 4.7.1");
  close (first);
  close (second);
  close (third);
  receive_fixture_clear (&fixture);
}

/* Errors are the client's, not the connection's; a session without any goes on. */
static void
test_errors_over_connections (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, "max-error-rate=2"));
  int first = receive_fixture_greet (&fixture);
  client_talk (first, "X -> 500");
  int second = receive_fixture_greet (&fixture);
  client_talk (second, "X -> 500");
  client_expect (second, "421 4.7.0 ");
  client_expect_end (second);
  int third = client_connect (receive_fixture_get_port (&fixture));
  client_expect (third, "421 4.7.0 ");
  client_expect_end (third);
  client_talk (first, "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250\nX -> 500");
  client_expect (first, "421 4.7.0 ");
  client_expect_end (first);
  close (first);
  close (second);
  close (third);
  receive_fixture_clear (&fixture);
}

/* What counts is what comes, whatever SIZE said. */
static void
test_message_size (void)
{
  ReceiveFixture fixture;
  g_autofree char *text = g_strnfill (900, 'x');
  g_autofree char *small = g_strconcat (text, "\r\n.\r\n", NULL);
  g_autofree char *large = g_strconcat (text, "\r\n", small, NULL);

  receive_fixture_init (&fixture, sample_rules (RULES, "max-message-size=1 KiB"));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd, "MAIL FROM:<> SIZE=1 -> 250\nRCPT TO:<a@test.com> -> 250\nDATA -> 354");
  client_send (fd, large, -1);
  client_expect (fd, "552 5.3.4 ");
  client_talk (fd, "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250\nDATA -> 354");
  client_send (fd, small, -1);
  client_expect (fd, "250 2.0.0 ");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Limits that are set meanwhile hold from the next message on. */
static void
test_message_limits_meanwhile (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, "max-message-size=2 KiB\nmax-recipients=2"));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd, "MAIL FROM:<> SIZE=2048 -> 250\nRCPT TO:<a@test.com> -> 250");
  receive_fixture_set_rules (&fixture,
                             sample_rules (RULES, "max-message-size=1 KiB\nmax-recipients=1"));
  receive_fixture_sync (&fixture);
  client_talk (fd, "RCPT TO:<b@test.com> -> 250\nDATA -> 354");
  g_autofree char *text = g_strnfill (900, 'x');
  g_autofree char *large = g_strconcat (text, "\r\n", text, "\r\n.\r\n", NULL);
  client_send (fd, large, -1);
  client_expect (fd, "250 2.0.0 ");
  client_talk (fd,
               "MAIL FROM:<> SIZE=2048 -> 552 5.3.4\nMAIL FROM:<> -> 250\n"
               "RCPT TO:<a@test.com> -> 250\nRCPT TO:<b@test.com> -> 452 4.5.3\nDATA -> 354");
  client_send (fd, large, -1);
  client_expect (fd, "552 5.3.4 ");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* --- progress --- */

/* An octet now and then is no content: the limit runs. */
static void
test_slow_writer (gconstpointer data)
{
  ReceiveFixture fixture;
  gint64 begun_us = g_get_monotonic_time ();
  gboolean ended;

  receive_fixture_init (&fixture, sample_rules (RULES, "data-timeout=1s\nidle-timeout=1s"));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd, "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250");
  client_send (fd, data, -1);
  if (g_str_has_prefix (data, "DATA"))
    client_expect (fd, "354");
  while (!(ended = client_wait (fd, 20)) && g_get_monotonic_time () - begun_us < PATIENCE_US)
    client_send (fd, "x", 1);
  g_assert_true (ended);
  client_expect (fd, "421 4.4.2");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Tiny chunks are answered, and gain no time by it. */
static void
test_slow_chunks (void)
{
  ReceiveFixture fixture;
  gint64 begun_us = g_get_monotonic_time ();
  gboolean open = TRUE;

  receive_fixture_init (&fixture, sample_rules (RULES, "data-timeout=1s\nidle-timeout=1s"));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd, "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250");
  while (open && g_get_monotonic_time () - begun_us < PATIENCE_US)
    {
      client_send (fd, "BDAT 1\r\nx", -1);
      g_autofree char *reply = client_read_line (fd);
      open = g_str_has_prefix (reply, "250 2.0.0 Chunk taken");
      if (!open)
        g_assert_true (g_str_has_prefix (reply, "421 4.4.2"));
      client_wait (fd, 50);
    }
  g_assert_false (open);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Who asks and does not read the answers is not waited for, though he reads an octet now and then.
 */
static void
test_slow_reader (void)
{
  ReceiveFixture fixture;
  g_autoptr (GString) flood = g_string_new (NULL);
  gint64 begun_us = g_get_monotonic_time ();
  char octet;

  receive_fixture_init (&fixture,
                        sample_rules (RULES, "idle-timeout=1s\nmax-junk-commands=1000000"));
  int fd = receive_fixture_greet (&fixture);
  while (flood->len < FLOOD_OCTETS)
    g_string_append (flood, "HELP\r\n");
  /* Until the sockets hold no more. */
  while (send (fd, flood->str, flood->len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
    ;
  g_assert_cmpint (errno, ==, EAGAIN);
  /* What came before the end is there to be read still: the end is told beside it. */
  GPollFD end = { .fd = fd };
  while (g_poll (&end, 1, 2) == 0 && g_get_monotonic_time () - begun_us < PATIENCE_US)
    g_assert_true (recv (fd, &octet, 1, MSG_DONTWAIT) == 1 || errno == EAGAIN ||
                   errno == ECONNRESET);
  g_assert_true ((end.revents & (G_IO_HUP | G_IO_ERR)) != 0);
  close (fd);
  receive_fixture_clear (&fixture);
}

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

static const LimitRow xclient_rows[] = {
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
  const LimitRow *row = data;
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
  for (gsize i = 0; i < G_N_ELEMENTS (limit_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/limits/", limit_rows[i].name, NULL);
      g_test_add_data_func (path, &limit_rows[i], test_limit);
    }
  g_test_add_func ("/limits/rate-over-connections", test_rate_over_connections);
  g_test_add_func ("/limits/errors-over-connections", test_errors_over_connections);
  g_test_add_func ("/limits/message-size", test_message_size);
  g_test_add_func ("/limits/message-limits-meanwhile", test_message_limits_meanwhile);
  g_test_add_data_func ("/limits/slow-writer/data", "DATA\r\n", test_slow_writer);
  g_test_add_data_func ("/limits/slow-writer/chunk", "BDAT 100000\r\n", test_slow_writer);
  g_test_add_func ("/limits/slow-chunks", test_slow_chunks);
  g_test_add_func ("/limits/slow-reader", test_slow_reader);
  for (gsize i = 0; i < G_N_ELEMENTS (proxy_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/proxy/", proxy_rows[i].name, NULL);
      g_test_add_data_func (path, &proxy_rows[i], test_proxy);
    }
  g_test_add_func ("/proxy/counts-clients", test_proxy_counts_clients);
  g_test_add_func ("/proxy/silent", test_silent_proxy);
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
