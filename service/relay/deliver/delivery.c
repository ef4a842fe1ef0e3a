/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * delivery.c - one try of a message to recipients that share a next hop
 */

#include "config.h"

#include "service/relay/deliver/delivery.h"

#include "service/relay/deliver/host-lack.h"
#include "service/relay/deliver/mailboxes.h"

RerouteDecidedBy
reroute_decided_by_copy (const RerouteDecidedBy *self)
{
  return (RerouteDecidedBy){
    .admitting = self->admitting != NULL ? reroute_row_ref (self->admitting) : NULL,
    .deciding = self->deciding != NULL ? reroute_row_ref (self->deciding) : NULL,
  };
}

void
reroute_decided_by_clear (RerouteDecidedBy *self)
{
  g_clear_pointer (&self->admitting, reroute_row_unref);
  g_clear_pointer (&self->deciding, reroute_row_unref);
}

RerouteDecidedBy
reroute_delivery_get_decided_by (const RerouteDelivery *self, guint index)
{
  return self->entries != NULL ? self->entries[index] : (RerouteDecidedBy){ 0 };
}

static void
free_failure (gpointer data)
{
  RerouteHostFailure *failure = data;

  if (failure == NULL)
    return;
  reroute_reply_free (failure->reply);
  g_free (failure);
}

RerouteDelivery *
reroute_delivery_new (RerouteMessage *message, guint n_recipients)
{
  RerouteDelivery *self = g_new0 (RerouteDelivery, 1);

  self->message = reroute_message_ref (message);
  self->n_recipients = n_recipients;
  self->recipients = g_new0 (guint, n_recipients);
  self->rcpt_out = g_new0 (char *, n_recipients + 1);
  self->replies = g_new0 (RerouteReply *, n_recipients);
  self->endpoints = reroute_endpoints_new ();
  self->failures = g_ptr_array_new_with_free_func (free_failure);
  self->answered = -1;
  return self;
}

void
reroute_delivery_free (RerouteDelivery *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_recipients; i++)
    g_clear_pointer (&self->replies[i], reroute_reply_free);
  for (guint i = 0; self->entries != NULL && i < self->n_recipients; i++)
    reroute_decided_by_clear (&self->entries[i]);
  g_free (self->entries);
  g_free (self->replies);
  g_strfreev (self->rcpt_out);
  g_free (self->recipients);
  g_clear_pointer (&self->mailboxes, reroute_mailboxes_free);
  g_free (self->reverse_path);
  g_array_unref (self->endpoints);
  g_ptr_array_unref (self->failures);
  g_free (self->account);
  g_clear_pointer (&self->secret, reroute_secret_unref);
  g_clear_pointer (&self->certificate, reroute_client_certificate_unref);
  g_free (self->relay);
  g_free (self->tls);
  g_clear_pointer (&self->tls_results, g_array_unref);
  reroute_message_unref (self->message);
  g_free (self);
}

const char *
reroute_delivery_get_reverse_path (const RerouteDelivery *self)
{
  return self->reverse_path != NULL ? self->reverse_path : self->message->envelope->reverse_path;
}

gboolean
reroute_delivery_needs_smtputf8 (const RerouteDelivery *self)
{
  const RerouteEnvelope *envelope = self->message->envelope;

  if (!envelope->smtputf8)
    return FALSE;
  if (!envelope->ascii_header || !g_str_is_ascii (reroute_delivery_get_reverse_path (self)))
    return TRUE;
  for (guint i = 0; i < self->n_recipients; i++)
    {
      const char *original =
        reroute_envelope_get_recipient (envelope, self->recipients[i])->original;

      if (!g_str_is_ascii (self->rcpt_out[i]) || (original != NULL && !g_str_is_ascii (original)))
        return TRUE;
    }
  return FALSE;
}

