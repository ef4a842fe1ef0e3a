/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-smtp-parts.c - lines, numbers, replies, and what the client machine does about limits and
 * time
 */

#include "config.h"

#include "service/relay/smtp/client.h"
#include "service/relay/smtp/command.h"
#include "service/relay/smtp/line.h"
#include "service/relay/smtp/reply-parser.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/printable.h"

#include <string.h>

/* --- lines --- */

static void
feed_lines (RerouteLine *line, const char *octets, gsize length, GString *seen)
{
  while (length > 0)
    {
      gsize taken;
      gboolean whole = reroute_line_feed (line, (const guint8 *) octets, length, &taken);
      octets += taken;
      length -= taken;
      if (whole)
        g_string_append_printf (seen,
                                "[%s%s%s%s]",
                                line->text->str,
                                line->overlong ? " overlong" : "",
                                line->bare_lf ? " lf" : "",
                                line->bare_cr ? " cr" : "");
    }
}

static void
test_line (void)
{
  static const struct
  {
    const char *octets;
    const char *seen; /* with a limit of 8 octets */
  } rows[] = {
    { "abc\r\n", "[abc]" },
    { "\r\n\r\n", "[][]" },
    { "\n", "[ lf]" },
    { "abcdef\r\n", "[abcdef]" },
    { "abcdefg\r\n", "[ overlong]" },
    { "abcdefg\n", "[abcdefg lf]" },
    { "abcdefgh\nQUIT\r\n", "[ overlong lf][QUIT]" },
    { "0123456789012345QUIT\r\nNOOP\r\n", "[ overlong][NOOP]" },
    { "a\rb\r\n", "[a\rb cr]" },
    { "a\r\r\n", "[a\r cr]" },
    { "\rabc", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    for (gsize cut = 0; cut <= strlen (rows[i].octets); cut++)
      {
        RerouteLine line;
        g_autoptr (GString) seen = g_string_new (NULL);
        reroute_line_init (&line, 8);
        feed_lines (&line, rows[i].octets, cut, seen);
        feed_lines (&line, rows[i].octets + cut, strlen (rows[i].octets) - cut, seen);
        g_assert_cmpstr (seen->str, ==, rows[i].seen);
        reroute_line_clear (&line);
      }
}

/* --- numbers --- */

static void
test_number (void)
{
  static const struct
  {
    const char *text;
    gboolean valid;
    guint64 number;
  } rows[] = {
    { "0", TRUE, 0 },
    { "007", TRUE, 7 },
    { "18446744073709551615", TRUE, G_MAXUINT64 },
    { "18446744073709551616", TRUE, G_MAXUINT64 },
    { "99999999999999999999", TRUE, G_MAXUINT64 },
    { "100000000000000000000", FALSE, 0 },
    { "", FALSE, 0 },
    { "+1", FALSE, 0 },
    { "-1", FALSE, 0 },
    { " 1", FALSE, 0 },
    { "1 ", FALSE, 0 },
    { "0x1", FALSE, 0 },
    { "1e3", FALSE, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      guint64 number = 0;
      g_assert_true (reroute_command_parse_number (rows[i].text, &number) == rows[i].valid);
      if (rows[i].valid)
        g_assert_cmpuint (number, ==, rows[i].number);
    }
}

/* --- replies --- */

static void
test_reply_format (void)
{
  static const struct
  {
    guint code;
    const char *status;
    const char *text;
    const char *line;
    const char *wire;
  } rows[] = {
    { 250, "2.0.0", "Taken", "250 2.0.0 Taken", "250 2.0.0 Taken\r\n" },
    { 354, "", "Go on", "354 Go on", "354 Go on\r\n" },
    { 250, "", "", "250", "250 \r\n" },
    { 550, "5.1.1", "a\nb", "550 5.1.1 a b", "550-5.1.1 a\r\n550 5.1.1 b\r\n" },
    { 550, "5.1.1", "a\rb\tc\x7f", "550 5.1.1 a?b?c?", "550 5.1.1 a?b?c?\r\n" },
    { 550, "", "\xc3\xa9\xff", "550 ???", "550 ???\r\n" },
    { 550, "", "\xc3\xa9", "550 \xc3\xa9", "550 ??\r\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RerouteReply) reply =
                   reroute_reply_new (rows[i].code, rows[i].status, rows[i].text);
      g_autofree char *line = reroute_reply_to_string (reply);
      g_autoptr (GString) wire = g_string_new (NULL);
      reroute_reply_append (reply, wire);
      g_assert_cmpstr (line, ==, rows[i].line);
      g_assert_cmpstr (wire->str, ==, rows[i].wire);
    }

  /* RFC 5321 4.5.3.1.5 */
  g_autofree char *text = g_strnfill (2000, 'x');
  g_autoptr (RerouteReply) reply = reroute_reply_new (550, "5.123.123", text);
  g_autoptr (GString) wire = g_string_new (NULL);
  reroute_reply_append (reply, wire);
  g_assert_cmpuint (wire->len, <=, 512);
}

static void
test_reply_status (void)
{
  static const struct
  {
    const char *line;
    const char *status;
    const char *text;
  } rows[] = {
    { "550 5.1.1 no\r\n", "5.1.1", "no" },
    { "550 5.1.1\r\n", "5.1.1", "" },
    { "550 5.123.456 no\r\n", "5.123.456", "no" },
    { "550 4.1.1 no\r\n", "", "4.1.1 no" },
    { "550 5.1 no\r\n", "", "5.1 no" },
    { "550 5.1.1234 no\r\n", "", "5.1.1234 no" },
    { "550 5.1.1no\r\n", "", "5.1.1no" },
    { "550 55.1.1 no\r\n", "", "55.1.1 no" },
    { "550-5.1.1 a\r\n550 5.1.1 b\r\n", "5.1.1", "a\nb" },
    { "550-5.1.1 a\r\n550 5.1.2 b\r\n", "5.1.1", "a\n5.1.2 b" },
    { "550-\r\n550\r\n", "", "\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      RerouteReplyParser parser;
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteReply) reply = NULL;
      const char *octets = rows[i].line;
      reroute_reply_parser_init (&parser);
      while (reply == NULL)
        {
          gsize taken;
          reroute_reply_parser_feed (
            &parser, (const guint8 *) octets, strlen (octets), &taken, &reply, &error);
          g_assert_no_error (error);
          octets += taken;
        }
      g_assert_cmpstr (reply->status, ==, rows[i].status);
      g_assert_cmpstr (reply->text, ==, rows[i].text);
      reroute_reply_parser_clear (&parser);
    }
}

/* --- the client --- */

static gboolean
feed (RerouteSmtpClient *client, const char *text, GError **error)
{
  return reroute_smtp_client_feed (client, (const guint8 *) text, strlen (text), error);
}

static void
send_all (RerouteSmtpClient *client)
{
  gsize length;

  reroute_smtp_client_peek_output (client, &length);
  reroute_smtp_client_sent (client, length);
}

/* A hostile server costs no more than a reply may have (wire-defaults.md 7). */
static void
test_reply_limits (void)
{
  g_autoptr (RerouteSmtpClient) line_client = reroute_smtp_client_new ("relay.test");
  g_autoptr (RerouteSmtpClient) lines_client = reroute_smtp_client_new ("relay.test");
  g_autoptr (RerouteSmtpClient) sound_client = reroute_smtp_client_new ("relay.test");
  g_autofree char *text = g_strnfill (REROUTE_LIMIT_REPLY_LINE_OCTETS, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_true (feed (line_client, "220 ", &error));
  g_assert_false (feed (line_client, text, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
  g_clear_error (&error);

  for (guint i = 0; i < REROUTE_LIMIT_REPLY_LINES; i++)
    g_assert_true (feed (lines_client, "220-x\r\n", &error));
  g_assert_false (feed (lines_client, "220-x\r\n", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
  g_clear_error (&error);
  g_assert_cmpint (reroute_smtp_client_get_state (lines_client), ==, REROUTE_SMTP_CLIENT_CLOSED);

  text[1000] = '\0';
  g_autofree char *line = g_strdup_printf ("554-%s\r\n", text);
  for (guint i = 1; i < REROUTE_LIMIT_REPLY_LINES; i++)
    g_assert_true (feed (sound_client, line, &error));
  g_assert_true (feed (sound_client, "554 end\r\n", &error));
  const RerouteReply *reply = reroute_smtp_client_get_session_reply (sound_client);
  g_assert_cmpuint (strlen (reply->text), ==, REROUTE_LIMIT_REPLY_TEXT_OCTETS);
}

/* A reply answers what has left, not what is still to be sent. */
static void
test_reply_before_command (void)
{
  static const char *const recipients[] = { "b@test.com" };
  const RerouteSmtpTransaction transaction = { .reverse_path = "a@client.test",
                                               .recipients = recipients,
                                               .n_recipients = 1 };
  const gsize mail_octets = strlen ("MAIL FROM:<a@client.test>\r\n");
  g_autoptr (RerouteSmtpClient) client = reroute_smtp_client_new ("relay.test");
  g_autoptr (GError) error = NULL;

  g_assert_true (feed (client, "220 mx\r\n", &error));
  send_all (client);
  g_assert_true (feed (client, "250-mx\r\n250 PIPELINING\r\n", &error));
  reroute_smtp_client_begin (client, &transaction);
  reroute_smtp_client_sent (client, mail_octets);
  g_assert_true (feed (client, "250 ok\r\n", &error));
  reroute_smtp_client_sent (client, 5);
  g_assert_false (feed (client, "250 ok\r\n", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
}

/* Regression list 5: nothing that could end a command leaves, whoever stored it. */
static void
test_unfit_addresses (void)
{
  static const char *const unfit[] = { "b@test.com>\r\nRCPT TO:<c@test.com",
                                       "b\x01@test.com",
                                       "\xff@test.com" };

  for (gsize i = 0; i < G_N_ELEMENTS (unfit); i++)
    {
      const RerouteSmtpTransaction transaction = { .reverse_path = "a@client.test",
                                                   .recipients = &unfit[i],
                                                   .n_recipients = 1 };
      g_autoptr (RerouteSmtpClient) client = reroute_smtp_client_new ("relay.test");
      g_autoptr (GError) error = NULL;
      gsize length;
      feed (client, "220 mx\r\n", &error);
      send_all (client);
      feed (client, "250 mx\r\n", &error);
      reroute_smtp_client_begin (client, &transaction);
      reroute_smtp_client_peek_output (client, &length);
      g_assert_cmpuint (length, ==, 0);
      g_assert_cmpint (reroute_smtp_client_get_state (client), ==, REROUTE_SMTP_CLIENT_DONE);
      g_assert_cmpuint (reroute_smtp_client_get_recipient_reply (client, 0)->code, ==, 554);
    }
}

static void
test_quit_in_transaction (void)
{
  g_autoptr (RerouteSmtpClient) client = reroute_smtp_client_new ("relay.test");
  gsize length;

  reroute_smtp_client_quit (client);
  reroute_smtp_client_peek_output (client, &length);
  g_assert_cmpuint (length, ==, 0);
  g_assert_cmpint (reroute_smtp_client_get_state (client), ==, REROUTE_SMTP_CLIENT_CLOSED);
}

/* Every octet at every place of a text of several steps and a rest. */
static void
test_printable (void)
{
  char text[19];

  for (gsize length = 0; length <= sizeof text; length++)
    for (gsize place = 0; place < length; place++)
      for (guint octet = 0; octet <= G_MAXUINT8; octet++)
        {
          memset (text, octet % 2 == 0 ? ' ' : '~', sizeof text);
          text[place] = (char) octet;
          g_assert_cmpint (
            reroute_is_printable_ascii (text, length), ==, octet >= 0x20 && octet < 0x7f);
        }
  g_assert_true (reroute_is_printable_ascii ("", 0));
}

/* Replies that are the same are one value, whose holders do not outlive each other's. */
static void
test_reply_shared (void)
{
  static const RerouteReply constant = { 421, "4.3.2", (char *) "Closing" };
  static const char wire[] =
    "250 2.1.5 Taken\r\n250 2.1.5 Taken\r\n250 2.1.5 Other\r\n250 Taken\r\n";
  RerouteReply *replies[4];
  RerouteReplyParser parser;
  gsize at = 0;
  gsize taken;

  reroute_reply_parser_init (&parser);
  for (guint i = 0; i < G_N_ELEMENTS (replies); i++, at += taken)
    g_assert_true (reroute_reply_parser_feed (
      &parser, (const guint8 *) wire + at, strlen (wire) - at, &taken, &replies[i], NULL));
  reroute_reply_parser_clear (&parser);
  g_assert_true (replies[0] == replies[1]);
  reroute_reply_free (replies[0]);
  g_assert_cmpstr (replies[1]->text, ==, "Taken");
  g_assert_cmpstr (replies[1]->status, ==, "2.1.5");
  g_assert_cmpstr (replies[2]->text, ==, "Other");
  g_assert_cmpstr (replies[3]->status, ==, "");
  for (guint i = 1; i < G_N_ELEMENTS (replies); i++)
    reroute_reply_free (replies[i]);

  g_autoptr (RerouteReply) copy = reroute_reply_copy (&constant);
  g_assert_true (copy != &constant && copy->text != constant.text);
  g_assert_cmpstr (copy->text, ==, constant.text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/smtp/line", test_line);
  g_test_add_func ("/smtp/number", test_number);
  g_test_add_func ("/smtp/reply/format", test_reply_format);
  g_test_add_func ("/smtp/reply/status", test_reply_status);
  g_test_add_func ("/smtp/reply/shared", test_reply_shared);
  g_test_add_func ("/smtp/printable", test_printable);
  g_test_add_func ("/smtp/client/reply-limits", test_reply_limits);
  g_test_add_func ("/smtp/client/reply-before-command", test_reply_before_command);
  g_test_add_func ("/smtp/client/unfit-addresses", test_unfit_addresses);
  g_test_add_func ("/smtp/client/quit-in-transaction", test_quit_in_transaction);
  return g_test_run ();
}
