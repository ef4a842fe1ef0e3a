/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-log.c - the lines of a session in the log
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session-log.h"

#include "common/error.h"
#include "service/relay/log-line.h"

#define TEXT_OCTETS 256
#define LISTED_MOST 3 /* recipients, or entries, in a line */

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

static void
log_accepted (const RerouteMessage *message, const char *account, const char *id)
{
  const RerouteEnvelope *envelope = message->envelope;
  g_autofree char *client = reroute_ip_to_string (&envelope->client_ip);
  g_autofree char *from = printable (envelope->reverse_path);
  g_autofree char *helo = printable (envelope->helo);
  g_autofree char *auth = account != NULL ? printable (account) : NULL;

  g_autofree char *text = g_strdup_printf (
    "id=%s from=<%s> client=[%s] helo=%s%s%s octets=%" G_GSIZE_FORMAT " rcpts=%u status=accepted",
    id,
    from,
    client,
    helo,
    auth != NULL ? " auth=" : "",
    auth != NULL ? auth : "",
    message->content_octets,
    envelope->recipients->len);
  const GLogField fields[] = {
    { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },  { "REROUTE_ID", id, -1 },
    { "REROUTE_SENDER", from, -1 },       { "REROUTE_CLIENT", client, -1 },
    { "REROUTE_HELO", helo, -1 },         { "REROUTE_ACCOUNT", auth, -1 },
    { "REROUTE_STATUS", "accepted", -1 },
  };

  reroute_log_line (text, fields, G_N_ELEMENTS (fields));
}

RerouteReply *
reroute_session_log_commit (const RerouteIp *client,
                            const char *account,
                            const RerouteMessage *message,
                            const GError *error)
{
  if (message != NULL)
    {
      g_autofree char *id = reroute_message_id_to_string (message->id);
      g_autofree char *text = g_strdup_printf ("Ok: queued as %s", id);
      log_accepted (message, account, id);
      return reroute_reply_new (250, "2.0.0", text);
    }

  g_autofree char *ip = reroute_ip_to_string (client);
  g_message ("client=[%s] status=refused (%s)", ip, error->message);
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL))
    return reroute_reply_new (452, "4.3.1", "The message could not be stored, try again later");
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL))
    return reroute_reply_new (452, "4.3.1", "There is no room for the message, try again later");
  return reroute_reply_new (451, "4.3.0", "The message could not be stored, try again later");
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

/* (transfer full) */
static char *
describe_refused_content (const RerouteIp *client,
                          const RerouteEnvelope *envelope,
                          const RerouteReply *reply)
{
  g_autofree char *ip = reroute_ip_to_string (client);
  g_autofree char *from = printable (envelope->reverse_path);
  g_autofree char *said = reroute_reply_to_string (reply);
  GString *text = g_string_new (NULL);

  g_string_printf (text, "client=[%s] from=<%s> to=", ip, from);
  for (guint i = 0; i < MIN (envelope->recipients->len, LISTED_MOST); i++)
    {
      g_autofree char *to = printable (reroute_envelope_get_recipient (envelope, i)->address->text);
      g_string_append_printf (text, "%s<%s>", i > 0 ? "," : "", to);
    }
  g_string_append_printf (text, " rcpts=%u status=refused (%s)", envelope->recipients->len, said);
  return g_string_free (text, FALSE);
}

void
reroute_session_log_content_refused (const RerouteIp *client,
                                     const RerouteEnvelope *envelope,
                                     const RerouteReply *reply)
{
  g_autofree char *text = describe_refused_content (client, envelope, reply);

  g_info ("%s", text);
}

void
reroute_session_log_loop (const RerouteIp *client,
                          const RerouteEnvelope *envelope,
                          const GPtrArray *entries,
                          const RerouteReply *reply)
{
  g_autofree char *text = describe_refused_content (client, envelope, reply);
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < MIN (entries->len, LISTED_MOST); i++)
    {
      const RerouteRow *entry = entries->pdata[i];
      g_autofree char *label = reroute_row_dup_label (entry);
      g_string_append_printf (
        names, "%s“%s %s”", i > 0 ? ", " : "", reroute_page_to_string (entry->page), label);
    }
  if (entries->len > LISTED_MOST)
    g_string_append_printf (names, " and %u more", entries->len - LISTED_MOST);
  g_warning ("%s: what goes out %s%s comes back here",
             text,
             entries->len > 0 ? "by the entry " : "for permitted clients",
             names->str);
}

void
reroute_session_log_login (const RerouteIp *client,
                           const RerouteSaslServer *sasl,
                           const RerouteReply *reply)
{
  g_autofree char *ip = reroute_ip_to_string (client);
  g_autofree char *auth = printable (reroute_sasl_server_get_name (sasl));
  g_autofree char *said = reroute_reply_to_string (reply);

  g_message ("client=[%s] auth=%s mechanism=%s status=%s (%s)",
             ip,
             auth,
             reroute_sasl_server_get_mechanism (sasl),
             reply->code < 300 ? "authenticated" : "refused",
             said);
}

void
reroute_session_log_dismissed (const RerouteIp *client,
                               const char *account,
                               const RerouteReply *reply)
{
  g_autofree char *ip = reroute_ip_to_string (client);
  g_autofree char *auth = account != NULL ? printable (account) : NULL;
  g_autofree char *said = reroute_reply_to_string (reply);

  g_message ("client=[%s]%s%s status=dismissed (%s)",
             ip,
             auth != NULL ? " auth=" : "",
             auth != NULL ? auth : "",
             said);
}

void
reroute_session_log_lost (const RerouteIp *client, const char *why, const char *phase)
{
  g_autofree char *ip = reroute_ip_to_string (client);

  g_info ("client=[%s] status=lost (%s %s)", ip, why, phase);
}
