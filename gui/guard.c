/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * guard.c - what she does while an Apply goes on is not lost
 */

#include "config.h"

#include "gui/guard.h"

#define KEPT "reroute-kept-focus"

static void
keep_focus_cb (RerouteSheet *sheet, GParamSpec *pspec, GtkWindow *window)
{
  GtkWidget *focus = gtk_window_get_focus (window);

  if (!reroute_sheet_is_busy (sheet) || focus == NULL)
    return;
  g_object_set_data_full (G_OBJECT (window), KEPT, g_object_ref (focus), g_object_unref);
  gtk_window_set_focus (window, NULL);
}

/* To where it was, as soon as that can have it, unless she has gone on from there. */
static void
give_back_focus_cb (RerouteSheet *sheet, GtkWindow *window)
{
  GtkWidget *kept = g_object_get_data (G_OBJECT (window), KEPT);
  gboolean gone_on = gtk_window_get_focus (window) != NULL;

  if (kept == NULL || (!gone_on && !gtk_widget_is_sensitive (kept)))
    return;
  if (!gone_on && gtk_widget_get_mapped (kept))
    gtk_window_set_focus (window, kept);
  g_object_set_data (G_OBJECT (window), KEPT, NULL);
}

void
reroute_guard_focus (GtkWindow *window, RerouteSheet *sheet)
{
  g_return_if_fail (GTK_IS_WINDOW (window));
  g_return_if_fail (REROUTE_IS_SHEET (sheet));

  g_signal_connect_object (sheet, "notify::busy", G_CALLBACK (keep_focus_cb), window, 0);
  g_signal_connect_object (
    sheet, "changed", G_CALLBACK (give_back_focus_cb), window, G_CONNECT_AFTER);
}

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
