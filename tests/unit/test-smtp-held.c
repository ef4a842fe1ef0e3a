/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-smtp-held.c - MAIL and RCPT whose answer the owner of the server machine has to find out
 */

#include "config.h"

#include "tests/unit/smtp-session.h"

#include <string.h>

static void
assert_output (TestSession *session, const char *expected)
{
  g_autofree char *output = test_session_take_output (session);

  g_assert_cmpstr (output, ==, expected);
}

static TestSession *
greeted (void)
{
  TestSession *session = test_session_new_in_transaction (FALSE);

  test_session_feed (session, "RSET\r\n", -1);
  g_free (test_session_take_output (session));
  return session;
}

/* What comes behind a RCPT that is held is answered behind it. */
static void
test_held_recipients (void)
{
  static const char held[] = "RCPT TO:<d@held.test> NOTIFY=NEVER ORCPT=rfc822;x@y.test\r\n";
  static const char rest[] = "RCPT TO:<c@test.com>\r\n";
  const RerouteReply refusal = { 550, "5.1.1", (char *) "No" };
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);
  g_autofree char *text = g_strconcat (held, rest, NULL);
  const RerouteRecipient *recipient;

  g_assert_cmpuint (test_session_feed (session, text, -1), ==, strlen (held));
  assert_output (session, "");
  g_assert_true (reroute_smtp_server_awaits_finish (session->machine));
  g_assert_false (reroute_smtp_server_is_idle (session->machine));
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_collect (session);
  assert_output (session, "250 2.1.5 Recipient taken\r\n");
  g_assert_false (reroute_smtp_server_awaits_finish (session->machine));
  test_session_feed (session, rest, -1);
  assert_output (session, "250 2.1.5 Recipient taken\r\n");
  test_session_feed (session, "DATA\r\n", -1);
  test_session_feed (session, "a\r\n.\r\n", -1);
  assert_output (session, "354 Send the message; end it with CR LF . CR LF\r\n250 2.0.0 Taken\r\n");
  recipient = reroute_envelope_get_recipient (test_session_message (session, 0)->envelope, 1);
  g_assert_cmpstr (recipient->address->text, ==, "d@held.test");
  g_assert_cmpint (recipient->admitted_by.id, ==, 7);
  g_assert_cmpstr (recipient->original, ==, "rfc822;x@y.test");
  g_assert_cmpint (recipient->notify, ==, REROUTE_NOTIFY_NEVER);

  /* The only one is refused: there is nobody to send to. */
  test_session_feed (session, "MAIL FROM:<a@client.test>\r\n", -1);
  test_session_feed (session, held, -1);
  reroute_smtp_server_finish_held (session->machine, &refusal);
  /* Once. */
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_feed (session, "DATA\r\n", -1);
  assert_output (session,
                 "250 2.1.0 Sender taken\r\n550 5.1.1 No\r\n554 5.5.1 No valid recipients\r\n");
}

/* So with MAIL; one that is refused leaves nothing behind, and one that is answered from inside is
   answered once. */
static void
test_held_senders (void)
{
  static const char held[] = "MAIL FROM:<a@held.test> RET=HDRS\r\n";
  static const char rest[] = "RCPT TO:<b@held.test>\r\nRCPT TO:<c@test.com>\r\n";
  const RerouteReply refusal = { 451, "4.7.1", (char *) "Not now" };
  g_autoptr (TestSession) session = greeted ();
  g_autofree char *text = g_strconcat (held, rest, NULL);

  g_assert_cmpuint (test_session_feed (session, text, -1), ==, strlen (held));
  assert_output (session, "");
  g_assert_true (reroute_smtp_server_awaits_finish (session->machine));
  reroute_smtp_server_finish_held (session->machine, &refusal);
  test_session_collect (session);
  g_assert_true (reroute_smtp_server_is_idle (session->machine));
  assert_output (session, "451 4.7.1 Not now\r\n");

  g_assert_cmpuint (test_session_feed (session, text, -1), ==, strlen (held));
  reroute_smtp_server_finish_held (session->machine, NULL);
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_collect (session);
  assert_output (session, "250 2.1.0 Sender taken\r\n");
  g_assert_cmpuint (
    test_session_feed (session, rest, -1), ==, strlen ("RCPT TO:<b@held.test>\r\n"));
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_feed (session, "DATA\r\n", -1);
  test_session_feed (session, "a\r\n.\r\n", -1);
  assert_output (session,
                 "250 2.1.5 Recipient taken\r\n354 Send the message; end it with CR LF . CR LF\r\n"
                 "250 2.0.0 Taken\r\n");
  const RerouteEnvelope *envelope = test_session_message (session, 0)->envelope;
  g_assert_cmpstr (envelope->reverse_path, ==, "a@held.test");
  g_assert_cmpint (envelope->returns, ==, REROUTE_RETURN_HEADERS);
  g_assert_cmpuint (envelope->recipients->len, ==, 1);

  session->answer_held = TRUE;
  test_session_feed (session, text, -1);
  assert_output (session,
                 "250 2.1.0 Sender taken\r\n250 2.1.5 Recipient taken\r\n"
                 "250 2.1.5 Recipient taken\r\n");
}

