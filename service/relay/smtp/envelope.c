/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * envelope.c - what MAIL and RCPT said, and who said it
 *
 * Standards: RFC 5321 section 2.3.1, RFC 3461 section 4, RFC 6152, RFC 6531 section 3.4.
 */

#include "config.h"

#include "service/relay/smtp/envelope.h"

static void
clear_recipient (gpointer data)
{
  RerouteRecipient *self = data;

  reroute_address_unref (self->address);
  g_free (self->original);
}

RerouteEnvelope *
reroute_envelope_new (void)
{
  RerouteEnvelope *self = g_new0 (RerouteEnvelope, 1);

  self->reverse_path = g_strdup ("");
  self->helo = g_strdup ("");
  self->recipients = g_array_new (FALSE, FALSE, sizeof (RerouteRecipient));
  g_array_set_clear_func (self->recipients, clear_recipient);
  return self;
}

void
reroute_envelope_free (RerouteEnvelope *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->reverse_path);
  g_free (self->helo);
  g_free (self->id);
  g_array_unref (self->recipients);
  g_free (self);
}

RerouteRecipient *
reroute_envelope_add_recipient (RerouteEnvelope *self,
                                RerouteAddress *address,
                                RerouteRowRef admitted_by)
{
  g_return_val_if_fail (self != NULL && address != NULL, NULL);

  RerouteRecipient recipient = {
    .address = reroute_address_ref (address),
    .admitted_by = admitted_by,
  };

  g_array_append_val (self->recipients, recipient);
  return &g_array_index (self->recipients, RerouteRecipient, self->recipients->len - 1);
}

const RerouteRecipient *
reroute_envelope_get_recipient (const RerouteEnvelope *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->recipients->len, NULL);

  return &g_array_index (self->recipients, RerouteRecipient, index);
}

void
reroute_envelope_note_content (RerouteEnvelope *self, gboolean has_8bit, gboolean has_8bit_header)
{
  g_return_if_fail (self != NULL);

  self->body_8bitmime = self->body_8bitmime && has_8bit;
  self->ascii_header = self->smtputf8 && !has_8bit_header;
}

gboolean
reroute_envelope_wants_notice (const RerouteEnvelope *self, guint index, RerouteNotify kind)
{
  RerouteNotify notify = reroute_envelope_get_recipient (self, index)->notify;

  if (self->reverse_path[0] == '\0')
    return FALSE;
  if (notify == 0)
    return kind == REROUTE_NOTIFY_FAILURE || kind == REROUTE_NOTIFY_DELAY;
  return (notify & kind) != 0;
}
