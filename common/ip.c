/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ip.c - addresses and ranges of addresses, as values
 *
 * IPv4 lives in ::ffff:0:0/96, so one comparison serves both.
 *
 * Standards: RFC 4291 section 2.5.5.2, RFC 5952 (text), RFC 4632 (prefixes).
 */

#include "config.h"

#include "common/ip.h"

#include "common/domain-private.h"
#include "common/error.h"

#include <arpa/inet.h>
#include <string.h>

#define IPV4_OFFSET 12
#define ALL_BITS 128

static const guint8 ipv4_prefix[IPV4_OFFSET] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

gboolean
reroute_ip_parse (const char *text, RerouteIp *ip)
{
  g_return_val_if_fail (text != NULL && ip != NULL, FALSE);

  memcpy (ip->octets, ipv4_prefix, IPV4_OFFSET);
  return inet_pton (AF_INET, text, ip->octets + IPV4_OFFSET) == 1 ||
         inet_pton (AF_INET6, text, ip->octets) == 1;
}

/* inet_ntop() goes through sprintf(), which a relay feels: it is asked for every message. */
static void
format_ipv4 (const guint8 *octets, char *text)
{
  for (guint i = 0; i < 4; i++)
    {
      if (octets[i] >= 100)
        *text++ = (char) ('0' + octets[i] / 100);
      if (octets[i] >= 10)
        *text++ = (char) ('0' + octets[i] / 10 % 10);
      *text++ = (char) ('0' + octets[i] % 10);
      *text++ = i < 3 ? '.' : '\0';
    }
}

G_STATIC_ASSERT (REROUTE_IP_TEXT_OCTETS == INET6_ADDRSTRLEN);

char *
reroute_ip_to_string (const RerouteIp *self)
{
  char text[REROUTE_IP_TEXT_OCTETS];

  g_return_val_if_fail (self != NULL, NULL);

  return g_strdup (reroute_ip_format (self, text));
}

const char *
reroute_ip_format (const RerouteIp *self, char text[REROUTE_IP_TEXT_OCTETS])
{
  g_return_val_if_fail (self != NULL && text != NULL, NULL);

  if (reroute_ip_is_ipv4 (self))
    format_ipv4 (self->octets + IPV4_OFFSET, text);
  else
    inet_ntop (AF_INET6, self->octets, text, REROUTE_IP_TEXT_OCTETS);
  return text;
}

gboolean
reroute_ip_equal (const RerouteIp *a, const RerouteIp *b)
{
  return memcmp (a->octets, b->octets, sizeof a->octets) == 0;
}

gboolean
reroute_ip_is_ipv4 (const RerouteIp *self)
{
  return memcmp (self->octets, ipv4_prefix, IPV4_OFFSET) == 0;
}

gboolean
reroute_ip_is_loopback (const RerouteIp *self)
{
  static const guint8 one[16] = { [15] = 1 };

  if (reroute_ip_is_ipv4 (self))
    return self->octets[IPV4_OFFSET] == 127;
  return memcmp (self->octets, one, sizeof one) == 0;
}

gboolean
reroute_ip_is_unspecified (const RerouteIp *self)
{
  static const guint8 zero[16];

  if (reroute_ip_is_ipv4 (self))
    return memcmp (self->octets + IPV4_OFFSET, zero, 4) == 0;
  return memcmp (self->octets, zero, sizeof zero) == 0;
}

/* Clears what stands behind the first @bits; TRUE when that changed nothing. */
static gboolean
clear_host_bits (RerouteIp *ip, guint bits)
{
  gboolean clean = TRUE;

  for (guint i = 0; i < sizeof ip->octets; i++)
    {
      guint keep = bits >= (i + 1) * 8 ? 8 : bits > i * 8 ? bits - i * 8 : 0;
      guint8 mask = (guint8) (0xff00 >> keep);
      clean = clean && (ip->octets[i] & ~mask) == 0;
      ip->octets[i] &= mask;
    }
  return clean;
}

static gboolean
is_private_ipv4 (const RerouteIp *self)
{
  static const struct
  {
    guint8 octets[4];
    guint bits;
  } ipv4[] = {
    { { 0 }, 8 },         /* RFC 791 3.2 */
    { { 10 }, 8 },        /* RFC 1918 */
    { { 100, 64 }, 10 },  /* RFC 6598 */
    { { 169, 254 }, 16 }, /* RFC 3927 */
    { { 172, 16 }, 12 },  /* RFC 1918 */
    { { 192, 168 }, 16 }, /* RFC 1918 */
    { { 224 }, 3 },       /* RFC 5771, RFC 1112 4: multicast, and what is behind it */
  };
  RerouteIpRange range = { .prefix_bits = 0 };

  memcpy (range.first.octets, ipv4_prefix, IPV4_OFFSET);
  for (gsize i = 0; i < G_N_ELEMENTS (ipv4); i++)
    {
      memcpy (range.first.octets + IPV4_OFFSET, ipv4[i].octets, sizeof ipv4[i].octets);
      range.prefix_bits = REROUTE_IP_IPV4_BITS + ipv4[i].bits;
      if (reroute_ip_range_contains (&range, self))
        return TRUE;
    }
  return FALSE;
}

