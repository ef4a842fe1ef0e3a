/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/alarm.h"

G_BEGIN_DECLS

/**
 * RerouteAlarmCommand:
 *
 * Has a program run for each alarm that is raised or cleared, one at a time and in order.  Its
 * arguments: the name of the alarm, "raised" or "cleared", the subject, the sentence, the advice.
 * What goes wrong is logged.  Lives in the main context.
 */
typedef struct _RerouteAlarmCommand RerouteAlarmCommand;

/* @helper: of reroute_token_helper_start(), which is duplicated; -1: there is none */
RerouteAlarmCommand *reroute_alarm_command_new (int helper);
/* What was not begun is not run any more. */
void reroute_alarm_command_free (RerouteAlarmCommand *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAlarmCommand, reroute_alarm_command_free)

/* @program: its bare name */
void reroute_alarm_command_tell (RerouteAlarmCommand *self,
                                 const char *program,
                                 const RerouteAlarm *alarm,
                                 gboolean raised);

G_END_DECLS
