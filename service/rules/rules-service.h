/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"
#include "service/rules/rulebook.h"

G_BEGIN_DECLS

/**
 * RerouteRulesService:
 *
 * The object at /org/reroute/Rules: authorises, decodes, answers, announces.
 */
#define REROUTE_TYPE_RULES_SERVICE (reroute_rules_service_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRulesService, reroute_rules_service, REROUTE, RULES_SERVICE, GObject)

/* @rulebook: borrowed; outlives the service */
RerouteRulesService *reroute_rules_service_new (RerouteBus *bus, RerouteRulebook *rulebook);

/* Exports the object, then owns the name; see reroute_bus_publish(). */
void reroute_rules_service_publish (RerouteRulesService *self);

/* Takes the object off the bus and lets what is being saved come to its end; then @stopped is
   called, perhaps at once. */
void reroute_rules_service_stop (RerouteRulesService *self,
                                 void (*stopped) (gpointer user_data),
                                 gpointer user_data);

G_END_DECLS
