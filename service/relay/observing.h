/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How closely the relay is watched: its log, and what happens to messages. */

#pragma once

#include "common/settings.h"
#include "service/relay/track/tracker.h"

G_BEGIN_DECLS

/* Takes up the settings log-levels, track-days and track-size.  @tracker: (nullable): NULL: they
   are no more than the defaults, by which nothing that is kept is deleted */
void reroute_observing_set_settings (RerouteTracker *tracker, const RerouteSettings *settings);

G_END_DECLS
