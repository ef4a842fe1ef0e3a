/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * figures.c - the figures of all parts of the relay, gathered
 */

#include "config.h"

#include "service/relay/figures.h"

#include <sys/statvfs.h>

static void
gather_queue (const RerouteRelayParts *parts, RerouteFigures *figures)
{
  RerouteSchedulerFigures *queue = &figures->queue;

  reroute_scheduler_get_figures (parts->scheduler, queue);
  g_clear_pointer (&queue->dns, g_free);
  if (queue->oldest_us == 0)
    return;
  gint64 age_us = g_get_real_time () - queue->oldest_us;
  figures->oldest_age_us = MAX (age_us, 0);
}

static void
gather_spool (const RerouteRelayParts *parts, RerouteFigures *figures)
{
  struct statvfs disk;

  reroute_spool_get_figures (parts->spool, &figures->spool);
  if (fstatvfs (reroute_spool_get_directory_fd (parts->spool), &disk) == 0)
    figures->free_octets = (guint64) disk.f_bavail * disk.f_frsize;
}

void
reroute_figures_gather (const RerouteRelayParts *parts, RerouteFigures *figures)
{
  g_return_if_fail (parts != NULL && figures != NULL);

  *figures = (RerouteFigures){
    .rules_held = parts->ruleset != NULL,
    .serial = parts->ruleset != NULL ? reroute_ruleset_get_serial (parts->ruleset) : 0,
    .rules_us = parts->rules_us,
    .is_listening = parts->listeners->len > 0,
    .is_stopping = parts->is_stopping,
    .sessions = reroute_admission_get_n_sessions (parts->admission),
  };
  reroute_admission_get_refused (parts->admission, figures->refused);
  for (guint i = 0; i < parts->n_workers; i++)
    for (guint j = 0; j < REROUTE_N_TALLIES; j++)
      figures->tallies[j] +=
        reroute_tallies_get (reroute_worker_get_tallies (parts->workers[i]), j);
  gather_queue (parts, figures);
  gather_spool (parts, figures);
}

const char *
reroute_figures_judge_ready (const RerouteFigures *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->is_stopping)
    return "the relay is stopping";
  if (!self->rules_held)
    return "no rules are held yet";
  if (!self->is_listening)
    return "mail is received nowhere yet";
  if (!self->queue.is_restored)
    return "the queue is being read";
  return self->spool.writable ? NULL : "the queue takes no mail: its disk is full or failed";
}
