/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * packet.c - the milter protocol as octets: four of length, one of kind, and what belongs to it
 *
 * Numbers are big-endian, texts end in NUL.  What a milter sends is bounded before it is kept, and
 * taken apart once: nobody behind this file counts octets.
 *
 * Source: libmilter's mfdef.h and comm.c (Sendmail 8.17), protocol version 6.
 */

#include "config.h"

#include "service/relay/milter/packet.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

#define LENGTH_OCTETS 4

/* --- what we say --- */

guint
reroute_milter_packet_begin (GByteArray *out, RerouteMilterCommand command)
{
  guint begin = out->len;
  const guint8 head[LENGTH_OCTETS + 1] = { 0, 0, 0, 0, (guint8) command };

  g_byte_array_append (out, head, sizeof head);
  return begin;
}

void
reroute_milter_packet_put_number (GByteArray *out, guint32 number)
{
  guint32 wire = GUINT32_TO_BE (number);

  g_byte_array_append (out, (const guint8 *) &wire, sizeof wire);
}

void
reroute_milter_packet_put_port (GByteArray *out, guint16 port)
{
  guint16 wire = GUINT16_TO_BE (port);

  g_byte_array_append (out, (const guint8 *) &wire, sizeof wire);
}

void
reroute_milter_packet_put_string (GByteArray *out, const char *text)
{
  g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text) + 1);
}

void
reroute_milter_packet_end (GByteArray *out, guint begin)
{
  guint32 wire = GUINT32_TO_BE (out->len - begin - LENGTH_OCTETS);

  memcpy (out->data + begin, &wire, sizeof wire);
}

/* --- what a milter says --- */

void
reroute_milter_parser_init (RerouteMilterParser *self)
{
  *self = (RerouteMilterParser){ .buffer = g_byte_array_new () };
}

void
reroute_milter_parser_clear (RerouteMilterParser *self)
{
  g_clear_pointer (&self->buffer, g_byte_array_unref);
}

/* What belongs to a reply, in order: "n" a number, "s" a text, "o" a text that may be absent, "*"
   octets, "-" whatever is left over. */
static const struct
{
  guint8 kind;
  const char *form;
} forms[] = {
  { REROUTE_MILTER_COMMAND_NEGOTIATE, "nnn-" },
  { REROUTE_MILTER_REPLY_ADD_RCPT, "s" },
  { REROUTE_MILTER_REPLY_ADD_RCPT_PAR, "so" },
  { REROUTE_MILTER_REPLY_DELETE_RCPT, "s" },
  { REROUTE_MILTER_REPLY_SHUTDOWN, "" },
  { REROUTE_MILTER_REPLY_ACCEPT, "" },
  { REROUTE_MILTER_REPLY_BODY, "*" },
  { REROUTE_MILTER_REPLY_CONTINUE, "" },
  { REROUTE_MILTER_REPLY_DISCARD, "" },
  { REROUTE_MILTER_REPLY_CHANGE_FROM, "so" },
  { REROUTE_MILTER_REPLY_CONNECTION_FAIL, "" },
  { REROUTE_MILTER_REPLY_ADD_HEADER, "ss" },
  { REROUTE_MILTER_REPLY_INSERT_HEADER, "nss" },
  { REROUTE_MILTER_REPLY_CHANGE_HEADER, "nss" },
  { REROUTE_MILTER_REPLY_PROGRESS, "" },
  { REROUTE_MILTER_REPLY_QUARANTINE, "s" },
  { REROUTE_MILTER_REPLY_REJECT, "" },
  { REROUTE_MILTER_REPLY_SKIP, "" },
  { REROUTE_MILTER_REPLY_TEMPFAIL, "" },
  { REROUTE_MILTER_REPLY_CODE, "s" },
};

static const char *
find_form (guint8 kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    if (forms[i].kind == kind)
      return forms[i].form;
  return NULL;
}

/* Takes a text off what is left; NULL: it has no end. */
static const char *
take_text (const guint8 **at, gsize *left)
{
  const char *text = (const char *) *at;
  const guint8 *end = *left > 0 ? memchr (*at, '\0', *left) : NULL;

  if (end == NULL)
    return NULL;
  *left -= (gsize) (end - *at) + 1;
  *at = end + 1;
  return text;
}

static gboolean
take_number (const guint8 **at, gsize *left, guint32 *number)
{
  if (*left < sizeof *number)
    return FALSE;
  memcpy (number, *at, sizeof *number);
  *number = GUINT32_FROM_BE (*number);
  *at += sizeof *number;
  *left -= sizeof *number;
  return TRUE;
}

/* Returns: FALSE when something is missing or left over */
static gboolean
take_apart (const char *form, const guint8 *at, gsize left, RerouteMilterReply *reply)
{
  guint n_numbers = 0;

  for (; *form != '\0'; form++)
    {
      const char *text = NULL;
      if (*form == 'n')
        {
          if (!take_number (&at, &left, &reply->numbers[n_numbers++]))
            return FALSE;
          continue;
        }
      if (*form == '*')
        {
          reply->octets = at;
          reply->length = left;
        }
      if (*form == '*' || *form == '-')
        return TRUE;
      if (*form == 's' || left > 0)
        text = take_text (&at, &left);
      if (text == NULL && (*form == 's' || left > 0))
        return FALSE;
      if (reply->first == NULL)
        reply->first = text;
      else
        reply->second = text;
    }
  return left == 0;
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, what);
  return FALSE;
}

/* Adds octets until the buffer has @wanted of them; whether it has. */
static gboolean
fill (RerouteMilterParser *self, const guint8 *octets, gsize length, gsize wanted, gsize *taken)
{
  gsize n = MIN (length - *taken, wanted - self->buffer->len);

  g_byte_array_append (self->buffer, octets + *taken, (guint) n);
  *taken += n;
  return self->buffer->len == wanted;
}

gboolean
reroute_milter_parser_feed (RerouteMilterParser *self,
                            const guint8 *octets,
                            gsize length,
                            gsize *taken,
                            RerouteMilterReply *reply,
                            GError **error)
{
  guint32 packet;

  g_return_val_if_fail (self != NULL && taken != NULL && reply != NULL, FALSE);

  *taken = 0;
  if (self->whole)
    g_byte_array_set_size (self->buffer, 0);
  self->whole = FALSE;
  if (self->buffer->len < LENGTH_OCTETS && !fill (self, octets, length, LENGTH_OCTETS, taken))
    return FALSE;
  memcpy (&packet, self->buffer->data, sizeof packet);
  packet = GUINT32_FROM_BE (packet);
  if (packet == 0 || packet > REROUTE_LIMIT_MILTER_PACKET_OCTETS)
    return fail (error, "a reply has no octets, or too many");
  if (!fill (self, octets, length, LENGTH_OCTETS + (gsize) packet, taken))
    return FALSE;

  self->whole = TRUE;
  *reply = (RerouteMilterReply){ .kind = self->buffer->data[LENGTH_OCTETS] };
  const char *form = find_form (reply->kind);
  if (form == NULL)
    return fail (error, "a reply is unknown");
  return take_apart (form, self->buffer->data + LENGTH_OCTETS + 1, packet - 1, reply) ||
         fail (error, "a reply is malformed");
}
