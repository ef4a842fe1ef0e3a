/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/host.h"
#include "common/row.h"

G_BEGIN_DECLS

/* One row of the E-Mail Domain list of the Connections page (Q190710). */
typedef struct
{
  RerouteRow row;
  RerouteHosts *hosts; /* forward to these; NULL: deliver by DNS */
  char *account;       /* whose secret logs in there; "" when there is none */
  char *certificate;   /* the file of what is shown there in TLS: a certificate with its chain, and
                          its key; "" when there is none */
} RerouteEmailDomain;

/**
 * reroute_email_domain_new:
 * @hosts: (nullable): where to forward to, %NULL for DNS; a reference is taken
 *
 * The only validation of an E-Mail Domain row there is; messages start with the field.  An account
 * is told to hosts that were typed alone, never to what DNS names for a domain.  A certificate is
 * shown in TLS alone, so no row has one that never uses TLS.
 *
 * Errors: %REROUTE_ERROR_DOMAIN, %REROUTE_ERROR_VALUE.
 */
RerouteEmailDomain *
reroute_email_domain_new (const RerouteRowFields *fields, RerouteHosts *hosts, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteEmailDomain, reroute_row_unref)

G_END_DECLS
