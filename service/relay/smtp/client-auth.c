/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client-auth.c - AUTH on the sending side: the frame of an exchange whose content is the owner's
 *
 * It comes behind TLS and before the first transaction.  Any refusal ends the session: without the
 * account the server is of no use.
 *
 * Standards: RFC 4954.
 */

#include "config.h"

#include "service/relay/smtp/client-private.h"

#include "common/base64.h"
#include "common/error.h"

#include <string.h>

#define COMMAND_OCTETS 510 /* RFC 4954 4: AUTH is a command like others; RFC 5321 4.5.3.1.4 */

void
reroute_smtp_client_set_auth (RerouteSmtpClient *self, RerouteSmtpClientAuth auth)
{
  g_return_if_fail (self != NULL);

  self->auth = auth;
}

void
reroute_smtp_client_take_auth_offer (RerouteSmtpClient *self, const char *line)
{
  if (g_ascii_strncasecmp (line, "AUTH ", 5) != 0)
    return;
  g_free (self->auth_offers);
  self->auth_offers = g_ascii_strup (line + 5, -1);
}

gboolean
reroute_smtp_client_begin_login (RerouteSmtpClient *self, RerouteReply *refusal)
{
  *refusal = (RerouteReply){ 451, "4.7.0", NULL };
  if (self->auth == REROUTE_SMTP_CLIENT_AUTH_NEVER)
    return FALSE;
  if (self->auth == REROUTE_SMTP_CLIENT_AUTH_IN_TLS && !self->in_tls)
    refusal->text = (char *) "An account is to be told, and there is no TLS to tell it in";
  else if (self->auth_offers == NULL)
    refusal->text = (char *) "An account is to be told, and the host does not do AUTH";
  else
    reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_START_AUTH);
  return TRUE;
}

const char *
reroute_smtp_client_get_auth_offers (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, "");

  return self->auth_offers != NULL ? self->auth_offers : "";
}

void
reroute_smtp_client_begin_auth (RerouteSmtpClient *self, const char *mechanism, GBytes *initial)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_START_AUTH);

  gsize length = 0;
  const guint8 *octets = initial != NULL ? g_bytes_get_data (initial, &length) : NULL;
  g_autofree char *encoded = g_base64_encode (octets, length);

  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
  if (initial == NULL)
    reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_AUTH, 0, "AUTH %s", mechanism);
  else if (strlen ("AUTH  ") + strlen (mechanism) + strlen (encoded) > COMMAND_OCTETS)
    {
      self->initial_response = g_steal_pointer (&encoded);
      reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_AUTH, 0, "AUTH %s", mechanism);
    }
  else
    reroute_smtp_client_put_command (
      self, REROUTE_SMTP_COMMAND_AUTH, 0, "AUTH %s %s", mechanism, length > 0 ? encoded : "=");
}

GBytes *
reroute_smtp_client_get_challenge (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->challenge;
}

void
reroute_smtp_client_respond (RerouteSmtpClient *self, GBytes *response)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_AUTH_CHALLENGE);

  gsize length;
  const guint8 *octets = g_bytes_get_data (response, &length);
  g_autofree char *encoded = g_base64_encode (octets, length);

  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
  reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_AUTH, 0, "%s", encoded);
}

/* FALSE: it is no base64, or more than is kept of a reply. */
static gboolean
take_challenge (RerouteSmtpClient *self, const char *text)
{
  GBytes *challenge = reroute_base64_decode (text);

  if (challenge == NULL)
    return FALSE;
  g_clear_pointer (&self->challenge, g_bytes_unref);
  self->challenge = challenge;
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_AUTH_CHALLENGE);
  return TRUE;
}

RerouteSmtpAuthReply
reroute_smtp_client_take_auth (RerouteSmtpClient *self, const RerouteReply *reply)
{
  if (reply->code == 334 && self->initial_response != NULL)
    {
      g_autofree char *response = g_steal_pointer (&self->initial_response);
      reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_AUTH, 0, "%s", response);
      return REROUTE_SMTP_AUTH_GOES_ON;
    }
  if (reply->code == 334)
    return take_challenge (self, reply->text) ? REROUTE_SMTP_AUTH_GOES_ON
                                              : REROUTE_SMTP_AUTH_NONSENSE;
  if (reply->code >= 400)
    return REROUTE_SMTP_AUTH_REFUSED;
  if (reply->code != 235)
    return REROUTE_SMTP_AUTH_NONSENSE;
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_READY);
  return REROUTE_SMTP_AUTH_GOES_ON;
}

void
reroute_smtp_client_clear_auth (RerouteSmtpClient *self)
{
  g_clear_pointer (&self->auth_offers, g_free);
  g_clear_pointer (&self->initial_response, g_free);
  g_clear_pointer (&self->challenge, g_bytes_unref);
}
