/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine.c - our side of the conversation with one milter
 *
 * A walk along a table of stages.  What the milter asked to be spared is passed over, and where it
 * does not answer the next stage follows at once.
 *
 * What was not told of connection and HELO, because the milter was not asked or could not be, is
 * told with MAIL; a refusal of them is the answer to all that the session asks behind it.
 *
 * Source: libmilter's mfdef.h and engine.c, Sendmail's milter.c (8.17), protocol version 6.
 */

#include "config.h"

#include "service/relay/milter/machine.h"

#include "service/relay/milter/machine-private.h"

#define FIRST_OCTETS 512 /* room for most of what is said at a time */

/* --- the walk --- */

void
reroute_milter_machine_decide (RerouteMilterMachine *self, RerouteMilterVerdict verdict)
{
  self->awaits = FALSE;
  self->verdict = verdict;
}

/* Whether the stage has something left to tell. */
static gboolean
has_more (const RerouteMilterMachine *self)
{
  if (self->stage == REROUTE_MILTER_STAGE_HEADER)
    return self->field < reroute_milter_message_get_n_fields (self->message);
  if (self->stage == REROUTE_MILTER_STAGE_BODY)
    return self->body_offset < reroute_milter_message_get_body_octets (self->message);
  return FALSE;
}

void
reroute_milter_machine_next_stage (RerouteMilterMachine *self)
{
  self->awaits = FALSE;
  if (!has_more (self))
    self->stage++;
}

static gboolean
is_spared (const RerouteMilterMachine *self)
{
  return (reroute_milter_stage_get_info (self->stage)->spared & self->steps) != 0 ||
         ((self->stage == REROUTE_MILTER_STAGE_HEADER ||
           self->stage == REROUTE_MILTER_STAGE_BODY) &&
          !has_more (self));
}

/* Puts out what comes next, until a reply is awaited or there is enough to send. */
static gboolean
walk (RerouteMilterMachine *self, GError **error)
{
  while (self->verdict == REROUTE_MILTER_WORKING && !self->awaits &&
         self->output->len < REROUTE_MILTER_CHUNK_OCTETS)
    {
      const RerouteMilterStageInfo *info = reroute_milter_stage_get_info (self->stage);

      if (self->stage == self->last)
        {
          reroute_milter_machine_decide (self, REROUTE_MILTER_GOES_ON);
          break;
        }
      if (info->put == NULL || is_spared (self))
        {
          self->stage++;
          continue;
        }
      if (!info->put (self, error))
        return FALSE;
      if ((info->unanswered & self->steps) != 0)
        reroute_milter_machine_next_stage (self);
      else
        self->awaits = TRUE;
    }
  return TRUE;
}

/* --- octets --- */

gboolean
reroute_milter_machine_feed (RerouteMilterMachine *self,
                             const guint8 *octets,
                             gsize length,
                             GError **error)
{
  g_return_val_if_fail (self != NULL && (octets != NULL || length == 0), FALSE);

  while (length > 0)
    {
      RerouteMilterReply reply;
      GError *trouble = NULL;
      gsize taken;
      gboolean whole =
        reroute_milter_parser_feed (&self->parser, octets, length, &taken, &reply, &trouble);
      octets += taken;
      length -= taken;
      if (trouble != NULL)
        {
          g_propagate_error (error, trouble);
          return FALSE;
        }
      if (!whole)
        return TRUE;
      self->n_replies++;
      if (!reroute_milter_machine_take_reply (self, &reply, error))
        return FALSE;
    }
  return TRUE;
}

/* --- the owner's side --- */

RerouteMilterMachine *
reroute_milter_machine_new (const RerouteMilterSession *session)
{
  g_return_val_if_fail (session != NULL && session->hostname != NULL, NULL);

  RerouteMilterMachine *self = g_new0 (RerouteMilterMachine, 1);
  self->hostname = g_strdup (session->hostname);
  self->client_name = g_strdup (session->client_name);
  self->client_ip = session->client_ip;
  self->tls = g_strdup (session->tls);
  self->verdict = REROUTE_MILTER_GOES_ON;
  self->output = g_byte_array_sized_new (FIRST_OCTETS);
  reroute_milter_parser_init (&self->parser);
  return self;
}

void
reroute_milter_machine_free (RerouteMilterMachine *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->hostname);
  g_free (self->client_name);
  g_free (self->tls);
  g_free (self->helo);
  g_free (self->queue_id);
  g_free (self->quarantine);
  g_clear_pointer (&self->reply, reroute_reply_free);
  g_clear_pointer (&self->connection_refusal, reroute_reply_free);
  g_byte_array_unref (self->output);
  reroute_milter_parser_clear (&self->parser);
  g_free (self);
}

static void
end_message (RerouteMilterMachine *self)
{
  if (self->in_message)
    reroute_milter_machine_put_bare (self, REROUTE_MILTER_COMMAND_ABORT);
  self->in_message = self->message_accepted = self->message_discarded = self->changed = FALSE;
  g_clear_pointer (&self->quarantine, g_free);
}

/* From @stage, or from the beginning, to @last, unless all is said about the session.
   Returns: whether there is something to say */
