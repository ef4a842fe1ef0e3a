/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server.c - the receiving side of one SMTP session: octets in, replies and events out
 *
 * Commands are in server-commands.c, answers that come late in server-held.c, BDAT in
 * server-chunks.c, AUTH in server-auth.c, XCLIENT in server-xclient.c, ETRN in server-etrn.c, the
 * content's scanner in body.c.  Whatever ends a transaction resets it whole, and a session that is
 * closed discards what still comes.
 *
 * Standards: RFC 5321, RFC 1870, RFC 2034, RFC 2920, RFC 3030, RFC 3207, RFC 3463, RFC 4954,
 * RFC 6152, RFC 6531.
 */

#define G_LOG_DOMAIN "reroute-smtp-server"

#include "config.h"

#include "service/relay/smtp/server.h"

#include "service/relay/smtp/server-private.h"
#include "service/relay/smtp/state-log.h"

#include "common/limits.h"

#include <string.h>

static const struct
{
  const char *name;
  const char *phase;
} states[] = {
  [REROUTE_SMTP_SERVER_STATE_NEW] = { "new", "before the greeting" },
  [REROUTE_SMTP_SERVER_STATE_GREETED] = { "greeted", "while waiting for EHLO" },
  [REROUTE_SMTP_SERVER_STATE_IDLE] = { "idle", "while waiting for MAIL" },
  [REROUTE_SMTP_SERVER_STATE_IN_MAIL] = { "in-mail", "while waiting for RCPT" },
  [REROUTE_SMTP_SERVER_STATE_IN_RCPT] = { "in-rcpt", "while waiting for RCPT or DATA" },
  [REROUTE_SMTP_SERVER_STATE_IN_CHECK] = { "in-check", "while a command is answered" },
  [REROUTE_SMTP_SERVER_STATE_IN_SKIP] = { "in-skip", "while dropping a refused chunk" },
  [REROUTE_SMTP_SERVER_STATE_IN_DATA] = { "in-data", "while receiving the content" },
  [REROUTE_SMTP_SERVER_STATE_IN_CHUNK] = { "in-chunk", "while receiving a chunk" },
  [REROUTE_SMTP_SERVER_STATE_IN_CHUNKS] = { "in-chunks", "while waiting for the next chunk" },
  [REROUTE_SMTP_SERVER_STATE_IN_END] = { "in-end", "while storing the message" },
  [REROUTE_SMTP_SERVER_STATE_IN_TLS] = { "in-tls", "while beginning TLS" },
  [REROUTE_SMTP_SERVER_STATE_IN_AUTH] = { "in-auth", "while authenticating" },
  [REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK] = { "in-auth-check", "while checking a login" },
  [REROUTE_SMTP_SERVER_STATE_CLOSED] = { "closed", "after the session ended" },
};

/* What is said at the end of data about a content that is refused. */
static const struct
{
  guint code;
  const char *status;
  const char *text;
} faults[] = {
  [REROUTE_BODY_BARE] = { 554,
                          "5.5.2",
                          "A CR, LF or NUL stands where it may not; lines end in CR LF and nothing "
                          "else" },
  [REROUTE_BODY_TOO_LARGE] = { 552, "5.3.4", "The message is larger than this host takes" },
  [REROUTE_BODY_HEADER_TOO_LARGE] = { 552, "5.3.4", "The header section is too large" },
  [REROUTE_BODY_LINE_TOO_LONG] = { 554, "5.6.0", "A line of the message is too long" },
  [REROUTE_BODY_HOPS] = { 554, "5.4.6", "Too many hops: this looks like a mail loop" },
  [REROUTE_BODY_LOOP] = { 554, "5.4.6", "Mail loop: this message was here before" },
};

void
reroute_smtp_server_set_state (RerouteSmtpServer *self, RerouteSmtpServerState state)
{
  if (reroute_state_log_is_wanted (G_LOG_DOMAIN))
    g_debug ("%p: %s -> %s", (void *) self, states[self->state].name, states[state].name);
  self->state = state;
}

void
reroute_smtp_server_put_reply (RerouteSmtpServer *self, const RerouteReply *reply)
{
  reroute_reply_append (reply, self->output);
  if (reply->code >= 400 && self->handler.rejected != NULL)
    self->handler.rejected (self, reply->code, self->user_data);
  if (reply->code == 421)
    reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_CLOSED);
}

void
reroute_smtp_server_put (RerouteSmtpServer *self, guint code, const char *status, const char *text)
{
  RerouteReply reply = { .code = code, .text = (char *) text };

  g_strlcpy (reply.status, status, sizeof reply.status);
  reroute_smtp_server_put_reply (self, &reply);
}

