/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trace-header.c - the Received line, the only thing that is added to a message
 *
 * What the client called itself is a claim: it is shown, made harmless, beside the address that
 * it really has.  The line is ASCII, so that it does not make a message need SMTPUTF8.
 *
 * Standards: RFC 5321 section 4.4, RFC 3848, RFC 6531 section 4.3.
 */

#include "config.h"

#include "service/relay/smtp/trace-header.h"

#include "service/relay/smtp/date.h"

#include <string.h>

/* With "for" in front and the date behind, a line of it stays under 998 octets. */
#define FOR_OCTETS 900

static void
append_helo (GString *line, const char *helo)
{
  if (*helo == '\0')
    helo = "unknown";
  for (; *helo != '\0'; helo++)
    if (g_ascii_isalnum (*helo) || strchr (".-_[]:", *helo) != NULL)
      g_string_append_c (line, *helo);
    else
      g_string_append_c (line, '?');
}

/* RFC 3848: a letter for each of what the session had; RFC 6531 4.3. */
static const char *
get_protocol (const RerouteEnvelope *envelope, const RerouteTraceSession *session)
{
  static const char *const names[2][2][2] = {
    { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
    { { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
  };

  if (!session->esmtp)
    return "SMTP";
  return names[envelope->smtputf8 != FALSE][session->tls != NULL][session->authenticated != FALSE];
}

/* A recipient beyond ASCII is named by A-labels, or where they are not enough, not at all. */
static void
append_for (GString *line, const RerouteAddress *recipient)
{
  g_autofree char *with_a_labels = NULL;
  const char *text = recipient->text;

  if (!g_str_is_ascii (text))
    text = with_a_labels = reroute_address_with_domain (recipient, recipient->key);
  if (strlen (text) <= FOR_OCTETS && g_str_is_ascii (text))
    g_string_append_printf (line, "\r\n\tfor <%s>", text);
}

char *
reroute_trace_header_format (const RerouteEnvelope *envelope,
                             const char *hostname,
                             const RerouteTraceSession *session,
                             const char *queue_id,
                             const char *token,
                             gint64 received_us)
{
  g_return_val_if_fail (envelope != NULL && hostname != NULL, NULL);
  g_return_val_if_fail (session != NULL && queue_id != NULL && token != NULL, NULL);

  g_autofree char *ip = reroute_ip_to_string (&envelope->client_ip);
  g_autofree char *date = reroute_date_format (received_us);
  GString *line = g_string_sized_new (256);

  g_string_append (line, "Received: from ");
  append_helo (line, envelope->helo);
  g_string_append_printf (
    line, " ([%s%s])", reroute_ip_is_ipv4 (&envelope->client_ip) ? "" : "IPv6:", ip);
  if (session->tls != NULL)
    g_string_append_printf (line, "\r\n\t(using %s)", session->tls);
  g_string_append_printf (line,
                          "\r\n\tby %s with %s id %s.%s",
                          hostname,
                          get_protocol (envelope, session),
                          queue_id,
                          token);
  if (envelope->recipients->len == 1)
    append_for (line, reroute_envelope_get_recipient (envelope, 0)->address);
  g_string_append_printf (line, ";\r\n\t%s\r\n", date);
  return g_string_free (line, FALSE);
}
