/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"
#include "common/ruleset-check.h"

G_BEGIN_DECLS

/**
 * reroute_mx_survey_async:
 * @relay: who asks DNS
 * @domains: (array zero-terminated=1): copied
 * @callback: called in the thread-default main context
 *
 * Asks where the MX of @domains leads, many at once, for %REROUTE_LIMIT_MX_SURVEY_MS and one answer
 * more at most.  A relay that is away, or stays silent, is asked no further.
 */
void reroute_mx_survey_async (RerouteRelayClient *relay,
                              const char *const *domains,
                              GAsyncReadyCallback callback,
                              gpointer user_data);

/* (transfer full): it cannot fail; what was not asked, or not answered in a rush, is not in it. */
RerouteMxFacts *reroute_mx_survey_finish (GAsyncResult *result);

G_END_DECLS
