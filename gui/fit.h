/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * reroute_fit_column:
 * @width: in pixels, as it is right for text of the usual size
 * @words: (array zero-terminated=1): what the column must have room for; its title is the first,
 * and an arrow beside it
 *
 * Returns: how wide a column of @view is with the person's text size and language, in pixels
 */
int reroute_fit_column (GtkColumnView *view, int width, const char *const *words);

/* Makes the property sheet as large as its largest page, and as wide as the line of buttons below
   would like: @footer_width, in pixels; beyond the screen the pages scroll. */
void reroute_fit_sheet (GtkWindow *window, GtkNotebook *notebook, int footer_width);

/* Lets what is in @scroller, most of @window, scroll if the screen is too low for all of it.  To be
   called once the dialog is filled and before it is shown. */
void reroute_fit_dialog (GtkWindow *window, GtkScrolledWindow *scroller);

/**
 * reroute_fit_height:
 * @widget: whose text has changed
 *
 * Lets it be as high as the text is in the width that it has, or will have when it is shown.  For
 * what is in a scrolled window that never scrolls: that one asks for heights and does not say for
 * which width, and where the text needs another line there is no room for it.
 */
void reroute_fit_height (GtkWidget *widget);

G_END_DECLS
