/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* Where mail is received and by which rules, for systemctl(1) status.  @listeners: (element-type
   RerouteListener); @ruleset: (nullable) */
void reroute_supervision_report (const GPtrArray *listeners, RerouteRuleset *ruleset);

/**
 * reroute_supervision_take_sockets:
 * @sockets: (element-type RerouteHandedSocket): gets what the service manager has handed over
 *
 * Once.  Errors: as reroute_handed_socket_new().
 */
gboolean reroute_supervision_take_sockets (GPtrArray *sockets, GError **error);

G_END_DECLS
