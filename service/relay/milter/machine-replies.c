/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine-replies.c - what a milter answers
 *
 * One table.  Changes are taken at the end of the message and nowhere else, and only those that
 * were agreed on.
 *
 * Source: libmilter's mfdef.h, mfapi.h; Sendmail's milter.c (8.17).
 */

#include "config.h"

#include "service/relay/milter/machine-private.h"

#include "common/error.h"
#include "service/relay/smtp/reply-parser.h"

static gboolean
fail (const RerouteMilterMachine *self, const char *what, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_PROTOCOL,
               "the reply to %s %s",
               reroute_milter_stage_get_info (self->stage)->name,
               what);
  return FALSE;
}

/* @reply: (transfer full) */
static void
refuse (RerouteMilterMachine *self, RerouteReply *reply)
{
  g_clear_pointer (&self->reply, reroute_reply_free);
  self->reply = reply;
  if (self->stage < REROUTE_MILTER_STAGE_MAIL)
    self->connection_refusal = reroute_reply_copy (reply);
  if (self->stage == REROUTE_MILTER_STAGE_END)
    self->in_message = FALSE;
  reroute_milter_machine_decide (self, REROUTE_MILTER_REFUSES);
}

static void
end_message (RerouteMilterMachine *self)
{
  if (self->stage == REROUTE_MILTER_STAGE_END)
    {
      self->in_message = FALSE;
      reroute_milter_message_end_changes (self->message);
    }
}

static gboolean
take_negotiation (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  guint32 version = reply->numbers[0];

  if (self->stage != REROUTE_MILTER_STAGE_NEGOTIATE)
    return fail (self, "comes too late", error);
  if (version < REROUTE_MILTER_VERSION_OLDEST || version > REROUTE_MILTER_VERSION)
    return fail (self, "has a version that is unknown", error);
  if ((reply->numbers[1] & ~(guint32) REROUTE_MILTER_OFFERED_ACTIONS) != 0 ||
      (reply->numbers[2] & ~(guint32) REROUTE_MILTER_OFFERED_STEPS) != 0)
    return fail (self, "asks for what was not offered", error);
  self->actions = reply->numbers[1];
  self->steps = reply->numbers[2];
  if (version < 4) /* DATA is of version 4 */
    self->steps |= REROUTE_MILTER_NO_DATA;
  self->negotiated = TRUE;
  reroute_milter_machine_next_stage (self);
  return TRUE;
}

static gboolean
take_continue (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  end_message (self);
  reroute_milter_machine_next_stage (self);
  return TRUE;
}

static gboolean
take_accept (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  if (self->stage < REROUTE_MILTER_STAGE_MAIL)
    self->connection_accepted = TRUE;
  else
    self->message_accepted = TRUE;
  end_message (self);
  reroute_milter_machine_decide (self, REROUTE_MILTER_GOES_ON);
  return TRUE;
}

static gboolean
take_discard (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  if (self->stage < REROUTE_MILTER_STAGE_MAIL)
    return fail (self, "discards a message before there is one", error);
  if (self->stage == REROUTE_MILTER_STAGE_END)
    self->in_message = FALSE;
  self->message_discarded = TRUE;
  reroute_milter_machine_decide (self, REROUTE_MILTER_DISCARDS);
  return TRUE;
}

static gboolean
take_skip (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  if (self->stage != REROUTE_MILTER_STAGE_BODY)
    return fail (self, "skips what is no body", error);
  self->awaits = FALSE;
  self->stage = REROUTE_MILTER_STAGE_END;
  return TRUE;
}

static gboolean
take_progress (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  return TRUE;
}

static gboolean
take_reject (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  refuse (self,
          reply->kind == REROUTE_MILTER_REPLY_REJECT
            ? reroute_reply_new (550, "5.7.1", "Refused by a mail filter")
            : reroute_reply_new (451, "4.7.1", "A mail filter asks to try again later"));
  return TRUE;
}

static gboolean
take_shutdown (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  refuse (self, reroute_reply_new (421, "4.7.1", "A mail filter ends the connection"));
  return TRUE;
}

/* "550 5.7.1 text", perhaps several lines as they would stand on the wire. */
static gboolean
take_code (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  g_autoptr (GString) wire = g_string_new (reply->first);
  g_autoptr (RerouteReply) parsed = NULL;
  RerouteReplyParser parser;
  gboolean sound = TRUE;
  gsize at = 0;

  while (wire->len > 0 && (wire->str[wire->len - 1] == '\n' || wire->str[wire->len - 1] == '\r'))
    g_string_truncate (wire, wire->len - 1);
  g_string_append (wire, "\r\n");
  reroute_reply_parser_init (&parser);
  while (sound && parsed == NULL && at < wire->len)
    {
      gsize taken;
      sound = reroute_reply_parser_feed (
        &parser, (const guint8 *) wire->str + at, wire->len - at, &taken, &parsed, NULL);
      at += taken;
    }
  reroute_reply_parser_clear (&parser);
  if (parsed == NULL || at != wire->len || parsed->code < 400)
    return fail (self, "has a code or text that is none of a refusal", error);
  refuse (self, g_steal_pointer (&parsed));
  return TRUE;
}

