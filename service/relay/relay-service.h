/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/**
 * RerouteRelayService:
 *
 * org.reroute.Relay1: the relay on the bus (common/org.reroute.Relay1.xml).
 */
#define REROUTE_TYPE_RELAY_SERVICE (reroute_relay_service_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRelayService, reroute_relay_service, REROUTE, RELAY_SERVICE, GObject)

/* @parts: borrowed, until reroute_relay_service_close() */
RerouteRelayService *reroute_relay_service_new (const RerouteRelayParts *parts);

/* Exports the object and owns the name: the relay is ready. */
void reroute_relay_service_publish (RerouteRelayService *self);
/* Off the bus; calls that still run fail. */
void reroute_relay_service_close (RerouteRelayService *self);

/* Tells the bus which alarms are raised.  @alarms: a REROUTE_ALARMS_TYPE; consumed when floating */
void reroute_relay_service_set_alarms (RerouteRelayService *self, GVariant *alarms);

/* Tells the bus that another generation is run. */
void reroute_relay_service_set_serial (RerouteRelayService *self, guint64 serial);

G_END_DECLS