/* So with ETRN, which leaves the session where it was. */
static void
test_held_etrn (void)
{
  static const char held[] = "ETRN @held.test\r\n";
  const RerouteReply answer = { 253, "2.0.0", (char *) "3 of them" };
  g_autoptr (TestSession) session = greeted ();
  g_autofree char *text = g_strconcat (held, "MAIL FROM:<a@client.test>\r\n", NULL);

  session->offers_etrn = TRUE;
  g_assert_cmpuint (test_session_feed (session, text, -1), ==, strlen (held));
  assert_output (session, "");
  reroute_smtp_server_finish_held (session->machine, &answer);
  reroute_smtp_server_finish_held (session->machine, &answer);
  test_session_collect (session);
  assert_output (session, "253 2.0.0 3 of them\r\n");
  g_assert_true (reroute_smtp_server_is_idle (session->machine));
  test_session_feed (session, text + strlen (held), -1);
  assert_output (session, "250 2.1.0 Sender taken\r\n");
}

/* So with a name, behind which nothing may come that does not wait: one that is refused leaves the
   client without one, or with the one that it had, and without a transaction. */
static void
test_held_names (void)
{
  static const char held[] = "EHLO held.test\r\n";
  static const char mail[] = "MAIL FROM:<a@client.test>\r\n";
  const RerouteReply refusal = { 550, "5.7.1", (char *) "Not you" };
  const RerouteSmtpServerConfig config = { .hostname = "mx.test" };
  g_autoptr (TestSession) session = test_session_new (&config);

  reroute_smtp_server_greet (session->machine, NULL);
  g_assert_cmpuint (test_session_feed (session, held, -1), ==, strlen (held));
  g_assert_cmpuint (test_session_feed (session, mail, -1), ==, 0);
  assert_output (session, "220 mx.test ESMTP\r\n");
  reroute_smtp_server_finish_held (session->machine, &refusal);
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_feed (session, mail, -1);
  g_autofree char *refused = test_session_take_output (session);
  g_assert_true (g_str_has_prefix (refused, "550 5.7.1 Not you\r\n503 5.5.1 "));
  g_assert_cmpstr (reroute_smtp_server_get_helo (session->machine), ==, "");

  test_session_feed (session, "HELO held.test\r\n", -1);
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_feed (session, mail, -1);
  assert_output (session, "250 mx.test\r\n250 2.1.0 Sender taken\r\n");
  g_assert_cmpstr (reroute_smtp_server_get_helo (session->machine), ==, "held.test");
  g_assert_false (reroute_smtp_server_is_esmtp (session->machine));

  test_session_feed (session, "EHLO refused.test\r\n", -1);
  test_session_feed (session, "RCPT TO:<b@test.com>\r\n", -1);
  g_autofree char *again = test_session_take_output (session);
  g_assert_true (g_str_has_prefix (again, "550 5.7.1 Not by that name\r\n503 5.5.1 "));
  g_assert_cmpstr (reroute_smtp_server_get_helo (session->machine), ==, "held.test");
  test_session_feed (session, mail, -1);
  assert_output (session, "250 2.1.0 Sender taken\r\n");
}

/* So with XCLIENT; a refusal is the end. */
static void
test_held_clients (void)
{
  static const char held[] = "XCLIENT ADDR=192.0.2.67 HELO=there.test\r\n";
  static const char mail[] = "MAIL FROM:<a@client.test>\r\n";
  const RerouteReply refusal = { 554, "5.7.1", (char *) "Not you" };
  const RerouteSmtpServerConfig config = { .hostname = "mx.test", .offers_xclient = TRUE };
  g_autoptr (TestSession) session = test_session_new (&config);

  reroute_smtp_server_greet (session->machine, NULL);
  test_session_feed (session, "EHLO host.test\r\n", -1);
  g_free (test_session_take_output (session));
  g_assert_cmpuint (test_session_feed (session, held, -1), ==, strlen (held));
  g_assert_cmpuint (test_session_feed (session, mail, -1), ==, 0);
  assert_output (session, "");
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_feed (session, mail, -1);
  assert_output (session, "220 mx.test ESMTP\r\n250 2.1.0 Sender taken\r\n");
  g_assert_cmpstr (reroute_smtp_server_get_helo (session->machine), ==, "there.test");
  test_session_feed (session, "RSET\r\n", -1);
  test_session_feed (session, held, -1);
  reroute_smtp_server_finish_held (session->machine, &refusal);
  g_free (test_session_take_output (session));
  g_assert_true (reroute_smtp_server_wants_close (session->machine));
}

/* A session that ends meanwhile has said its last. */
static void
test_held_and_closed (void)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);
  const RerouteReply closing = { 421, "4.3.2", (char *) "Closing" };

  test_session_feed (session, "RCPT TO:<d@held.test>\r\n", -1);
  reroute_smtp_server_close (session->machine, &closing);
  reroute_smtp_server_finish_held (session->machine, NULL);
  test_session_collect (session);
  assert_output (session, "421 4.3.2 Closing\r\n");
  g_assert_true (reroute_smtp_server_wants_close (session->machine));

  g_autoptr (TestSession) other = greeted ();
  test_session_feed (other, "MAIL FROM:<a@held.test>\r\n", -1);
  reroute_smtp_server_close (other->machine, &closing);
  reroute_smtp_server_finish_held (other->machine, NULL);
  test_session_collect (other);
  assert_output (other, "421 4.3.2 Closing\r\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/smtp/held/recipients", test_held_recipients);
  g_test_add_func ("/smtp/held/senders", test_held_senders);
  g_test_add_func ("/smtp/held/etrn", test_held_etrn);
  g_test_add_func ("/smtp/held/names", test_held_names);
  g_test_add_func ("/smtp/held/clients", test_held_clients);
  g_test_add_func ("/smtp/held/and-closed", test_held_and_closed);
  return g_test_run ();
}
