/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/alarm.h"
#include "common/client/relay-client.h"

G_BEGIN_DECLS

/**
 * RerouteRelayWatch:
 *
 * Whether the relay runs, which generation of the rules it uses, what it says of its own, and its
 * alarms.
 *
 * Signal "changed" (): any of that.
 */
#define REROUTE_TYPE_RELAY_WATCH (reroute_relay_watch_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRelayWatch, reroute_relay_watch, REROUTE, RELAY_WATCH, GObject)

RerouteRelayWatch *reroute_relay_watch_new (RerouteBus *bus);

/* (transfer none): to ask the relay something. */
RerouteRelayClient *reroute_relay_watch_get_client (RerouteRelayWatch *self);
gboolean reroute_relay_watch_is_available (RerouteRelayWatch *self);
guint64 reroute_relay_watch_get_serial (RerouteRelayWatch *self); /* 0: not known */
/* (nullable): how the relay calls itself. */
const char *reroute_relay_watch_get_host_name (RerouteRelayWatch *self);
/* (nullable): why the relay cannot use the certificates of the settings, in its own words. */
const char *reroute_relay_watch_get_tls_failure (RerouteRelayWatch *self);
/* (nullable): why it is not kept just now what becomes of messages, in the relay's own words. */
const char *reroute_relay_watch_get_track_failure (RerouteRelayWatch *self);
/* (element-type RerouteAlarm): those that are raised, the oldest first; borrowed until "changed" */
const GPtrArray *reroute_relay_watch_get_alarms (RerouteRelayWatch *self);
/* Asks again: something was saved. */
void reroute_relay_watch_ask (RerouteRelayWatch *self);

G_END_DECLS
