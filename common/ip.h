/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An IPv4 address is kept as the IPv4-mapped IPv6 one (RFC 4291 2.5.5.2). */
typedef struct
{
  guint8 octets[16];
} RerouteIp;

#define REROUTE_IP_IPV4_BITS 96 /* in front of an IPv4 address */

typedef struct
{
  RerouteIp first;
  guint prefix_bits; /* of 128; %REROUTE_IP_IPV4_BITS + n for IPv4 */
} RerouteIpRange;

gboolean reroute_ip_parse (const char *text, RerouteIp *ip);
char *reroute_ip_to_string (const RerouteIp *self); /* "192.0.2.1", "2001:db8::1" */

#define REROUTE_IP_TEXT_OCTETS 46

/* The same into @text.  Returns: @text */
const char *reroute_ip_format (const RerouteIp *self, char text[REROUTE_IP_TEXT_OCTETS]);
gboolean reroute_ip_is_ipv4 (const RerouteIp *self);
gboolean reroute_ip_equal (const RerouteIp *a, const RerouteIp *b);
gboolean reroute_ip_is_loopback (const RerouteIp *self);
gboolean reroute_ip_is_unspecified (const RerouteIp *self);
/* Of a network that is not part of the Internet, or of no host at all: RFC 1918, RFC 6598 (behind a
   carrier's address translation), link-local, unique local, "this" network, multicast, reserved. An
   IPv6 address that a gateway turns into an IPv4 one (RFC 6052, RFC 3056) is what that is.
   Neither loopback nor the networks of documentation. */
gboolean reroute_ip_is_private (const RerouteIp *self);

/* "192.0.2.0/24", "192.0.2.0;255.255.255.0", "2001:db8::/32" or one address.
   Host bits that are set are refused; @range then holds the network that was meant.  Every other
   error leaves its prefix_bits alone. */
gboolean reroute_ip_range_parse (const char *text, RerouteIpRange *range, GError **error);
char *reroute_ip_range_to_string (const RerouteIpRange *self); /* "192.0.2.0/24", "192.0.2.1" */
gboolean reroute_ip_range_contains (const RerouteIpRange *self, const RerouteIp *ip);

G_END_DECLS
