/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client-replies.c - what the replies of a server mean for the session and the transaction
 *
 * One table.  A class of reply that the command cannot have is a protocol error; 421 is the same
 * everywhere.
 *
 * Standards: RFC 5321 sections 3.8, 4.2 and 4.3.2, RFC 1870, RFC 2033, RFC 2920, RFC 3030,
 * RFC 3207, RFC 3461, RFC 3463, RFC 6152, RFC 6531, RFC 8689.
 */

#include "config.h"

#include "service/relay/smtp/client-private.h"

#include "service/relay/smtp/dsn-parameters.h"

#include "common/error.h"

#include <string.h>

void
reroute_smtp_client_put_hello (RerouteSmtpClient *self)
{
  if (self->lmtp)
    reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_LHLO, 0, "LHLO %s", self->hostname);
  else
    reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_EHLO, 0, "EHLO %s", self->hostname);
}

/* --- commands of a transaction --- */

static gboolean
passes_dsn (const RerouteSmtpClient *self)
{
  return (self->offers & REROUTE_SMTP_OFFERS_DSN) != 0 && self->transaction.envelope != NULL;
}

void
reroute_smtp_client_put_mail (RerouteSmtpClient *self)
{
  const RerouteSmtpTransaction *transaction = &self->transaction;
  GString *output = self->output;
  gsize before = output->len;

  g_string_append (output, "MAIL FROM:<");
  g_string_append (output, transaction->reverse_path);
  g_string_append_c (output, '>');
  if ((self->offers & REROUTE_SMTP_OFFERS_SIZE) != 0 && transaction->content_octets > 0)
    g_string_append_printf (output, " SIZE=%" G_GSIZE_FORMAT, transaction->content_octets);
  if (transaction->body_8bitmime)
    g_string_append (output, " BODY=8BITMIME");
  if (transaction->smtputf8)
    g_string_append (output, " SMTPUTF8");
  if (transaction->requiretls)
    g_string_append (output, " REQUIRETLS");
  if (passes_dsn (self))
    reroute_dsn_append_mail (output, transaction->envelope);
  reroute_smtp_client_end_command (self, REROUTE_SMTP_COMMAND_MAIL, 0, before);
}

void
reroute_smtp_client_put_rcpt (RerouteSmtpClient *self, guint index)
{
  const RerouteSmtpTransaction *transaction = &self->transaction;
  const char *address = transaction->recipients[index];
  GString *output = self->output;
  gsize before = output->len;

  g_string_append (output, "RCPT TO:<");
  g_string_append (output, address);
  g_string_append_c (output, '>');
  if (passes_dsn (self))
    reroute_dsn_append_rcpt (
      output,
      reroute_envelope_get_recipient (transaction->envelope, transaction->indices[index]),
      address);
  reroute_smtp_client_end_command (self, REROUTE_SMTP_COMMAND_RCPT, index, before);
}

/* DATA, or what of BDAT may be said before anything is known. */
static void
put_content_command (RerouteSmtpClient *self)
{
  if (!self->by_chunks)
    reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_DATA, 0, "DATA");
  else if (self->chunking == REROUTE_SMTP_CHUNKING_UNPROVEN)
    reroute_smtp_client_put_head (self);
}

void
reroute_smtp_client_put_transaction (RerouteSmtpClient *self)
{
  reroute_smtp_client_put_mail (self);
  if ((self->offers & REROUTE_SMTP_OFFERS_PIPELINING) == 0)
    return;
  for (guint i = 0; i < self->transaction.n_recipients; i++)
    reroute_smtp_client_put_rcpt (self, i);
  if (!self->transaction.probe)
    put_content_command (self);
}

/* --- replies --- */

static gboolean
is_positive (const RerouteReply *reply)
{
  return reply->code < 300;
}

gboolean
reroute_smtp_client_fail (const RerouteReply *reply, const char *why, GError **error)
{
  g_autofree char *shown = reroute_reply_to_string (reply);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "reply “%s” %s", shown, why);
  return FALSE;
}

void
reroute_smtp_client_close_session (RerouteSmtpClient *self, const RerouteReply *reply)
{
  g_clear_pointer (&self->session_reply, reroute_reply_free);
  self->session_reply = reroute_reply_copy (reply);
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
}

void
reroute_smtp_client_set_transaction_reply (RerouteSmtpClient *self, const RerouteReply *reply)
{
  if (self->transaction_reply == NULL)
    self->transaction_reply = reroute_reply_copy (reply);
}

void
reroute_smtp_client_finish_transaction (RerouteSmtpClient *self, gboolean needs_reset)
{
  self->needs_reset = needs_reset;
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_DONE);
}

