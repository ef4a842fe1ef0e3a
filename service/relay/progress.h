/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/spool.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteProgress:
 *
 * Whether all threads that must move do: every worker has answered since the last look, and the
 * spool's writer has nothing to do or has done some of it.
 */
typedef struct _RerouteProgress RerouteProgress;

/* @workers: (array length=n_workers): started; borrowed, like @spool */
RerouteProgress *
reroute_progress_new (RerouteSpool *spool, RerouteWorker *const *workers, guint n_workers);
/* The workers may run on, but not for ever. */
void reroute_progress_free (RerouteProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteProgress, reroute_progress_free)

/* Who has not moved since the last look, "worker 0"; (transfer full) (nullable): nobody.  Asks
   anew, so that there is something to see at the next look. */
char *reroute_progress_look (RerouteProgress *self);

G_END_DECLS