/* --- changes --- */

static gboolean
take_field (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  gboolean leading_space = (self->steps & REROUTE_MILTER_LEADING_SPACE) != 0;

  if (reply->kind == REROUTE_MILTER_REPLY_CHANGE_HEADER)
    return reroute_milter_message_change_field (
      self->message, reply->numbers[0], reply->first, reply->second, leading_space, error);
  return reroute_milter_message_insert_field (
    self->message,
    reply->kind == REROUTE_MILTER_REPLY_INSERT_HEADER ? reply->numbers[0] : G_MAXUINT,
    reply->first,
    reply->second,
    leading_space,
    error);
}

static gboolean
take_body (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  return reroute_milter_message_replace_body (self->message, reply->octets, reply->length, error);
}

static gboolean
take_wish (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  RerouteMilterWishKind kind = REROUTE_MILTER_ADDS_RCPT;

  if (reply->kind == REROUTE_MILTER_REPLY_DELETE_RCPT)
    kind = REROUTE_MILTER_DELETES_RCPT;
  else if (reply->kind == REROUTE_MILTER_REPLY_CHANGE_FROM)
    kind = REROUTE_MILTER_CHANGES_FROM;
  return reroute_milter_message_wish (self->message, kind, reply->first, error);
}

static gboolean
take_quarantine (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error)
{
  g_free (self->quarantine);
  self->quarantine = g_strdup (reply->first);
  return TRUE;
}

static const struct
{
  guint8 kind;
  gboolean (*take) (RerouteMilterMachine *self, const RerouteMilterReply *reply, GError **error);
  guint32 action; /* that it must have been agreed on; 0: no change */
} takers[] = {
  /* clang-format off */
  { REROUTE_MILTER_COMMAND_NEGOTIATE,     take_negotiation, 0 },
  { REROUTE_MILTER_REPLY_CONTINUE,        take_continue,    0 },
  { REROUTE_MILTER_REPLY_ACCEPT,          take_accept,      0 },
  { REROUTE_MILTER_REPLY_DISCARD,         take_discard,     0 },
  { REROUTE_MILTER_REPLY_SKIP,            take_skip,        0 },
  { REROUTE_MILTER_REPLY_PROGRESS,        take_progress,    0 },
  { REROUTE_MILTER_REPLY_REJECT,          take_reject,      0 },
  { REROUTE_MILTER_REPLY_TEMPFAIL,        take_reject,      0 },
  { REROUTE_MILTER_REPLY_SHUTDOWN,        take_shutdown,    0 },
  { REROUTE_MILTER_REPLY_CONNECTION_FAIL, take_shutdown,    0 },
  { REROUTE_MILTER_REPLY_CODE,            take_code,        0 },
  { REROUTE_MILTER_REPLY_ADD_HEADER,      take_field,       REROUTE_MILTER_MAY_ADD_HEADERS },
  { REROUTE_MILTER_REPLY_INSERT_HEADER,   take_field,       REROUTE_MILTER_MAY_ADD_HEADERS },
  { REROUTE_MILTER_REPLY_CHANGE_HEADER,   take_field,       REROUTE_MILTER_MAY_CHANGE_HEADERS },
  { REROUTE_MILTER_REPLY_BODY,            take_body,        REROUTE_MILTER_MAY_CHANGE_BODY },
  { REROUTE_MILTER_REPLY_ADD_RCPT,        take_wish,        REROUTE_MILTER_MAY_ADD_RCPT },
  { REROUTE_MILTER_REPLY_ADD_RCPT_PAR,    take_wish,        REROUTE_MILTER_MAY_ADD_RCPT_PAR },
  { REROUTE_MILTER_REPLY_DELETE_RCPT,     take_wish,        REROUTE_MILTER_MAY_DELETE_RCPT },
  { REROUTE_MILTER_REPLY_CHANGE_FROM,     take_wish,        REROUTE_MILTER_MAY_CHANGE_FROM },
  { REROUTE_MILTER_REPLY_QUARANTINE,      take_quarantine,  REROUTE_MILTER_MAY_QUARANTINE },
  /* clang-format on */
};

gboolean
reroute_milter_machine_take_reply (RerouteMilterMachine *self,
                                   const RerouteMilterReply *reply,
                                   GError **error)
{
  gsize i = 0;

  while (takers[i].kind != reply->kind)
    i++;
  if (!self->awaits)
    return fail (self, "came before its time", error);
  if (self->stage == REROUTE_MILTER_STAGE_NEGOTIATE &&
      reply->kind != REROUTE_MILTER_COMMAND_NEGOTIATE)
    return fail (self, "is none", error);
  if (takers[i].action != 0 && self->stage != REROUTE_MILTER_STAGE_END)
    return fail (self, "changes a message that is not at its end", error);
  if ((takers[i].action & ~self->actions) != 0)
    return fail (self, "changes what was not agreed on", error);
  self->changed = self->changed || takers[i].action != 0;
  return takers[i].take (self, reply, error);
}
