/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"
#include "common/ruleset.h"

G_BEGIN_DECLS

/**
 * reroute_rules_changes_since_async:
 *
 * Every change after the generation @since, in as many calls as it takes.
 *
 * Errors: %REROUTE_ERROR_NO_SUCH_SERIAL when the history does not reach back.
 */
void reroute_rules_changes_since_async (RerouteBus *bus,
                                        guint64 since,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
GPtrArray *
reroute_rules_changes_since_finish (GAsyncResult *result, guint64 *serial, GError **error);

/**
 * reroute_rules_load_async:
 * @held: (nullable): the generation that the caller has
 *
 * The newest generation: from @held by its changes, or anew in pages when there is
 * none, the history does not reach back to it, or too much changed since.  Someone who saves
 * meanwhile does not start it over: pages of several generations are brought to the newest by what
 * changed since the first.
 */
void reroute_rules_load_async (RerouteBus *bus,
                               RerouteRuleset *held,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
RerouteRuleset *reroute_rules_load_finish (GAsyncResult *result, GError **error);

G_END_DECLS
