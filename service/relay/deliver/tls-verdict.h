/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How TLS went with a host, in the words of RFC 8460 section 4.3. */
typedef enum
{
  REROUTE_TLS_VERDICT_NONE, /* it did not come that far, or no TLS was wanted */
  REROUTE_TLS_VERDICT_SUCCESS,
  REROUTE_TLS_VERDICT_STARTTLS_NOT_SUPPORTED,
  REROUTE_TLS_VERDICT_CERTIFICATE_HOST_MISMATCH,
  REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED,
  REROUTE_TLS_VERDICT_CERTIFICATE_NOT_TRUSTED,
  REROUTE_TLS_VERDICT_VALIDATION_FAILURE,
  REROUTE_TLS_VERDICT_TLSA_INVALID,
  REROUTE_TLS_VERDICT_DNSSEC_INVALID,
  REROUTE_TLS_VERDICT_STS_POLICY_FETCH_ERROR,
  REROUTE_TLS_VERDICT_STS_POLICY_INVALID,
  REROUTE_TLS_VERDICT_STS_WEBPKI_INVALID,
  REROUTE_N_TLS_VERDICTS,
} RerouteTlsVerdict;

/* Why a host was not asked at all: its domain's MTA-STS policy does not name it. */
#define REROUTE_TLS_REASON_BARRED "the policy does not name the host"

/* "starttls-not-supported": the result type of a failure. */
const char *reroute_tls_verdict_to_string (RerouteTlsVerdict verdict);
/* The failure of that name; NONE: there is none. */
RerouteTlsVerdict reroute_tls_verdict_from_string (const char *name);

G_END_DECLS
