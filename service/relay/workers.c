/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * workers.c - how many threads there are, and how many of them accept
 *
 * They are made when the relay starts, for the processors that it may run on; the setting acts
 * without a restart, within that number.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/workers.h"

#define LEAST 4
#define MOST 64

guint
reroute_workers_count (void)
{
  return CLAMP (g_get_num_processors (), LEAST, MOST);
}

guint
reroute_workers_count_accepting (RerouteRuleset *ruleset, guint n_workers, gint64 *wanted)
{
  g_return_val_if_fail (wanted != NULL, 1);

  gint64 before = *wanted;
  *wanted = ruleset != NULL ? reroute_settings_get_number (reroute_ruleset_get_settings (ruleset),
                                                           REROUTE_SETTING_WORKERS)
                            : 1;
  if (*wanted > n_workers && *wanted != before)
    g_message ("the setting workers asks for %" G_GINT64_FORMAT
               " threads: %u are used, the most for "
               "%u processors",
               *wanted,
               n_workers,
               g_get_num_processors ());
  return (guint) MIN (*wanted, n_workers);
}
