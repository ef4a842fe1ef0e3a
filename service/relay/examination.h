/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * reroute_examination_run_async:
 * @parts: borrowed until @cancellable is cancelled
 * @checks: (array zero-terminated=1): words of common/diagnosis; those that are not ours are passed
 *   over
 * @domain: in normal form, or "": where the way out is tried
 * @cancellable: no part is asked once it is cancelled
 *
 * Looks whether the relay is set up well: all checks side by side, in the main thread and the
 * scheduler's, within REROUTE_LIMIT_EXAMINATION_S.
 */
void reroute_examination_run_async (const RerouteRelayParts *parts,
                                    const char *const *checks,
                                    const char *domain,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);

/* (transfer full) (element-type RerouteDiagnosis): in the order of the checks */
GPtrArray *reroute_examination_finish (GAsyncResult *result, GError **error);

G_END_DECLS
