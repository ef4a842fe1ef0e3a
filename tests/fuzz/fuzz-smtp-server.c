/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-smtp-server.c - whatever a client may send
 *
 * Nothing that passes could be an end of data, a line end of another kind or a command to the next
 * hop; and how the octets are split decides nothing.
 */

#include "config.h"

#include "tests/unit/smtp-session.h"

#include <stdint.h>
#include <string.h>

#define RECIPIENTS_MOST 3

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
check_text (const char *text)
{
  for (; *text != '\0'; text++)
    g_assert_false (g_ascii_iscntrl (*text));
}

static void
check_content (const GString *content)
{
  gsize start = 0;

  for (gsize i = 0; i < content->len; i++)
    if (content->str[i] == '\r')
      g_assert_cmpint (content->str[i + 1], ==, '\n');
    else if (content->str[i] == '\n')
      {
        g_assert_cmpuint (i, >, 0);
        g_assert_cmpint (content->str[i - 1], ==, '\r');
        g_assert_false (i - start == 2 && content->str[start] == '.');
        start = i + 1;
      }
  g_assert_cmpuint (start, ==, content->len);
}

static void
check (const TestSession *session)
{
  for (guint i = 0; i < session->messages->len; i++)
    {
      const TestMessage *message = test_session_message (session, i);
      check_content (message->content);
      check_text (message->envelope->reverse_path);
      check_text (message->envelope->helo);
      if (message->envelope->id != NULL)
        check_text (message->envelope->id);
      g_assert_cmpuint (message->envelope->recipients->len, >, 0);
      g_assert_cmpuint (message->envelope->recipients->len, <=, RECIPIENTS_MOST);
      for (guint j = 0; j < message->envelope->recipients->len; j++)
        {
          const RerouteRecipient *recipient = reroute_envelope_get_recipient (message->envelope, j);
          check_text (recipient->address->text);
          if (recipient->original != NULL)
            check_text (recipient->original);
        }
    }
  gsize lines = 0;
  for (gsize i = 0; i < session->output->len; i++)
    lines += session->output->str[i] == '\n';
  g_assert_true (lines == 0 || g_str_has_suffix (session->output->str, "\r\n"));
}

/* What is held is answered at once: when it is makes no difference. */
static void
feed (TestSession *session, const uint8_t *octets, gsize length, const RerouteReply *held)
{
  const RerouteReply taken_up = { 251, "2.0.0", (char *) "Nothing" };
  gsize taken = test_session_feed (session, (const char *) octets, (gssize) length);

  while (reroute_smtp_server_awaits_finish (session->machine))
    {
      reroute_smtp_server_finish_held (session->machine, session->holds_etrn ? &taken_up : held);
      test_session_collect (session);
      taken +=
        test_session_feed (session, (const char *) octets + taken, (gssize) (length - taken));
    }
  g_assert_cmpuint (taken, ==, length);
}

/* @piece: octets that are fed at a time */
static TestSession *
run (const uint8_t *octets, size_t length, gsize piece)
{
  const RerouteSmtpServerConfig config = {
    .hostname = "mx.test",
    .max_message_octets = 5000,
    .max_recipients = RECIPIENTS_MOST,
    .client_permitted = (octets[0] & 1) != 0,
    .offers_tls = (octets[0] & 4) != 0,
    .offers_xclient = (octets[0] & 16) != 0,
    .knows_requiretls = TRUE,
    .auth_mechanisms = (octets[0] & 8) != 0 ? "PLAIN LOGIN" : NULL,
  };
  const RerouteReply refusal = { 550, "5.1.1", (char *) "No" };
  TestSession *session = test_session_new (&config);

  session->offers_etrn = (octets[0] & 32) != 0;
  reroute_smtp_server_set_token (session->machine, "t0");
  reroute_smtp_server_greet (session->machine, NULL);
  test_session_feed (session, "EHLO c\r\n", -1);
  if ((octets[0] & 2) != 0)
    {
      test_session_feed (session, "MAIL FROM:<>\r\nRCPT TO:<a@test.com>\r\nDATA\r\n", -1);
      g_assert_true (reroute_smtp_server_in_data (session->machine));
    }
  for (size_t i = 1; i < length; i += piece)
    {
      feed (session, octets + i, MIN (piece, length - i), (octets[0] & 8) != 0 ? &refusal : NULL);
      if (reroute_smtp_server_wants_tls (session->machine))
        reroute_smtp_server_set_tls (session->machine, "TLS");
    }
  check (session);
  return session;
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length == 0)
    return 0;
  g_autoptr (TestSession) single = run (octets, length, 1);
  g_autoptr (TestSession) odd = run (octets, length, 7);
  g_autoptr (TestSession) whole = run (octets, length, length);

  /* Nobody who waits for replies is out of step: then a split tells nothing. */
  if (strstr (odd->output->str, "Wait for") == NULL)
    g_assert_cmpstr (single->output->str, ==, odd->output->str);
  if (strstr (whole->output->str, "Wait for") == NULL)
    g_assert_cmpstr (single->output->str, ==, whole->output->str);
  return 0;
}
