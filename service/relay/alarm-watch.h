/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"
#include "service/relay/relay-service.h"

G_BEGIN_DECLS

/**
 * RerouteAlarmWatch:
 *
 * Looks every REROUTE_LIMIT_ALARM_LOOK_S at what may raise an alarm, and tells the log, the bus,
 * the command and the web server of the settings.  Lives in the main context.
 */
typedef struct _RerouteAlarmWatch RerouteAlarmWatch;

/**
 * reroute_alarm_watch_new:
 * @parts: borrowed
 * @rules: before it is started
 * @service: gets the alarms
 * @helper: of reroute_token_helper_start(), which is duplicated; -1: there is none
 */
RerouteAlarmWatch *reroute_alarm_watch_new (const RerouteRelayParts *parts,
                                            RerouteRulesClient *rules,
                                            RerouteRelayService *service,
                                            int helper);
/* Before the scheduler is stopped. */
void reroute_alarm_watch_free (RerouteAlarmWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAlarmWatch, reroute_alarm_watch_free)

G_END_DECLS
