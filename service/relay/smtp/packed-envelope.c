/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * packed-envelope.c - the envelope of a message that waits, as few octets as it takes
 *
 * A number of flags, the client's address, the number of recipients, then texts up to their NUL:
 * reverse-path, HELO name, ENVID where there is one; for each recipient one octet of flags, the id
 * of its row, its address, ORCPT where there is one.  Numbers have seven bits an octet, the lowest
 * first.  An envelope's texts hold no NUL, and its addresses parse: they came from the parser.
 */

#include "config.h"

#include "service/relay/smtp/packed-envelope.h"

#include <string.h>

#define IPV4_OFFSET 12u /* of the address within an IPv4-mapped one */
#define NUMBER_BITS 7
#define NUMBER_GOES_ON (1u << NUMBER_BITS)
#define USUAL_OCTETS 256

enum
{
  FLAG_BODY_8BITMIME = 1 << 0,
  FLAG_SMTPUTF8 = 1 << 1,
  FLAG_CLIENT_PERMITTED = 1 << 2,
  FLAG_IPV4 = 1 << 3,
  FLAG_ID = 1 << 4,
  RETURNS_SHIFT = 5,
  RETURNS_MASK = 3,
  FLAG_HELD = 1 << 7,
  FLAG_TLS_OPTIONAL = 1 << 8,
  FLAG_REQUIRETLS = 1 << 9,
  FLAG_ASCII_HEADER = 1 << 10,
};

enum
{
  NOTIFY_MASK = 0x0f,
  FLAG_ORIGINAL = 1 << 4,
  PAGE_SHIFT = 5,
};

static void
put_octet (GByteArray *octets, guint value)
{
  guint8 octet = (guint8) value;

  g_byte_array_append (octets, &octet, 1);
}

static void
put_number (GByteArray *octets, guint64 value)
{
  for (; value >= NUMBER_GOES_ON; value >>= NUMBER_BITS)
    put_octet (octets, (guint) (value & (NUMBER_GOES_ON - 1)) | NUMBER_GOES_ON);
  put_octet (octets, (guint) value);
}

static void
put_text (GByteArray *octets, const char *text)
{
  g_byte_array_append (octets, (const guint8 *) text, (guint) strlen (text) + 1);
}

static void
put_recipient (GByteArray *octets, const RerouteRecipient *recipient)
{
  put_octet (octets,
             recipient->notify | (recipient->original != NULL ? FLAG_ORIGINAL : 0) |
               (guint) recipient->admitted_by.page << PAGE_SHIFT);
  put_number (octets, (guint64) recipient->admitted_by.id);
  put_text (octets, recipient->address->text);
  if (recipient->original != NULL)
    put_text (octets, recipient->original);
}

guint8 *
reroute_envelope_pack (const RerouteEnvelope *self)
{
  g_autoptr (GByteArray) octets = g_byte_array_sized_new (USUAL_OCTETS);
  gboolean ipv4 = reroute_ip_is_ipv4 (&self->client_ip);
  guint skipped = ipv4 ? IPV4_OFFSET : 0;

  put_number (
    octets,
    (self->body_8bitmime ? FLAG_BODY_8BITMIME : 0) | (self->smtputf8 ? FLAG_SMTPUTF8 : 0) |
      (self->client_permitted ? FLAG_CLIENT_PERMITTED : 0) | (self->held ? FLAG_HELD : 0) |
      (self->tls_optional ? FLAG_TLS_OPTIONAL : 0) | (self->requiretls ? FLAG_REQUIRETLS : 0) |
      (self->ascii_header ? FLAG_ASCII_HEADER : 0) | (ipv4 ? FLAG_IPV4 : 0) |
      (self->id != NULL ? FLAG_ID : 0) | (guint) self->returns << RETURNS_SHIFT);
  g_byte_array_append (
    octets, self->client_ip.octets + skipped, (guint) sizeof self->client_ip.octets - skipped);
  put_number (octets, self->recipients->len);
  put_text (octets, self->reverse_path);
  put_text (octets, self->helo);
  if (self->id != NULL)
    put_text (octets, self->id);
  for (guint i = 0; i < self->recipients->len; i++)
    put_recipient (octets, reroute_envelope_get_recipient (self, i));
  return g_memdup2 (octets->data, octets->len);
}

static guint64
get_number (const guint8 **at)
{
  guint64 value = 0;
  guint shift = 0;

  for (; (**at & NUMBER_GOES_ON) != 0; shift += NUMBER_BITS)
    value |= (guint64) (*(*at)++ & (NUMBER_GOES_ON - 1)) << shift;
  return value | (guint64) * (*at)++ << shift;
}

static const char *
get_text (const guint8 **at)
{
  const char *text = (const char *) *at;

  *at += strlen (text) + 1;
  return text;
}

static void
get_recipient (RerouteEnvelope *self, const guint8 **at)
{
  guint flags = *(*at)++;
  RerouteRowRef row = { .page = (ReroutePage) (flags >> PAGE_SHIFT) };

  row.id = (gint64) get_number (at);
  g_autoptr (RerouteAddress) address = reroute_address_parse (get_text (at), TRUE, NULL);
  g_assert (address != NULL);
  RerouteRecipient *recipient = reroute_envelope_add_recipient (self, address, row);
  recipient->notify = flags & NOTIFY_MASK;
  if ((flags & FLAG_ORIGINAL) != 0)
    recipient->original = g_strdup (get_text (at));
}

RerouteEnvelope *
reroute_envelope_unpack (const guint8 *packed)
{
  static const RerouteIp mapped = { { [10] = 0xff, [11] = 0xff } };
  RerouteEnvelope *self = reroute_envelope_new ();
  const guint8 *at = packed;
  guint flags = (guint) get_number (&at);
  guint skipped = (flags & FLAG_IPV4) != 0 ? IPV4_OFFSET : 0;

  self->body_8bitmime = (flags & FLAG_BODY_8BITMIME) != 0;
  self->smtputf8 = (flags & FLAG_SMTPUTF8) != 0;
  self->ascii_header = (flags & FLAG_ASCII_HEADER) != 0;
  self->client_permitted = (flags & FLAG_CLIENT_PERMITTED) != 0;
  self->held = (flags & FLAG_HELD) != 0;
  self->requiretls = (flags & FLAG_REQUIRETLS) != 0;
  self->tls_optional = (flags & FLAG_TLS_OPTIONAL) != 0;
  self->returns = (RerouteReturn) (flags >> RETURNS_SHIFT & RETURNS_MASK);
  self->client_ip = mapped;
  memcpy (self->client_ip.octets + skipped, at, sizeof self->client_ip.octets - skipped);
  at += sizeof self->client_ip.octets - skipped;
  guint64 n_recipients = get_number (&at);
  g_free (self->reverse_path);
  self->reverse_path = g_strdup (get_text (&at));
  g_free (self->helo);
  self->helo = g_strdup (get_text (&at));
  if ((flags & FLAG_ID) != 0)
    self->id = g_strdup (get_text (&at));
  for (guint64 i = 0; i < n_recipients; i++)
    get_recipient (self, &at);
  return self;
}
