/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "gui/relay-watch.h"

G_BEGIN_DECLS

/**
 * RerouteAlarmNotices:
 *
 * Shows each alarm of the relay as a notification of the desktop, and takes it back when the alarm
 * is over, the relay is gone, or the dialog ends.
 */
typedef struct _RerouteAlarmNotices RerouteAlarmNotices;

/* Both are borrowed. */
RerouteAlarmNotices *reroute_alarm_notices_new (GApplication *application,
                                                RerouteRelayWatch *watch);
void reroute_alarm_notices_free (RerouteAlarmNotices *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAlarmNotices, reroute_alarm_notices_free)

G_END_DECLS
