/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_ROUTING_INBOUND, /* to the inbound host */
  REROUTE_ROUTING_REROUTE, /* the domain is replaced by the target */
  REROUTE_ROUTING_RELAY,   /* recipient unchanged, next hop from Connections */
} RerouteRoutingAction;

/* One row of the Routing page: "E-mail sent to this domain" (Q190710, xog05015). */
typedef struct
{
  RerouteRow row;
  RerouteRoutingAction action;
  char *target;     /* as typed, trimmed; "[192.0.2.10]" for a literal; NULL unless rerouted */
  char *target_key; /* its normal form; NULL unless rerouted */
} RerouteRoutingEntry;

/**
 * reroute_routing_entry_new:
 * @target: (nullable): the domain or address literal to reroute to; only with
 *   %REROUTE_ROUTING_REROUTE
 *
 * The only validation of a Routing entry there is.  The error message starts with the field:
 * "sent-to domain “a..b” …", "target “…” …".
 *
 * Errors: %REROUTE_ERROR_DOMAIN, %REROUTE_ERROR_VALUE (comment over its limit, target missing or
 *   of no use).
 */
RerouteRoutingEntry *reroute_routing_entry_new (const RerouteRowFields *fields,
                                                RerouteRoutingAction action,
                                                const char *target,
                                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRoutingEntry, reroute_row_unref)

const char *
reroute_routing_action_to_string (RerouteRoutingAction action); /* "inbound", "reroute", "relay" */
gboolean
reroute_routing_action_from_string (const char *text, RerouteRoutingAction *action, GError **error);

G_END_DECLS
