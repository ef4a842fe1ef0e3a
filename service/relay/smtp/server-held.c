/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-held.c - the answer to HELO, MAIL, RCPT, ETRN or XCLIENT: at once, or when the owner knows
 * it
 *
 * While it is owed the machine takes no input, so that what a client sends behind it is answered in
 * order (RFC 2920 section 3.2).
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

void
reroute_smtp_server_forget_held (RerouteSmtpServer *self)
{
  g_clear_pointer (&self->held.envelope, reroute_envelope_free);
  g_clear_pointer (&self->held.address, reroute_address_unref);
  g_clear_pointer (&self->held.original, g_free);
  g_clear_pointer (&self->held.helo, g_free);
}

static void
answer_helo (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  if (refusal == NULL)
    reroute_smtp_server_greet_back (self);
  else
    reroute_smtp_server_put_reply (self, refusal);
  reroute_smtp_server_forget_held (self);
}

static void
answer_mail (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  if (refusal != NULL)
    {
      reroute_smtp_server_forget_held (self);
      reroute_smtp_server_put_reply (self, refusal);
      return;
    }
  self->envelope = g_steal_pointer (&self->held.envelope);
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_MAIL);
  reroute_smtp_server_put (self, 250, "2.1.0", "Sender taken");
}

static void
answer_rcpt (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  RerouteHeldCommand *held = &self->held;
  RerouteRecipient *recipient;

  if (refusal != NULL)
    {
      if (refusal->code == 421)
        reroute_smtp_server_reset (self);
      reroute_smtp_server_forget_held (self);
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
  reroute_smtp_server_forget_held (self);
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_RCPT);
  reroute_smtp_server_put (self, 250, "2.1.5", "Recipient taken");
}

static void
answer_etrn (RerouteSmtpServer *self, const RerouteReply *reply)
{
  reroute_smtp_server_put_reply (self, reply);
}

/* A refusal is one of the client that it is from now on. */
static void
answer_xclient (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  if (refusal == NULL)
    reroute_smtp_server_begin_anew (self);
  else
    {
      reroute_smtp_server_put_reply (self, refusal);
      reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_CLOSED);
    }
  reroute_smtp_server_forget_held (self);
}

void
reroute_smtp_server_ask_helo (RerouteSmtpServer *self, const char *name, gboolean esmtp)
{
  g_autoptr (RerouteReply) refusal = NULL;

  self->holds = FALSE;
  self->held = (RerouteHeldCommand){
    .answer = answer_helo, .helo = g_strdup (name), .esmtp = esmtp, .state = self->state
  };
  if (self->handler.helo != NULL)
    refusal = self->handler.helo (self, self->held.helo, self->user_data);
  if (!self->holds)
    answer_helo (self, refusal);
}

void
reroute_smtp_server_ask_xclient (RerouteSmtpServer *self, const RerouteSmtpServerXclient *said)
{
  self->holds = FALSE;
  self->held = (RerouteHeldCommand){ .answer = answer_xclient,
                                     .helo = g_strdup (said->helo),
                                     .esmtp = said->esmtp,
                                     .state = self->state };
  g_autoptr (RerouteReply) refusal = self->handler.xclient (self, said, self->user_data);
  if (!self->holds)
    answer_xclient (self, refusal);
}

void
reroute_smtp_server_ask_mail (RerouteSmtpServer *self)
{
  self->holds = FALSE;
  self->held.answer = answer_mail;
  g_autoptr (RerouteReply) refusal =
               self->handler.mail (self, self->held.envelope, self->user_data);
  if (!self->holds)
    answer_mail (self, refusal);
}

void
reroute_smtp_server_ask_rcpt (RerouteSmtpServer *self)
{
  self->holds = FALSE;
  self->held.answer = answer_rcpt;
  g_autoptr (RerouteReply) refusal = self->handler.rcpt (
    self, self->held.address, &self->held.admitted_by, self->user_data);
  if (!self->holds)
    answer_rcpt (self, refusal);
}

void
reroute_smtp_server_ask_etrn (RerouteSmtpServer *self, const RerouteEtrn *wanted)
{
  self->holds = FALSE;
  self->held = (RerouteHeldCommand){ .answer = answer_etrn, .state = self->state };
  g_autoptr (RerouteReply) reply = self->handler.etrn (self, wanted, self->user_data);
  if (!self->holds)
    answer_etrn (self, reply);
}

void
reroute_smtp_server_hold (RerouteSmtpServer *self)
{
  g_return_if_fail (self != NULL);

  self->holds = TRUE;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_CHECK);
}

void
reroute_smtp_server_finish_held (RerouteSmtpServer *self, const RerouteReply *reply)
{
  g_return_if_fail (self != NULL);

  if (self->state != REROUTE_SMTP_SERVER_STATE_IN_CHECK)
    return;
  reroute_smtp_server_set_state (self, self->held.state);
  self->held.answer (self, reply);
}
