/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * email-domain.c - one row of the E-Mail Domain list of the Connections page
 *
 * Source: Q190710, Q259531.
 */

#include "config.h"

#include "common/email-domain.h"
#include "common/row-private.h"

#include "common/error.h"
#include "common/limits.h"

#include <glib/gi18n-lib.h>

RerouteEmailDomain *
reroute_email_domain_new (const RerouteRowFields *fields, RerouteHosts *hosts, GError **error)
{
  RerouteRowParts parts;
  char domain[REROUTE_LIMIT_DOMAIN_OCTETS + 1];

  g_return_val_if_fail (fields != NULL, NULL);

  if (!reroute_row_parts_init (
        &parts, REROUTE_PAGE_CONNECTIONS, fields, "e-mail domain", domain, error))
    return NULL;
  if (*parts.fields.account != '\0' && hosts == NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("account “%s” is of no use: mail is delivered by DNS; name hosts, or leave the account empty"),
                      parts.fields.account);
      return NULL;
    }
  if (*parts.fields.certificate != '\0' && fields->tls == REROUTE_TLS_NONE)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("certificate “%s” is of no use: the entry never uses TLS; choose another level, or leave the certificate empty"),
                      parts.fields.certificate);
      return NULL;
    }
  parts.hosts = hosts;
  return reroute_row_assemble (&parts);
}
