/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-smtp-server.c - what transcripts cannot show: limits, callbacks, the order of events
 */

#include "config.h"

#include "tests/unit/smtp-session.h"

#include "common/limits.h"

#include <string.h>

static const RerouteSmtpServerConfig stranger = {
  .hostname = "mx.test",
  .max_message_octets = 1000000,
  .max_recipients = 3,
  .max_bad_commands = 20,
  .max_junk_commands = 100,
  .max_refused_recipients = 5,
};

static const RerouteSmtpServerConfig permitted = {
  .hostname = "mx.test",
  .max_message_octets = 1000000,
  .max_recipients = 3,
  .client_permitted = TRUE,
};

#define ENVELOPE "MAIL FROM:<a@client.test>\r\nRCPT TO:<b@test.com>\r\nDATA\r\n"
#define ENVELOPE_TAKEN                                                                             \
  "250 2.1.0 Sender taken\r\n250 2.1.5 Recipient taken\r\n"                                        \
  "354 Send the message; end it with CR LF . CR LF\r\n"

static void
assert_output (TestSession *session, const char *expected)
{
  g_autofree char *output = test_session_take_output (session);

  g_assert_cmpstr (output, ==, expected);
}

static TestSession *
greeted (const RerouteSmtpServerConfig *config)
{
  TestSession *session = test_session_new (config);

  reroute_smtp_server_greet (session->machine, NULL);
  test_session_feed (session, "EHLO client.test\r\n", -1);
  g_free (test_session_take_output (session));
  return session;
}

static TestSession *
in_data (const RerouteSmtpServerConfig *config)
{
  TestSession *session = greeted (config);

  test_session_feed (session, ENVELOPE, -1);
  assert_output (session, ENVELOPE_TAKEN);
  return session;
}

