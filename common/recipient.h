/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/address.h"
#include "common/row.h"

G_BEGIN_DECLS

/**
 * reroute_recipient_new:
 * @fields: the address as domain, comment and provenance; everything else has no meaning here and
 *   stands at its default
 *
 * One row of the lists of recipients that exist, which entries with the check "list" ask.  Its
 * domain is the key of the address (reroute_recipient_dup_key()); it is exact and enabled always.
 *
 * Errors: %REROUTE_ERROR_ADDRESS, %REROUTE_ERROR_VALUE.
 */
RerouteRow *reroute_recipient_new (const RerouteRowFields *fields, GError **error);

/* How a mailbox stands in the lists: its local part without case and without quotation marks that
   it does not need, "@", @domain.
   @n_local: how much of the local part counts, in octets; it ends at no quotation mark but the last
   @domain: in normal form; (transfer full) */
char *reroute_recipient_dup_key (const RerouteAddress *address, gsize n_local, const char *domain);

/* How long the local part is without what stands behind its first "+" (user+tag); the whole of one
   that is quoted, begins with it or has none. */
gsize reroute_recipient_get_base_octets (const RerouteAddress *address);

/* The domain of a row of the lists; borrowed from it. */
const char *reroute_recipient_get_domain (const RerouteRow *row);

/* Whether the list of an entry for @domain takes addresses of @row's domain: the same, or one below
   it. */
gboolean reroute_recipient_is_below (const RerouteRow *row, const char *domain);

/* What "@test.com word" as the filter of a page of recipients asks for: the list of test.com, and
   of it what the word stands in, without case; "@test.com" is all of it.
   @word: (out): borrowed from @filter; "" when there is none
   Returns: (transfer full) (nullable): the domain in normal form; %NULL for any other filter */
char *reroute_recipient_filter_dup_domain (const char *filter, const char **word);

/**
 * reroute_recipient_parse_line:
 * @line: an address, or a local part that gets @domain
 * @domain: of the list, in normal form
 *
 * A line of a list as a person writes it.
 *
 * Errors: %REROUTE_ERROR_ADDRESS, also for an address of a domain that is neither @domain nor
 *   below it.
 *
 * Returns: (transfer full): the row, without an id, or %NULL
 */
RerouteRow *reroute_recipient_parse_line (const char *line, const char *domain, GError **error);

G_END_DECLS
