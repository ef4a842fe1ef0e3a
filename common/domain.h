/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_domain_normalize:
 * @text: a domain as typed or received: blanks around it, a leading or
 *   trailing dot, any case, U-labels or A-labels, or an address literal with
 *   or without brackets
 * @error: return location
 *
 * The form that domains are compared in: lower-case A-labels (IDNA 2008,
 * non-transitional), or "[192.0.2.1]", "[IPv6:2001:db8::1]" in canonical text.
 * A single label is valid.  A leading "#" or "*" is not part of a domain and is refused
 * with a text that says what to do instead.
 *
 * Errors: %REROUTE_ERROR_DOMAIN, e.g. `domain “a..b” has an empty label`.
 *
 * Source: RFC 5321 4.1.2 and 4.1.3, RFC 5890, RFC 1123 2.1.
 *
 * Returns: (transfer full): the normal form
 */
char *reroute_domain_normalize (const char *text, GError **error);

/**
 * reroute_domain_normalize_fast:
 * @text: @length octets, not terminated
 * @buffer: where the result goes, of at least REROUTE_LIMIT_DOMAIN_OCTETS + 1
 *
 * The same for the look-up of a recipient, without an allocation when the domain is plain
 * ASCII.
 *
 * Returns: the length of the normal form in @buffer, or 0 when @text is no domain
 */
gsize reroute_domain_normalize_fast (const char *text, gsize length, char *buffer);

/* The domain above @domain: "a.b.c" gives "b.c", the last label and literals give NULL. */
const char *reroute_domain_parent (const char *domain);

gboolean reroute_domain_is_literal (const char *domain);

/* "[IPv6:2001:db8::1]" gives "2001:db8::1"; NULL when @domain is no literal. */
char *reroute_domain_dup_literal_address (const char *domain);

/* How a normal form is shown to a person: U-labels where they convert back to the same. */
char *reroute_domain_to_unicode (const char *domain);

G_END_DECLS
