/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watchdog.c - "still alive", from all who must be
 *
 * It looks twice in the interval that the service manager gives.
 *
 * Sources: sd_watchdog_enabled(3), WatchdogSec= in systemd.service(5).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/watchdog.h"

#include "service/relay/progress.h"
#include "service/supervisor.h"

#define LOOKS_PER_INTERVAL 2
#define US_PER_MS 1000

struct _RerouteWatchdog
{
  RerouteProgress *progress;
  guint interval_ms; /* between two looks */
  RerouteWatchdogFunc recovered;
  gpointer user_data;
  gboolean is_stuck;
  guint source_id;
};

static gboolean
look_cb (gpointer user_data)
{
  RerouteWatchdog *self = user_data;
  g_autofree char *stuck = reroute_progress_look (self->progress);
  g_autofree char *sentence = NULL;

  if (stuck == NULL)
    {
      reroute_supervisor_notify ("WATCHDOG=1");
      if (self->is_stuck)
        {
          g_message ("all goes on again");
          self->recovered (self->user_data);
        }
      self->is_stuck = FALSE;
      return G_SOURCE_CONTINUE;
    }
  sentence = g_strdup_printf ("Hangs: %s has not moved for %u ms", stuck, self->interval_ms);
  reroute_supervisor_notify_status (sentence);
  if (!self->is_stuck)
    g_warning ("%s has not moved for %u ms", stuck, self->interval_ms);
  self->is_stuck = TRUE;
  return G_SOURCE_CONTINUE;
}

RerouteWatchdog *
reroute_watchdog_new (RerouteSpool *spool,
                      RerouteWorker *const *workers,
                      guint n_workers,
                      RerouteWatchdogFunc recovered,
                      gpointer user_data)
{
  g_return_val_if_fail (spool != NULL && workers != NULL && recovered != NULL, NULL);

  guint64 interval_us = reroute_supervisor_get_watchdog_us ();
  if (interval_us == 0)
    return NULL;

  RerouteWatchdog *self = g_new0 (RerouteWatchdog, 1);
  self->progress = reroute_progress_new (spool, workers, n_workers);
  self->recovered = recovered;
  self->user_data = user_data;
  self->interval_ms =
    (guint) CLAMP (interval_us / US_PER_MS / LOOKS_PER_INTERVAL, 1, (guint64) G_MAXUINT);
  self->source_id = g_timeout_add (self->interval_ms, look_cb, self);
  return self;
}

void
reroute_watchdog_free (RerouteWatchdog *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->source_id);
  reroute_progress_free (self->progress);
  g_free (self);
}