void
reroute_smtp_server_put_bad (RerouteSmtpServer *self,
                             guint code,
                             const char *status,
                             const char *text)
{
  reroute_smtp_server_put (self, code, status, text);
  reroute_smtp_server_count (self,
                             &self->n_bad_commands,
                             self->config.max_bad_commands,
                             "Too many errors, closing the connection");
}

void
reroute_smtp_server_count (RerouteSmtpServer *self, guint *n, guint most, const char *text)
{
  if (++*n < most || most == 0 || self->state == REROUTE_SMTP_SERVER_STATE_CLOSED)
    return;
  reroute_smtp_server_reset (self);
  reroute_smtp_server_put (self, 421, "4.7.0", text);
}

void
reroute_smtp_server_count_junk (RerouteSmtpServer *self)
{
  reroute_smtp_server_count (self,
                             &self->n_junk_commands,
                             self->config.max_junk_commands,
                             "Too many commands that lead to nothing, closing the connection");
}

void
reroute_smtp_server_put_last (RerouteSmtpServer *self,
                              guint code,
                              const char *status,
                              const char *text)
{
  reroute_smtp_server_reset (self);
  reroute_smtp_server_put (self, code, status, text);
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_CLOSED);
}

void
reroute_smtp_server_put_greeting (RerouteSmtpServer *self)
{
  g_autofree char *text = g_strconcat (self->config.hostname, " ESMTP", NULL);

  reroute_smtp_server_put (self, 220, "", text);
}

/* The content was begun and is neither whole nor refused. */
static gboolean
has_content (const RerouteSmtpServer *self)
{
  return self->state == REROUTE_SMTP_SERVER_STATE_IN_DATA ||
         self->state == REROUTE_SMTP_SERVER_STATE_IN_CHUNK ||
         self->state == REROUTE_SMTP_SERVER_STATE_IN_CHUNKS;
}

void
reroute_smtp_server_drop_content (RerouteSmtpServer *self)
{
  if (self->content_dropped)
    return;
  self->content_dropped = TRUE;
  self->handler.abort_data (self, self->user_data);
}

void
reroute_smtp_server_reset (RerouteSmtpServer *self)
{
  gboolean had_content = has_content (self);

  if (had_content)
    reroute_smtp_server_drop_content (self);
  reroute_smtp_server_forget_held (self);
  g_clear_pointer (&self->envelope, reroute_envelope_free);
  if (self->state == REROUTE_SMTP_SERVER_STATE_IN_MAIL ||
      self->state == REROUTE_SMTP_SERVER_STATE_IN_RCPT ||
      self->state == REROUTE_SMTP_SERVER_STATE_IN_CHECK || had_content)
    reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IDLE);
}

static void
content_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  RerouteSmtpServer *self = user_data;

  self->handler.content (self, octets, length, self->user_data);
}

/* --- input --- */

static gsize
feed_command (RerouteSmtpServer *self, const guint8 *octets, gsize length)
{
  gsize taken;

  if (reroute_line_feed (&self->line, octets, length, &taken))
    {
      self->more_follows = taken < length;
      reroute_smtp_server_run_line (self);
    }
  return taken;
}

RerouteReply *
reroute_smtp_server_begin_content (RerouteSmtpServer *self, gboolean chunked)
{
  RerouteReply *refusal = self->handler.data (self, self->envelope, self->user_data);

  if (refusal != NULL)
    return refusal;
  self->body.looks_for_8bit = self->envelope->body_8bitmime || self->envelope->smtputf8;
  reroute_body_begin (&self->body, chunked);
  self->content_dropped = FALSE;
  return NULL;
}

RerouteReply *
reroute_smtp_server_refuse_content (RerouteSmtpServer *self, RerouteBodyFault fault)
{
  RerouteReply *reply =
    reroute_reply_new (faults[fault].code, faults[fault].status, faults[fault].text);

  return self->handler.content_refused != NULL
           ? self->handler.content_refused (
               self, self->envelope, fault == REROUTE_BODY_LOOP, reply, self->user_data)
           : reply;
}

void
reroute_smtp_server_end_content (RerouteSmtpServer *self)
{
  RerouteBodyFault fault = self->body.fault;

  if (fault != REROUTE_BODY_SOUND)
    {
      g_autoptr (RerouteReply) refusal = reroute_smtp_server_refuse_content (self, fault);
      reroute_smtp_server_reset (self);
      reroute_smtp_server_put_reply (self, refusal);
      return;
    }
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_END);
  self->envelope->tls_optional =
    self->config.knows_requiretls && self->body.tls_optional && !self->envelope->requiretls;
  reroute_envelope_note_content (self->envelope, self->body.has_8bit, self->body.has_8bit_header);
  self->handler.end_of_data (self, g_steal_pointer (&self->envelope), self->user_data);
}

