/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REROUTE_TYPE_HELP_WINDOW (reroute_help_window_get_type ())
G_DECLARE_FINAL_TYPE (RerouteHelpWindow, reroute_help_window, REROUTE, HELP_WINDOW, GtkWindow)

/* @topic: "general", "routing", "routing-entry", "connections", "email-domains",
   "email-domain", "restrictions", "hosts", "timeouts", "limits", "explain", "history". */
void reroute_help_window_show (GtkWindow *parent, const char *topic);

G_END_DECLS
