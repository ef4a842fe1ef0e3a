/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* The connections that the limit of open files leaves room for. */
typedef struct
{
  guint64 limit;  /* open files that this process may have */
  guint64 needed; /* that it takes when all connections are there that the settings allow */
  guint inbound;  /* connections from clients, each with its connections to mail filters */
  guint outbound; /* connections to other hosts */
} RerouteDescriptorShare;

/* As many as the system lets this process have. */
void reroute_descriptors_raise_limit (void);

/**
 * reroute_descriptors_share:
 * @n_workers: that there are
 * @limit: of open files
 * @share: (out)
 *
 * Pure arithmetic.  Where not all connections have room, those from clients and those to other
 * hosts are lessened alike, and one of each is left whatever the limit.
 */
void reroute_descriptors_share (const RerouteSettings *settings,
                                guint n_workers,
                                guint64 limit,
                                RerouteDescriptorShare *share);

/**
 * reroute_descriptors_fit:
 * @share: (inout): of the ruleset before, all zero before the first; then of this one
 *
 * So that no connection is accepted, and none is opened, that takes the last open file from a
 * message on its way.  What does not fit is told in the log, once.
 *
 * Returns: (transfer full): @ruleset where all connections have room, else one whose
 *   max-inbound-connections and max-outbound-connections have
 */
RerouteRuleset *
reroute_descriptors_fit (RerouteRuleset *ruleset, guint n_workers, RerouteDescriptorShare *share);

G_END_DECLS
