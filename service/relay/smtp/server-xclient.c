/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-xclient.c - XCLIENT: a trusted host says whose session this is
 *
 * Whatever is said is checked; what has a meaning here is the address, the login and the name that
 * the client gave.  The session begins anew behind it, as if the client had just come.
 *
 * Source: Postfix XCLIENT_README (version 3.7).
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

#include "service/relay/smtp/command.h"
#include "service/relay/smtp/dsn-parameters.h"

#include <string.h>

#define VALUE_OCTETS 255 /* XCLIENT_README: of an attribute value */

/* What a value says of something that is not known; never carried on. */
static gboolean
is_unavailable (const char *value)
{
  return g_ascii_strcasecmp (value, "[UNAVAILABLE]") == 0 ||
         g_ascii_strcasecmp (value, "[TEMPUNAVAIL]") == 0;
}

static gboolean
is_word (const char *value)
{
  gsize length = strlen (value);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (value[i]))
      return FALSE;
  return length > 0 && length <= VALUE_OCTETS;
}

static gboolean
parse_address (const char *value, RerouteIp *ip)
{
  static const char ipv6[] = "IPV6:";
  gboolean marked = g_ascii_strncasecmp (value, ipv6, strlen (ipv6)) == 0;

  return reroute_ip_parse (marked ? value + strlen (ipv6) : value, ip);
}

/* Each takes a value that is known; FALSE for one that cannot be. */
typedef gboolean (*TakeFunc) (RerouteSmtpServerXclient *said, const char *value);

static gboolean
take_name (RerouteSmtpServerXclient *said, const char *value)
{
  return is_word (value);
}

static gboolean
take_address (RerouteSmtpServerXclient *said, const char *value)
{
  return parse_address (value, &said->ip);
}

static gboolean
take_port (RerouteSmtpServerXclient *said, const char *value)
{
  guint64 number = 0;

  return reroute_command_parse_number (value, &number) && number <= G_MAXUINT16;
}

static gboolean
take_protocol (RerouteSmtpServerXclient *said, const char *value)
{
  said->esmtp = g_ascii_strcasecmp (value, "ESMTP") == 0;
  return said->esmtp || g_ascii_strcasecmp (value, "SMTP") == 0;
}

static gboolean
take_helo (RerouteSmtpServerXclient *said, const char *value)
{
  g_free (said->helo);
  said->helo = g_strdup (value);
  return is_word (value);
}

static gboolean
take_login (RerouteSmtpServerXclient *said, const char *value)
{
  g_free (said->login);
  said->login = g_strdup (value);
  return is_word (value);
}

static gboolean
take_destination (RerouteSmtpServerXclient *said, const char *value)
{
  RerouteIp ip;

  return parse_address (value, &ip);
}

static const struct
{
  const char *name;
  TakeFunc take;
} attributes[] = {
  { "NAME", take_name },
  { "ADDR", take_address },
  { "PORT", take_port },
  { "PROTO", take_protocol },
  { "HELO", take_helo },
  { "LOGIN", take_login },
  { "DESTADDR", take_destination },
  { "DESTPORT", take_port },
};

static gboolean
take_attribute (RerouteSmtpServerXclient *said, char *word)
{
  char *xtext = strchr (word, '=');
  TakeFunc take = NULL;

  if (xtext == NULL)
    return FALSE;
  *xtext++ = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    if (g_ascii_strcasecmp (word, attributes[i].name) == 0)
      take = attributes[i].take;
  if (take == NULL || !reroute_dsn_check_xtext (xtext))
    return FALSE;
  g_autofree char *value = reroute_dsn_decode_xtext (xtext);
  said->has_ip |= take == take_address;
  said->has_login |= take == take_login;
  return is_unavailable (value) || take (said, value);
}

static void
clear_said (RerouteSmtpServerXclient *said)
{
  g_clear_pointer (&said->helo, g_free);
  g_clear_pointer (&said->login, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteSmtpServerXclient, clear_said)

/* What it called itself is known if the host has said it. */
void
reroute_smtp_server_begin_anew (RerouteSmtpServer *self)
{
  g_free (self->helo);
  self->helo = self->held.helo != NULL ? g_steal_pointer (&self->held.helo) : g_strdup ("");
  self->esmtp = *self->helo != '\0' && self->held.esmtp;
  reroute_smtp_server_put_greeting (self);
  reroute_smtp_server_set_state (
    self, *self->helo != '\0' ? REROUTE_SMTP_SERVER_STATE_IDLE : REROUTE_SMTP_SERVER_STATE_GREETED);
}

void
reroute_smtp_server_append_xclient_offer (GString *text)
{
  g_string_append (text, "\nXCLIENT");
  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    g_string_append_printf (text, " %s", attributes[i].name);
}

/* What the client before has done wrong is not this one's.  How many there may be in a row that
   bring no message is bounded as commands are that lead to none. */
static void
count_anew (RerouteSmtpServer *self)
{
  self->n_bad_commands = self->n_junk_commands = self->n_rest_chunks = 0;
  self->n_refused_recipients = self->n_auth_failures = 0;
  reroute_smtp_server_count (self,
                             &self->n_clients,
                             self->config.max_junk_commands,
                             "Too many clients that bring no message, closing the connection");
}

void
reroute_smtp_server_run_xclient (RerouteSmtpServer *self, char *argument)
{
  g_auto (RerouteSmtpServerXclient) said = { .esmtp = TRUE };
  g_auto (GStrv) words = g_strsplit (argument, " ", -1);

  if (!self->config.offers_xclient)
    {
      reroute_smtp_server_put_bad (self, 500, "5.5.2", "No such command");
      return;
    }
  gboolean valid = *argument != '\0';
  for (gsize i = 0; valid && words[i] != NULL; i++)
    valid = *words[i] == '\0' || take_attribute (&said, words[i]);
  if (!valid)
    {
      reroute_smtp_server_put_bad (
        self, 501, "5.5.4", "An attribute is unknown or has a bad value");
      return;
    }
  const RerouteIp before = self->config.client_ip;
  reroute_smtp_server_ask_xclient (self, &said);
  if (!reroute_ip_equal (&before, &self->config.client_ip))
    count_anew (self);
}

void
reroute_smtp_server_set_client (RerouteSmtpServer *self,
                                const RerouteIp *ip,
                                gboolean permitted,
                                gboolean authenticated)
{
  g_return_if_fail (self != NULL && ip != NULL);

  self->config.client_ip = *ip;
  self->config.client_permitted = self->body.normalize = permitted;
  self->authenticated = authenticated;
}
