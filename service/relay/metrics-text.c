/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * metrics-text.c - the exposition formats of Prometheus
 *
 * Sources: prometheus.io, "Exposition formats" (text format 0.0.4); OpenMetrics 1.0.0, section 4.
 */

#include "config.h"

#include "service/relay/metrics-text.h"

#include <libsoup/soup.h>

#define OPENMETRICS "application/openmetrics-text"

static const char *const kinds[] = {
  [REROUTE_METRIC_GAUGE] = "gauge",
  [REROUTE_METRIC_COUNTER] = "counter",
};

void
reroute_metrics_text_init (RerouteMetricsText *self, RerouteMetricsFormat format)
{
  g_return_if_fail (self != NULL);

  *self = (RerouteMetricsText){ .text = g_string_sized_new (16384), .format = format };
}

static const char *
get_suffix (const RerouteMetricsText *self)
{
  return self->kind == REROUTE_METRIC_COUNTER ? "_total" : "";
}

void
reroute_metrics_text_begin (RerouteMetricsText *self,
                            RerouteMetricKind kind,
                            const char *name,
                            const char *help)
{
  g_return_if_fail (self != NULL && name != NULL && help != NULL);

  self->kind = kind;
  self->name = name;
  /* In OpenMetrics a family of counters is named without what its samples end in. */
  const char *suffix = self->format == REROUTE_METRICS_PROMETHEUS ? get_suffix (self) : "";
  g_string_append_printf (
    self->text, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, kinds[kind]);
}

void
reroute_metrics_text_add (RerouteMetricsText *self, const char *labels, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_return_if_fail (self != NULL && self->name != NULL);

  g_ascii_dtostr (number, sizeof number, value);
  g_string_append_printf (self->text,
                          "%s%s%s%s%s %s\n",
                          self->name,
                          get_suffix (self),
                          labels != NULL ? "{" : "",
                          labels != NULL ? labels : "",
                          labels != NULL ? "}" : "",
                          number);
}

void
reroute_metrics_text_put (RerouteMetricsText *self,
                          RerouteMetricKind kind,
                          const char *name,
                          const char *help,
                          double value)
{
  reroute_metrics_text_begin (self, kind, name, help);
  reroute_metrics_text_add (self, NULL, value);
}

char *
reroute_metrics_text_end (RerouteMetricsText *self, gsize *length)
{
  g_return_val_if_fail (self != NULL && length != NULL, NULL);

  if (self->format == REROUTE_METRICS_OPENMETRICS)
    g_string_append (self->text, "# EOF\n");
  *length = self->text->len;
  return g_string_free (g_steal_pointer (&self->text), FALSE);
}

RerouteMetricsFormat
reroute_metrics_format_choose (const char *accept)
{
  GSList *wanted = accept != NULL ? soup_header_parse_quality_list (accept, NULL) : NULL;
  RerouteMetricsFormat format = REROUTE_METRICS_PROMETHEUS;

  for (GSList *link = wanted; link != NULL; link = link->next)
    {
      const char *type = link->data;

      if (g_ascii_strncasecmp (type, OPENMETRICS, sizeof OPENMETRICS - 1) == 0)
        format = REROUTE_METRICS_OPENMETRICS;
      else if (g_ascii_strncasecmp (type, "text/", 5) != 0 && *type != '*')
        continue;
      break;
    }
  soup_header_free_list (wanted);
  return format;
}

const char *
reroute_metrics_format_get_type (RerouteMetricsFormat format)
{
  return format == REROUTE_METRICS_OPENMETRICS ? OPENMETRICS "; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}
