/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a process uses, as Prometheus' clients tell it. */
typedef struct
{
  double cpu_s;   /* of all its threads, in user and kernel mode */
  double start_s; /* wall clock, since 1970 */
  guint64 resident_octets;
  guint64 virtual_octets;
  guint threads;
  guint descriptors;
  guint64 descriptors_most;
} RerouteProcessFigures;

/* Of this process; the main thread.  FALSE: there is no /proc to read. */
gboolean reroute_process_figures_read (RerouteProcessFigures *figures);

G_END_DECLS
