/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * try-tls.c - how TLS went with the hosts of a try, for reports to their domains
 *
 * Hosts that DNS named for a domain count; one that the administrator typed is her own choice.
 * Mail whose sender puts delivery above TLS, as our reports are, says nothing of it.
 *
 * Standards: RFC 8460 sections 3 (reports are not reported on), 4.3.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"
#include "service/relay/deliver/tls-reporter.h"

gboolean
reroute_try_counts_tls (RerouteTry *self)
{
  return reroute_tls_reporter_is_on (self->scheduler->tls_reporter) &&
         self->delivery->tls_level != REROUTE_TLS_NONE &&
         !reroute_queued_get_envelope (self->queued)->tls_optional;
}

static void
count (RerouteTry *self, const RerouteTlsResult *result)
{
  if (result->endpoint->domain != NULL)
    reroute_tls_reporter_add (self->scheduler->tls_reporter, result->endpoint->domain, result);
}

void
reroute_try_count_sessions (RerouteTry *self, const RerouteDelivery *delivery)
{
  for (guint i = 0; i < delivery->tls_results->len; i++)
    {
      const RerouteSessionTls *session =
        &g_array_index (delivery->tls_results, RerouteSessionTls, i);
      const RerouteTlsResult result = {
        .verdict = session->verdict,
        .endpoint = &g_array_index (delivery->endpoints, RerouteEndpoint, session->endpoint),
        .sending = &session->sending,
        .reason = session->reason,
      };

      count (self, &result);
    }
}

/* A host with several addresses stands there several times. */
static gboolean
is_repeated (const GArray *endpoints, guint index)
{
  return index > 0 && g_str_equal (g_array_index (endpoints, RerouteEndpoint, index - 1).name,
                                   g_array_index (endpoints, RerouteEndpoint, index).name);
}

void
reroute_try_count_passed_over (RerouteTry *self, const RerouteNextHop *next_hop)
{
  RerouteTlsResult result = { .verdict = REROUTE_TLS_VERDICT_VALIDATION_FAILURE,
                              .reason = REROUTE_TLS_REASON_BARRED };

  for (guint i = 0; i < next_hop->endpoints->len; i++)
    {
      result.endpoint = &g_array_index (next_hop->endpoints, RerouteEndpoint, i);
      if (reroute_endpoint_is_barred (result.endpoint, self->delivery->tls_level) &&
          !is_repeated (next_hop->endpoints, i))
        count (self, &result);
    }
  result.verdict = REROUTE_TLS_VERDICT_DNSSEC_INVALID;
  result.reason = NULL;
  for (guint i = 0; next_hop->unproven != NULL && i < next_hop->unproven->len; i++)
    {
      result.endpoint = &g_array_index (next_hop->unproven, RerouteEndpoint, i);
      if (!is_repeated (next_hop->unproven, i))
        count (self, &result);
    }
}
