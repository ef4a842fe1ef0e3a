/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * host-lack.c - what a message needs that not every host has
 *
 * Standards: RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 8689 section 4.2.1 (REQUIRETLS).
 */

#include "config.h"

#include "service/relay/deliver/host-lack.h"

static const struct
{
  const char *status;
  const char *text;
} refusals[] = {
  /* clang-format off */
  { "5.6.3",                "no host of the next hop takes 8-bit content" },
  { "5.6.7",                "no host of the next hop takes internationalized mail" },
  { "5.7.30",               "no host of the next hop keeps mail in TLS (REQUIRETLS)" },
  { REROUTE_HOST_LACKS_TLS, "no host of the next hop has TLS with a certificate that is verified, "
                            "and a name that DNSSEC or MTA-STS vouches for" },
  /* clang-format on */
};

gboolean
reroute_host_must_keep_tls (const RerouteEndpoint *endpoint, const RerouteEnvelope *envelope)
{
  return envelope->requiretls && !endpoint->local;
}

gboolean
reroute_host_is_doubtful (const RerouteEndpoint *endpoint, const RerouteEnvelope *envelope)
{
  return reroute_host_must_keep_tls (endpoint, envelope) && !reroute_endpoint_is_proven (endpoint);
}

const char *
reroute_host_find_lack (RerouteConnection *connection, const RerouteDelivery *delivery)
{
  const RerouteEnvelope *envelope = delivery->message->envelope;
  RerouteSmtpClient *machine = reroute_connection_get_machine (connection);

  if (reroute_delivery_requires_tls (delivery, reroute_connection_get_endpoint (connection)) &&
      !reroute_smtp_client_offers_requiretls (machine))
    return "5.7.30";
  if (envelope->body_8bitmime && !reroute_smtp_client_offers_8bitmime (machine))
    return "5.6.3";
  if (reroute_delivery_needs_smtputf8 (delivery) && !reroute_smtp_client_offers_smtputf8 (machine))
    return "5.6.7";
  return NULL;
}

RerouteReply *
reroute_host_make_refusal (const char *status)
{
  gsize i = 0;

  while (i + 1 < G_N_ELEMENTS (refusals) && !g_str_equal (refusals[i].status, status))
    i++;
  return reroute_reply_new (554, refusals[i].status, refusals[i].text);
}
