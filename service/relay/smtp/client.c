/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client.c - the sending side of one SMTP session
 *
 * Every command stands in a queue until its reply comes; a reply with no command in front of it is
 * a protocol error, be it right in its content.  Where PIPELINING is offered a whole envelope goes
 * out at once.
 *
 * Standards: RFC 5321 sections 3, 4.1, 4.2.4 and 4.3, RFC 1870, RFC 2920, RFC 6152, RFC 6531.
 */

#define G_LOG_DOMAIN "reroute-smtp-client"

#include "config.h"

#include "service/relay/smtp/client.h"

#include "service/relay/smtp/command.h"
#include "service/relay/smtp/reply-parser.h"
#include "service/relay/smtp/state-log.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

/* What a reply is awaited for. */
typedef enum
{
  GREETING,
  EHLO,
  HELO,
  RSET,
  MAIL,
  RCPT,
  DATA,
  FINAL_DOT,
  QUIT,
} Kind;

typedef struct
{
  Kind kind;
  guint index;       /* RCPT: of the recipient */
  guint64 sent_when; /* octets that have left when the command has */
} Command;

typedef enum
{
  OFFERS_PIPELINING = 1 << 0,
  OFFERS_SIZE = 1 << 1,
  OFFERS_8BITMIME = 1 << 2,
  OFFERS_SMTPUTF8 = 1 << 3,
} Offers;

struct _RerouteSmtpClient
{
  char *hostname;
  RerouteSmtpClientState state;
  Offers offers;

  GString *output;
  gsize output_sent; /* of output */
  guint64 n_queued;  /* octets ever put out */
  guint64 n_sent;    /* octets ever sent */
  RerouteReplyParser parser;
  GArray *commands; /* (element-type Command): replies are awaited for, in order */
  guint first;      /* of commands: the next reply is for this one */

  RerouteSmtpTransaction transaction;
  gboolean needs_reset; /* the server may still have a transaction open */
  gboolean surplus;     /* octets came behind the last reply of a transaction */
  guint n_accepted;
  gboolean mail_refused;
  gboolean end_sent;       /* the content's end is out and not answered */
  RerouteReply **refusals; /* (array length=transaction.n_recipients): of RCPT; NULL: taken */
  RerouteReply
    *transaction_reply; /* to MAIL, DATA or the final dot: for all that RCPT did not refuse */
  RerouteReply *session_reply;
};

static void
set_state (RerouteSmtpClient *self, RerouteSmtpClientState state)
{
  static const char *const names[] = { "working", "ready", "send-content", "done", "closed" };

  if (reroute_state_log_is_wanted (G_LOG_DOMAIN))
    g_debug ("%p: %s -> %s", (void *) self, names[self->state], names[state]);
  self->state = state;
}

/* Puts a reply into the queue that waits for what was just put out. */
static void
await (RerouteSmtpClient *self, Kind kind, guint index)
{
  Command command = { kind, index, self->n_queued };

  if (self->first == self->commands->len)
    {
      g_array_set_size (self->commands, 0);
      self->first = 0;
    }
  g_array_append_val (self->commands, command);
}

static void G_GNUC_PRINTF (4, 5)
  put_command (RerouteSmtpClient *self, Kind kind, guint index, const char *format, ...)
{
  va_list arguments;
  gsize before = self->output->len;

  va_start (arguments, format);
  g_string_append_vprintf (self->output, format, arguments);
  va_end (arguments);
  g_string_append_len (self->output, "\r\n", 2);
  self->n_queued += self->output->len - before;
  await (self, kind, index);
}

static void
put_mail (RerouteSmtpClient *self)
{
  const RerouteSmtpTransaction *transaction = &self->transaction;
  g_autofree char *size = NULL;

  if ((self->offers & OFFERS_SIZE) != 0 && transaction->content_octets > 0)
    size = g_strdup_printf (" SIZE=%" G_GSIZE_FORMAT, transaction->content_octets);
  put_command (self,
               MAIL,
               0,
               "MAIL FROM:<%s>%s%s%s",
               transaction->reverse_path,
               size != NULL ? size : "",
               transaction->body_8bitmime ? " BODY=8BITMIME" : "",
               transaction->smtputf8 ? " SMTPUTF8" : "");
}

