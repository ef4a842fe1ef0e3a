/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/host.h"
#include "common/routing-entry.h"
#include "common/row.h"

G_BEGIN_DECLS

/* Everything a row of any page is made of, checked already. */
typedef struct
{
  ReroutePage page;
  RerouteRowFields fields; /* domain in normal form, comment and changed_by not NULL */
  RerouteRoutingAction action;
  const char *target;     /* (nullable) */
  const char *target_key; /* (nullable) */
  RerouteHosts *hosts;    /* (nullable) */
} RerouteRowParts;

/* Checks the fields both pages share.  @noun starts the messages.  On success @parts holds them;
   its domain points to @domain, of REROUTE_LIMIT_DOMAIN_OCTETS + 1 octets. */
gboolean reroute_row_parts_init (RerouteRowParts *parts,
                                 ReroutePage page,
                                 const RerouteRowFields *fields,
                                 const char *noun,
                                 char *domain,
                                 GError **error);

/* The same for a recipient: @key as its domain, borrowed, a comment, and nothing else. */
gboolean reroute_row_parts_init_recipient (RerouteRowParts *parts,
                                           const RerouteRowFields *fields,
                                           const char *key,
                                           GError **error);

/* One allocation for the row and its strings; a reference of the hosts is taken. */
gpointer reroute_row_assemble (const RerouteRowParts *parts);

G_END_DECLS
