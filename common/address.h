/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteAddress:
 *
 * A mailbox, immutable and reference-counted.
 */
typedef struct
{
  char *text;         /* local-part@domain as it leaves when it is not rewritten: without source
                         route, blanks and trailing dot, else octet for octet as received */
  char *local_part;   /* as received, quotes included; owned */
  const char *domain; /* as received; points into text */
  char *key;          /* the domain's normal form (reroute_domain_normalize()) */
} RerouteAddress;

/**
 * reroute_address_parse:
 * @text: the inside of a path's angle brackets, perhaps with a source route
 *   ("@a,@b:user@c"), blanks and a trailing dot
 * @allow_utf8: whether octets over 127 may stand in it (RFC 6531)
 *
 * "postmaster" alone is valid (RFC 5321 4.5.1): domain "" and key "".
 *
 * Errors: %REROUTE_ERROR_ADDRESS, with what is wrong and what is wanted.
 *
 * Returns: (transfer full): the mailbox, or %NULL
 */
RerouteAddress *reroute_address_parse (const char *text, gboolean allow_utf8, GError **error);

RerouteAddress *reroute_address_ref (RerouteAddress *self);
void reroute_address_unref (RerouteAddress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAddress, reroute_address_unref)

/* local-part@domain, with the domain text as given. */
char *reroute_address_with_domain (const RerouteAddress *self, const char *domain);

/* Whether the local part asks for a route of the sender's own: an "@", "%" or "!" in it, or another
   address in capsules (IMCEASMTP-, Q237927), which a next hop may unpack. */
gboolean reroute_address_is_source_routed (const RerouteAddress *self);

/* Whether the local part is "postmaster", in any case. */
gboolean reroute_address_is_postmaster (const RerouteAddress *self);

G_END_DECLS