void
reroute_smtp_client_break_off (RerouteSmtpClient *self, const RerouteReply *reply)
{
  reroute_smtp_client_set_transaction_reply (self, reply);
  reroute_smtp_client_finish_transaction (self, TRUE);
  self->surplus = TRUE;
}

gboolean
reroute_smtp_client_is_wanted (const RerouteSmtpClient *self)
{
  return !self->mail_refused && self->n_accepted > 0;
}

static gboolean
take_greeting (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 400)
    reroute_smtp_client_close_session (self, reply);
  else if (reply->code == 220)
    reroute_smtp_client_put_hello (self);
  else
    return reroute_smtp_client_fail (reply, "is no greeting", error);
  return TRUE;
}

static RerouteSmtpOffers
parse_offer (const char *line)
{
  static const struct
  {
    const char *keyword;
    RerouteSmtpOffers offer;
  } known[] = {
    /* clang-format off */
    { "PIPELINING", REROUTE_SMTP_OFFERS_PIPELINING },
    { "SIZE",       REROUTE_SMTP_OFFERS_SIZE },
    { "8BITMIME",   REROUTE_SMTP_OFFERS_8BITMIME },
    { "SMTPUTF8",   REROUTE_SMTP_OFFERS_SMTPUTF8 },
    { "DSN",        REROUTE_SMTP_OFFERS_DSN },
    { "STARTTLS",   REROUTE_SMTP_OFFERS_STARTTLS },
    { "REQUIRETLS", REROUTE_SMTP_OFFERS_REQUIRETLS },
    { "CHUNKING",   REROUTE_SMTP_OFFERS_CHUNKING },
    /* clang-format on */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      gsize length = strlen (known[i].keyword);
      if (g_ascii_strncasecmp (line, known[i].keyword, length) == 0 &&
          (line[length] == '\0' || line[length] == ' '))
        return known[i].offer;
    }
  return 0;
}

/* The session is greeted as far as it can be without TLS, which may not be far enough. */
static void
finish_greeting (RerouteSmtpClient *self)
{
  static const RerouteReply refusal = {
    451, "4.7.4", (char *) "TLS is demanded, and the host does not do STARTTLS"
  };

  RerouteReply no_login;

  self->lacks_tls = self->tls == REROUTE_SMTP_CLIENT_TLS_ALWAYS && !self->in_tls;
  if (self->lacks_tls)
    reroute_smtp_client_close_session (self, &refusal);
  else if (reroute_smtp_client_begin_login (self, &no_login))
    {
      if (no_login.text != NULL)
        reroute_smtp_client_close_session (self, &no_login);
    }
  else
    reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_READY);
}

static gboolean
take_ehlo (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 500 && !self->lmtp)
    reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_HELO, 0, "HELO %s", self->hostname);
  else if (reply->code >= 400)
    reroute_smtp_client_close_session (self, reply);
  else if (reply->code != 250)
    return reroute_smtp_client_fail (
      reply, self->lmtp ? "does not answer LHLO" : "does not answer EHLO", error);
  else
    {
      g_auto (GStrv) lines = g_strsplit (reply->text, "\n", -1);
      self->greeted = TRUE;
      self->offers = 0;
      g_clear_pointer (&self->auth_offers, g_free);
      /* The first one is the server's name. */
      for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        {
          self->offers |= parse_offer (lines[i]);
          reroute_smtp_client_take_auth_offer (self, lines[i]);
        }
      if (!self->in_tls && self->tls != REROUTE_SMTP_CLIENT_TLS_NEVER &&
          (self->offers & REROUTE_SMTP_OFFERS_STARTTLS) != 0)
        reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_STARTTLS, 0, "STARTTLS");
      else
        finish_greeting (self);
    }
  return TRUE;
}

static gboolean
take_helo (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 400)
    reroute_smtp_client_close_session (self, reply);
  else if (reply->code == 250)
    {
      self->greeted = TRUE;
      finish_greeting (self);
    }
  else
    return reroute_smtp_client_fail (reply, "does not answer HELO", error);
  return TRUE;
}

/* What the server has to say about it matters where TLS is demanded, and nowhere else. */
static gboolean
take_starttls (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code == 220)
    reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_START_TLS);
  else if (reply->code < 400)
    return reroute_smtp_client_fail (reply, "does not answer STARTTLS", error);
  else
    finish_greeting (self);
  return TRUE;
}

