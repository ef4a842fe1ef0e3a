/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/**
 * reroute_relay_client_examine_async:
 * @checks: (array zero-terminated=1): words of common/diagnosis
 * @domain: as Relay1.Examine tells; "": none
 */
void reroute_relay_client_examine_async (RerouteRelayClient *relay,
                                         const char *const *checks,
                                         const char *domain,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* (transfer full) (element-type RerouteDiagnosis).  Errors: as the relay gave them;
   %REROUTE_ERROR_UNAVAILABLE, %REROUTE_ERROR_PROTOCOL */
GPtrArray *reroute_relay_client_examine_finish (RerouteRelayClient *relay,
                                                GAsyncResult *result,
                                                GError **error);

G_END_DECLS
