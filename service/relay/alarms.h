/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/alarm.h"

G_BEGIN_DECLS

/**
 * RerouteAlarms:
 *
 * The alarms that are raised.  Whoever looks at the conditions says what it sees; what it does not
 * see any more is cleared at the end of its look.  No clock, no timer.
 */
typedef struct _RerouteAlarms RerouteAlarms;

/* An alarm was raised, says something else, or was cleared; @alarm is borrowed. */
typedef void (*RerouteAlarmsFunc) (const RerouteAlarm *alarm, gboolean raised, gpointer user_data);

RerouteAlarms *reroute_alarms_new (RerouteAlarmsFunc func, gpointer user_data);
void reroute_alarms_free (RerouteAlarms *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAlarms, reroute_alarms_free)

/**
 * reroute_alarms_see:
 * @alarm: (transfer full)
 * @is_over: whether the threshold is passed; %FALSE: it is not, but so nearly that an alarm that is
 *   raised stays
 * @now_us: wall clock
 *
 * One that is raised already keeps the time since when it was; where it says something else now it
 * is told anew.  With REROUTE_LIMIT_ALARMS of its kind raised, a further one waits for room.
 */
void reroute_alarms_see (RerouteAlarms *self, RerouteAlarm *alarm, gboolean is_over, gint64 now_us);
/* The end of a look.  Returns: whether an alarm was told of since the last one */
gboolean reroute_alarms_end_look (RerouteAlarms *self);

/* (element-type RerouteAlarm): those that are raised, the oldest first; borrowed */
const GPtrArray *reroute_alarms_get_raised (const RerouteAlarms *self);

G_END_DECLS
