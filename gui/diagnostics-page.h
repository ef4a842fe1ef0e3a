/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REROUTE_TYPE_DIAGNOSTICS_PAGE (reroute_diagnostics_page_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteDiagnosticsPage, reroute_diagnostics_page, REROUTE, DIAGNOSTICS_PAGE, GtkBox)

G_END_DECLS
