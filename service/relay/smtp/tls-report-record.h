/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where a report goes. */
typedef struct
{
  char *mailbox; /* (nullable): by mail; NULL: by HTTPS */
  char *host;
  char *path; /* with its query, from the first "/" on */
  guint16 port;
} RerouteTlsReportAddress;

/**
 * reroute_tls_report_record_parse:
 * @records: (element-type utf8): the TXT records of _smtp._tls.DOMAIN
 * @most: addresses that are wanted; those behind are passed over
 *
 * Addresses of another kind than mailto and https are passed over, and those that are none.
 *
 * Source: RFC 8460 section 3.
 *
 * Returns: (transfer full) (element-type RerouteTlsReportAddress): %NULL unless there is exactly
 *   one record of TLSRPT, and that a sound one
 */
GPtrArray *reroute_tls_report_record_parse (const GPtrArray *records, guint most);

G_END_DECLS
