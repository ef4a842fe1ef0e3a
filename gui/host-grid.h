/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "common/host.h"

G_BEGIN_DECLS

/**
 * RerouteHostGrid:
 *
 * The hosts of an E-Mail Domain entry: one row of live fields a host.
 *
 * Signal "changed" (): a host, or their number or order.
 */
#define REROUTE_TYPE_HOST_GRID (reroute_host_grid_get_type ())
G_DECLARE_FINAL_TYPE (RerouteHostGrid, reroute_host_grid, REROUTE, HOST_GRID, GtkBox)

void reroute_host_grid_set_hosts (RerouteHostGrid *self, const RerouteHosts *hosts);
/* (transfer full) (nullable): NULL while a field is wrong or no host is written. */
RerouteHosts *reroute_host_grid_dup_hosts (RerouteHostGrid *self);

G_END_DECLS
