/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client-chunks.c - the content by BDAT, on the sending side
 *
 * BDAT has no reply between command and content: a server that offers CHUNKING and does not know
 * the command, or does not drop the octets of one that it refuses, takes them for commands.  There
 * are some.  What a stranger wrote must never be among them.  So the first chunk of a connection is
 * our own Received line, or the one line of it, which goes out with MAIL and RCPT and is a command
 * to nobody.  When it is taken, the rest follows; from then on content waits until there is a
 * recipient for it, and a chunk until the one before it was taken.  That costs no more round trips
 * than DATA.
 *
 * When the line is refused as a command would be, RSET finds out whether it was also taken for one,
 * and the message goes by DATA, as do the others of that connection.  A server that ends the
 * session over it, in whichever way, is asked again by DATA, and so is one that refuses for good
 * what it has not seen: whoever refuses a message must have been told of it.
 *
 * Standards: RFC 3030 sections 2 to 4; RFC 2033 section 4.2; RFC 5321 section 4.2.1 (x0z: syntax).
 */

#include "config.h"

#include "service/relay/smtp/client-private.h"

#include <string.h>

#define HEAD_OCTETS 1000 /* RFC 5321 4.5.3.1.6 */

gboolean
reroute_smtp_client_wants_head (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->offers & REROUTE_SMTP_OFFERS_CHUNKING) != 0 &&
         self->chunking == REROUTE_SMTP_CHUNKING_UNPROVEN;
}

gsize
reroute_smtp_client_find_head (const guint8 *content, gsize length)
{
  g_return_val_if_fail (content != NULL || length == 0, 0);

  const guint8 *end = length > 0 ? memchr (content, '\n', MIN (length, HEAD_OCTETS)) : NULL;
  gsize name = 0;

  if (end == NULL || end + 1 == content + length)
    return 0;
  /* A field name that a colon ends: no verb, with or without arguments. */
  while (g_ascii_isalnum (content[name]) || content[name] == '-')
    name++;
  return name > 0 && content[name] == ':' ? (gsize) (end + 1 - content) : 0;
}

gboolean
reroute_smtp_client_goes_by_chunks (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->by_chunks;
}

gsize
reroute_smtp_client_get_head_sent (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->head_taken ? self->transaction.head_octets : 0;
}

gsize
reroute_smtp_client_get_chunk_left (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->chunk_left;
}

/* Whether a command is what BDAT was tried with. */
static gboolean
is_first_chunk (const RerouteSmtpClient *self, RerouteSmtpCommandKind kind)
{
  return self->by_chunks && self->chunking != REROUTE_SMTP_CHUNKING_PROVEN &&
         (kind == REROUTE_SMTP_COMMAND_CHUNK || kind == REROUTE_SMTP_COMMAND_RESYNC);
}

gboolean
reroute_smtp_client_has_tripped (const RerouteSmtpClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->session_reply != NULL || self->tripped || self->commands->len == 0)
    return self->tripped;
  return is_first_chunk (
    self, g_array_index (self->commands, RerouteSmtpCommand, self->commands->len - 1).kind);
}

void
reroute_smtp_client_put_head (RerouteSmtpClient *self)
{
  const RerouteSmtpTransaction *transaction = &self->transaction;
  gsize before = self->output->len;

  g_string_append_printf (self->output, "BDAT %" G_GSIZE_FORMAT "\r\n", transaction->head_octets);
  g_string_append_len (
    self->output, (const char *) transaction->head, (gssize) transaction->head_octets);
  self->n_queued += self->output->len - before;
  reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_CHUNK, 0);
}

void
reroute_smtp_client_put_chunk (RerouteSmtpClient *self, gsize length, gboolean last)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_SEND_CONTENT);
  g_return_if_fail (self->by_chunks && self->chunk_left == 0 && length > 0);

  gsize before = self->output->len;

  self->chunk_left = length;
  self->last_put = last;
  g_string_append_printf (
    self->output, "BDAT %" G_GSIZE_FORMAT "%s\r\n", length, last ? " LAST" : "");
  self->n_queued += self->output->len - before;
  if (!last)
    reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_CHUNK, 0);
  else if (!self->lmtp)
    reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_LAST_CHUNK, 0);
  for (guint i = 0; last && self->lmtp && i < self->transaction.n_recipients; i++)
    if (self->replies[i] == NULL)
      reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_LAST_CHUNK, i);
}