static gboolean
take_auth (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  switch (reroute_smtp_client_take_auth (self, reply))
    {
    case REROUTE_SMTP_AUTH_NONSENSE:
      return reroute_smtp_client_fail (reply, "does not answer AUTH", error);
    case REROUTE_SMTP_AUTH_REFUSED:
      reroute_smtp_client_close_session (self, reply);
      return TRUE;
    case REROUTE_SMTP_AUTH_GOES_ON:
    default:
      return TRUE;
    }
}

static gboolean
take_rset (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (!is_positive (reply))
    return reroute_smtp_client_fail (reply, "does not answer RSET", error);
  if ((self->offers & REROUTE_SMTP_OFFERS_PIPELINING) == 0)
    reroute_smtp_client_put_mail (self);
  return TRUE;
}

static gboolean
take_mail (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  gboolean lock_step = (self->offers & REROUTE_SMTP_OFFERS_PIPELINING) == 0;

  if (reply->code >= 300 && reply->code < 400)
    return reroute_smtp_client_fail (reply, "does not answer MAIL", error);
  if (!is_positive (reply))
    {
      self->mail_refused = TRUE;
      reroute_smtp_client_set_transaction_reply (self, reply);
      if (lock_step)
        reroute_smtp_client_finish_transaction (self, FALSE);
    }
  else if (lock_step)
    reroute_smtp_client_put_rcpt (self, 0);
  return TRUE;
}

/* Whether nothing was said of the content before all recipients were answered. */
static gboolean
waits_for_recipients (const RerouteSmtpClient *self)
{
  return self->by_chunks && self->chunking == REROUTE_SMTP_CHUNKING_PROVEN;
}

/* All recipients are answered, and there is somebody to get it. */
static void
begin_content (RerouteSmtpClient *self)
{
  if (waits_for_recipients (self))
    reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_SEND_CONTENT);
  else
    put_content_command (self);
}

/* Behind recipients that were taken, one too many for the transaction can be taken in the next one,
   whatever class of reply says so (RFC 5321 4.5.3.1.10, RFC 3463 3.6). */
static RerouteReply *
dup_refusal (const RerouteSmtpClient *self, const RerouteReply *reply)
{
  if (self->n_accepted > 0 && reply->code >= 500 && reroute_reply_is_too_many (reply))
    return reroute_reply_new (452, "4.5.3", reply->text);
  return reroute_reply_copy (reply);
}

static gboolean
take_rcpt (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 300 && reply->code < 400)
    return reroute_smtp_client_fail (reply, "does not answer RCPT", error);
  if (is_positive (reply))
    self->n_accepted++;
  else
    self->replies[index] = dup_refusal (self, reply);
  gboolean last = index + 1 == self->transaction.n_recipients;
  if (last && self->transaction.probe)
    reroute_smtp_client_finish_transaction (self, TRUE);
  else if ((self->offers & REROUTE_SMTP_OFFERS_PIPELINING) != 0 &&
           !(last && waits_for_recipients (self)))
    return TRUE;
  else if (!last)
    reroute_smtp_client_put_rcpt (self, index + 1);
  else if (reroute_smtp_client_is_wanted (self))
    begin_content (self);
  else
    reroute_smtp_client_finish_transaction (self, TRUE);
  return TRUE;
}

static gboolean
take_data (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  gboolean wanted = reroute_smtp_client_is_wanted (self);

  if (reply->code >= 400)
    {
      if (wanted)
        reroute_smtp_client_set_transaction_reply (self, reply);
      reroute_smtp_client_finish_transaction (self, TRUE);
    }
  else if (reply->code != 354)
    return reroute_smtp_client_fail (reply, "does not answer DATA", error);
  else if (wanted)
    reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_SEND_CONTENT);
  else if (self->lmtp)
    {
      /* RFC 2033 4.2 forbids it, and an empty message for nobody would have no reply to wait for.
       */
      reroute_smtp_client_finish_transaction (self, TRUE);
      self->surplus = TRUE;
    }
  else
    reroute_smtp_client_put_command (
      self, REROUTE_SMTP_COMMAND_FINAL_DOT, 0, "."); /* RFC 2920 3.1: an empty message for nobody */
  return TRUE;
}

void
reroute_smtp_client_take_end (RerouteSmtpClient *self,
                              guint index,
                              const RerouteReply *reply,
                              gboolean needs_reset)
{
  if (self->lmtp)
    {
      self->replies[index] = reroute_reply_copy (reply);
      self->end_sent = ++self->n_answered < self->n_accepted;
      if (!self->end_sent)
        reroute_smtp_client_finish_transaction (self, needs_reset);
      return;
    }
  self->end_sent = FALSE;
  if (reroute_smtp_client_is_wanted (self))
    reroute_smtp_client_set_transaction_reply (self, reply);
  reroute_smtp_client_finish_transaction (self, needs_reset);
}