void
reroute_smtp_server_end_for_bare (RerouteSmtpServer *self)
{
  g_autoptr (RerouteReply) refusal = reroute_smtp_server_refuse_content (self, REROUTE_BODY_BARE);

  reroute_smtp_server_put_last (self, refusal->code, refusal->status, refusal->text);
}

static gsize
feed_content (RerouteSmtpServer *self, const guint8 *octets, gsize length)
{
  gsize taken;
  gboolean ended = reroute_body_feed (&self->body, octets, length, &taken);

  if (self->body.fault != REROUTE_BODY_SOUND)
    reroute_smtp_server_drop_content (self);
  if (self->body.fault == REROUTE_BODY_BARE)
    reroute_smtp_server_end_for_bare (self);
  else if (ended)
    reroute_smtp_server_end_content (self);
  return taken;
}

gsize
reroute_smtp_server_feed (RerouteSmtpServer *self, const guint8 *octets, gsize length)
{
  g_return_val_if_fail (self != NULL && (octets != NULL || length == 0), 0);

  gsize taken = 0;
  while (taken < length)
    switch (self->state)
      {
      case REROUTE_SMTP_SERVER_STATE_CLOSED:
      case REROUTE_SMTP_SERVER_STATE_IN_TLS:
        return length;
      case REROUTE_SMTP_SERVER_STATE_IN_END:
      case REROUTE_SMTP_SERVER_STATE_IN_CHECK:
      case REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK:
        return taken;
      case REROUTE_SMTP_SERVER_STATE_NEW:
        reroute_smtp_server_put_last (self, 554, "5.5.0", "Wait for the greeting before you speak");
        break;
      case REROUTE_SMTP_SERVER_STATE_IN_DATA:
        taken += feed_content (self, octets + taken, length - taken);
        break;
      case REROUTE_SMTP_SERVER_STATE_IN_CHUNK:
      case REROUTE_SMTP_SERVER_STATE_IN_SKIP:
        taken += reroute_smtp_server_feed_chunk (self, octets + taken, length - taken);
        break;
      default:
        taken += feed_command (self, octets + taken, length - taken);
      }
  return taken;
}

/* --- the owner's side --- */

RerouteSmtpServer *
reroute_smtp_server_new (const RerouteSmtpServerConfig *config,
                         const RerouteSmtpServerHandler *handler,
                         gpointer user_data)
{
  g_return_val_if_fail (config != NULL && config->hostname != NULL && handler != NULL, NULL);

  RerouteSmtpServer *self = g_new0 (RerouteSmtpServer, 1);
  self->handler = *handler;
  self->user_data = user_data;
  self->config = *config;
  self->config.hostname = g_strdup (config->hostname);
  self->helo = g_strdup ("");
  self->output = g_string_sized_new (512);
  reroute_line_init (&self->line, REROUTE_LIMIT_COMMAND_LINE_OCTETS);
  reroute_body_init (&self->body);
  self->body.normalize = config->client_permitted;
  self->body.sink = content_cb;
  self->body.sink_data = self;
  return self;
}

void
reroute_smtp_server_set_limits (RerouteSmtpServer *self, const RerouteSmtpServerConfig *config)
{
  g_return_if_fail (self != NULL && config != NULL);

  self->config.max_message_octets = config->max_message_octets;
  self->config.max_recipients = config->max_recipients;
  self->config.max_bad_commands = config->max_bad_commands;
  self->config.max_junk_commands = config->max_junk_commands;
  self->config.max_refused_recipients = config->max_refused_recipients;
}

void
reroute_smtp_server_free (RerouteSmtpServer *self)
{
  g_return_if_fail (self != NULL);

  reroute_smtp_server_forget_held (self);
  g_clear_pointer (&self->envelope, reroute_envelope_free);
  g_clear_pointer (&self->farewell, reroute_reply_free);
  g_clear_pointer (&self->chunk_refusal, reroute_reply_free);
  reroute_line_clear (&self->line);
  reroute_body_clear (&self->body);
  g_string_free (self->output, TRUE);
  g_free ((char *) self->config.hostname);
  g_free (self->token);
  g_free (self->helo);
  g_free (self->tls);
  g_free (self);
}

