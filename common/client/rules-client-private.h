/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"

G_BEGIN_DECLS

RerouteBus *reroute_rules_client_get_bus (RerouteRulesClient *self);
void reroute_rules_client_report_progress (RerouteRulesClient *self, double fraction);

G_END_DECLS
