/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/figures.h"
#include "service/relay/metrics-text.h"

G_BEGIN_DECLS

/* @figures as the page /metrics; names and meaning are in reroute-relayd(8).  (transfer full) */
char *
reroute_metrics_format (const RerouteFigures *figures, RerouteMetricsFormat format, gsize *length);

G_END_DECLS
