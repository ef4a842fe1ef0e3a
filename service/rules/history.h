/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/proposal.h"
#include "service/rules/store.h"

G_BEGIN_DECLS

/* The generations that were saved, with what each changed.  Errors: as of the store. */

/* Inside the transaction that saves @proposal; forgets generations beyond the limits. */
gboolean reroute_history_add (RerouteStore *store, const RerouteProposal *proposal, GError **error);

/* Forgets the generations beyond %REROUTE_LIMIT_HISTORY_GENERATIONS, and the oldest of those that
   have more than @most_changes changes in all, but not the %REROUTE_LIMIT_HISTORY_LEAST newest. */
gboolean reroute_history_forget (RerouteStore *store, guint64 most_changes, GError **error);

/**
 * reroute_history_take_over:
 * @store: without a history, inside the transaction that saves @proposal
 * @from: a copy of another database; read by the codec
 *
 * Brings the history of @from along; behind it comes the generation of @proposal, which changed
 * nothing.
 *
 * Errors: also %REROUTE_ERROR_STORE_VERSION for a history that cannot be understood.
 */
gboolean reroute_history_take_over (RerouteStore *store,
                                    RerouteStore *from,
                                    const RerouteProposal *proposal,
                                    GError **error);

/* FALSE stops. */
typedef gboolean (*RerouteHistoryFunc) (guint64 serial,
                                        gint64 when_us,
                                        const char *who,
                                        const char *summary,
                                        guint n_changes,
                                        gpointer user_data);

/* Newest first, those under @before (0: all), at most @limit. */
gboolean reroute_history_read (RerouteStore *store,
                               guint64 before,
                               guint limit,
                               RerouteHistoryFunc func,
                               gpointer user_data,
                               GError **error);

/* Whether every generation over @serial, up to the newest, is kept; @n_changes (out): how many
   changes they have. Errors: %REROUTE_ERROR_NO_SUCH_SERIAL when not. */
gboolean
reroute_history_reaches (RerouteStore *store, guint64 serial, guint64 *n_changes, GError **error);

/* Whether the generation itself is kept.  Errors: %REROUTE_ERROR_NO_SUCH_SERIAL when not. */
gboolean reroute_history_has (RerouteStore *store, guint64 serial, GError **error);

/* The generation over @since that was saved by @call, a reroute_outcomes_name(); 0: none that is
 * kept. */
gboolean reroute_history_find_call (
  RerouteStore *store, guint64 since, const char *call, guint64 *serial, GError **error);

/* FALSE stops. */
typedef gboolean (*RerouteDeltaFunc) (const RerouteDelta *delta, gpointer user_data);

/* Some of the changes of the generations over @since, up to @until. */
typedef struct
{
  guint64 since;
  guint64 until;
  guint offset; /* changes to pass over */
  guint limit;
} RerouteHistoryRange;

/* In order. */
gboolean reroute_history_read_deltas (RerouteStore *store,
                                      const RerouteHistoryRange *range,
                                      RerouteDeltaFunc func,
                                      gpointer user_data,
                                      GError **error);

/**
 * reroute_history_undo:
 *
 * The edit that leads from the newest generation back to @serial.
 *
 * Errors: %REROUTE_ERROR_NO_SUCH_SERIAL.
 *
 * Returns: (transfer full) (element-type RerouteChange): for reroute_proposal_new() with restores
 */
GPtrArray *reroute_history_undo (RerouteStore *store, guint64 serial, GError **error);

G_END_DECLS
