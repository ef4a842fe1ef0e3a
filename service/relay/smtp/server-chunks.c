/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-chunks.c - content by BDAT: pieces whose size is told beforehand
 *
 * The octets of a chunk are read whatever is answered, so that none of them is ever a command; a
 * size that cannot be read ends the session, as nobody knows where the commands go on.  Nothing is
 * kept of a chunk that is over.  Chunks join without a seam: a CR LF may lie across two of them.
 * Those behind a refused one, which a client may send before it hears of that, are no errors up to
 * a bound, which is counted anew behind a message that was taken.
 *
 * Standards: RFC 3030 sections 2 and 4.1 to 4.3, RFC 2920.
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

#include "common/limits.h"
#include "service/relay/smtp/command.h"

#include <string.h>

/* "COUNT" or "COUNT LAST", and not a blank more. */
static gboolean
parse_argument (char *argument, guint64 *octets, gboolean *last)
{
  char *blank = strchr (argument, ' ');

  *last = blank != NULL;
  if (blank != NULL)
    {
      *blank = '\0';
      if (g_ascii_strcasecmp (blank + 1, "LAST") != 0)
        return FALSE;
    }
  return reroute_command_parse_number (argument, octets) && *octets < G_MAXINT64;
}

/* The reply waits for the octets of the chunk; @reply: (transfer full). */
static void
skip_chunk (RerouteSmtpServer *self, RerouteReply *reply)
{
  g_clear_pointer (&self->chunk_refusal, reroute_reply_free);
  self->chunk_refusal = reply;
  self->after_skip = self->state;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_SKIP);
}

/* Not told to who counts errors. */
static void
put_rest (RerouteSmtpServer *self, const RerouteReply *reply)
{
  self->n_rest_chunks++;
  reroute_reply_append (reply, self->output);
  if (self->chunk_is_empty)
    reroute_smtp_server_count_junk (self);
}

static void
finish_skip (RerouteSmtpServer *self)
{
  g_autoptr (RerouteReply) reply = g_steal_pointer (&self->chunk_refusal);

  reroute_smtp_server_set_state (self, self->after_skip);
  if (reply->code != 503)
    reroute_smtp_server_put_reply (self, reply);
  else if (self->rest_is_refused && self->n_rest_chunks < REROUTE_LIMIT_REST_CHUNKS)
    put_rest (self, reply);
  else
    reroute_smtp_server_put_bad (self, reply->code, reply->status, reply->text);
  self->rest_is_refused = !self->chunk_is_last && (self->rest_is_refused || reply->code != 503);
}

static void
finish_chunk (RerouteSmtpServer *self)
{
  if (self->chunk_is_last)
    reroute_body_finish (&self->body);
  if (self->body.fault == REROUTE_BODY_BARE)
    reroute_smtp_server_end_for_bare (self);
  else if (self->chunk_is_last || self->body.fault != REROUTE_BODY_SOUND)
    {
      self->rest_is_refused = !self->chunk_is_last;
      reroute_smtp_server_end_content (self);
    }
  else
    {
      reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_CHUNKS);
      reroute_smtp_server_put (self, 250, "2.0.0", "Chunk taken");
      if (self->chunk_is_empty)
        reroute_smtp_server_count_junk (self);
    }
}

/* Why the chunk is not taken; (nullable) (transfer full).  What refuses it resets, or leaves
   alone what was there before. */
static RerouteReply *
refuse_chunk (RerouteSmtpServer *self, guint64 octets)
{
  RerouteReply *refusal = NULL;

  if (!self->esmtp)
    return reroute_reply_new (503, "5.5.1", "EHLO comes first");
  if (self->state == REROUTE_SMTP_SERVER_STATE_IN_MAIL)
    {
      reroute_smtp_server_reset (self);
      return reroute_reply_new (554, "5.5.1", "No valid recipients");
    }
  if (self->state != REROUTE_SMTP_SERVER_STATE_IN_RCPT &&
      self->state != REROUTE_SMTP_SERVER_STATE_IN_CHUNKS)
    return reroute_reply_new (503, "5.5.1", "MAIL and RCPT come first");
  if (self->body.max_octets > 0)
    {
      guint64 before =
        self->state == REROUTE_SMTP_SERVER_STATE_IN_CHUNKS ? (guint64) self->body.octets : 0;
      if (before + octets > (guint64) self->body.max_octets)
        refusal = reroute_smtp_server_refuse_content (self, REROUTE_BODY_TOO_LARGE);
    }
  if (refusal == NULL && self->state == REROUTE_SMTP_SERVER_STATE_IN_RCPT)
    refusal = reroute_smtp_server_begin_content (self, TRUE);
  if (refusal != NULL)
    reroute_smtp_server_reset (self);
  return refusal;
}

void
reroute_smtp_server_run_bdat (RerouteSmtpServer *self, char *argument)
{
  guint64 octets;
  gboolean last;

  if (!parse_argument (argument, &octets, &last))
    {
      reroute_smtp_server_put_last (
        self, 501, "5.5.4", "Wanted: BDAT SIZE or BDAT SIZE LAST; closing the connection");
      return;
    }
  RerouteReply *refusal = refuse_chunk (self, octets);
  self->chunk_left = octets;
  self->chunk_is_last = last;
  self->chunk_is_empty = octets == 0;
  if (refusal != NULL)
    skip_chunk (self, refusal);
  else
    reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_CHUNK);
  if (octets > 0)
    return;
  if (refusal != NULL)
    finish_skip (self);
  else
    finish_chunk (self);
}

gsize
reroute_smtp_server_feed_chunk (RerouteSmtpServer *self, const guint8 *octets, gsize length)
{
  gsize n = (gsize) MIN (self->chunk_left, (guint64) length);

  self->chunk_left -= n;
  if (self->state == REROUTE_SMTP_SERVER_STATE_IN_SKIP)
    {
      if (self->chunk_left == 0)
        finish_skip (self);
      return n;
    }

  gsize taken;
  reroute_body_feed (&self->body, octets, n, &taken);
  if (self->body.fault != REROUTE_BODY_SOUND)
    reroute_smtp_server_drop_content (self);
  if (self->body.fault == REROUTE_BODY_BARE)
    reroute_smtp_server_end_for_bare (self);
  else if (self->chunk_left == 0)
    finish_chunk (self);
  return n;
}
