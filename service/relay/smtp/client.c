/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client.c - the sending side of one SMTP session
 *
 * What replies do is in client-replies.c, BDAT in client-chunks.c.  Every command stands in a queue
 * until its reply comes; a reply with no command in front of it is a protocol error, be it right in
 * its content, but for a refusal of what is being sent.  Where PIPELINING is offered a whole
 * envelope goes out at once.
 *
 * Standards: RFC 5321 sections 3, 4.1, 4.2.4 and 4.3, RFC 1870, RFC 2033, RFC 2920, RFC 3030,
 * RFC 3207, RFC 3461, RFC 6152, RFC 6531.
 */

#define G_LOG_DOMAIN "reroute-smtp-client"

#include "config.h"

#include "service/relay/smtp/client.h"

#include "service/relay/smtp/client-private.h"
#include "service/relay/smtp/command.h"
#include "service/relay/smtp/state-log.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

void
reroute_smtp_client_set_state (RerouteSmtpClient *self, RerouteSmtpClientState state)
{
  static const char *const names[] = {
    "working", "start-tls",    "start-auth", "auth-challenge",
    "ready",   "send-content", "done",       "closed",
  };

  if (reroute_state_log_is_wanted (G_LOG_DOMAIN))
    g_debug ("%p: %s -> %s", (void *) self, names[self->state], names[state]);
  self->state = state;
}

void
reroute_smtp_client_await (RerouteSmtpClient *self, RerouteSmtpCommandKind kind, guint index)
{
  RerouteSmtpCommand command = { kind, index, self->n_queued };

  if (self->first == self->commands->len)
    {
      g_array_set_size (self->commands, 0);
      self->first = 0;
    }
  g_array_append_val (self->commands, command);
}

void
reroute_smtp_client_end_command (RerouteSmtpClient *self,
                                 RerouteSmtpCommandKind kind,
                                 guint index,
                                 gsize before)
{
  g_string_append_len (self->output, "\r\n", 2);
  self->n_queued += self->output->len - before;
  reroute_smtp_client_await (self, kind, index);
}

void
reroute_smtp_client_put_command (
  RerouteSmtpClient *self, RerouteSmtpCommandKind kind, guint index, const char *format, ...)
{
  va_list arguments;
  gsize before = self->output->len;

  va_start (arguments, format);
  g_string_append_vprintf (self->output, format, arguments);
  va_end (arguments);
  reroute_smtp_client_end_command (self, kind, index, before);
}

/* Takes the command that the next reply answers out of the queue; NULL when none has left.  Valid
   until another one is put in. */
static const RerouteSmtpCommand *
next_command (RerouteSmtpClient *self)
{
  if (self->first == self->commands->len)
    return NULL;
  const RerouteSmtpCommand *command =
    &g_array_index (self->commands, RerouteSmtpCommand, self->first);
  if (command->sent_when > self->n_sent)
    return NULL;
  self->first++;
  return command;
}

gboolean
reroute_smtp_client_feed (RerouteSmtpClient *self,
                          const guint8 *octets,
                          gsize length,
                          GError **error)
{
  g_return_val_if_fail (self != NULL && (octets != NULL || length == 0), FALSE);

  gsize taken = 0;
  gboolean done_before = self->state == REROUTE_SMTP_CLIENT_DONE;
  while (length > 0 && self->state != REROUTE_SMTP_CLIENT_CLOSED)
    {
      g_autoptr (RerouteReply) reply = NULL;
      /* Whoever put clear text behind the reply to STARTTLS would speak with the server's voice. */
      if (self->state == REROUTE_SMTP_CLIENT_START_TLS)
        {
          g_set_error_literal (error,
                               REROUTE_ERROR,
                               REROUTE_ERROR_PROTOCOL,
                               "clear text came behind the reply to STARTTLS");
          reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
          return FALSE;
        }
      gboolean sound =
        reroute_reply_parser_feed (&self->parser, octets, length, &taken, &reply, error);
      self->n_replies += reply != NULL;
      if (sound && reply != NULL)
        sound = reroute_smtp_client_take_reply (self, next_command (self), reply, error);
      if (!sound)
        {
          reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
          return FALSE;
        }
      octets += taken;
      length -= taken;
      /* What is decided stays decided, whatever the server says behind it. */
      if (self->state == REROUTE_SMTP_CLIENT_DONE && !done_before)
        {
          self->surplus = self->surplus || length > 0;
          return TRUE;
        }
    }
  return TRUE;
}

