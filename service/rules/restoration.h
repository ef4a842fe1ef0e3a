/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/proposal.h"
#include "service/rules/store.h"

G_BEGIN_DECLS

/**
 * RerouteRestoration:
 *
 * What a backup holds, every row and setting of it understood: it can become a generation.  The
 * copy that it was read from stays open, for its history.
 */
typedef struct _RerouteRestoration RerouteRestoration;

/**
 * reroute_restoration_open:
 * @path: a copy that somebody sent; it is migrated in place
 * @like: a database whose tables it must have
 * @cancellable: (nullable): ends this, and what is read of the copy later
 *
 * Errors: %REROUTE_ERROR_STORE_VERSION for what is no backup that can be restored;
 *   %REROUTE_ERROR_STORE; %G_IO_ERROR_CANCELLED.
 */
RerouteRestoration *reroute_restoration_open (const char *path,
                                              RerouteStore *like,
                                              GCancellable *cancellable,
                                              GError **error);
RerouteRestoration *reroute_restoration_ref (RerouteRestoration *self);
void reroute_restoration_unref (RerouteRestoration *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRestoration, reroute_restoration_unref)

/* Of the backup, as it was taken. */
RerouteRuleset *reroute_restoration_get_ruleset (RerouteRestoration *self);
/* The copy; one thread at a time. */
RerouteStore *reroute_restoration_get_store (RerouteRestoration *self);

/* Whether @base never held anything, so that the backup brings its ids and its history along. */
gboolean reroute_restoration_takes_over (RerouteRestoration *self, RerouteRuleset *base);

/* How the backup differs from a generation. */
typedef struct
{
  guint n_added;
  guint n_changed;
  guint n_removed;
  guint n_set; /* settings */
} RerouteRestorationFigures;

/**
 * reroute_restoration_dup_changes:
 * @figures: (out) (optional)
 *
 * The edit that makes of @base what the backup holds.  A row keeps the id that its page, domain and
 * match have in @base; others get new ones, for those of the backup may have been given to other
 * rows since.
 *
 * Returns: (transfer full) (element-type RerouteChange)
 */
GPtrArray *reroute_restoration_dup_changes (RerouteRestoration *self,
                                            RerouteRuleset *base,
                                            RerouteRestorationFigures *figures,
                                            GError **error);

/**
 * reroute_restoration_take_over:
 * @base: one that the backup takes over
 * @origin: who restores, and when
 *
 * Everything as it was, ids and who changed it included, in the generation after the backup's.
 * For reroute_rulebook_adopt().
 */
RerouteProposal *reroute_restoration_take_over (RerouteRestoration *self,
                                                RerouteRuleset *base,
                                                const RerouteProposalOrigin *origin,
                                                GError **error);

G_END_DECLS
