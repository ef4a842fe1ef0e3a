/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/peer.h"
#include "common/client/rules-client.h"

G_BEGIN_DECLS

RerouteBus *reroute_rules_client_get_bus (RerouteRulesClient *self);
void reroute_rules_client_report_progress (RerouteRulesClient *self, double fraction);
/* A Commit, Apply, Revert or RestoreCommit whose answer was lost. */
typedef struct
{
  ReroutePeerMark *mark;
  guint64 expected_serial;
} RerouteLostCall;

/* @mark: (transfer full) */
RerouteLostCall *reroute_lost_call_new (ReroutePeerMark *mark, guint64 expected_serial);
void reroute_lost_call_free (RerouteLostCall *self);

/* REROUTE_ERROR_OUTCOME; @why: in the reader's language */
GError *reroute_lost_call_new_error (const char *why);

/**
 * reroute_rules_client_commit_async:
 * @method: one that answers as Commit does
 * @arguments: (transfer floating)
 * @cancellable: (nullable): ends the waiting, with %REROUTE_ERROR_OUTCOME once the call was sent
 *
 * Calls it, and finds out what became of it when the answer is lost.
 */
void reroute_rules_client_commit_async (RerouteRulesClient *self,
                                        const char *method,
                                        GVariant *arguments,
                                        guint64 expected_serial,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
/* @recovered: the answer was lost, and found out.  Returns: (transfer full) (nullable): it */
GVariant *
reroute_rules_client_commit_finish (GAsyncResult *result, gboolean *recovered, GError **error);

/* The same for who has nothing to do but that; reroute_rules_client_apply_finish() ends it. */
void reroute_rules_client_save_async (RerouteRulesClient *self,
                                      const char *method,
                                      GVariant *arguments,
                                      guint64 expected_serial,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);

/* What reroute_rules_client_settle_async() asks about.  @lost: (transfer full) (nullable) */
void reroute_rules_client_set_lost (RerouteRulesClient *self, RerouteLostCall *lost);
const RerouteLostCall *reroute_rules_client_get_lost (RerouteRulesClient *self);

G_END_DECLS
