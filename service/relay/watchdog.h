/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/spool.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteWatchdog:
 *
 * Tells the service manager, as often as it wants, that the relay goes on: the main loop that runs
 * this, every worker, which has answered since the last time, and the spool's writer, which has
 * nothing to do or has done some of it.  While one of them hangs the manager is told which, and
 * nothing else, and will end the relay.
 */
typedef struct _RerouteWatchdog RerouteWatchdog;

/* All goes on again; the status that was told before counts again. */
typedef void (*RerouteWatchdogFunc) (gpointer user_data);

/* @workers: (array length=n_workers): started; borrowed, like @spool.  Returns: (transfer full)
   (nullable): NULL when the service manager wants to hear nothing. */
RerouteWatchdog *reroute_watchdog_new (RerouteSpool *spool,
                                       RerouteWorker *const *workers,
                                       guint n_workers,
                                       RerouteWatchdogFunc recovered,
                                       gpointer user_data);

/* The workers may run on, but not for ever. */
void reroute_watchdog_free (RerouteWatchdog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteWatchdog, reroute_watchdog_free)

G_END_DECLS
