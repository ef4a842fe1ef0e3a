/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* How many threads are made: all work for the scheduler. */
guint reroute_workers_count (void);

/**
 * reroute_workers_count_accepting:
 * @ruleset: (nullable): whose setting says how many are wanted; %NULL: one
 * @n_workers: that were made
 * @wanted: (inout): what was wanted at the call before; 0 before the first
 *
 * How many of the threads accept.  That they are fewer than wanted is told in the log, once.
 */
guint reroute_workers_count_accepting (RerouteRuleset *ruleset, guint n_workers, gint64 *wanted);

G_END_DECLS
