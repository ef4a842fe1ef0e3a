/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteExplainWindow:
 *
 * Test an Address: each step of the decision under the saved rules and, where there are unsaved
 * changes, under those beside it.
 */
#define REROUTE_TYPE_EXPLAIN_WINDOW (reroute_explain_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteExplainWindow, reroute_explain_window, REROUTE, EXPLAIN_WINDOW, GtkWindow)

void reroute_explain_window_show (GtkWindow *parent, RerouteSheet *sheet, const char *address);

/* (transfer full): markup: why nothing can be said of @address. */
char *reroute_explain_dup_error (const char *address, const GError *error);

G_END_DECLS
