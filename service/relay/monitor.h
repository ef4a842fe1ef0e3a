/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/* @parts: borrowed.  @endpoints: (nullable): instead of those of the setting metrics-listen;
   borrowed */
RerouteMonitor *reroute_monitor_new (const RerouteRelayParts *parts, char *const *endpoints);
void reroute_monitor_free (RerouteMonitor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMonitor, reroute_monitor_free)

/* Tries again to listen where the settings say, and the system has refused it. */
void reroute_monitor_listen (RerouteMonitor *self);

/* Listens where the settings health-listen and metrics-listen say from now on; what the system
   refuses is logged, and the others are served. */
void reroute_monitor_set_settings (RerouteMonitor *self, const RerouteSettings *settings);

/* (transfer full): the endpoints where /metrics is served */
GStrv reroute_monitor_list_metrics (const RerouteMonitor *self);

G_END_DECLS
