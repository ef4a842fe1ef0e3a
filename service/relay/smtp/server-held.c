/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-held.c - the answer to RCPT: at once, or when the owner knows it
 *
 * While it is owed the machine takes no input, so that what a client sends behind it is answered in
 * order (RFC 2920 section 3.2).
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

void
reroute_smtp_server_forget_rcpt (RerouteSmtpServer *self)
{
  g_clear_pointer (&self->held.address, reroute_address_unref);
  g_clear_pointer (&self->held.original, g_free);
}

void
reroute_smtp_server_answer_rcpt (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  RerouteHeldRcpt *held = &self->held;
  RerouteRecipient *recipient;

  if (refusal != NULL)
    {
      if (refusal->code == 421)
        reroute_smtp_server_reset (self);
      reroute_smtp_server_forget_rcpt (self);
      reroute_smtp_server_put_reply (self, refusal);
      reroute_smtp_server_count (self,
                                 &self->n_refused_recipients,
                                 self->config.max_refused_recipients,
                                 "Too many refused recipients, closing the connection");
      return;
    }
  recipient = reroute_envelope_add_recipient (self->envelope, held->address, held->admitted_by);
  recipient->notify = held->notify;
  recipient->original = g_steal_pointer (&held->original);
  reroute_smtp_server_forget_rcpt (self);
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_RCPT);
  reroute_smtp_server_put (self, 250, "2.1.5", "Recipient taken");
}

void
reroute_smtp_server_hold_rcpt (RerouteSmtpServer *self)
{
  g_return_if_fail (self != NULL);

  self->holds = TRUE;
}

void
reroute_smtp_server_finish_rcpt (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  g_return_if_fail (self != NULL);

  if (self->state != REROUTE_SMTP_SERVER_STATE_IN_CHECK)
    return;
  reroute_smtp_server_set_state (self, self->held.state);
  reroute_smtp_server_answer_rcpt (self, refusal);
}
