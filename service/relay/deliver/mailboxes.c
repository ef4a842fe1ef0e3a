/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mailboxes.c - recipients of one transaction that share a mailbox
 *
 * The local part counts as it is written, the domain without case (RFC 5321 section 2.4).
 */

#include "config.h"

#include "service/relay/deliver/mailboxes.h"

#include <string.h>

#define HASH_FACTOR 31

struct _RerouteMailboxes
{
  guint n;               /* mailboxes */
  const char **rcpt_out; /* (array length=n): borrowed from the delivery */
  guint *indices;        /* (array length=n): in the envelope, of the first one of each */
  guint *places;         /* of each recipient of the delivery: its mailbox */
};

static guint
hash_mailbox (const char *address)
{
  guint hash = 0;

  for (const char *at = address; *at != '\0'; at++)
    hash = hash * HASH_FACTOR + (guint) g_ascii_tolower (*at);
  return hash;
}

static gboolean
is_same_mailbox (const char *a, const char *b)
{
  const char *domain = strrchr (a, '@');
  gsize local_octets = domain != NULL ? (gsize) (domain - a) : strlen (a);

  return strncmp (a, b, local_octets) == 0 &&
         g_ascii_strcasecmp (a + local_octets, b + local_octets) == 0;
}

static gboolean
asks_the_same (const RerouteDelivery *delivery, guint first, guint second)
{
  const RerouteEnvelope *envelope = delivery->message->envelope;
  const RerouteRecipient *a =
    reroute_envelope_get_recipient (envelope, delivery->recipients[first]);
  const RerouteRecipient *b =
    reroute_envelope_get_recipient (envelope, delivery->recipients[second]);

  return a->notify == b->notify &&
         ((a->notify & REROUTE_NOTIFY_SUCCESS) == 0 || g_strcmp0 (a->original, b->original) == 0);
}

/* The recipient before @recipient with the same mailbox; @recipient when there is none. */
static guint
find_first (const RerouteDelivery *delivery, const guint *hashes, guint recipient)
{
  for (guint i = 0; i < recipient; i++)
    if (hashes[i] == hashes[recipient] &&
        is_same_mailbox (delivery->rcpt_out[i], delivery->rcpt_out[recipient]) &&
        asks_the_same (delivery, i, recipient))
      return i;
  return recipient;
}

RerouteMailboxes *
reroute_mailboxes_new (const RerouteDelivery *delivery)
{
  guint n = delivery->n_recipients;
  g_autofree guint *hashes = g_new (guint, n);
  g_autofree guint *places = g_new (guint, n);
  guint n_named = 0;

  for (guint i = 0; i < n; i++)
    {
      hashes[i] = hash_mailbox (delivery->rcpt_out[i]);
      guint first = find_first (delivery, hashes, i);
      places[i] = first == i ? n_named++ : places[first];
    }
  if (n_named == n)
    return NULL;

  RerouteMailboxes *self = g_new0 (RerouteMailboxes, 1);
  self->n = n_named;
  self->rcpt_out = g_new (const char *, n_named);
  self->indices = g_new (guint, n_named);
  self->places = g_steal_pointer (&places);
  for (guint i = n; i > 0; i--)
    {
      self->rcpt_out[self->places[i - 1]] = delivery->rcpt_out[i - 1];
      self->indices[self->places[i - 1]] = delivery->recipients[i - 1];
    }
  return self;
}

void
reroute_mailboxes_free (RerouteMailboxes *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->rcpt_out);
  g_free (self->indices);
  g_free (self->places);
  g_free (self);
}

void
reroute_mailboxes_fill_in (const RerouteMailboxes *self, RerouteSmtpTransaction *transaction)
{
  g_return_if_fail (self != NULL && transaction != NULL);

  transaction->recipients = self->rcpt_out;
  transaction->n_recipients = self->n;
  transaction->indices = self->indices;
}

guint
reroute_mailboxes_get_place (const RerouteMailboxes *self, guint recipient)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->places[recipient];
}