void
reroute_smtp_server_greet (RerouteSmtpServer *self, const RerouteReply *refusal)
{
  g_return_if_fail (self != NULL);

  if (self->state != REROUTE_SMTP_SERVER_STATE_NEW)
    return;
  if (refusal != NULL)
    {
      reroute_smtp_server_put_reply (self, refusal);
      reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_CLOSED);
      return;
    }
  reroute_smtp_server_put_greeting (self);
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_GREETED);
}

gboolean
reroute_smtp_server_is_new (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->state == REROUTE_SMTP_SERVER_STATE_NEW;
}

gboolean
reroute_smtp_server_wants_tls (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->state == REROUTE_SMTP_SERVER_STATE_IN_TLS;
}

void
reroute_smtp_server_set_tls (RerouteSmtpServer *self, const char *tls)
{
  g_return_if_fail (self != NULL && tls != NULL);

  g_free (self->tls);
  self->tls = g_strdup (tls);
  if (self->state != REROUTE_SMTP_SERVER_STATE_IN_TLS)
    return;
  g_free (self->helo);
  self->helo = g_strdup ("");
  self->esmtp = FALSE;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_GREETED);
}

const char *
reroute_smtp_server_get_tls (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->tls;
}

void
reroute_smtp_server_finish_data (RerouteSmtpServer *self, const RerouteReply *reply)
{
  g_return_if_fail (self != NULL && reply != NULL);
  g_return_if_fail (self->state == REROUTE_SMTP_SERVER_STATE_IN_END);

  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IDLE);
  reroute_smtp_server_put_reply (self, reply);
  if (reply->code < 400)
    self->n_bad_commands = self->n_junk_commands = self->n_rest_chunks = self->n_clients = 0;
  if (self->farewell != NULL)
    {
      reroute_smtp_server_put_reply (self, self->farewell);
      reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_CLOSED);
    }
}

void
reroute_smtp_server_close (RerouteSmtpServer *self, const RerouteReply *reply)
{
  g_return_if_fail (self != NULL);

  if (self->state == REROUTE_SMTP_SERVER_STATE_CLOSED)
    return;
  if (self->state == REROUTE_SMTP_SERVER_STATE_IN_END)
    {
      static const RerouteReply leaving = { 421, "4.3.2", (char *) "Closing the connection" };
      g_clear_pointer (&self->farewell, reroute_reply_free);
      self->farewell = reroute_reply_copy (reply != NULL ? reply : &leaving);
      return;
    }
  reroute_smtp_server_reset (self);
  if (reply != NULL)
    reroute_smtp_server_put_reply (self, reply);
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_CLOSED);
}

const guint8 *
reroute_smtp_server_peek_output (RerouteSmtpServer *self, gsize *length)
{
  g_return_val_if_fail (self != NULL && length != NULL, NULL);

  *length = self->output->len - self->output_sent;
  return (const guint8 *) self->output->str + self->output_sent;
}

void
reroute_smtp_server_sent (RerouteSmtpServer *self, gsize length)
{
  g_return_if_fail (self != NULL && length <= self->output->len - self->output_sent);

  self->output_sent += length;
  if (self->output_sent < self->output->len)
    return;
  g_string_truncate (self->output, 0);
  self->output_sent = 0;
}

gboolean
reroute_smtp_server_wants_close (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  return self->state == REROUTE_SMTP_SERVER_STATE_CLOSED;
}

gboolean
reroute_smtp_server_has_quit (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->quit;
}

gboolean
reroute_smtp_server_is_idle (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  return self->state < REROUTE_SMTP_SERVER_STATE_IN_MAIL ||
         self->state >= REROUTE_SMTP_SERVER_STATE_IN_TLS;
}

gboolean
reroute_smtp_server_awaits_finish (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->state == REROUTE_SMTP_SERVER_STATE_IN_END ||
         self->state == REROUTE_SMTP_SERVER_STATE_IN_CHECK ||
         self->state == REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK;
}

gboolean
reroute_smtp_server_in_data (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return has_content (self) || self->state == REROUTE_SMTP_SERVER_STATE_IN_SKIP;
}

const char *
reroute_smtp_server_get_helo (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, "");

  return self->helo;
}

gboolean
reroute_smtp_server_is_esmtp (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->esmtp;
}

void
reroute_smtp_server_set_token (RerouteSmtpServer *self, const char *token)
{
  g_return_if_fail (self != NULL);

  g_free (self->token);
  self->token = g_strdup (token);
  self->body.token = self->token;
}

const char *
reroute_smtp_server_phase (const RerouteSmtpServer *self)
{
  g_return_val_if_fail (self != NULL, "");

  return states[self->state].phase;
}
