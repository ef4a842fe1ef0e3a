/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection-auth.c - an outgoing connection logs in
 *
 * The account is the row's; nothing of it is said before TLS has proved what the level demands.
 *
 * Standards: RFC 4954.
 */

#include "config.h"

#include "service/relay/deliver/connection-private.h"

#include "common/ip.h"

#include <sys/epoll.h>

void
reroute_connection_set_secret (RerouteConnection *self,
                               RerouteSecret *secret,
                               RerouteTokens *tokens)
{
  gboolean in_clear =
    self->tls_level == REROUTE_TLS_NONE && reroute_ip_is_loopback (&self->endpoint.ip);

  if (secret == NULL)
    return;
  self->secret = reroute_secret_ref (secret);
  self->tokens = tokens;
  reroute_smtp_client_set_auth (
    self->machine, in_clear ? REROUTE_SMTP_CLIENT_AUTH_ALWAYS : REROUTE_SMTP_CLIENT_AUTH_IN_TLS);
}

static void
fail (RerouteConnection *self, const char *why)
{
  g_autofree char *text = g_strdup_printf ("cannot log in: %s", why);

  reroute_connection_fail (self, reroute_connection_trouble (self, "4.7.8", text));
}

static void
token_cb (const char *token, const char *why, gpointer user_data)
{
  RerouteConnection *self = user_data;

  self->token_request = NULL;
  if (token == NULL)
    {
      fail (self, why);
      return;
    }
  reroute_sasl_client_take_token (self->sasl, g_strdup (token));
  reroute_connection_pump (self);
}

/* The host waits in the meantime, as long as its own time limit and ours for a command allow. */
static void
await_token (RerouteConnection *self)
{
  reroute_worker_set_events (self->worker, &self->io, EPOLLIN);
  if (self->token_request == NULL)
    self->token_request =
      reroute_tokens_ask (self->tokens, self->secret, self->worker, token_cb, self);
}

gboolean
reroute_connection_begin_auth (RerouteConnection *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) initial = NULL;

  if (self->sasl == NULL)
    self->sasl = reroute_sasl_client_new (
      self->secret, reroute_smtp_client_get_auth_offers (self->machine), &error);
  if (self->sasl != NULL && reroute_sasl_client_wants_token (self->sasl))
    {
      await_token (self);
      return FALSE;
    }
  if (self->sasl == NULL || !reroute_sasl_client_step (self->sasl, NULL, &initial, &error))
    {
      fail (self, error->message);
      return FALSE;
    }
  reroute_smtp_client_begin_auth (
    self->machine, reroute_sasl_client_get_mechanism (self->sasl), initial);
  return TRUE;
}

gboolean
reroute_connection_answer_challenge (RerouteConnection *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) response = NULL;

  if (!reroute_sasl_client_step (
        self->sasl, reroute_smtp_client_get_challenge (self->machine), &response, &error))
    {
      fail (self, error->message);
      return FALSE;
    }
  reroute_smtp_client_respond (self->machine, response);
  return TRUE;
}

gboolean
reroute_connection_end_auth (RerouteConnection *self)
{
  if (self->sasl != NULL && !reroute_sasl_client_is_complete (self->sasl))
    {
      fail (self, "the host says yes without having proved that it knows the password");
      return FALSE;
    }
  g_clear_pointer (&self->sasl, reroute_sasl_client_free);
  return TRUE;
}

void
reroute_connection_forget_token (RerouteConnection *self)
{
  const char *token = self->sasl != NULL && self->secret->kind == REROUTE_SECRET_TOKEN_COMMAND
                        ? reroute_sasl_client_get_token (self->sasl)
                        : NULL;

  if (token != NULL)
    reroute_tokens_forget (self->tokens, self->secret, token);
}