void
reroute_smtp_client_chunk_sent (RerouteSmtpClient *self, gsize length)
{
  g_return_if_fail (self != NULL && self->state == REROUTE_SMTP_CLIENT_SEND_CONTENT);
  g_return_if_fail (length <= self->chunk_left);

  self->chunk_left -= length;
  if (self->chunk_left > 0)
    return;
  self->end_sent = self->last_put;
  reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_WORKING);
}

/* --- replies --- */

gboolean
reroute_smtp_client_trips (const RerouteSmtpClient *self, RerouteSmtpCommandKind kind)
{
  return is_first_chunk (self, kind) && reroute_smtp_client_is_wanted (self);
}

/* A reply to a chunk that is not out yet.  No more of it goes out: the session ends.  What refuses
   for good has not seen what it refuses, and is asked by DATA. */
static gboolean
take_early (RerouteSmtpClient *self, const RerouteReply *reply, GError **error)
{
  if (reply->code < 400)
    return reroute_smtp_client_fail (reply, "came before the chunk had left", error);
  if (reply->code >= 500)
    {
      self->tripped = TRUE;
      reroute_smtp_client_close_session (self, reply);
      return TRUE;
    }
  reroute_smtp_client_break_off (self, reply);
  return TRUE;
}

static void
fall_back (RerouteSmtpClient *self)
{
  self->chunking = REROUTE_SMTP_CHUNKING_REFUSED;
  reroute_smtp_client_put_command (self, REROUTE_SMTP_COMMAND_RESYNC, 0, "RSET");
}

gboolean
reroute_smtp_client_take_chunk (RerouteSmtpClient *self,
                                guint index,
                                const RerouteReply *reply,
                                GError **error)
{
  gboolean wanted = reroute_smtp_client_is_wanted (self);
  gboolean proven = self->chunking == REROUTE_SMTP_CHUNKING_PROVEN;

  if (reply->code >= 300 && reply->code < 400)
    return reroute_smtp_client_fail (reply, "does not answer BDAT", error);
  if (self->chunk_left > 0)
    return take_early (self, reply, error);
  if (reply->code < 300)
    {
      self->head_taken = self->head_taken || !proven;
      self->chunking = REROUTE_SMTP_CHUNKING_PROVEN;
    }
  if (reply->code < 300 && wanted)
    reroute_smtp_client_set_state (self, REROUTE_SMTP_CLIENT_SEND_CONTENT);
  else if (wanted && !proven && reply->code / 10 == 50)
    fall_back (self);
  else
    {
      if (wanted)
        reroute_smtp_client_set_transaction_reply (self, reply);
      reroute_smtp_client_finish_transaction (self, TRUE);
    }
  return TRUE;
}

gboolean
reroute_smtp_client_take_last_chunk (RerouteSmtpClient *self,
                                     guint index,
                                     const RerouteReply *reply,
                                     GError **error)
{
  if (reply->code >= 300 && reply->code < 400)
    return reroute_smtp_client_fail (reply, "does not answer the end of data", error);
  if (self->chunk_left > 0)
    return take_early (self, reply, error);
  reroute_smtp_client_take_end (self, index, reply, reply->code >= 400);
  return TRUE;
}

gboolean
reroute_smtp_client_take_answer_to_line (RerouteSmtpClient *self, const RerouteReply *reply)
{
  if (self->first == self->commands->len || self->line_answered || reply->code < 500)
    return FALSE;
  self->line_answered = g_array_index (self->commands, RerouteSmtpCommand, self->first).kind ==
                        REROUTE_SMTP_COMMAND_RESYNC;
  return self->line_answered;
}

gboolean
reroute_smtp_client_take_resync (RerouteSmtpClient *self,
                                 guint index,
                                 const RerouteReply *reply,
                                 GError **error)
{
  if (reply->code >= 500 && !self->line_answered)
    {
      self->line_answered = TRUE;
      reroute_smtp_client_await (self, REROUTE_SMTP_COMMAND_RESYNC, 0);
      return TRUE;
    }
  if (reply->code >= 300)
    return reroute_smtp_client_fail (reply, "does not answer RSET", error);
  for (guint i = 0; i < self->transaction.n_recipients; i++)
    g_clear_pointer (&self->replies[i], reroute_reply_free);
  self->n_accepted = 0;
  self->by_chunks = FALSE;
  reroute_smtp_client_put_transaction (self);
  return TRUE;
}
