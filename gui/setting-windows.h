/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/* The dialogs behind buttons of the Routing, Connections, Security and Diagnostics pages; each is a
   sub-sheet. */
GtkWindow *reroute_restrictions_window_new (GtkWindow *parent, RerouteSheet *sheet);
GtkWindow *reroute_hosts_window_new (GtkWindow *parent, RerouteSheet *sheet);
GtkWindow *reroute_timeouts_window_new (GtkWindow *parent, RerouteSheet *sheet);
GtkWindow *reroute_limits_window_new (GtkWindow *parent, RerouteSheet *sheet);
GtkWindow *reroute_tls_reports_window_new (GtkWindow *parent, RerouteSheet *sheet);
GtkWindow *reroute_alarms_window_new (GtkWindow *parent, RerouteSheet *sheet);

G_END_DECLS