static void
test_content (void)
{
  static const struct
  {
    const char *name;
    const char *source;
    gboolean permitted;
    const char *sent;    /* behind 354 */
    const char *content; /* NULL: refused */
    const char *answered;
  } rows[] = {
    /* clang-format off */
    { "empty", "RFC 5321 4.1.1.4", FALSE, ".\r\n", "", "250 2.0.0 Taken\r\n" },
    { "plain", "RFC 5321 4.1.1.4", FALSE, "a: b\r\n\r\nc\r\n.\r\n", "a: b\r\n\r\nc\r\n", "250 2.0.0 Taken\r\n" },
    { "stuffed", "RFC 5321 4.5.2", FALSE, "..\r\n..a\r\n.b\r\n.\r\n", "..\r\n..a\r\n.b\r\n", "250 2.0.0 Taken\r\n" },
    { "commands-behind", "RFC 2920 3.1", FALSE, "a\r\n.\r\nRSET\r\nNOOP\r\n", "a\r\n",
      "250 2.0.0 Taken\r\n250 2.0.0 Reset\r\n250 2.0.0 OK\r\n" },
    { "bare-lf", "design.md section 6", FALSE, "a\nb\r\n.\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "bare-cr", "design.md section 6", FALSE, "a\rb\r\n.\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "lf-dot-lf", "smuggling 2023", FALSE, "a\n.\nMAIL FROM:<x@y.test>\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "lf-dot-crlf", "smuggling 2023", FALSE, "a\n.\r\nMAIL FROM:<x@y.test>\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "crlf-dot-lf", "smuggling 2023", FALSE, "a\r\n.\nMAIL FROM:<x@y.test>\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "crlf-dot-cr", "smuggling 2023", FALSE, "a\r\n.\rMAIL FROM:<x@y.test>\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "cr-dot-crlf", "smuggling 2023", FALSE, "a\r.\r\nMAIL FROM:<x@y.test>\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "cr-cr-lf", "smuggling 2023", FALSE, "a\r\n.\r\r\n", NULL,
      "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n" },
    { "permitted-lf", "design.md section 6", TRUE, "a\nb\n\nc\r\n.\r\n", "a\r\nb\r\n\r\nc\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-lf-dot-lf", "smuggling 2023", TRUE, "a\n.\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-lf-dot-crlf", "smuggling 2023", TRUE, "a\n.\r\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-crlf-dot-lf", "smuggling 2023", TRUE, "a\r\n.\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-lf-dots", "RFC 5321 4.5.2", TRUE, "a\n..b\n.c\r\n..d\n.\r\n.\r\n", "a\r\n...b\r\n..c\r\n..d\r\n..\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-cr", "wire-defaults.md", TRUE, "a\rb\r\n.\r\n", "a b\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-cr-cr-lf", "wire-defaults.md", TRUE, "a\r\r\n\r\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-dot-cr-cr-lf", "smuggling 2023", TRUE, ".\r\r\nb\r\n.\r\n", "..\r\nb\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-dot-cr", "smuggling 2023", TRUE, ".\rb\r.\r\n.\r\n", ".. b .\r\n", "250 2.0.0 Taken\r\n" },
    { "permitted-cr-dot-crlf", "smuggling 2023", TRUE, "\r.\r\n.\r\n", " .\r\n", "250 2.0.0 Taken\r\n" },
    /* clang-format on */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    /* Whole, and in two pieces at every place. */
    for (gsize split = 0; split < strlen (rows[i].sent); split++)
      {
        g_autoptr (TestSession) session = in_data (rows[i].permitted ? &permitted : &stranger);
        g_test_message ("%s, split at %" G_GSIZE_FORMAT, rows[i].name, split);
        test_session_feed (session, rows[i].sent, (gssize) split);
        test_session_feed (session, rows[i].sent + split, -1);
        assert_output (session, rows[i].answered);
        g_assert_cmpuint (session->n_aborted, ==, rows[i].content == NULL ? 1 : 0);
        g_assert_cmpuint (session->messages->len, ==, rows[i].content == NULL ? 0 : 1);
        g_assert_true (reroute_smtp_server_wants_close (session->machine) ==
                       (rows[i].content == NULL));
        if (rows[i].content != NULL)
          g_assert_cmpstr (test_session_message (session, 0)->content->str, ==, rows[i].content);
      }
}

static void
feed_times (TestSession *session, const char *text, gsize times)
{
  for (gsize i = 0; i < times; i++)
    test_session_feed (session, text, -1);
}

static void
test_received_lines (void)
{
  static const struct
  {
    const char *name;
    guint hops;
    guint own;
    const char *answered;
  } rows[] = {
    { "hops-at-limit", 50, 0, "250 2.0.0 Taken\r\n" },
    { "hops-over", 51, 0, "554 5.4.6 Too many hops: this looks like a mail loop\r\n" },
    { "own-at-limit", 0, 3, "250 2.0.0 Taken\r\n" },
    { "own-over", 0, 4, "554 5.4.6 Mail loop: this message was here before\r\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TestSession) session = greeted (&stranger);
      g_test_message ("%s", rows[i].name);
      reroute_smtp_server_set_token (session->machine, "t0k3n");
      test_session_feed (session, ENVELOPE, -1);
      g_free (test_session_take_output (session));
      feed_times (session, "received: from a\r\n\tby b id 1.t0k3nx; now\r\n", rows[i].hops);
      feed_times (session, "RECEIVED: from a\r\n\tby b\r\n id 2.t0k3n; now\r\n", rows[i].own);
      /* What only looks like them. */
      feed_times (session, "X-Received: from a id 3.t0k3n\r\n", 60);
      test_session_feed (session, "Subject: x\r\n\r\n", -1);
      feed_times (session, "Received: from body id 4.t0k3n\r\n", 60);
      test_session_feed (session, ".\r\n", -1);
      assert_output (session, rows[i].answered);
      g_assert_false (reroute_smtp_server_wants_close (session->machine));
    }
}

/* Any refusal at the end of data leaves no transaction behind (regression list 2). */
static void
test_refused_content_resets (void)
{
  g_autoptr (TestSession) session = in_data (&stranger);

  feed_times (
    session, "0123456789012345678901234567890123456789012345678901234567890123\r\n", 16000);
  test_session_feed (session, ".\r\nDATA\r\n", -1);
  assert_output (session,
                 "552 5.3.4 The message is larger than this host takes\r\n"
                 "503 5.5.1 MAIL and RCPT come first\r\n");
  g_assert_cmpuint (session->n_aborted, ==, 1);
  g_assert_cmpuint (session->messages->len, ==, 0);
  g_assert_true (reroute_smtp_server_is_idle (session->machine));

  session->store_fails = TRUE;
  test_session_feed (session, ENVELOPE, -1);
  g_free (test_session_take_output (session));
  test_session_feed (session, "a\r\n.\r\nRCPT TO:<b@test.com>\r\n", -1);
  assert_output (session, "452 4.3.1 The spool is full\r\n503 5.5.1 MAIL comes first\r\n");
}

static void
test_limits_of_content (void)
{
  static const struct
  {
    const char *name;
    gsize line; /* octets of the one long line, without its end */
    gboolean body;
    const char *answered;
  } rows[] = {
    { "line-over-998", 5000, TRUE, "250 2.0.0 Taken\r\n" },
    { "line-at-limit", REROUTE_LIMIT_TEXT_LINE_OCTETS, TRUE, "250 2.0.0 Taken\r\n" },
    { "line-over",
      REROUTE_LIMIT_TEXT_LINE_OCTETS + 1,
      TRUE,
      "554 5.6.0 A line of the message is too long\r\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TestSession) session = in_data (&stranger);
      g_autofree char *line = g_strnfill (rows[i].line, 'x');
      g_test_message ("%s", rows[i].name);
      test_session_feed (session, "Subject: x\r\n\r\n", -1);
      test_session_feed (session, line, -1);
      test_session_feed (session, "\r\n.\r\n", -1);
      assert_output (session, rows[i].answered);
    }

  g_autoptr (TestSession) session = in_data (&stranger);
  feed_times (
    session, "X-Field: 0123456789012345678901234567890123456789012345678901234\r\n", 4096);
  test_session_feed (session, "\r\n.\r\n", -1);
  assert_output (session, "552 5.3.4 The header section is too large\r\n");
  g_assert_cmpuint (session->n_aborted, ==, 1);
}

/* No tail of an overlong line is a command, wherever the octets are split. */
static void
test_overlong_command (void)
{
  static const gsize lengths[] = { 4095, 4096, 5000, 8192, 100000 };

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr (TestSession) session = greeted (&stranger);
      g_autofree char *filler = g_strnfill (lengths[i], 'x');
      test_session_feed (session, filler, -1);
      test_session_feed (session, "QUIT", -1);
      test_session_feed (session, "\r", -1);
      test_session_feed (session, "\nNOOP\r\n", -1);
      assert_output (session, "500 5.5.2 The line is too long\r\n250 2.0.0 OK\r\n");
    }
}

static void
test_late_answer (void)
{
  g_autoptr (TestSession) session = in_data (&stranger);
  g_autoptr (RerouteReply) taken = reroute_reply_new (250, "2.0.0", "Taken late");

  session->answer_late = TRUE;
  g_assert_true (reroute_smtp_server_in_data (session->machine));
  g_assert_cmpuint (test_session_feed (session, "a\r\n.\r\nNOOP\r\n", -1), ==, 6);
  g_assert_true (reroute_smtp_server_awaits_finish (session->machine));
  g_assert_cmpuint (test_session_feed (session, "NOOP\r\n", -1), ==, 0);
  assert_output (session, "");
  reroute_smtp_server_finish_data (session->machine, taken);
  g_assert_cmpuint (test_session_feed (session, "NOOP\r\n", -1), ==, 6);
  assert_output (session, "250 2.0.0 Taken late\r\n250 2.0.0 OK\r\n");
}

static void
test_close (void)
{
  g_autoptr (RerouteReply) bye = reroute_reply_new (421, "4.4.2", "mx.test idle for too long");
  g_autoptr (RerouteReply) taken = reroute_reply_new (250, "2.0.0", "Taken");
  g_autoptr (TestSession) in_content = in_data (&stranger);
  g_autoptr (TestSession) in_end = in_data (&stranger);

  test_session_feed (in_content, "half a li", -1);
  reroute_smtp_server_close (in_content->machine, bye);
  test_session_feed (in_content, "ne\r\n.\r\n", -1);
  assert_output (in_content, "421 4.4.2 mx.test idle for too long\r\n");
  g_assert_cmpuint (in_content->n_aborted, ==, 1);
  g_assert_true (reroute_smtp_server_wants_close (in_content->machine));

  /* A message that is being stored gets its own reply first. */
  in_end->answer_late = TRUE;
  test_session_feed (in_end, "a\r\n.\r\n", -1);
  reroute_smtp_server_close (in_end->machine, bye);
  g_assert_false (reroute_smtp_server_wants_close (in_end->machine));
  reroute_smtp_server_finish_data (in_end->machine, taken);
  test_session_collect (in_end);
  assert_output (in_end, "250 2.0.0 Taken\r\n421 4.4.2 mx.test idle for too long\r\n");
  g_assert_true (reroute_smtp_server_wants_close (in_end->machine));
  g_assert_cmpuint (in_end->n_aborted, ==, 0);
}

static void
test_bad_commands (void)
{
  g_autoptr (TestSession) session = greeted (&stranger);

  feed_times (session, "FOO\r\n", 19);
  g_assert_false (reroute_smtp_server_wants_close (session->machine));
  g_free (test_session_take_output (session));
  test_session_feed (session, "FOO\r\nNOOP\r\n", -1);
  assert_output (session,
                 "500 5.5.2 No such command\r\n"
                 "421 4.7.0 Too many errors, closing the connection\r\n");
  g_assert_true (reroute_smtp_server_wants_close (session->machine));
}

static void
test_junk_commands (void)
{
  static const char *const junk[] = {
    "NOOP\r\n", "RSET\r\n", "VRFY a\r\n", "HELP\r\n", "HELO c\r\n"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (junk); i++)
    {
      g_autoptr (TestSession) session = greeted (&stranger);
      g_test_message ("%s", junk[i]);
      feed_times (session, junk[i], 98); /* EHLO was the first */
      g_assert_false (reroute_smtp_server_wants_close (session->machine));
      g_free (test_session_take_output (session));
      test_session_feed (session, junk[i], -1);
      g_autofree char *output = test_session_take_output (session);
      g_assert_true (g_str_has_suffix (
        output,
        "\r\n421 4.7.0 Too many commands that lead to nothing, closing the connection\r\n"));
      g_assert_true (reroute_smtp_server_wants_close (session->machine));
    }

  /* A message makes up for them; empty chunks are junk, too. */
  g_autoptr (TestSession) session = greeted (&stranger);
  feed_times (session, "NOOP\r\n", 98);
  test_session_feed (session, "MAIL FROM:<>\r\nRCPT TO:<b@test.com>\r\nBDAT 0 LAST\r\n", -1);
  feed_times (session, "NOOP\r\n", 50);
  test_session_feed (session, "MAIL FROM:<>\r\nRCPT TO:<b@test.com>\r\nBDAT 1\r\nx", -1);
  feed_times (session, "BDAT 0\r\n", 49);
  g_assert_false (reroute_smtp_server_wants_close (session->machine));
  test_session_feed (session, "BDAT 0\r\n", -1);
  g_assert_true (reroute_smtp_server_wants_close (session->machine));
  g_assert_cmpuint (session->n_aborted, ==, 1);
  g_assert_cmpuint (session->messages->len, ==, 1);
}

static void
test_refused_recipients (void)
{
  g_autoptr (TestSession) session = greeted (&stranger);

  test_session_feed (session, "MAIL FROM:<>\r\n", -1);
  feed_times (session, "RCPT TO:<x@refused.test>\r\n", 4);
  test_session_feed (session, "RCPT TO:<b@test.com>\r\nRSET\r\nMAIL FROM:<>\r\n", -1);
  g_assert_false (reroute_smtp_server_wants_close (session->machine));
  g_free (test_session_take_output (session));
  test_session_feed (session, "RCPT TO:<y@refused.test>\r\nRCPT TO:<b@test.com>\r\n", -1);
  assert_output (session,
                 "550 5.7.1 Relaying denied\r\n"
                 "421 4.7.0 Too many refused recipients, closing the connection\r\n");
}

static void
test_envelope (void)
{
  g_autoptr (TestSession) session = greeted (&permitted);

  test_session_feed (session,
                     "MAIL FROM:<a@client.test> SIZE=100 BODY=8BITMIME SMTPUTF8\r\n"
                     "RCPT TO:<@relay.test:b@test.com>\r\nRCPT TO:<no@refused.test>\r\n"
                     "RCPT TO:<\"c>d\"@Test.COM.>\r\nDATA\r\n",
                     -1);
  test_session_feed (session, "Subject: \xc3\xa9\r\n.\r\n", -1);
  const TestMessage *message = test_session_message (session, 0);
  g_assert_cmpstr (message->envelope->reverse_path, ==, "a@client.test");
  g_assert_cmpstr (message->envelope->helo, ==, "client.test");
  g_assert_true (message->envelope->body_8bitmime);
  g_assert_true (message->envelope->smtputf8);
  g_assert_true (message->envelope->client_permitted);
  g_assert_cmpuint (message->envelope->recipients->len, ==, 2);
  const RerouteRecipient *first = reroute_envelope_get_recipient (message->envelope, 0);
  const RerouteRecipient *second = reroute_envelope_get_recipient (message->envelope, 1);
  g_assert_cmpstr (first->address->text, ==, "b@test.com");
  g_assert_cmpint (first->admitted_by.id, ==, 7);
  g_assert_cmpstr (second->address->text, ==, "\"c>d\"@Test.COM");
}

/* What a message was declared to be is kept as far as its content needs it. */
static void
check_needs (const char *content, gboolean chunked, gboolean has_8bit, gboolean has_8bit_header)
{
  static const char mail[] = "MAIL FROM:<> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<b@test.com>\r\n";
  g_autoptr (TestSession) session = greeted (&permitted);
  g_autofree char *bdat = g_strdup_printf ("BDAT %" G_GSIZE_FORMAT " LAST\r\n", strlen (content));
  g_autofree char *printable = g_strescape (content, NULL);

  g_test_message ("%s%s", bdat, printable);
  test_session_feed (session, mail, -1);
  test_session_feed (session, chunked ? bdat : "DATA\r\n", -1);
  for (gsize i = 0, n = strlen (content); i < n; i += 100)
    test_session_feed (session, content + i, (gssize) MIN (100, n - i));
  if (!chunked)
    test_session_feed (session, ".\r\n", -1);
  const RerouteEnvelope *envelope = test_session_message (session, 0)->envelope;
  g_assert_true (envelope->smtputf8);
  g_assert_cmpint (envelope->body_8bitmime, ==, has_8bit);
  g_assert_cmpint (envelope->ascii_header, ==, !has_8bit_header);
}

static void
test_needs (void)
{
  static const struct
  {
    const char *content;
    gboolean has_8bit;
    gboolean has_8bit_header;
  } rows[] = {
    { "", FALSE, FALSE },
    { "Subject: a\r\n\r\nbody\r\n", FALSE, FALSE },
    { "Subject: a\r\n\r\n..\x7f\r\n", FALSE, FALSE },
    { "Subject: a\r\n\r\nb\xf6"
      "dy\r\n",
      TRUE,
      FALSE },
    { "Subject: a\r\n\r\n..\x80\r\n", TRUE, FALSE },
    { "\r\n\xff\r\n", TRUE, FALSE },
    { "Subject: \xc3\xa9\r\n\r\nbody\r\n", TRUE, TRUE },
    { "Subject: a\r\n \xc3\xa9\r\n\r\n\xc3\xa9\r\n", TRUE, TRUE },
  };
  static const char fields[] = "Subject: a\r\nX: ";

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    for (guint chunked = 0; chunked < 2; chunked++)
      check_needs (rows[i].content, chunked != 0, rows[i].has_8bit, rows[i].has_8bit_header);
  /* Wherever it stands. */
  for (gsize i = 0; i < 300; i++)
    {
      g_autofree char *filler = g_strnfill (300, 'x');
      g_autofree char *plain = g_strconcat (fields, filler, "\r\n\r\n", filler, "\r\n", NULL);
      filler[i] = '\x80';
      g_autofree char *header = g_strconcat (fields, filler, "\r\n\r\nx\r\n", NULL);
      g_autofree char *body = g_strconcat (fields, "x\r\n\r\n", filler, "\r\n", NULL);
      check_needs (plain, (i & 1) != 0, FALSE, FALSE);
      check_needs (header, (i & 1) != 0, TRUE, TRUE);
      check_needs (body, (i & 1) != 0, TRUE, FALSE);
    }
}

static void
test_early_talker (void)
{
  g_autoptr (TestSession) session = test_session_new (&stranger);

  test_session_feed (session, "EHLO client.test\r\n", -1);
  reroute_smtp_server_greet (session->machine, NULL);
  test_session_collect (session);
  assert_output (session, "554 5.5.0 Wait for the greeting before you speak\r\n");
  g_assert_true (reroute_smtp_server_wants_close (session->machine));
}

static void
test_nul_in_command (void)
{
  g_autoptr (TestSession) session = greeted (&permitted);

  test_session_feed (session, "MAIL FROM:<a\0b@test.com>\r\n", 26);
  test_session_feed (session, "MAIL FROM:<a\tb@test.com>\r\n", -1);
  test_session_feed (session,
                     "MAIL FROM:<a\xc2\x85"
                     "b@test.com> SMTPUTF8\r\n",
                     -1);
  test_session_feed (session,
                     "MAIL FROM:<a\xff"
                     "b@test.com> SMTPUTF8\r\n",
                     -1);
  for (guint i = 0; i < 4; i++)
    {
      const char *expected = "500 5.5.2 The line has octets that no command has\r\n";
      g_assert_true (g_str_has_prefix (session->output->str, expected));
      g_string_erase (session->output, 0, (gssize) strlen (expected));
    }
  assert_output (session, "");
}

static TestSession *
in_auth (void)
{
  static const RerouteSmtpServerConfig config = {
    .hostname = "mx.test",
    .max_message_octets = 1000000,
    .max_recipients = 3,
    .auth_mechanisms = "PLAIN LOGIN",
  };
  TestSession *session = test_session_new (&config);

  reroute_smtp_server_set_tls (session->machine, "TLSv1.3");
  reroute_smtp_server_greet (session->machine, NULL);
  test_session_feed (session, "EHLO client.test\r\n", -1);
  test_session_feed (session, "AUTH PLAIN\r\n", -1);
  g_assert_true (g_str_has_suffix (session->output->str, "334 \r\n"));
  g_free (test_session_take_output (session));
  return session;
}

/* RFC 4954 4: 12288 octets of a response, where no command has that many. */
static void
test_auth_line (void)
{
  g_autoptr (TestSession) session = in_auth ();
  g_autofree char *longest = g_strnfill (12288, 'A');
  g_autofree char *more = g_strnfill (12289, 'A');

  test_session_feed (session, longest, -1);
  test_session_feed (session, "\r\n", -1);
  assert_output (session, "535 5.7.8 Not so\r\n");
  test_session_feed (session, "AUTH PLAIN\r\n", -1);
  assert_output (session, "334 \r\n");
  test_session_feed (session, more, -1);
  test_session_feed (session, "\r\n", -1);
  assert_output (session, "500 5.5.6 The line is too long\r\n");
  test_session_feed (session, longest, -1);
  test_session_feed (session, "\r\n", -1);
  assert_output (session, "500 5.5.2 The line is too long\r\n");
}

/* The owner answers late, and in between the session was closed. */
static void
test_auth_closed (void)
{
  g_autoptr (TestSession) session = in_auth ();
  g_autoptr (RerouteReply) welcome = reroute_reply_new (235, "2.7.0", "Welcome");
  g_autoptr (RerouteReply) leaving = reroute_reply_new (421, "4.3.2", "Closing");

  session->answer_late = TRUE;
  test_session_feed (session, "AGFsaWNlAHNlY3JldA==\r\n", -1);
  g_assert_true (reroute_smtp_server_awaits_finish (session->machine));
  g_assert_cmpuint (test_session_feed (session, "QUIT\r\n", -1), ==, 0);
  reroute_smtp_server_close (session->machine, leaving);
  reroute_smtp_server_finish_auth (session->machine, welcome);
  reroute_smtp_server_continue_auth (session->machine, NULL, 0);
  test_session_collect (session);
  assert_output (session, "421 4.3.2 Closing\r\n");
  g_assert_true (reroute_smtp_server_wants_close (session->machine));
  g_assert_false (reroute_smtp_server_is_authenticated (session->machine));
}

/* Who has logged in is no stranger: what it sends is set right instead of refused. */
static void
test_auth_permits (void)
{
  g_autoptr (TestSession) session = in_auth ();

  test_session_feed (session, "AGFsaWNlAHNlY3JldA==\r\n", -1);
  assert_output (session, "235 2.7.0 Welcome\r\n");
  g_assert_true (reroute_smtp_server_is_authenticated (session->machine));
  test_session_feed (session, ENVELOPE, -1);
  assert_output (session, ENVELOPE_TAKEN);
  test_session_feed (session, "one\ntwo\r\n.\r\n", -1);
  assert_output (session, "250 2.0.0 Taken\r\n");
  g_assert_cmpstr (test_session_message (session, 0)->content->str, ==, "one\r\ntwo\r\n");
  g_assert_true (test_session_message (session, 0)->envelope->client_permitted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/smtp/server/content", test_content);
  g_test_add_func ("/smtp/server/needs", test_needs);
  g_test_add_func ("/smtp/server/received-lines", test_received_lines);
  g_test_add_func ("/smtp/server/refused-content-resets", test_refused_content_resets);
  g_test_add_func ("/smtp/server/limits-of-content", test_limits_of_content);
  g_test_add_func ("/smtp/server/overlong-command", test_overlong_command);
  g_test_add_func ("/smtp/server/late-answer", test_late_answer);
  g_test_add_func ("/smtp/server/close", test_close);
  g_test_add_func ("/smtp/server/bad-commands", test_bad_commands);
  g_test_add_func ("/smtp/server/envelope", test_envelope);
  g_test_add_func ("/smtp/server/early-talker", test_early_talker);
  g_test_add_func ("/smtp/server/junk-commands", test_junk_commands);
  g_test_add_func ("/smtp/server/refused-recipients", test_refused_recipients);
  g_test_add_func ("/smtp/server/nul-in-command", test_nul_in_command);
  g_test_add_func ("/smtp/server/auth-line", test_auth_line);
  g_test_add_func ("/smtp/server/auth-closed", test_auth_closed);
  g_test_add_func ("/smtp/server/auth-permits", test_auth_permits);
  return g_test_run ();
}