gboolean
reroute_delivery_requires_tls (const RerouteDelivery *self, const RerouteEndpoint *endpoint)
{
  return reroute_host_must_keep_tls (endpoint, self->message->envelope);
}

RerouteTlsLevel
reroute_delivery_get_level (const RerouteDelivery *self, const RerouteEndpoint *endpoint)
{
  return reroute_delivery_requires_tls (self, endpoint) ? REROUTE_TLS_VERIFIED : self->tls_level;
}

RerouteReply *
reroute_delivery_soften (const RerouteReply *reply)
{
  g_autofree char *text = NULL;

  if (reply->code < 500)
    return reroute_reply_copy (reply);
  text = reroute_reply_to_string (reply);
  return reroute_reply_new (451, "4.3.2", text);
}

void
reroute_delivery_note_failure (RerouteDelivery *self,
                               guint endpoint,
                               const RerouteReply *reply,
                               gboolean is_denial,
                               gboolean was_ready)
{
  RerouteHostFailure *failure = g_new (RerouteHostFailure, 1);

  *failure = (RerouteHostFailure){ reroute_reply_copy (reply), is_denial, was_ready };
  self->failures->pdata[endpoint] = failure;
}

void
reroute_delivery_note_relay (RerouteDelivery *self, RerouteConnection *connection)
{
  g_free (self->relay);
  g_free (self->tls);
  self->relay = reroute_connection_dup_label (connection);
  self->tls = reroute_connection_dup_tls (connection);
}

void
reroute_delivery_name_recipients (RerouteDelivery *self, RerouteSmtpTransaction *transaction)
{
  if (self->mailboxes == NULL && self->n_recipients > 1)
    self->mailboxes = reroute_mailboxes_new (self);
  transaction->recipients = (const char *const *) self->rcpt_out;
  transaction->n_recipients = self->n_recipients;
  transaction->indices = self->recipients;
  if (self->mailboxes != NULL)
    reroute_mailboxes_fill_in (self->mailboxes, transaction);
}

static const RerouteReply *
get_reply (const RerouteDelivery *self, const RerouteSmtpClient *machine, guint recipient)
{
  guint place =
    self->mailboxes != NULL ? reroute_mailboxes_get_place (self->mailboxes, recipient) : recipient;

  return reroute_smtp_client_get_recipient_reply (machine, place);
}

void
reroute_delivery_note_replies (RerouteDelivery *self,
                               const RerouteSmtpClient *machine,
                               const RerouteReply *otherwise)
{
  for (guint i = 0; i < self->n_recipients; i++)
    {
      const RerouteReply *reply = get_reply (self, machine, i);

      reply = reply != NULL ? reply : otherwise;
      self->replies[i] = reply != NULL ? reroute_reply_copy (reply) : NULL;
    }
}

gboolean
reroute_delivery_is_put_off (const RerouteDelivery *self, const RerouteSmtpClient *machine)
{
  for (guint i = 0; i < self->n_recipients; i++)
    {
      guint code = get_reply (self, machine, i)->code;

      if (code < 400 || code >= 500)
        return FALSE;
    }
  return TRUE;
}

static void
clear_session_tls (gpointer data)
{
  g_free (((RerouteSessionTls *) data)->reason);
}

void
reroute_delivery_note_tls (RerouteDelivery *self,
                           guint endpoint,
                           const RerouteConnection *connection)
{
  RerouteSessionTls session = { .endpoint = endpoint };
  const char *reason;

  if (!self->reports_tls)
    return;
  session.verdict = reroute_connection_get_tls_verdict (connection, &reason, &session.sending);
  if (session.verdict == REROUTE_TLS_VERDICT_NONE)
    return;
  session.reason = g_strdup (reason);
  if (self->tls_results == NULL)
    {
      self->tls_results = g_array_new (FALSE, FALSE, sizeof session);
      g_array_set_clear_func (self->tls_results, clear_session_tls);
    }
  g_array_append_val (self->tls_results, session);
}
