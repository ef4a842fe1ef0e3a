/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Gives @widget the name that a screen reader says. */
void reroute_name_widget (GtkWidget *widget, const char *name);

/**
 * reroute_name_tree:
 * @root: a window or page whose template is complete
 *
 * Repairs the names that GTK 4.8 leaves wrong below @root: buttons and check buttons with a
 * mnemonic are called by their caption without the underscore.
 */
void reroute_name_tree (GtkWidget *root);

/* Names the tab of @page, and by it the page. */
void reroute_name_tab (GtkNotebook *notebook, GtkWidget *page, const char *name);

/* Tab and Shift+Tab leave @view instead of going through each of its rows (GTK 4.8 has no
   tab-behavior). */
void reroute_name_let_tab_leave (GtkColumnView *view);

/* Ties a line of text to the field that it is about, for screen readers. */
void reroute_name_describe (GtkWidget *field, GtkWidget *text);

G_END_DECLS
