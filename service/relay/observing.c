/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * observing.c - how closely the relay is watched
 */

#include "config.h"

#include "service/relay/observing.h"

#include "service/relay/log-writer.h"

static void
set_log_levels (const RerouteSettings *settings)
{
  RerouteLogLevel levels[REROUTE_N_LOG_CATEGORIES];

  if (reroute_log_levels_parse (
        reroute_settings_get_text (settings, REROUTE_SETTING_LOG_LEVELS), levels, NULL))
    reroute_log_writer_set_levels (levels);
}

void
reroute_observing_set_settings (RerouteTracker *tracker, const RerouteSettings *settings)
{
  g_return_if_fail (settings != NULL);

  set_log_levels (settings);
  if (tracker != NULL)
    reroute_tracker_configure (
      tracker,
      (guint) reroute_settings_get_number (settings, REROUTE_SETTING_TRACK_DAYS),
      (guint64) reroute_settings_get_number (settings, REROUTE_SETTING_TRACK_SIZE));
}
