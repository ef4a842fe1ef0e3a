/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteFindingsWindow:
 *
 * All that rulesd has to say of the edit.
 */
#define REROUTE_TYPE_FINDINGS_WINDOW (reroute_findings_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteFindingsWindow, reroute_findings_window, REROUTE, FINDINGS_WINDOW, GtkWindow)

void reroute_findings_window_show (GtkWindow *parent, RerouteSheet *sheet);

G_END_DECLS
