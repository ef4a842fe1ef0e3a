/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * email-domain-window.c - the domains that have a host of their own
 */

#include "config.h"

#include "gui/email-domain-window.h"

#include "gui/email-domain-dialog.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/rows-view.h"

struct _RerouteEmailDomainWindow
{
  GtkWindow parent_instance;

  RerouteRowsView *rows;

  RerouteSheet *sheet;
  guint mark; /* of the edit, when the window was opened */
};

G_DEFINE_FINAL_TYPE (RerouteEmailDomainWindow, reroute_email_domain_window, GTK_TYPE_WINDOW)

static void
dialog_done_cb (RerouteEmailDomainDialog *dialog, gint64 id, RerouteEmailDomainWindow *self)
{
  reroute_rows_view_select (self->rows, id);
}

static void
edit_row_cb (RerouteRowsView *rows, RerouteRow *row, RerouteEmailDomainWindow *self)
{
  RerouteEmailDomainDialog *dialog =
    reroute_email_domain_dialog_new (GTK_WINDOW (self), self->sheet, row);

  g_signal_connect_object (dialog, "done", G_CALLBACK (dialog_done_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
ok_clicked_cb (GtkButton *button, RerouteEmailDomainWindow *self)
{
  gtk_window_destroy (GTK_WINDOW (self));
}

/* Cancel, Esc, and the window's own button. */
static gboolean
close_request (GtkWindow *window)
{
  RerouteEmailDomainWindow *self = REROUTE_EMAIL_DOMAIN_WINDOW (window);

  reroute_edit_undo_to (reroute_sheet_get_edit (self->sheet), self->mark);
  return GTK_WINDOW_CLASS (reroute_email_domain_window_parent_class)->close_request (window);
}

static gboolean
escape_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  if (!reroute_rows_view_clear_search (REROUTE_EMAIL_DOMAIN_WINDOW (widget)->rows))
    gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static gboolean
search_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_rows_view_focus_search (REROUTE_EMAIL_DOMAIN_WINDOW (widget)->rows);
  return TRUE;
}

/* Not beyond what was done in this window. */
static gboolean
undo_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  RerouteEmailDomainWindow *self = REROUTE_EMAIL_DOMAIN_WINDOW (widget);
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);

  if (reroute_edit_get_mark (edit) > self->mark && !reroute_sheet_is_applying (self->sheet))
    reroute_edit_undo (edit);
  return TRUE;
}

static void
help_clicked_cb (GtkButton *button, RerouteEmailDomainWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "email-domains");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "email-domains");
  return TRUE;
}

static void
reroute_email_domain_window_dispose (GObject *object)
{
  g_clear_object (&REROUTE_EMAIL_DOMAIN_WINDOW (object)->sheet);

  G_OBJECT_CLASS (reroute_email_domain_window_parent_class)->dispose (object);
}

static void
reroute_email_domain_window_class_init (RerouteEmailDomainWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_email_domain_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = close_request;

  g_type_ensure (REROUTE_TYPE_ROWS_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/email-domain-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainWindow, rows);
  gtk_widget_class_bind_template_callback (widget_class, edit_row_cb);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, escape_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_f, GDK_CONTROL_MASK, search_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, undo_cb, NULL);
}

static void
reroute_email_domain_window_init (RerouteEmailDomainWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}

RerouteEmailDomainWindow *
reroute_email_domain_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  RerouteEmailDomainWindow *self =
    g_object_new (REROUTE_TYPE_EMAIL_DOMAIN_WINDOW, "transient-for", parent, NULL);

  self->sheet = g_object_ref (sheet);
  self->mark = reroute_edit_get_mark (reroute_sheet_get_edit (sheet));
  reroute_rows_view_open (self->rows, sheet, REROUTE_ROWS_CONNECTIONS);
  reroute_rows_view_focus_list (self->rows);
  return self;
}
