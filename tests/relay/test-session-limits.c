/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session-limits.c - what one client may ask for; over real sockets
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"

#include <errno.h>
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
  return g_test_run ();
}