/* --- the owner's side --- */

static void
clear_transaction (RerouteSmtpClient *self)
{
  for (guint i = 0; i < self->transaction.n_recipients; i++)
    g_clear_pointer (&self->replies[i], reroute_reply_free);
  g_clear_pointer (&self->replies, g_free);
  g_clear_pointer (&self->transaction_reply, reroute_reply_free);
  self->transaction = (RerouteSmtpTransaction){ 0 };
  self->n_accepted = self->n_answered = 0;
  self->mail_refused = self->end_sent = FALSE;
  self->by_chunks = self->head_taken = self->line_answered = self->last_put = FALSE;
  self->tripped = FALSE;
  self->chunk_left = 0;
}

RerouteSmtpClient *
reroute_smtp_client_new (const char *hostname)
{
  g_return_val_if_fail (hostname != NULL, NULL);

  RerouteSmtpClient *self = g_new0 (RerouteSmtpClient, 1);
  self->hostname = g_strdup (hostname);
  self->output = g_string_sized_new (512);
  self->commands = g_array_new (FALSE, FALSE, sizeof (RerouteSmtpCommand));
  reroute_reply_parser_init (&self->parser);
  reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_GREETING, 0);
  return self;
}

void
reroute_smtp_client_free (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL);

  clear_transaction (self);
  reroute_smtp_client_clear_auth (self);
  g_clear_pointer (&self->session_reply, reroute_reply_free);
  reroute_reply_parser_clear (&self->parser);
  g_array_unref (self->commands);
  g_string_free (self->output, TRUE);
  g_free (self->hostname);
  g_free (self);
}

const guint8 *
reroute_smtp_client_peek_output (RerouteSmtpClient *self, gsize *length)
{
  g_return_val_if_fail (self != NULL && length != NULL, NULL);

  *length = self->output->len - self->output_sent;
  return (const guint8 *) self->output->str + self->output_sent;
}

void
reroute_smtp_client_sent (RerouteSmtpClient *self, gsize length)
{
  g_return_if_fail (self != NULL && length <= self->output->len - self->output_sent);

  self->n_sent += length;
  self->output_sent += length;
  if (self->output_sent < self->output->len)
    return;
  g_string_truncate (self->output, 0);
  self->output_sent = 0;
}

guint64
reroute_smtp_client_get_n_replies (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_replies;
}

RerouteSmtpClientState
reroute_smtp_client_get_state (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, REROUTE_SMTP_CLIENT_CLOSED);

  return self->state;
}

/* An address that could end its command: nothing of the kind is ever stored, and nothing of the
 * kind leaves. */
static gboolean
can_be_sent (const char *address)
{
  return strpbrk (address, "\r\n") == NULL &&
         reroute_command_check_octets (address, strlen (address));
}

/* Why this server cannot get the transaction at all; NULL when it can.  (transfer full) */
static RerouteReply *
refuse_here (const RerouteSmtpClient *self)
{
  const RerouteSmtpTransaction *transaction = &self->transaction;
  gboolean sendable = can_be_sent (transaction->reverse_path);

  for (guint i = 0; sendable && i < transaction->n_recipients; i++)
    sendable = can_be_sent (transaction->recipients[i]);
  if (!sendable)
    return reroute_reply_new (554, "5.5.2", "An address of the message cannot be sent by SMTP");
  if (transaction->smtputf8 && (self->offers & REROUTE_SMTP_OFFERS_SMTPUTF8) == 0)
    return reroute_reply_new (
      554, "5.6.7", "The message needs SMTPUTF8, which the next host does not offer");
  if (transaction->body_8bitmime && (self->offers & REROUTE_SMTP_OFFERS_8BITMIME) == 0)
    return reroute_reply_new (
      554, "5.6.3", "The message needs 8BITMIME, which the next host does not offer");
  return NULL;
}

static gboolean
can_go_by_chunks (const RerouteSmtpClient *self)
{
  return self->transaction.chunks && !self->transaction.probe &&
         (self->offers & REROUTE_SMTP_OFFERS_CHUNKING) != 0 &&
         (self->chunking == REROUTE_SMTP_CHUNKING_PROVEN ||
          (self->chunking == REROUTE_SMTP_CHUNKING_UNPROVEN && self->transaction.head_octets > 0));
}

