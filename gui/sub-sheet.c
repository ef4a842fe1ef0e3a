/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sub-sheet.c - a dialog for some of the sheet's settings
 */

#include "config.h"

#include "gui/sub-sheet.h"

#include "gui/guard.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/setting-entry.h"

struct _RerouteSubSheet
{
  GtkWindow parent_instance;

  GtkBox *place;

  RerouteSheet *sheet;
  const char *help_topic;
  guint mark; /* of the edit, when the window was opened */
};

G_DEFINE_FINAL_TYPE (RerouteSubSheet, reroute_sub_sheet, GTK_TYPE_WINDOW)

static void
ok_clicked_cb (GtkButton *button, RerouteSubSheet *self)
{
  if (reroute_setting_entries_flush (GTK_WIDGET (self->place)))
    gtk_window_destroy (GTK_WINDOW (self));
}

/* Cancel, Esc, and the window's own button. */
static gboolean
close_request (GtkWindow *window)
{
  RerouteSubSheet *self = REROUTE_SUB_SHEET (window);

  reroute_edit_undo_to (reroute_sheet_get_edit (self->sheet), self->mark);
  return GTK_WINDOW_CLASS (reroute_sub_sheet_parent_class)->close_request (window);
}

/* Not beyond what was done in this window. */
static gboolean
undo_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  RerouteSubSheet *self = REROUTE_SUB_SHEET (widget);
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);

  if (reroute_edit_get_mark (edit) > self->mark && !reroute_sheet_is_applying (self->sheet))
    reroute_edit_undo (edit);
  return TRUE;
}

static void
help_clicked_cb (GtkButton *button, RerouteSubSheet *self)
{
  reroute_help_window_show (GTK_WINDOW (self), self->help_topic);
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), REROUTE_SUB_SHEET (widget)->help_topic);
  return TRUE;
}

static void
reroute_sub_sheet_dispose (GObject *object)
{
  g_clear_object (&REROUTE_SUB_SHEET (object)->sheet);

  G_OBJECT_CLASS (reroute_sub_sheet_parent_class)->dispose (object);
}

static void
reroute_sub_sheet_class_init (RerouteSubSheetClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_sub_sheet_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = close_request;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/sub-sheet.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteSubSheet, place);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, undo_cb, NULL);
}

static void
reroute_sub_sheet_init (RerouteSubSheet *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}

RerouteSubSheet *
reroute_sub_sheet_new (GtkWindow *parent,
                       RerouteSheet *sheet,
                       const char *title,
                       const char *help_topic)
{
  RerouteSubSheet *self =
    g_object_new (REROUTE_TYPE_SUB_SHEET, "transient-for", parent, "title", title, NULL);

  self->sheet = g_object_ref (sheet);
  reroute_guard_focus (GTK_WINDOW (self), sheet);
  self->help_topic = help_topic;
  self->mark = reroute_edit_get_mark (reroute_sheet_get_edit (sheet));
  return self;
}

void
reroute_sub_sheet_set_content (RerouteSubSheet *self, GtkWidget *content)
{
  g_return_if_fail (REROUTE_IS_SUB_SHEET (self));

  gtk_box_append (self->place, content);
  reroute_setting_entries_open (content, self->sheet);
  reroute_name_tree (content);
  gtk_widget_child_focus (content, GTK_DIR_TAB_FORWARD);
}