static gboolean
begin (RerouteMilterMachine *self, RerouteMilterStage stage, RerouteMilterStage last)
{
  if (self->connection_refusal != NULL)
    {
      g_clear_pointer (&self->reply, reroute_reply_free);
      self->reply = reroute_reply_copy (self->connection_refusal);
      reroute_milter_machine_decide (self, REROUTE_MILTER_REFUSES);
      return FALSE;
    }
  if (self->connection_accepted)
    {
      reroute_milter_machine_decide (self, REROUTE_MILTER_GOES_ON);
      return FALSE;
    }
  self->stage = self->negotiated ? stage : REROUTE_MILTER_STAGE_NEGOTIATE;
  self->last = last;
  self->verdict = REROUTE_MILTER_WORKING;
  return TRUE;
}

static void
take_helo (RerouteMilterMachine *self, const char *helo)
{
  g_free (self->helo);
  self->helo = g_strdup (helo);
}

void
reroute_milter_machine_ask_connect (RerouteMilterMachine *self)
{
  g_return_if_fail (self != NULL && !self->negotiated);

  begin (self, REROUTE_MILTER_STAGE_NEGOTIATE, REROUTE_MILTER_STAGE_CONNECT_DONE);
}

void
reroute_milter_machine_ask_helo (RerouteMilterMachine *self, const char *helo, const char *tls)
{
  g_return_if_fail (self != NULL && helo != NULL);

  end_message (self);
  g_free (self->tls);
  self->tls = g_strdup (tls);
  take_helo (self, helo);
  begin (self, REROUTE_MILTER_STAGE_HELO, REROUTE_MILTER_STAGE_HELO_DONE);
}

void
reroute_milter_machine_ask_mail (RerouteMilterMachine *self,
                                 const RerouteEnvelope *envelope,
                                 const RerouteMilterLogin *login)
{
  g_return_if_fail (self != NULL && envelope != NULL);

  gboolean knows_helo = g_strcmp0 (self->helo, envelope->helo) == 0;

  end_message (self);
  take_helo (self, envelope->helo);
  self->envelope = envelope;
  self->login = login;
  self->in_message = begin (self,
                            knows_helo ? REROUTE_MILTER_STAGE_MAIL : REROUTE_MILTER_STAGE_HELO,
                            REROUTE_MILTER_STAGE_MAIL_DONE);
}

/* From @stage to @last, unless all is said about the message. */
static void
go_on (RerouteMilterMachine *self, RerouteMilterStage stage, RerouteMilterStage last)
{
  if (self->message_discarded)
    reroute_milter_machine_decide (self, REROUTE_MILTER_DISCARDS);
  else if (self->connection_accepted || self->message_accepted)
    reroute_milter_machine_decide (self, REROUTE_MILTER_GOES_ON);
  else
    {
      self->stage = stage;
      self->last = last;
      self->verdict = REROUTE_MILTER_WORKING;
    }
}

void
reroute_milter_machine_ask_rcpt (RerouteMilterMachine *self, const RerouteAddress *address)
{
  g_return_if_fail (self != NULL && address != NULL);

  self->address = address;
  go_on (self, REROUTE_MILTER_STAGE_RCPT, REROUTE_MILTER_STAGE_RCPT_DONE);
}

void
reroute_milter_machine_ask_message (RerouteMilterMachine *self,
                                    RerouteMilterMessage *message,
                                    const char *queue_id)
{
  g_return_if_fail (self != NULL && message != NULL && queue_id != NULL);

  g_free (self->queue_id);
  self->queue_id = g_strdup (queue_id);
  self->message = message;
  self->field = 0;
  self->body_offset = 0;
  go_on (self, REROUTE_MILTER_STAGE_DATA, REROUTE_MILTER_STAGE_END_DONE);
}

void
reroute_milter_machine_quit (RerouteMilterMachine *self)
{
  g_return_if_fail (self != NULL);

  if (self->negotiated)
    reroute_milter_machine_put_bare (self, REROUTE_MILTER_COMMAND_QUIT);
  reroute_milter_machine_decide (self, REROUTE_MILTER_GOES_ON);
}

gboolean
reroute_milter_machine_peek_output (RerouteMilterMachine *self,
                                    const guint8 **octets,
                                    gsize *length,
                                    GError **error)
{
  g_return_val_if_fail (self != NULL && octets != NULL && length != NULL, FALSE);

  if (self->output->len == 0 && !walk (self, error))
    return FALSE;
  *octets = self->output->data + self->output_sent;
  *length = self->output->len - self->output_sent;
  return TRUE;
}

void
reroute_milter_machine_sent (RerouteMilterMachine *self, gsize length)
{
  g_return_if_fail (self != NULL && length <= self->output->len - self->output_sent);

  self->output_sent += length;
  if (self->output_sent < self->output->len)
    return;
  g_byte_array_set_size (self->output, 0);
  self->output_sent = 0;
}

RerouteMilterVerdict
reroute_milter_machine_get_verdict (const RerouteMilterMachine *self)
{
  g_return_val_if_fail (self != NULL, REROUTE_MILTER_WORKING);

  return self->verdict;
}

const RerouteReply *
reroute_milter_machine_get_reply (const RerouteMilterMachine *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->reply;
}

gboolean
reroute_milter_machine_has_changed (const RerouteMilterMachine *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->changed;
}

gboolean
reroute_milter_machine_is_negotiated (const RerouteMilterMachine *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->negotiated;
}

guint64
reroute_milter_machine_get_n_replies (const RerouteMilterMachine *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_replies;
}

const char *
reroute_milter_machine_get_quarantine (const RerouteMilterMachine *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->quarantine;
}