static void
put_rcpt (RerouteSmtpClient *self, guint index)
{
  put_command (self, RCPT, index, "RCPT TO:<%s>", self->transaction.recipients[index]);
}

static void
put_data (RerouteSmtpClient *self)
{
  put_command (self, DATA, 0, "DATA");
}

/* --- replies --- */

static gboolean
is_positive (const RerouteReply *reply)
{
  return reply->code < 300;
}

static gboolean
fail (const RerouteReply *reply, const char *why, GError **error)
{
  g_autofree char *shown = reroute_reply_to_string (reply);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "reply “%s” %s", shown, why);
  return FALSE;
}

static void
close_session (RerouteSmtpClient *self, const RerouteReply *reply)
{
  g_clear_pointer (&self->session_reply, reroute_reply_free);
  self->session_reply = reroute_reply_copy (reply);
  set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
}

static void
set_transaction_reply (RerouteSmtpClient *self, const RerouteReply *reply)
{
  if (self->transaction_reply == NULL)
    self->transaction_reply = reroute_reply_copy (reply);
}

static void
finish_transaction (RerouteSmtpClient *self, gboolean needs_reset)
{
  self->needs_reset = needs_reset;
  set_state (self, REROUTE_SMTP_CLIENT_DONE);
}

static gboolean
take_greeting (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 400)
    close_session (self, reply);
  else if (reply->code == 220)
    put_command (self, EHLO, 0, "EHLO %s", self->hostname);
  else
    return fail (reply, "is no greeting", error);
  return TRUE;
}

static Offers
parse_offer (const char *line)
{
  static const struct
  {
    const char *keyword;
    Offers offer;
  } known[] = {
    /* clang-format off */
    { "PIPELINING", OFFERS_PIPELINING },
    { "SIZE",       OFFERS_SIZE },
    { "8BITMIME",   OFFERS_8BITMIME },
    { "SMTPUTF8",   OFFERS_SMTPUTF8 },
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

static gboolean
take_ehlo (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 500)
    put_command (self, HELO, 0, "HELO %s", self->hostname);
  else if (reply->code >= 400)
    close_session (self, reply);
  else if (reply->code != 250)
    return fail (reply, "does not answer EHLO", error);
  else
    {
      g_auto (GStrv) lines = g_strsplit (reply->text, "\n", -1);
      /* The first one is the server's name. */
      for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        self->offers |= parse_offer (lines[i]);
      set_state (self, REROUTE_SMTP_CLIENT_READY);
    }
  return TRUE;
}

static gboolean
take_helo (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 400)
    close_session (self, reply);
  else if (reply->code == 250)
    set_state (self, REROUTE_SMTP_CLIENT_READY);
  else
    return fail (reply, "does not answer HELO", error);
  return TRUE;
}

static gboolean
take_rset (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (!is_positive (reply))
    return fail (reply, "does not answer RSET", error);
  if ((self->offers & OFFERS_PIPELINING) == 0)
    put_mail (self);
  return TRUE;
}

static gboolean
take_mail (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  gboolean lock_step = (self->offers & OFFERS_PIPELINING) == 0;

  if (reply->code >= 300 && reply->code < 400)
    return fail (reply, "does not answer MAIL", error);
  if (!is_positive (reply))
    {
      self->mail_refused = TRUE;
      set_transaction_reply (self, reply);
      if (lock_step)
        finish_transaction (self, FALSE);
    }
  else if (lock_step)
    put_rcpt (self, 0);
  return TRUE;
}

