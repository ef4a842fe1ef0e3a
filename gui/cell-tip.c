/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cell-tip.c - tooltips in lists, without a word with the X server for every cell
 *
 * gtk_widget_set_tooltip_text() looks for the pointer at once, under a grab of the whole server.  A
 * list that jumps fills some 800 cells: that took a quarter of a second.
 */

#include "config.h"

#include "gui/cell-tip.h"

#include "common/shortened.h"

#include <string.h>

#define TEXT_OCTETS 200  /* of a cell; what is laid out again and again, and never seen, costs */
#define TIP_OCTETS 10000 /* of its tooltip */
#define WHOLE "reroute-whole"

static gboolean
query_cb (GtkLabel *label, int x, int y, gboolean by_keys, GtkTooltip *tooltip, gpointer user_data)
{
  const char *whole = g_object_get_data (G_OBJECT (label), WHOLE);

  if (whole == NULL && !pango_layout_is_ellipsized (gtk_label_get_layout (label)))
    return FALSE;
  gtk_tooltip_set_text (tooltip, whole != NULL ? whole : gtk_label_get_text (label));
  return TRUE;
}

void
reroute_cell_tip_init (GtkLabel *label)
{
  g_return_if_fail (GTK_IS_LABEL (label));

  gtk_label_set_single_line_mode (label, TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (label), TRUE);
  g_signal_connect (label, "query-tooltip", G_CALLBACK (query_cb), NULL);
}

void
reroute_cell_set_text (GtkLabel *label, const char *text)
{
  g_autofree char *shown = reroute_dup_shortened (text, TEXT_OCTETS);

  g_return_if_fail (GTK_IS_LABEL (label));

  gtk_label_set_label (label, shown);
  g_object_set_data_full (
    G_OBJECT (label),
    WHOLE,
    strnlen (text, TEXT_OCTETS + 1) > TEXT_OCTETS ? reroute_dup_shortened (text, TIP_OCTETS) : NULL,
    g_free);
}

void
reroute_cell_tip_set (GtkWidget *widget, const char *text)
{
  g_return_if_fail (GTK_IS_WIDGET (widget));

  if (g_strcmp0 (gtk_widget_get_tooltip_text (widget), text) != 0)
    gtk_widget_set_tooltip_text (widget, text);
}
