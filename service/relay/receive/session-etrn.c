/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-etrn.c - a client asks for the mail that waits for a domain
 *
 * Permitted hosts and clients that have logged in may ask, as soon as any row queues for ETRN.  The
 * mail goes to the hosts of the row, so that who asks learns no more than how much there is.
 *
 * Standards: RFC 1985.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session-private.h"

typedef struct
{
  RerouteSession *session;
  char *domain;
  gboolean subdomains;
} Asking;

static void
log_asked (const RerouteSession *self, const RerouteEtrn *wanted, const RerouteReply *reply)
{
  g_autofree char *client = reroute_ip_to_string (&self->client.ip);
  g_autofree char *said = reroute_reply_to_string (reply);

  g_message ("client=[%s] etrn=%s%s status=%s (%s)",
             client,
             wanted->subdomains ? "@" : "",
             wanted->domain,
             reply->code < 400 ? "taken" : "refused",
             said);
}

static RerouteReply *
make_answer (const char *domain, int n_started)
{
  g_autofree char *text = NULL;

  if (n_started < 0)
    text = g_strdup_printf ("Unable to queue messages for node %s now, ask again later", domain);
  else if (n_started == 0)
    text = g_strdup_printf ("OK, no messages waiting for node %s", domain);
  else
    text = g_strdup_printf ("OK, %d pending messages for node %s started", n_started, domain);
  return n_started < 0 ? reroute_reply_new (458, "4.3.2", text)
                       : reroute_reply_new (n_started == 0 ? 251 : 253, "2.0.0", text);
}

/* On the session's worker; the client may be gone. */
static void
answered_cb (int n_started, gpointer user_data)
{
  g_autofree Asking *self = user_data;
  RerouteSession *session = self->session;
  const RerouteEtrn wanted = { self->domain, self->subdomains };
  g_autoptr (RerouteReply) reply = make_answer (self->domain, n_started);

  log_asked (session, &wanted, reply);
  reroute_smtp_server_finish_held (session->machine, reply);
  reroute_session_advance (session);
  reroute_session_unref (session);
  g_free (self->domain);
}

gboolean
reroute_session_offers_etrn_cb (RerouteSmtpServer *machine, gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;

  return receiver->config.etrn != NULL && receiver->ruleset != NULL &&
         reroute_ruleset_queues_for_etrn (receiver->ruleset) &&
         reroute_ruleset_permits (receiver->ruleset, &self->client);
}

RerouteReply *
reroute_session_etrn_cb (RerouteSmtpServer *machine, const RerouteEtrn *wanted, gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;
  const RerouteRow *row =
    reroute_ruleset_lookup (receiver->ruleset, REROUTE_PAGE_CONNECTIONS, wanted->domain);
  g_autofree char *text = NULL;
  RerouteReply *refusal;
  Asking *asking;

  /* The mail of subdomains may wait where the domain's own does not. */
  if (!wanted->subdomains && (row == NULL || !row->queue_for_etrn))
    {
      text = g_strdup_printf ("Node %s not allowed: its mail does not wait for ETRN here",
                              wanted->domain);
      refusal = reroute_reply_new (459, "4.7.1", text);
      log_asked (self, wanted, refusal);
      return refusal;
    }
  asking = g_new (Asking, 1);
  *asking = (Asking){ reroute_session_ref (self), g_strdup (wanted->domain), wanted->subdomains };
  reroute_smtp_server_hold (machine);
  receiver->config.etrn (wanted,
                         reroute_worker_get_number (receiver->worker),
                         answered_cb,
                         asking,
                         receiver->config.errand_data);
  return NULL;
}
