/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * RerouteRowsSelection:
 *
 * Which lines of a list are selected, by their positions alone.  #GtkMultiSelection asks its model
 * for every selected item, which would read a million rows.
 */
#define REROUTE_TYPE_ROWS_SELECTION (reroute_rows_selection_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteRowsSelection, reroute_rows_selection, REROUTE, ROWS_SELECTION, GObject)

/* A reference to @model is taken. */
GtkSelectionModel *reroute_rows_selection_new (GListModel *model);

G_END_DECLS
