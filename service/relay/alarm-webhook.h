/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/alarm.h"
#include "common/settings.h"
#include "service/relay/secrets-keeper.h"

G_BEGIN_DECLS

/**
 * RerouteAlarmWebhook:
 *
 * Posts each alarm that is raised or cleared to the address of the setting alarm-webhook, as a JSON
 * object, one at a time and in order.  What is not taken with a status of success is posted again,
 * less and less often, for REROUTE_LIMIT_ALARM_GIVE_UP_S; what goes wrong is logged.  Lives in the
 * main context.
 */
typedef struct _RerouteAlarmWebhook RerouteAlarmWebhook;

/* @secrets: borrowed: what the setting alarm-webhook-account stands for */
RerouteAlarmWebhook *reroute_alarm_webhook_new (const RerouteSecretsKeeper *secrets);
/* What was not taken is not posted any more. */
void reroute_alarm_webhook_free (RerouteAlarmWebhook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAlarmWebhook, reroute_alarm_webhook_free)

/* Where to: what waits goes to another address at once, and nowhere without one. */
void reroute_alarm_webhook_set_settings (RerouteAlarmWebhook *self,
                                         const RerouteSettings *settings);

/* @hostname: who tells it */
void reroute_alarm_webhook_tell (RerouteAlarmWebhook *self,
                                 const char *hostname,
                                 const RerouteAlarm *alarm,
                                 gboolean raised);

G_END_DECLS
