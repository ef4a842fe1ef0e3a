/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * general-page.c - the General page: this server's names and addresses, inbound mail, limits
 */

#include "config.h"

#include "gui/general-page.h"

#include "gui/naming.h"
#include "gui/setting-entry.h"

#include <glib/gi18n.h>

/* The drop-down's choices; what the setting says for the first two. */
enum
{
  DNS_SYSTEM,
  DNS_RECURSIVE,
  DNS_SERVERS,
};

static const char *const dns_values[] = { "system", "recursive" };

struct _RerouteGeneralPage
{
  GtkBox parent_instance;

  GtkDropDown *dns_choice;
  GtkEditable *dns_servers;
  RerouteFieldError *dns_error;

  RerouteSheet *sheet;
  RerouteSettingField *dns_field;
  gboolean showing;
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteGeneralPage,
                               reroute_general_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

static guint
choice_of (const char *value)
{
  for (guint i = 0; i < G_N_ELEMENTS (dns_values); i++)
    if (g_str_equal (value, dns_values[i]))
      return i;
  return DNS_SERVERS;
}

static char *
show_servers (const char *value)
{
  return g_strdup (choice_of (value) == DNS_SERVERS ? value : "");
}

/* "system" is chosen in the drop-down, it is no server. */
static char *
read_servers (const char *text)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);

  return g_strdup (choice_of (g_strstrip (lower)) == DNS_SERVERS ? text : "");
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteGeneralPage *self)
{
  guint choice = choice_of (reroute_sheet_get_setting (sheet, REROUTE_SETTING_DNS_SERVERS));
  gboolean ready = reroute_sheet_is_editable (sheet);

  /* With an empty field "these" is chosen but not yet a value. */
  if (gtk_drop_down_get_selected (self->dns_choice) == DNS_SERVERS &&
      gtk_editable_get_text (self->dns_servers)[0] == '\0')
    choice = DNS_SERVERS;
  self->showing = TRUE;
  gtk_drop_down_set_selected (self->dns_choice, choice);
  gtk_widget_set_sensitive (GTK_WIDGET (self->dns_choice), ready);
  gtk_widget_set_visible (GTK_WIDGET (self->dns_servers), choice == DNS_SERVERS);
  reroute_setting_field_set_active (self->dns_field, choice == DNS_SERVERS);
  self->showing = FALSE;
}

static void
dns_choice_cb (GtkDropDown *drop_down, GParamSpec *pspec, RerouteGeneralPage *self)
{
  guint choice = gtk_drop_down_get_selected (drop_down);

  if (self->showing || self->sheet == NULL)
    return;
  gtk_widget_set_visible (GTK_WIDGET (self->dns_servers), choice == DNS_SERVERS);
  reroute_setting_field_set_active (self->dns_field, choice == DNS_SERVERS);
  if (choice != DNS_SERVERS)
    reroute_sheet_set_setting (self->sheet, REROUTE_SETTING_DNS_SERVERS, dns_values[choice]);
  else
    gtk_widget_grab_focus (GTK_WIDGET (self->dns_servers));
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteGeneralPage *self = REROUTE_GENERAL_PAGE (page);

  self->sheet = g_object_ref (sheet);
  reroute_setting_entries_open (GTK_WIDGET (self), sheet);
  self->dns_field = reroute_setting_field_new (sheet,
                                               REROUTE_SETTING_DNS_SERVERS,
                                               self->dns_servers,
                                               self->dns_error,
                                               show_servers,
                                               read_servers);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->dns_choice),
                               _ (reroute_setting_specs ()[REROUTE_SETTING_DNS_SERVERS].summary));
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  sheet_changed_cb (sheet, self);
}

static gboolean
flush (ReroutePropertyPage *page)
{
  RerouteGeneralPage *self = REROUTE_GENERAL_PAGE (page);

  return reroute_setting_entries_flush (GTK_WIDGET (self)) &&
         reroute_setting_field_flush (self->dns_field);
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "general";
  iface->open = open_sheet;
  iface->flush = flush;
}

static void
reroute_general_page_dispose (GObject *object)
{
  RerouteGeneralPage *self = REROUTE_GENERAL_PAGE (object);

  g_clear_object (&self->dns_field);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_general_page_parent_class)->dispose (object);
}

static void
reroute_general_page_class_init (RerouteGeneralPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_general_page_dispose;

  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_SETTING_ENTRY);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/general-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteGeneralPage, dns_choice);
  gtk_widget_class_bind_template_child (widget_class, RerouteGeneralPage, dns_servers);
  gtk_widget_class_bind_template_child (widget_class, RerouteGeneralPage, dns_error);
  gtk_widget_class_bind_template_callback (widget_class, dns_choice_cb);
}

static void
reroute_general_page_init (RerouteGeneralPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_name_widget (GTK_WIDGET (self->dns_servers), _ ("DNS servers"));
}
