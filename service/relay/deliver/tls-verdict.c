/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-verdict.c - how TLS went with a host
 *
 * “dane-required” is none of them: nobody can configure a domain to need TLSA records.
 *
 * Standards: RFC 8460 section 4.3 (result types).
 */

#include "config.h"

#include "service/relay/deliver/tls-verdict.h"

static const char *const names[REROUTE_N_TLS_VERDICTS] = {
  [REROUTE_TLS_VERDICT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
  [REROUTE_TLS_VERDICT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
  [REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED] = "certificate-expired",
  [REROUTE_TLS_VERDICT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
  [REROUTE_TLS_VERDICT_VALIDATION_FAILURE] = "validation-failure",
  [REROUTE_TLS_VERDICT_TLSA_INVALID] = "tlsa-invalid",
  [REROUTE_TLS_VERDICT_DNSSEC_INVALID] = "dnssec-invalid",
  [REROUTE_TLS_VERDICT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
  [REROUTE_TLS_VERDICT_STS_POLICY_INVALID] = "sts-policy-invalid",
  [REROUTE_TLS_VERDICT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

const char *
reroute_tls_verdict_to_string (RerouteTlsVerdict verdict)
{
  g_return_val_if_fail (verdict > REROUTE_TLS_VERDICT_SUCCESS && verdict < REROUTE_N_TLS_VERDICTS,
                        NULL);

  return names[verdict];
}

RerouteTlsVerdict
reroute_tls_verdict_from_string (const char *name)
{
  g_return_val_if_fail (name != NULL, REROUTE_TLS_VERDICT_NONE);

  for (guint i = REROUTE_TLS_VERDICT_SUCCESS + 1; i < REROUTE_N_TLS_VERDICTS; i++)
    if (g_str_equal (names[i], name))
      return (RerouteTlsVerdict) i;
  return REROUTE_TLS_VERDICT_NONE;
}