/* The IPv4 address that a gateway makes of an IPv6 one. */
static gboolean
find_translated (const RerouteIp *self, RerouteIp *ipv4)
{
  static const guint8 nat64[IPV4_OFFSET] = { 0, 0x64, 0xff, 0x9b }; /* RFC 6052 2.1 */
  const guint8 *found = NULL;

  if (memcmp (self->octets, nat64, sizeof nat64) == 0)
    found = self->octets + IPV4_OFFSET;
  else if (self->octets[0] == 0x20 && self->octets[1] == 0x02) /* RFC 3056 2 */
    found = self->octets + 2;
  if (found == NULL)
    return FALSE;
  memcpy (ipv4->octets, ipv4_prefix, IPV4_OFFSET);
  memcpy (ipv4->octets + IPV4_OFFSET, found, 4);
  return TRUE;
}

gboolean
reroute_ip_is_private (const RerouteIp *self)
{
  RerouteIp ipv4;

  g_return_val_if_fail (self != NULL, FALSE);

  if (reroute_ip_is_ipv4 (self))
    return is_private_ipv4 (self);
  if (find_translated (self, &ipv4))
    return is_private_ipv4 (&ipv4) || reroute_ip_is_loopback (&ipv4);
  return (self->octets[0] & 0xfe) == 0xfc ||                              /* RFC 4193 */
         (self->octets[0] == 0xfe && (self->octets[1] & 0x80) == 0x80) || /* RFC 4291, RFC 3879 */
         self->octets[0] == 0xff;                                         /* RFC 4291 2.7 */
}

/* "255.255.255.0" gives 24; FALSE when its ones are not all in front. */
static gboolean
parse_mask (const char *text, guint *bits)
{
  RerouteIp mask;

  if (!reroute_ip_parse (text, &mask) || !reroute_ip_is_ipv4 (&mask))
    return FALSE;
  guint32 value = 0;
  for (guint i = 0; i < 4; i++)
    value = value << 8 | mask.octets[IPV4_OFFSET + i];
  *bits = 0;
  while (*bits < 32 && (value & (0x80000000u >> *bits)) != 0)
    (*bits)++;
  return *bits == 32 || (value << *bits) == 0;
}

/* The number of bits of @size (32 or 128) that @text asks for. */
static gboolean
parse_prefix (const char *text, gboolean is_mask, guint size, guint *bits)
{
  guint64 number;

  if (is_mask)
    return size == 32 && parse_mask (text, bits);
  if (!g_ascii_string_to_unsigned (text, 10, 0, size, &number, NULL))
    return FALSE;
  *bits = (guint) number;
  return TRUE;
}

char *
reroute_ip_range_to_string (const RerouteIpRange *self)
{
  g_autofree char *first = reroute_ip_to_string (&self->first);
  gboolean ipv4 = reroute_ip_is_ipv4 (&self->first) && self->prefix_bits >= REROUTE_IP_IPV4_BITS;

  if (self->prefix_bits == ALL_BITS)
    return g_steal_pointer (&first);
  return g_strdup_printf (
    "%s/%u", first, ipv4 ? self->prefix_bits - REROUTE_IP_IPV4_BITS : self->prefix_bits);
}

gboolean
reroute_ip_range_parse (const char *text, RerouteIpRange *range, GError **error)
{
  g_return_val_if_fail (text != NULL && range != NULL, FALSE);

  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  g_autofree char *value = reroute_quote_value (trimmed, -1);
  char *cut = strpbrk (trimmed, "/;");
  gboolean is_mask = cut != NULL && *cut == ';';
  if (cut != NULL)
    *cut = '\0';

  g_strstrip (trimmed);
  if (!reroute_ip_parse (trimmed, &range->first))
    {
      g_set_error (
        error,
        REROUTE_ERROR,
        REROUTE_ERROR_VALUE,
        "%s is no address or range: write “192.0.2.1”, “192.0.2.0/24” or “2001:db8::/32”",
        value);
      return FALSE;
    }
  guint size = reroute_ip_is_ipv4 (&range->first) ? 32 : ALL_BITS;
  guint bits = size;
  if (cut != NULL && !parse_prefix (g_strstrip (cut + 1), is_mask, size, &bits))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "range %s: behind the address belongs %s",
                   value,
                   is_mask      ? "a mask such as “255.255.255.0”"
                   : size == 32 ? "a number from 0 to 32"
                                : "a number from 0 to 128");
      return FALSE;
    }
  range->prefix_bits = ALL_BITS - size + bits;
  if (!clear_host_bits (&range->first, range->prefix_bits))
    {
      g_autofree char *meant = reroute_ip_range_to_string (range);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "range %s starts inside a network: write “%s” for the network, or one address",
                   value,
                   meant);
      return FALSE;
    }
  return TRUE;
}

gboolean
reroute_ip_range_contains (const RerouteIpRange *self, const RerouteIp *ip)
{
  guint whole = self->prefix_bits / 8;
  guint rest = self->prefix_bits % 8;

  if (memcmp (self->first.octets, ip->octets, whole) != 0)
    return FALSE;
  guint8 mask = (guint8) (0xff00 >> rest);
  return rest == 0 || ((self->first.octets[whole] ^ ip->octets[whole]) & mask) == 0;
}
