/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-xclient.c - the client of a session becomes whom a trusted host names
 *
 * What the host itself may do, by its address or by its own login, counts for nothing from there
 * on, but that it may name the next client: one connection may serve many, and an XCLIENT, EHLO or
 * MAIL tells nothing of who has sent it.  So who passes on a client's octets is never to be trusted
 * with it (reroute-settings(5)).
 *
 * Source: Postfix XCLIENT_README.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session-milter.h"
#include "service/relay/receive/session-private.h"

/* An address that is not known is nobody's: “::”. */
static RerouteIp
get_ip (const RerouteSession *self, const RerouteSmtpServerXclient *said)
{
  return said->has_ip ? said->ip : self->client.ip;
}

/* A client may be told of in several commands, its login before its address.  An address behind one
   that is told, or behind a message, is another client's. */
static gboolean
keeps_login (const RerouteSession *self, const RerouteSmtpServerXclient *said)
{
  return !said->has_login && self->login_is_told && !(said->has_ip && self->client_is_told);
}

/* What take_login() makes of it. */
static gboolean
is_logged_in (const RerouteSession *self, const RerouteSmtpServerXclient *said)
{
  return said->has_login ? said->login != NULL : keeps_login (self, said);
}

static void
take_login (RerouteSession *self, const RerouteSmtpServerXclient *said)
{
  gboolean keeps = keeps_login (self, said);
  gboolean begins_another = said->has_login && self->login_is_told;

  self->client_is_told = said->has_ip || (self->client_is_told && !begins_another);
  if (keeps)
    return;
  g_free (self->account);
  g_free (self->mechanism);
  g_clear_pointer (&self->accounts, reroute_accounts_unref);
  self->account = g_strdup (said->login);
  self->mechanism = self->account != NULL ? g_strdup ("XCLIENT") : NULL; /* as Postfix calls it */
  self->client.authenticated = self->account != NULL;
  self->login_is_told = self->account != NULL;
}

RerouteReply *
reroute_session_xclient_cb (RerouteSmtpServer *machine,
                            const RerouteSmtpServerXclient *said,
                            gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;
  RerouteIp ip = get_ip (self, said);
  g_autofree char *host = reroute_ip_to_string (&self->client.ip);
  g_autofree char *client = reroute_ip_to_string (&ip);
  gboolean may_log_in = is_logged_in (self, said) || reroute_receiver_takes_logins (receiver);
  RerouteReply *refusal = reroute_admission_move (receiver->config.admission,
                                                  receiver->ruleset,
                                                  &self->client.ip,
                                                  &ip,
                                                  may_log_in,
                                                  reroute_worker_now_us (receiver->worker));

  g_message ("client=[%s] xclient=[%s] login=%s status=%s",
             host,
             client,
             said->login != NULL ? said->login : "",
             refusal != NULL ? "refused" : "taken");
  if (refusal != NULL)
    return refusal;
  self->client.ip = ip;
  self->put_off = FALSE;
  take_login (self, said);
  self->permitted =
    receiver->ruleset != NULL && reroute_ruleset_permits (receiver->ruleset, &self->client);
  reroute_smtp_server_set_client (machine, &ip, self->permitted, self->client.authenticated);
  if (self->milters != NULL)
    {
      reroute_smtp_server_hold (machine);
      if (!reroute_session_milters_ask_client (self->milters))
        reroute_smtp_server_finish_held (machine, NULL);
    }
  return NULL;
}