static gboolean
take_rcpt (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 300 && reply->code < 400)
    return fail (reply, "does not answer RCPT", error);
  if (is_positive (reply))
    self->n_accepted++;
  else
    self->refusals[index] = reroute_reply_copy (reply);
  if ((self->offers & OFFERS_PIPELINING) != 0)
    return TRUE;
  if (index + 1 < self->transaction.n_recipients)
    put_rcpt (self, index + 1);
  else if (self->n_accepted > 0)
    put_data (self);
  else
    finish_transaction (self, TRUE);
  return TRUE;
}

static gboolean
take_data (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  gboolean wanted = !self->mail_refused && self->n_accepted > 0;

  if (reply->code >= 400)
    {
      if (wanted)
        set_transaction_reply (self, reply);
      finish_transaction (self, TRUE);
    }
  else if (reply->code != 354)
    return fail (reply, "does not answer DATA", error);
  else if (wanted)
    set_state (self, REROUTE_SMTP_CLIENT_SEND_CONTENT);
  else
    put_command (self, FINAL_DOT, 0, "."); /* RFC 2920 3.1: an empty message for nobody */
  return TRUE;
}

static gboolean
take_final_dot (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  if (reply->code >= 300 && reply->code < 400)
    return fail (reply, "does not answer the end of data", error);
  self->end_sent = FALSE;
  if (!self->mail_refused && self->n_accepted > 0)
    set_transaction_reply (self, reply);
  finish_transaction (self, FALSE);
  return TRUE;
}

static gboolean
take_quit (RerouteSmtpClient *self, guint index, const RerouteReply *reply, GError **error)
{
  set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
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
  [GREETING]  = { take_greeting,  "while waiting for the greeting",     "RFC 5321 4.3.1" },
  [EHLO]      = { take_ehlo,      "while sending EHLO",                 "RFC 5321 4.1.1.1" },
  [HELO]      = { take_helo,      "while sending HELO",                 "RFC 5321 4.1.1.1" },
  [RSET]      = { take_rset,      "while sending RSET",                 "RFC 5321 4.1.1.5" },
  [MAIL]      = { take_mail,      "while sending MAIL",                 "RFC 5321 4.1.1.2" },
  [RCPT]      = { take_rcpt,      "while sending RCPT",                 "RFC 5321 4.1.1.3" },
  [DATA]      = { take_data,      "while sending DATA",                 "RFC 5321 4.1.1.4" },
  [FINAL_DOT] = { take_final_dot, "while waiting for the reply to the end of data", "RFC 5321 4.1.1.4" },
  [QUIT]      = { take_quit,      "while sending QUIT",                 "RFC 5321 4.1.1.10" },
  /* clang-format on */
};

/* The command that the next reply answers; NULL when none has left. */
static const Command *
peek_command (const RerouteSmtpClient *self)
{
  if (self->first == self->commands->len)
    return NULL;
  const Command *command = &g_array_index (self->commands, Command, self->first);
  return command->sent_when <= self->n_sent ? command : NULL;
}

