/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_METRICS_PROMETHEUS,  /* text format 0.0.4 */
  REROUTE_METRICS_OPENMETRICS, /* 1.0.0 */
} RerouteMetricsFormat;

typedef enum
{
  REROUTE_METRIC_GAUGE,
  REROUTE_METRIC_COUNTER,
} RerouteMetricKind;

/**
 * RerouteMetricsText:
 *
 * An exposition for Prometheus, family by family; it is on the stack of who writes it.
 */
typedef struct
{
  GString *text;
  RerouteMetricsFormat format;
  RerouteMetricKind kind; /* of the family that samples are added to */
  const char *name;       /* borrowed */
} RerouteMetricsText;

void reroute_metrics_text_init (RerouteMetricsText *self, RerouteMetricsFormat format);
/* @name: with its unit, without “_total”, which a counter's samples get; @help: one line without a
   backslash; both borrowed */
void reroute_metrics_text_begin (RerouteMetricsText *self,
                                 RerouteMetricKind kind,
                                 const char *name,
                                 const char *help);
/* @labels: (nullable): as `state="held"`, valid as it is */
void reroute_metrics_text_add (RerouteMetricsText *self, const char *labels, double value);
/* A family of one sample. */
void reroute_metrics_text_put (RerouteMetricsText *self,
                               RerouteMetricKind kind,
                               const char *name,
                               const char *help,
                               double value);
/* (transfer full): all of it */
char *reroute_metrics_text_end (RerouteMetricsText *self, gsize *length);

/* The format that fits the header Accept best; @accept: (nullable) */
RerouteMetricsFormat reroute_metrics_format_choose (const char *accept);
/* For the header Content-Type. */
const char *reroute_metrics_format_get_type (RerouteMetricsFormat format);

G_END_DECLS
