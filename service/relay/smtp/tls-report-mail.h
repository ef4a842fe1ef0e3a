/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *domain;    /* that the report is about */
  const char *submitter; /* this host */
  const char *from;      /* mailbox */
  const char *to;        /* mailbox */
  const char *id;        /* of the report: letters and digits */
  const char *file_name;
  const char *day; /* "2026-11-26" */
  GBytes *report;  /* JSON, gzip */
  gint64 now_us;
} RerouteTlsReportMail;

/* A multipart/report by gmime (RFC 8460 section 5.3).  Returns: (transfer full): in wire form,
   dot-stuffed, 7-bit */
GBytes *reroute_tls_report_mail_format (const RerouteTlsReportMail *mail);

G_END_DECLS
