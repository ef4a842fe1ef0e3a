/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * search-field.c - the search above a list, as every page has it
 */

#include "config.h"

#include "gui/search-field.h"

#include "gui/naming.h"

static void
stop_search_cb (GtkSearchEntry *field, gpointer user_data)
{
  if (!reroute_search_field_clear (field))
    gtk_window_close (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (field))));
}

void
reroute_search_field_init (GtkSearchEntry *field, const char *hint)
{
  g_return_if_fail (GTK_IS_SEARCH_ENTRY (field));

  g_object_set (field, "placeholder-text", hint, NULL);
  reroute_name_widget (GTK_WIDGET (field), hint);
  g_signal_connect (field, "stop-search", G_CALLBACK (stop_search_cb), NULL);
}

char *
reroute_search_field_dup_text (GtkSearchEntry *field)
{
  g_return_val_if_fail (GTK_IS_SEARCH_ENTRY (field), NULL);

  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (field))));
}

gboolean
reroute_search_field_clear (GtkSearchEntry *field)
{
  g_return_val_if_fail (GTK_IS_SEARCH_ENTRY (field), FALSE);

  if (gtk_editable_get_text (GTK_EDITABLE (field))[0] == '\0')
    return FALSE;
  gtk_editable_set_text (GTK_EDITABLE (field), "");
  return TRUE;
}
