/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-examine.c - the examination of the relay, over the bus
 */

#include "config.h"

#include "common/client/relay-examine.h"

#include "common/client/relay-client-private.h"
#include "common/diagnosis.h"
#include "common/limits.h"

void
reroute_relay_client_examine_async (RerouteRelayClient *relay,
                                    const char *const *checks,
                                    const char *domain,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (relay) && checks != NULL && domain != NULL);

  reroute_relay_client_start_call (g_task_new (relay, cancellable, callback, user_data),
                                   "Examine",
                                   g_variant_new ("(^ass)", checks, domain),
                                   "(a" REROUTE_DIAGNOSIS_TYPE ")",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GPtrArray *
reroute_relay_client_examine_finish (RerouteRelayClient *relay,
                                     GAsyncResult *result,
                                     GError **error)
{
  g_autoptr (GVariant) diagnoses = reroute_relay_client_finish_values (relay, result, error);

  return diagnoses != NULL ? reroute_diagnoses_from_variant (diagnoses, error) : NULL;
}
