/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/**
 * RerouteHealth:
 *
 * http://LOOPBACK:PORT/healthz: 200 when rules are held and the spool takes mail, else 503; both
 * with a JSON object that says which.  Runs in the main context.
 */
typedef struct _RerouteHealth RerouteHealth;

/* @parts: borrowed */
RerouteHealth *reroute_health_new (const RerouteRelayParts *parts);
void reroute_health_free (RerouteHealth *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteHealth, reroute_health_free)

/**
 * reroute_health_set_endpoints:
 * @endpoints: (array zero-terminated=1): loopback "ADDRESS:PORT"; none switches it off
 *
 * Errors: %REROUTE_ERROR_VALUE for an address that is not loopback; %REROUTE_ERROR_UNAVAILABLE
 *   when the system refuses.  The others are served nevertheless.
 */
gboolean
reroute_health_set_endpoints (RerouteHealth *self, const char *const *endpoints, GError **error);

G_END_DECLS
