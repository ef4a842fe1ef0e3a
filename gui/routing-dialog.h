/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteRoutingDialog:
 *
 * Add E-mail Domain, and Edit Routing Table Entry.  OK changes the sheet's edit and nothing else.
 *
 * Signal "done" (gint64): the id of the row in the edit.
 */
#define REROUTE_TYPE_ROUTING_DIALOG (reroute_routing_dialog_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteRoutingDialog, reroute_routing_dialog, REROUTE, ROUTING_DIALOG, GtkWindow)

/* @row: (nullable): the row to edit. */
RerouteRoutingDialog *
reroute_routing_dialog_new (GtkWindow *parent, RerouteSheet *sheet, RerouteRow *row);

G_END_DECLS
