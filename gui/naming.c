/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * naming.c - accessible names where GTK 4.8 gives a wrong one, and the way of the Tab key
 *
 * A button with a mnemonic would be called "_OK OK", a check button "_Hold mail", a list
 * "GtkColumnView".
 */

#include "config.h"

#include "gui/naming.h"

static char *
strip_mnemonic (const char *caption)
{
  GString *text = g_string_new (NULL);

  for (const char *p = caption; *p != '\0'; p++)
    {
      if (p[0] == '_' && p[1] != '_')
        continue;
      if (p[0] == '_')
        p++;
      g_string_append_c (text, *p);
    }
  return g_string_free (text, FALSE);
}

static void
name_by_caption (GtkWidget *widget, const char *caption)
{
  g_autofree char *name = NULL;

  if (caption == NULL)
    return;
  name = strip_mnemonic (caption);
  reroute_name_widget (widget, name);
}

/* The caption of a check button whose own child label wraps. */
static const char *
get_child_caption (GtkCheckButton *button)
{
  GtkWidget *child = gtk_check_button_get_child (button);

  return GTK_IS_LABEL (child) ? gtk_label_get_label (GTK_LABEL (child)) : NULL;
}

void
reroute_name_widget (GtkWidget *widget, const char *name)
{
  g_return_if_fail (GTK_IS_WIDGET (widget));

  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

void
reroute_name_tree (GtkWidget *root)
{
  g_return_if_fail (GTK_IS_WIDGET (root));

  if (GTK_IS_CHECK_BUTTON (root))
    {
      const char *label = gtk_check_button_get_label (GTK_CHECK_BUTTON (root));

      name_by_caption (root, label != NULL ? label : get_child_caption (GTK_CHECK_BUTTON (root)));
      return;
    }
  if (GTK_IS_BUTTON (root) && gtk_button_get_use_underline (GTK_BUTTON (root)))
    {
      gtk_accessible_reset_property (GTK_ACCESSIBLE (root), GTK_ACCESSIBLE_PROPERTY_LABEL);
      return;
    }
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    reroute_name_tree (child);
}

void
reroute_name_tab (GtkNotebook *notebook, GtkWidget *page, const char *name)
{
  GtkWidget *label = gtk_notebook_get_tab_label (notebook, page);

  g_return_if_fail (label != NULL);

  reroute_name_widget (gtk_widget_get_parent (label), name);
}

static gboolean
leave_by_tab_cb (GtkEventControllerKey *controller,
                 guint keyval,
                 guint keycode,
                 GdkModifierType state,
                 gpointer user_data)
{
  GtkWidget *view = GTK_WIDGET (user_data);
  GtkWidget *scroller = gtk_widget_get_parent (view);
  gboolean backward = keyval == GDK_KEY_ISO_Left_Tab || (state & GDK_SHIFT_MASK) != 0;
  GtkWidget *root = GTK_WIDGET (gtk_widget_get_root (view));
  GtkWidget *focus = NULL;

  if ((keyval != GDK_KEY_Tab && keyval != GDK_KEY_ISO_Left_Tab) || (state & GDK_CONTROL_MASK) != 0)
    return GDK_EVENT_PROPAGATE;

  /* Rows cannot be passed over one by one: for the length of this move they take no focus. */
  focus = gtk_root_get_focus (GTK_ROOT (root));
  gtk_widget_set_can_focus (scroller, FALSE);
  gtk_widget_child_focus (root, backward ? GTK_DIR_TAB_BACKWARD : GTK_DIR_TAB_FORWARD);
  gtk_widget_set_can_focus (scroller, TRUE);
  if (gtk_root_get_focus (GTK_ROOT (root)) == NULL && focus != NULL)
    gtk_widget_grab_focus (focus);
  return GDK_EVENT_STOP;
}

void
reroute_name_let_tab_leave (GtkColumnView *view)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  g_return_if_fail (GTK_IS_COLUMN_VIEW (view));

  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (leave_by_tab_cb), view);
  gtk_widget_add_controller (GTK_WIDGET (view), keys);
}

void
reroute_name_describe (GtkWidget *field, GtkWidget *text)
{
  g_return_if_fail (GTK_IS_WIDGET (field));

  gtk_accessible_update_relation (
    GTK_ACCESSIBLE (field), GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, text, NULL, -1);
}