void
reroute_smtp_client_begin (RerouteSmtpClient *self, const RerouteSmtpTransaction *transaction)
{
  g_return_if_fail (self != NULL && transaction != NULL && transaction->n_recipients > 0);
  g_return_if_fail (self->state == REROUTE_SMTP_CLIENT_READY ||
                    self->state == REROUTE_SMTP_CLIENT_DONE);

  clear_transaction (self);
  self->transaction = *transaction;
  self->replies = g_new0 (RerouteReply *, transaction->n_recipients);
  self->transaction_reply = refuse_here (self);
  if (self->transaction_reply != NULL)
    {
      reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_DONE);
      return;
    }

  if (self->surplus)
    {
      reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
      return;
    }
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
  self->by_chunks = can_go_by_chunks (self);
  gboolean pipelining = (self->offers & REROUTE_SMTP_OFFERS_PIPELINING) != 0;
  if (self->needs_reset)
    reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_RSET, 0, "RSET");
  if (pipelining || !self->needs_reset)
    reroute_smtp_client_put_transaction (self);
  self->needs_reset = FALSE;
}

void
reroute_smtp_client_content_sent (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_SEND_CONTENT);
  g_return_if_fail (!self->by_chunks);

  self->end_sent = TRUE;
  if (!self->lmtp)
    reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_FINAL_DOT, 0);
  for (guint i = 0; self->lmtp && i < self->transaction.n_recipients; i++)
    if (self->replies[i] == NULL)
      reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_FINAL_DOT, i);
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
}

gboolean
reroute_smtp_client_is_greeted (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->greeted;
}

void
reroute_smtp_client_set_tls (RerouteSmtpClient *self, RerouteSmtpClientTls tls)
{
  g_return_if_fail (self != NULL);

  self->tls = tls;
}

void
reroute_smtp_client_set_lmtp (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL);

  self->lmtp = TRUE;
}

void
reroute_smtp_client_tls_begun (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_START_TLS);

  self->in_tls = TRUE;
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
  reroute_smtp_client_put_hello (self);
}

void
reroute_smtp_client_quit (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL);

  if (!reroute_smtp_client_is_reusable (self))
    {
      reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
      return;
    }
  reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_QUIT, 0, "QUIT");
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
}

gboolean
reroute_smtp_client_is_reusable (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return !self->surplus &&
         (self->state == REROUTE_SMTP_CLIENT_READY || self->state == REROUTE_SMTP_CLIENT_DONE);
}

const RerouteReply *
reroute_smtp_client_get_recipient_reply (const RerouteSmtpClient *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->transaction.n_recipients, NULL);

  if (!self->mail_refused && self->replies[index] != NULL)
    return self->replies[index];
  return self->transaction_reply;
}

gboolean
reroute_smtp_client_is_refused (const RerouteSmtpClient *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->transaction.n_recipients, FALSE);

  return !self->mail_refused && self->replies[index] != NULL;
}

const RerouteReply *
reroute_smtp_client_get_session_reply (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->session_reply;
}

gboolean
reroute_smtp_client_offers_requiretls (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & REROUTE_SMTP_OFFERS_REQUIRETLS) != 0;
}

gboolean
reroute_smtp_client_lacks_tls (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->lacks_tls;
}

gboolean
reroute_smtp_client_offers_8bitmime (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & REROUTE_SMTP_OFFERS_8BITMIME) != 0;
}

gboolean
reroute_smtp_client_offers_smtputf8 (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & REROUTE_SMTP_OFFERS_SMTPUTF8) != 0;
}

gboolean
reroute_smtp_client_offers_dsn (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & REROUTE_SMTP_OFFERS_DSN) != 0;
}

const char *
reroute_smtp_client_phase (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, "");

  if (self->first < self->commands->len)
    return reroute_smtp_command_phase (
      g_array_index (self->commands, RerouteSmtpCommand, self->first).kind);
  if (self->state == REROUTE_SMTP_CLIENT_SEND_CONTENT)
    return "while sending the content";
  return "between two messages";
}

gboolean
reroute_smtp_client_may_have_delivered (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->end_sent;
}
