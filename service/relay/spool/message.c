/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * message.c - a message that the spool holds, and how its id is written
 */

#include "config.h"

#include "service/relay/spool/message.h"

#include "service/relay/smtp/packed-envelope.h"

#include <string.h>

#define ID_DIGITS 16

RerouteMessage *
reroute_message_new (guint64 id,
                     gint64 received_us,
                     RerouteEnvelope *envelope,
                     gsize content_octets)
{
  RerouteMessage *self = g_new0 (RerouteMessage, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->id = id;
  self->received_us = received_us;
  self->envelope = envelope;
  self->n_recipients = envelope->recipients->len;
  self->held = envelope->held;
  self->content_octets = content_octets;
  g_mutex_init (&self->lock);
  return self;
}

RerouteMessage *
reroute_message_ref (RerouteMessage *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_message_unref (RerouteMessage *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->envelope, reroute_envelope_free);
  g_free (self->packed);
  g_clear_pointer (&self->content, g_bytes_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
reroute_message_pack (RerouteMessage *self)
{
  g_return_if_fail (self != NULL);

  if (self->packed != NULL)
    return;
  self->packed = reroute_envelope_pack (self->envelope);
  g_clear_pointer (&self->envelope, reroute_envelope_free);
}

const RerouteEnvelope *
reroute_message_unpack (RerouteMessage *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->packed != NULL)
    {
      self->envelope = reroute_envelope_unpack (self->packed);
      g_clear_pointer (&self->packed, g_free);
    }
  return self->envelope;
}

char *
reroute_message_id_to_string (guint64 id)
{
  static const char digits[] = "0123456789abcdef";
  char text[ID_DIGITS + 1];
  char *first = text + ID_DIGITS;

  *first = '\0';
  do
    *--first = digits[id & 0xf];
  while ((id >>= 4) != 0);
  return g_strdup (first);
}

gboolean
reroute_message_id_from_string (const char *text, guint64 *id)
{
  guint64 value = 0;

  g_return_val_if_fail (text != NULL && id != NULL, FALSE);

  gsize length = strlen (text);
  if (length == 0 || length > ID_DIGITS)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      int digit = g_ascii_xdigit_value (text[i]);
      if (digit < 0)
        return FALSE;
      value = value << 4 | (guint) digit;
    }
  if (value == 0)
    return FALSE;
  *id = value;
  return TRUE;
}
