/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * guard.c - what she does while an Apply goes on is not lost
 */

#include "config.h"

#include "gui/guard.h"

void
reroute_guard_button (GtkWidget *button, RerouteSheet *sheet)
{
  g_return_if_fail (GTK_IS_WIDGET (button));
  g_return_if_fail (REROUTE_IS_SHEET (sheet));

  g_object_bind_property (
    sheet, "busy", button, "sensitive", G_BINDING_SYNC_CREATE | G_BINDING_INVERT_BOOLEAN);
}

gboolean
reroute_guard_is_needed (GtkWindow *window, RerouteSheet *sheet)
{
  GListModel *windows = gtk_window_get_toplevels ();
  gboolean needed = FALSE;

  g_return_val_if_fail (GTK_IS_WINDOW (window), FALSE);
  g_return_val_if_fail (REROUTE_IS_SHEET (sheet), FALSE);

  needed = reroute_edit_get_n_changes (reroute_sheet_get_edit (sheet)) > 0;
  for (guint i = 0; i < g_list_model_get_n_items (windows) && !needed; i++)
    {
      g_autoptr (GtkWindow) other = g_list_model_get_item (windows, i);

      needed = gtk_window_get_modal (other) && gtk_window_get_transient_for (other) == window;
    }
  return needed;
}
