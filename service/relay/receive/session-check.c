/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-check.c - a recipient that others are asked about: its next hop, then the milters
 *
 * The reply to RCPT waits for the answers, and with it what the client sends behind.  What a next
 * hop refuses names nobody: which host knows whom is not for strangers.
 *
 * Standards: RFC 5321 section 3.3, RFC 3463 (5.1.1).
 */

#include "config.h"

#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-milter.h"
#include "service/relay/receive/session-private.h"

typedef struct
{
  RerouteSession *session;
  RerouteAddress *recipient;
} Check;

/* The machine holds the RCPT. */
static void
ask_milters (RerouteSession *self, const RerouteAddress *recipient)
{
  if (self->milters != NULL)
    reroute_session_milters_ask_rcpt (self->milters, recipient);
  else
    reroute_smtp_server_finish_held (self->machine, NULL);
}

/* On the session's worker; the client may be gone. */
static void
answered_cb (gboolean unknown, gpointer user_data)
{
  g_autofree Check *check = user_data;
  g_autoptr (RerouteAddress) recipient = check->recipient;
  RerouteSession *self = check->session;

  if (unknown)
    {
      g_autoptr (RerouteReply) refusal =
                   reroute_reply_new (550, "5.1.1", "There is no such recipient");
      reroute_session_log_refused (&self->client.ip, recipient, refusal);
      reroute_smtp_server_finish_held (self->machine, refusal);
    }
  else
    ask_milters (self, recipient);
  reroute_session_advance (self);
  reroute_session_unref (self);
}

void
reroute_session_check_recipient (RerouteSession *self,
                                 const RerouteAddress *recipient,
                                 RerouteDecision *decision)
{
  RerouteReceiver *receiver = self->receiver;
  gboolean asks = decision != NULL && receiver->config.check != NULL;

  if (!asks)
    g_clear_pointer (&decision, reroute_decision_free);
  if (!asks && self->milters == NULL)
    return;
  reroute_smtp_server_hold (self->machine);
  if (!asks)
    {
      ask_milters (self, recipient);
      return;
    }
  Check *check = g_new (Check, 1);
  *check =
    (Check){ reroute_session_ref (self), reroute_address_ref ((RerouteAddress *) recipient) };
  receiver->config.check (decision,
                          reroute_worker_get_number (receiver->worker),
                          answered_cb,
                          check,
                          receiver->config.errand_data);
}
