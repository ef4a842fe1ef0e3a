/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-check.c - a recipient whose next hop is asked whether it knows it
 *
 * The reply to RCPT waits for the answer, and with it what the client sends behind.  It names
 * nobody: which host knows whom is not for strangers.
 *
 * Standards: RFC 5321 section 3.3, RFC 3463 (5.1.1).
 */

#include "config.h"

#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-private.h"

typedef struct
{
  RerouteSession *session;
  RerouteAddress *recipient;
} Check;

/* On the session's worker; the client may be gone. */
static void
answered_cb (gboolean unknown, gpointer user_data)
{
  g_autofree Check *check = user_data;
  g_autoptr (RerouteAddress) recipient = check->recipient;
  RerouteSession *self = check->session;
  g_autoptr (RerouteReply) refusal =
               unknown ? reroute_reply_new (550, "5.1.1", "There is no such recipient") : NULL;

  if (unknown)
    reroute_session_log_refused (&self->client.ip, recipient, refusal);
  reroute_smtp_server_finish_rcpt (self->machine, refusal);
  reroute_session_advance (self);
  reroute_session_unref (self);
}

void
reroute_session_check_recipient (RerouteSession *self,
                                 const RerouteAddress *recipient,
                                 RerouteDecision *decision)
{
  RerouteReceiver *receiver = self->receiver;
  Check *check;

  if (receiver->config.check == NULL)
    {
      reroute_decision_free (decision);
      return;
    }
  check = g_new (Check, 1);
  *check = (Check){ self, reroute_address_ref ((RerouteAddress *) recipient) };
  g_atomic_ref_count_inc (&self->ref_count);
  reroute_smtp_server_hold_rcpt (self->machine);
  receiver->config.check (decision,
                          reroute_worker_get_number (receiver->worker),
                          answered_cb,
                          check,
                          receiver->config.check_data);
}
