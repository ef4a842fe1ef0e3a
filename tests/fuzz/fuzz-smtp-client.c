/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-smtp-client.c - whatever a server may answer
 *
 * A transaction that is done has a reply for each recipient; a session takes no more than it asked
 * for.  The content goes by chunks where the server offers CHUNKING.
 */

#include "config.h"

#include "service/relay/smtp/client.h"

#include "common/limits.h"

#include <stdint.h>
#include <string.h>

#define TRANSACTIONS 4
#define HEAD "Received: from here\r\n"

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
check_reply (const RerouteReply *reply)
{
  g_autoptr (GString) wire = g_string_new (NULL);

  g_assert_nonnull (reply);
  g_assert_cmpuint (reply->code, >=, 200);
  g_assert_cmpuint (reply->code, <=, 599);
  g_assert_cmpuint (strlen (reply->text), <=, REROUTE_LIMIT_REPLY_TEXT_OCTETS);
  g_autofree char *text = reroute_reply_to_string (reply);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
  reroute_reply_append (reply, wire);
  g_assert_true (g_str_has_suffix (wire->str, "\r\n"));
}

/* Sends what there is to send, but for odd inputs only half of it. */
static void
send_output (RerouteSmtpClient *client, gboolean half)
{
  gsize length;
  const guint8 *output = reroute_smtp_client_peek_output (client, &length);

  g_assert_true (length == 0 || output[length - 1] == '\n');
  if (half)
    length /= 2;
  reroute_smtp_client_sent (client, length);
}

/* By DATA all of it, by chunks a step: a command, a part of a chunk, its rest. */
static void
send_content (RerouteSmtpClient *client, uint8_t flags)
{
  gsize left = reroute_smtp_client_get_chunk_left (client);
  gsize unsent;

  reroute_smtp_client_peek_output (client, &unsent);
  if (!reroute_smtp_client_goes_by_chunks (client))
    reroute_smtp_client_content_sent (client);
  else if (left == 0)
    reroute_smtp_client_put_chunk (client, 100, (flags & 8) != 0);
  else if (unsent == 0)
    reroute_smtp_client_chunk_sent (client, (left + 1) / 2);
}

static void
go_on (RerouteSmtpClient *client, guint *n_begun, uint8_t flags)
{
  static const char *const recipients[] = { "a@test.com", "b@test.com", "c@test.com" };
  RerouteSmtpTransaction transaction = {
    .reverse_path = "s@client.test",
    .body_8bitmime = (flags & 4) != 0,
    .smtputf8 = (flags & 8) != 0,
    .content_octets = 100,
    .recipients = recipients,
    .n_recipients = 3,
    .chunks = TRUE,
  };
  RerouteSmtpClientState state = reroute_smtp_client_get_state (client);

  if (state == REROUTE_SMTP_CLIENT_DONE)
    for (guint i = 0; i < transaction.n_recipients; i++)
      check_reply (reroute_smtp_client_get_recipient_reply (client, i));
  if (state == REROUTE_SMTP_CLIENT_SEND_CONTENT)
    send_content (client, flags);
  else if (state == REROUTE_SMTP_CLIENT_START_TLS)
    reroute_smtp_client_tls_begun (client);
  else if (state == REROUTE_SMTP_CLIENT_START_AUTH)
    {
      g_autoptr (GBytes) initial = g_bytes_new_static ("\0user\0secret", 12);
      reroute_smtp_client_begin_auth (client, "PLAIN", (flags & 4) != 0 ? initial : NULL);
    }
  else if (state == REROUTE_SMTP_CLIENT_AUTH_CHALLENGE)
    reroute_smtp_client_respond (client, reroute_smtp_client_get_challenge (client));
  else if (state == REROUTE_SMTP_CLIENT_READY || state == REROUTE_SMTP_CLIENT_DONE)
    {
      if (reroute_smtp_client_wants_head (client))
        {
          transaction.head = (const guint8 *) HEAD;
          transaction.head_octets = strlen (HEAD);
        }
      if ((*n_begun)++ < TRANSACTIONS)
        reroute_smtp_client_begin (client, &transaction);
      else
        reroute_smtp_client_quit (client);
    }
  g_assert_nonnull (reroute_smtp_client_phase (client));
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length < 2)
    return 0;
  g_autoptr (RerouteSmtpClient) client = reroute_smtp_client_new ("relay.test");
  gsize piece = (gsize) octets[1] + 1;
  guint n_begun = 0;
  gboolean sound = TRUE;

  reroute_smtp_client_set_tls (client, (octets[0] >> 4) % 3);
  reroute_smtp_client_set_auth (client, (octets[0] >> 2) % 3);
  if ((octets[0] & 2) != 0)
    reroute_smtp_client_set_lmtp (client);
  for (size_t i = 2; i < length && sound; i += piece)
    {
      g_autoptr (GError) error = NULL;
      sound = reroute_smtp_client_feed (client, octets + i, MIN (piece, length - i), &error);
      g_assert_true (sound == (error == NULL));
      g_assert_true (sound || reroute_smtp_client_get_state (client) == REROUTE_SMTP_CLIENT_CLOSED);
      go_on (client, &n_begun, octets[0]);
      send_output (client, (octets[0] & 1) != 0);
    }
  if (reroute_smtp_client_get_session_reply (client) != NULL)
    check_reply (reroute_smtp_client_get_session_reply (client));
  return 0;
}