static gboolean
take_reply (RerouteSmtpClient *self, const RerouteReply *reply, GError **error)
{
  const Command *command = peek_command (self);

  /* It may come at any time, and whatever it answers is not done. */
  if (reply->code == 421)
    {
      self->end_sent = FALSE;
      set_transaction_reply (self, reply);
      close_session (self, reply);
      return TRUE;
    }
  if (command == NULL)
    return fail (reply, "came before its time", error);
  self->first++;
  return kinds[command->kind].take (self, command->index, reply, error);
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
      gboolean sound =
        reroute_reply_parser_feed (&self->parser, octets, length, &taken, &reply, error);
      if (sound && reply != NULL)
        sound = take_reply (self, reply, error);
      if (!sound)
        {
          set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
          return FALSE;
        }
      octets += taken;
      length -= taken;
      /* What is decided stays decided, whatever the server says behind it. */
      if (self->state == REROUTE_SMTP_CLIENT_DONE && !done_before)
        {
          self->surplus = length > 0;
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
    g_clear_pointer (&self->refusals[i], reroute_reply_free);
  g_clear_pointer (&self->refusals, g_free);
  g_clear_pointer (&self->transaction_reply, reroute_reply_free);
  self->transaction = (RerouteSmtpTransaction){ 0 };
  self->n_accepted = 0;
  self->mail_refused = self->end_sent = FALSE;
}

RerouteSmtpClient *
reroute_smtp_client_new (const char *hostname)
{
  g_return_val_if_fail (hostname != NULL, NULL);

  RerouteSmtpClient *self = g_new0 (RerouteSmtpClient, 1);
  self->hostname = g_strdup (hostname);
  self->output = g_string_sized_new (512);
  self->commands = g_array_new (FALSE, FALSE, sizeof (Command));
  reroute_reply_parser_init (&self->parser);
  await (self, GREETING, 0);
  return self;
}

void
reroute_smtp_client_free (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL);

  clear_transaction (self);
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
  if (transaction->smtputf8 && (self->offers & OFFERS_SMTPUTF8) == 0)
    return reroute_reply_new (
      554, "5.6.7", "The message needs SMTPUTF8, which the next host does not offer");
  if (transaction->body_8bitmime && (self->offers & OFFERS_8BITMIME) == 0)
    return reroute_reply_new (
      554, "5.6.3", "The message needs 8BITMIME, which the next host does not offer");
  return NULL;
}

void
reroute_smtp_client_begin (RerouteSmtpClient *self, const RerouteSmtpTransaction *transaction)
{
  g_return_if_fail (self != NULL && transaction != NULL && transaction->n_recipients > 0);
  g_return_if_fail (self->state == REROUTE_SMTP_CLIENT_READY ||
                    self->state == REROUTE_SMTP_CLIENT_DONE);

  clear_transaction (self);
  self->transaction = *transaction;
  self->refusals = g_new0 (RerouteReply *, transaction->n_recipients);
  self->transaction_reply = refuse_here (self);
  if (self->transaction_reply != NULL)
    {
      set_state (self, REROUTE_SMTP_CLIENT_DONE);
      return;
    }

  if (self->surplus)
    {
      set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
      return;
    }
  set_state (self, REROUTE_SMTP_CLIENT_WORKING);
  gboolean pipelining = (self->offers & OFFERS_PIPELINING) != 0;
  if (self->needs_reset)
    put_command (self, RSET, 0, "RSET");
  if (pipelining || !self->needs_reset)
    put_mail (self);
  self->needs_reset = FALSE;
  if (!pipelining)
    return;
  for (guint i = 0; i < transaction->n_recipients; i++)
    put_rcpt (self, i);
  put_data (self);
}

void
reroute_smtp_client_content_sent (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_SEND_CONTENT);

  self->end_sent = TRUE;
  await (self, FINAL_DOT, 0);
  set_state (self, REROUTE_SMTP_CLIENT_WORKING);
}

void
reroute_smtp_client_quit (RerouteSmtpClient *self)
{
  g_return_if_fail (self != NULL);

  if (!reroute_smtp_client_is_reusable (self))
    {
      set_state (self, REROUTE_SMTP_CLIENT_CLOSED);
      return;
    }
  put_command (self, QUIT, 0, "QUIT");
  set_state (self, REROUTE_SMTP_CLIENT_WORKING);
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

  if (!self->mail_refused && self->refusals[index] != NULL)
    return self->refusals[index];
  return self->transaction_reply;
}

const RerouteReply *
reroute_smtp_client_get_session_reply (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->session_reply;
}

gboolean
reroute_smtp_client_offers_8bitmime (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & OFFERS_8BITMIME) != 0;
}

gboolean
reroute_smtp_client_offers_smtputf8 (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & OFFERS_SMTPUTF8) != 0;
}

const char *
reroute_smtp_client_phase (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, "");

  if (self->first < self->commands->len)
    return kinds[g_array_index (self->commands, Command, self->first).kind].phase;
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
