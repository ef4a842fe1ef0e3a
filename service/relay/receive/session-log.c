/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-log.c - the lines of a session in the log
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session-log.h"

#define TEXT_OCTETS 256

/* One line, valid UTF-8, not endless. */
static char *
printable (const char *text)
{
  gsize length = 0;

  while (length < TEXT_OCTETS && g_ascii_isprint (text[length]))
    length++;
  if (text[length] == '\0')
    return g_strdup (text);

  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *string = g_string_new (NULL);

  for (const char *at = valid; *at != '\0' && string->len < TEXT_OCTETS; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      g_string_append_unichar (string, g_unichar_iscntrl (c) ? '?' : c);
    }
  return g_string_free (string, FALSE);
}

void
reroute_session_log_accepted (const RerouteMessage *message, const char *id)
{
  const RerouteEnvelope *envelope = message->envelope;
  g_autofree char *client = reroute_ip_to_string (&envelope->client_ip);
  g_autofree char *from = printable (envelope->reverse_path);
  g_autofree char *helo = printable (envelope->helo);

  g_message ("id=%s from=<%s> client=[%s] helo=%s octets=%" G_GSIZE_FORMAT
             " rcpts=%u status=accepted",
             id,
             from,
             client,
             helo,
             message->content_octets,
             envelope->recipients->len);
}

void
reroute_session_log_not_stored (const RerouteIp *client, const GError *error)
{
  g_autofree char *ip = reroute_ip_to_string (client);

  g_message ("client=[%s] status=refused (%s)", ip, error->message);
}

void
reroute_session_log_refused (const RerouteIp *client,
                             const RerouteAddress *recipient,
                             const RerouteReply *reply)
{
  g_autofree char *ip = reroute_ip_to_string (client);
  g_autofree char *to = printable (recipient->text);
  g_autofree char *said = reroute_reply_to_string (reply);

  g_info ("to=<%s> client=[%s] status=refused (%s)", to, ip, said);
}

void
reroute_session_log_lost (const RerouteIp *client, const char *why, const char *phase)
{
  g_autofree char *ip = reroute_ip_to_string (client);

  g_info ("client=[%s] status=lost (%s %s)", ip, why, phase);
}
