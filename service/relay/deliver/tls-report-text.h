/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/tls-results.h"

G_BEGIN_DECLS

typedef struct
{
  const char *organization; /* ours */
  const char *contact;      /* mailbox */
  const char *id;
  gint64 begin_s; /* wall clock: the first and the last second that it is about */
  gint64 end_s;
  const RerouteTlsDomain *domain;
} RerouteTlsReport;

/* (transfer full): the report as JSON (RFC 8460 section 4.4). */
char *reroute_tls_report_to_json (const RerouteTlsReport *report);

/* (transfer full): @text by gzip (RFC 1952). */
GBytes *reroute_tls_report_compress (const char *text);

G_END_DECLS
