/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Gives @label, a cell of a list, a tooltip with its whole text while that is cut off, its first
   10,000 octets; to be called once, when the cell is set up. */
void reroute_cell_tip_init (GtkLabel *label);

/* Shows @text in such a label; in one line, and only its beginning: all of it would be laid out,
   however little is seen. */
void reroute_cell_set_text (GtkLabel *label, const char *text);

/* As gtk_widget_set_tooltip_text(), which under X11 waits for the server a dozen times, also where
   nothing changes.  @text: (nullable) */
void reroute_cell_tip_set (GtkWidget *widget, const char *text);

G_END_DECLS
