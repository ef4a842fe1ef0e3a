/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-auth.c - AUTH: the frame of an exchange whose content is the owner's
 *
 * What a client says is decoded and handed on, a challenge is encoded; what either means is the
 * mechanism's.  An exchange is over at the first line that is none of it.
 *
 * Standards: RFC 4954.
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

#include "common/base64.h"

#include "common/limits.h"

#include <string.h>

gboolean
reroute_smtp_server_offers_auth (const RerouteSmtpServer *self)
{
  return self->tls != NULL && self->config.auth_mechanisms != NULL;
}

static gboolean
is_offered (const RerouteSmtpServer *self, const char *mechanism)
{
  g_auto (GStrv) offered = g_strsplit (self->config.auth_mechanisms, " ", -1);

  return g_strv_contains ((const char *const *) offered, mechanism);
}

static void
await_response (RerouteSmtpServer *self)
{
  self->line.limit = REROUTE_LIMIT_AUTH_LINE_OCTETS;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_AUTH);
}

static void
await_owner (RerouteSmtpServer *self)
{
  self->line.limit = REROUTE_LIMIT_COMMAND_LINE_OCTETS;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK);
}

/* The exchange is over and was none. */
static void
give_up (RerouteSmtpServer *self, guint code, const char *status, const char *text)
{
  self->line.limit = REROUTE_LIMIT_COMMAND_LINE_OCTETS;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IDLE);
  reroute_smtp_server_put_bad (self, code, status, text);
}

static void
begin (RerouteSmtpServer *self, const char *mechanism, const char *initial)
{
  g_autoptr (GBytes) response = NULL;

  if (initial != NULL)
    {
      response = reroute_base64_decode (g_str_equal (initial, "=") ? "" : initial);
      if (response == NULL || *initial == '\0')
        {
          reroute_smtp_server_put_bad (self, 501, "5.5.2", "The initial response is not base64");
          return;
        }
    }
  await_owner (self);
  self->handler.auth (self, mechanism, response, self->user_data);
}

void
reroute_smtp_server_run_auth (RerouteSmtpServer *self, char *argument)
{
  g_auto (GStrv) words = g_strsplit (argument, " ", 3);
  g_autofree char *mechanism = g_ascii_strup (words[0] != NULL ? words[0] : "", -1);

  if (self->config.auth_mechanisms == NULL)
    reroute_smtp_server_put_bad (self, 502, "5.5.1", "This host does not do that");
  else if (self->tls == NULL)
    reroute_smtp_server_put_bad (self, 538, "5.7.11", "Begin TLS first");
  else if (!self->esmtp)
    reroute_smtp_server_put_bad (self, 503, "5.5.1", "EHLO comes first");
  else if (self->authenticated)
    reroute_smtp_server_put_bad (self, 503, "5.5.1", "You have authenticated already");
  else if (*mechanism == '\0' || g_strv_length (words) > 2)
    reroute_smtp_server_put_bad (
      self, 501, "5.5.4", "Wanted: a mechanism, and perhaps an initial response");
  else if (!is_offered (self, mechanism))
    reroute_smtp_server_put_bad (self, 504, "5.5.4", "This mechanism is not offered");
  else
    begin (self, mechanism, words[1]);
}

void
reroute_smtp_server_run_auth_line (RerouteSmtpServer *self)
{
  const RerouteLine *line = &self->line;
  gsize length = strlen (line->text->str);
  g_autoptr (GBytes) response =
               length == line->text->len ? reroute_base64_decode (line->text->str) : NULL;

  if (self->more_follows)
    reroute_smtp_server_put_last (self, 554, "5.5.0", "Wait for the reply before you go on");
  else if (line->overlong)
    give_up (self, 500, "5.5.6", "The line is too long");
  else if (g_str_equal (line->text->str, "*"))
    give_up (self, 501, "5.7.0", "Authentication cancelled");
  else if (response == NULL)
    give_up (self, 501, "5.5.2", "The response is not base64");
  else
    {
      await_owner (self);
      self->handler.auth (self, NULL, response, self->user_data);
    }
}

/* --- the owner's side --- */

void
reroute_smtp_server_continue_auth (RerouteSmtpServer *self, const guint8 *octets, gsize length)
{
  g_return_if_fail (self != NULL && (octets != NULL || length == 0));

  if (self->state != REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK)
    return;
  g_autofree char *challenge = g_base64_encode (octets, length);
  g_string_append_printf (self->output, "334 %s\r\n", challenge);
  await_response (self);
}

void
reroute_smtp_server_finish_auth (RerouteSmtpServer *self, const RerouteReply *reply)
{
  g_return_if_fail (self != NULL && reply != NULL);

  if (self->state != REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK)
    return;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IDLE);
  reroute_smtp_server_put_reply (self, reply);
  if (reply->code < 300)
    {
      self->authenticated = TRUE;
      self->config.client_permitted = self->body.normalize = TRUE;
      return;
    }
  reroute_smtp_server_count (self,
                             &self->n_auth_failures,
                             REROUTE_LIMIT_AUTH_FAILURES,
                             "Too many failed logins, closing the connection");
}

gboolean
reroute_smtp_server_is_authenticated (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->authenticated;
}
