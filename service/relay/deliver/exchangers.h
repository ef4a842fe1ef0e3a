/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/next-hop.h"

G_BEGIN_DECLS

/* Of one domain: which exchangers are looked up, and which of their addresses a try is for.  What
   was found stands in an array of endpoints from @first on, those of one exchanger one behind the
   other, in the order of preference. */

/**
 * reroute_exchangers_order:
 * @records: (element-type RerouteMx): as DNS has them
 * @names: keeps the names of what is returned
 * @ordered: (out caller-allocates) (element-type RerouteMx): %REROUTE_LIMIT_EXCHANGERS at most
 *
 * By preference, equal ones in random order (RFC 5321 5.1).
 */
void reroute_exchangers_order (const GArray *records, GStringChunk *names, GArray *ordered);

/* How many exchangers have to be found, of @n_exchangers that there are: as many as a try can have,
   and where there are more a random number of them, so that each has its turn at some try. */
guint reroute_exchangers_choose_wanted (guint n_exchangers);

/* Whether the addresses of exchanger @index are not needed: enough were found, and none that has
   the same preference as the last is left, for it might be ourselves. */
gboolean reroute_exchangers_are_enough (
  const GArray *mx, guint index, const GArray *endpoints, gsize first, guint n_wanted);

/* Ourselves at @preference: of @endpoints only what is strictly better stays (RFC 5321 5.1). */
void reroute_exchangers_drop_not_better (const GArray *mx,
                                         guint16 preference,
                                         GArray *endpoints,
                                         gsize first);

/* %REROUTE_LIMIT_ADDRESSES_PER_TRY of @endpoints stay, in their order: each exchanger has its turn
   before one has a second.  Of more exchangers than that the first stay, and the last. */
void reroute_exchangers_pick (GArray *endpoints, gsize first);

/* @addresses: (element-type RerouteIp): in random order, IPv6 and IPv4 by turns; with @ipv4_first
   an IPv4 address is the first, if there is one. */
void reroute_exchangers_balance (GArray *addresses, gboolean ipv4_first);

G_END_DECLS
