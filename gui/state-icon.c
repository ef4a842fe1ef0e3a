/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state-icon.c - the icon before a line of a list, with its words for the pointer and the reader
 */

#include "config.h"

#include "gui/state-icon.h"

#include "gui/cell-tip.h"
#include "gui/naming.h"

void
reroute_state_icon_show (GtkImage *image, const RerouteStateLook *look)
{
  g_return_if_fail (GTK_IS_IMAGE (image));

  gtk_widget_remove_css_class (GTK_WIDGET (image), "state-error");
  gtk_widget_remove_css_class (GTK_WIDGET (image), "state-warning");
  if (look->css_class != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (image), look->css_class);
  gtk_image_set_from_icon_name (image, look->icon);
  reroute_cell_tip_set (GTK_WIDGET (image), look->name);
  reroute_name_widget (GTK_WIDGET (image), look->name != NULL ? look->name : "");
}
