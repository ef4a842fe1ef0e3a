/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * routing-page.c - the Routing page: whether mail is rerouted, and the table
 *
 * Source: Q190710, Q195969; exchange-reference section 2.1 of the project's notes.
 */

#include "config.h"

#include "gui/routing-page.h"

#include "gui/guard.h"
#include "gui/naming.h"
#include "gui/routing-dialog.h"
#include "gui/rows-view.h"
#include "gui/setting-windows.h"
#include "gui/test-strip.h"

#include <glib/gi18n.h>

struct _RerouteRoutingPage
{
  GtkBox parent_instance;

  GtkCheckButton *off_radio;
  GtkCheckButton *on_radio;
  RerouteRowsView *rows;
  RerouteTestStrip *test_strip;
  GtkWidget *restrictions_button;

  RerouteSheet *sheet;
  gboolean showing; /* what is set comes from the sheet, not from her */
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteRoutingPage,
                               reroute_routing_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteRoutingPage *self)
{
  gboolean on = g_str_equal (reroute_sheet_get_setting (sheet, REROUTE_SETTING_REROUTE), "yes");
  gboolean ready = reroute_sheet_is_editable (sheet);

  self->showing = TRUE;
  gtk_check_button_set_active (on ? self->on_radio : self->off_radio, TRUE);
  self->showing = FALSE;
  gtk_widget_set_sensitive (GTK_WIDGET (self->on_radio), ready);
  gtk_widget_set_sensitive (GTK_WIDGET (self->off_radio), ready);
  reroute_rows_view_set_in_use (self->rows, on);
}

static void
on_toggled_cb (GtkCheckButton *button, RerouteRoutingPage *self)
{
  if (!self->showing)
    reroute_sheet_set_setting (
      self->sheet, REROUTE_SETTING_REROUTE, gtk_check_button_get_active (button) ? "yes" : "no");
}

static void
dialog_done_cb (RerouteRoutingDialog *dialog, gint64 id, RerouteRoutingPage *self)
{
  reroute_rows_view_select (self->rows, id);
}

static void
edit_row_cb (RerouteRowsView *rows, RerouteRow *row, RerouteRoutingPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
  RerouteRoutingDialog *dialog = reroute_routing_dialog_new (window, self->sheet, row);

  g_signal_connect_object (dialog, "done", G_CALLBACK (dialog_done_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
restrictions_clicked_cb (GtkButton *button, RerouteRoutingPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (reroute_restrictions_window_new (window, self->sheet));
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteRoutingPage *self = REROUTE_ROUTING_PAGE (page);

  self->sheet = g_object_ref (sheet);
  reroute_rows_view_open (self->rows, sheet, REROUTE_ROWS_ROUTING);
  reroute_test_strip_open (self->test_strip, sheet);
  reroute_guard_button (self->restrictions_button, sheet);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  sheet_changed_cb (sheet, self);
}

static void
focus_search (ReroutePropertyPage *page)
{
  reroute_rows_view_focus_search (REROUTE_ROUTING_PAGE (page)->rows);
}

static gboolean
clear_search (ReroutePropertyPage *page)
{
  return reroute_rows_view_clear_search (REROUTE_ROUTING_PAGE (page)->rows);
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "routing";
  iface->open = open_sheet;
  iface->focus_search = focus_search;
  iface->clear_search = clear_search;
}

static void
reroute_routing_page_dispose (GObject *object)
{
  g_clear_object (&REROUTE_ROUTING_PAGE (object)->sheet);

  G_OBJECT_CLASS (reroute_routing_page_parent_class)->dispose (object);
}

static void
reroute_routing_page_class_init (RerouteRoutingPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_routing_page_dispose;

  g_type_ensure (REROUTE_TYPE_ROWS_VIEW);
  g_type_ensure (REROUTE_TYPE_TEST_STRIP);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/routing-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingPage, off_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingPage, on_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingPage, rows);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingPage, test_strip);
  gtk_widget_class_bind_template_callback (widget_class, on_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, edit_row_cb);
}

static void
reroute_routing_page_init (RerouteRoutingPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->restrictions_button = gtk_button_new_with_mnemonic (_ ("Routing Re_strictions…"));
  g_signal_connect (
    self->restrictions_button, "clicked", G_CALLBACK (restrictions_clicked_cb), self);
  reroute_rows_view_add_button (self->rows, self->restrictions_button);
  reroute_name_tree (GTK_WIDGET (self));
}