static gboolean
take_final_dot (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 300 && reply->code < 400)
    return reroute_smtp_client_fail (reply, "does not answer the end of data", error);
  reroute_smtp_client_take_end (self, index, reply, FALSE);
  return TRUE;
}

/* A refusal behind 354 and before the final dot has left, which then never does: what is there of
   the content would pass for all of it.  FALSE: @reply is no such thing. */
static gboolean
take_early_refusal (RerouteSmtpClient *self, const RerouteReply *reply)
{
  if (self->state != REROUTE_SMTP_CLIENT_SEND_CONTENT || self->by_chunks || reply->code < 400)
    return FALSE;
  reroute_smtp_client_break_off (self, reply);
  return TRUE;
}

static gboolean
take_quit (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
  return TRUE;
}

static const struct
{
  gboolean (*take) (RerouteSmtpClient *self,
                    guint index,
                    const RerouteReply *reply,
                    GError **error);
  const char *phase;
  const char *source;
} kinds[] = {
  /* clang-format off */
  [REROUTE_SMTP_COMMAND_GREETING]     = { take_greeting,                      "while waiting for the greeting",   "RFC 5321 4.3.1" },
  [REROUTE_SMTP_COMMAND_EHLO]         = { take_ehlo,                          "while sending EHLO",               "RFC 5321 4.1.1.1" },
  [REROUTE_SMTP_COMMAND_LHLO]         = { take_ehlo,                          "while sending LHLO",               "RFC 2033 4.1" },
  [REROUTE_SMTP_COMMAND_HELO]         = { take_helo,                          "while sending HELO",               "RFC 5321 4.1.1.1" },
  [REROUTE_SMTP_COMMAND_STARTTLS]     = { take_starttls,                      "while sending STARTTLS",           "RFC 3207 4" },
  [REROUTE_SMTP_COMMAND_AUTH]         = { take_auth,                          "while logging in",                 "RFC 4954 4" },
  [REROUTE_SMTP_COMMAND_RSET]         = { take_rset,                          "while sending RSET",               "RFC 5321 4.1.1.5" },
  [REROUTE_SMTP_COMMAND_MAIL]         = { take_mail,                          "while sending MAIL",               "RFC 5321 4.1.1.2" },
  [REROUTE_SMTP_COMMAND_RCPT]         = { take_rcpt,                          "while sending RCPT",               "RFC 5321 4.1.1.3" },
  [REROUTE_SMTP_COMMAND_DATA]         = { take_data,                          "while sending DATA",               "RFC 5321 4.1.1.4" },
  [REROUTE_SMTP_COMMAND_FINAL_DOT]    = { take_final_dot,                     "while waiting for the reply to the end of data", "RFC 5321 4.1.1.4" },
  [REROUTE_SMTP_COMMAND_CHUNK]        = { reroute_smtp_client_take_chunk,     "while sending BDAT",               "RFC 3030 2" },
  [REROUTE_SMTP_COMMAND_LAST_CHUNK]   = { reroute_smtp_client_take_last_chunk, "while waiting for the reply to the end of data", "RFC 3030 2" },
  [REROUTE_SMTP_COMMAND_RESYNC]       = { reroute_smtp_client_take_resync,    "while sending RSET",               "RFC 3030 2" },
  [REROUTE_SMTP_COMMAND_QUIT]         = { take_quit,                          "while sending QUIT",               "RFC 5321 4.1.1.10" },
  /* clang-format on */
};

gboolean
reroute_smtp_client_take_reply (RerouteSmtpClient *self,
                                const RerouteSmtpCommand *command,
                                const RerouteReply *reply,
                                GError **error)
{
  /* It may come at any time, and whatever it answers is not done; by LMTP others may be. */
  if (reply->code == 421)
    {
      self->end_sent = self->n_answered > 0;
      self->tripped = command != NULL && reroute_smtp_client_trips (self, command->kind);
      reroute_smtp_client_set_transaction_reply (self, reply);
      reroute_smtp_client_close_session (self, reply);
      return TRUE;
    }
  if (command == NULL &&
      (reroute_smtp_client_take_answer_to_line (self, reply) || take_early_refusal (self, reply)))
    return TRUE;
  if (command == NULL)
    return reroute_smtp_client_fail (reply, "came before its time", error);
  return kinds[command->kind].take (self, command->index, reply, error);
}

const char *
reroute_smtp_command_phase (RerouteSmtpCommandKind kind)
{
  return kinds[kind].phase;
}
