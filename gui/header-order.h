/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @column: as given to reroute_header_order_add(); of which the header was clicked */
typedef void (*RerouteHeaderOrderFunc) (guint column, gboolean descending, gpointer user_data);

/**
 * reroute_header_order_init:
 * @view: the list
 * @func: called whenever another order is asked for
 * @user_data: borrowed: lives as long as @view
 *
 * Lets the headers of a list that its model orders ask for an order.
 */
void
reroute_header_order_init (GtkColumnView *view, RerouteHeaderOrderFunc func, gpointer user_data);
/* After reroute_header_order_init(): the header of @view_column, of @view, asks for @column. */
void reroute_header_order_add (GtkColumnView *view, GtkColumnViewColumn *view_column, guint column);

G_END_DECLS
