/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by tls-reporter.c (when reports are sent) and tls-report-send.c (how one is). */

#pragma once

#include "service/relay/deliver/https.h"
#include "service/relay/deliver/scheduler-private.h"
#include "service/relay/deliver/tls-reporter.h"

G_BEGIN_DECLS

struct _RerouteTlsReporter
{
  RerouteScheduler *scheduler;
  RerouteTlsResults *results;
  RerouteHttps *https;
  gboolean loopback; /* may be reported to */
  gboolean closing;
  RerouteTimer save;
  RerouteTimer tick;
  gint64 offset_s; /* behind the end of a day: when it is reported */
  gint64 retry_s;  /* wall clock: not before it */

  GHashTable *reports; /* of tls-report-send.c: that wait or are under way */
  GQueue waiting;      /* of those that wait */
  guint n_running;
};

void reroute_tls_reporter_save_soon (RerouteTlsReporter *self);

/* --- tls-report-send.c --- */
GHashTable *reroute_tls_reports_new (void);
/* Returns: FALSE: it is under way already */
gboolean reroute_tls_report_queue (RerouteTlsReporter *self, gint64 day, const char *domain);
/* As many as may be at a time. */
void reroute_tls_report_begin_more (RerouteTlsReporter *self);
/* What reports that are under way are about goes back to the results.  Returns: whether anything
   did */
gboolean reroute_tls_reports_give_back (RerouteTlsReporter *self);

G_END_DECLS
