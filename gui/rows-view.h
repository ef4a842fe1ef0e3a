/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/rows-columns.h"

G_BEGIN_DECLS

/**
 * RerouteRowsView:
 *
 * The list of one page's rows with search, count, note and Add, Edit, Remove.
 *
 * Signal "edit-row" (gpointer): a row is to be edited; %NULL: added.
 */
#define REROUTE_TYPE_ROWS_VIEW (reroute_rows_view_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRowsView, reroute_rows_view, REROUTE, ROWS_VIEW, GtkBox)

void reroute_rows_view_open (RerouteRowsView *self, RerouteSheet *sheet, RerouteRowsLook look);
/* Shows the list of recipients of @domain, in normal form; its rows are not edited. */
void reroute_rows_view_open_list (RerouteRowsView *self, RerouteSheet *sheet, const char *domain);

/* @in_use: whether the table acts; when not it can be read only, and says so. */
void reroute_rows_view_set_in_use (RerouteRowsView *self, gboolean in_use);

/* @button: (transfer floating): stands at the end of the line of Add, Edit, Remove. */
void reroute_rows_view_add_button (RerouteRowsView *self, GtkWidget *button);

/* The row of that id is selected as soon as it is shown. */
void reroute_rows_view_select (RerouteRowsView *self, gint64 id);
/* Puts the focus into the list, or into the search. */
void reroute_rows_view_focus_list (RerouteRowsView *self);
void reroute_rows_view_focus_search (RerouteRowsView *self);
/* Clears the search; %FALSE when it was clear. */
gboolean reroute_rows_view_clear_search (RerouteRowsView *self);

G_END_DECLS
