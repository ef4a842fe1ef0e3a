/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * security-page.c - the Security page: TLS of this server and to others, by domain; accounts
 *
 * The list is that of E-Mail Domain on the Connections page, seen from another side.
 *
 * Source: Q174754 (the original's page: security of outbound mail by domain).
 */

#include "config.h"

#include "gui/security-page.h"

#include "common/certificate-text.h"
#include "gui/accounts-window.h"
#include "gui/certificate-check.h"
#include "gui/email-domain-dialog.h"
#include "gui/guard.h"
#include "gui/naming.h"
#include "gui/page.h"
#include "gui/rows-view.h"
#include "gui/setting-check.h"
#include "gui/setting-entry.h"
#include "gui/setting-windows.h"

#include <glib/gi18n.h>
#include <string.h>

struct _RerouteSecurityPage
{
  GtkBox parent_instance;

  GtkEditable *tls_certificate;
  RerouteFieldError *tls_certificate_error;
  GtkEditable *tls_key;
  GtkDropDown *level;
  GtkLabel *tls_failure;
  RerouteRowsView *rows;
  GtkWidget *reports_button;

  RerouteSheet *sheet;
  RerouteCertificateCheck *certificate_check;
  gboolean showing;
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteSecurityPage,
                               reroute_security_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

/* The choices of the drop-down are those of the setting, in its order. */
static const RerouteSettingSpec *
get_level_spec (void)
{
  return &reroute_setting_specs ()[REROUTE_SETTING_TLS_LEVEL];
}

/* Whether it stands below the field already. */
static gboolean
is_said (RerouteSecurityPage *self, const char *failure)
{
  const char *warning = reroute_field_error_get_warning (self->tls_certificate_error);

  return warning != NULL && strstr (warning, failure) != NULL;
}

/* The files are on the server: only the relay can say whether it can use them. */
static void
show_tls_failure (RerouteSecurityPage *self)
{
  RerouteRelayWatch *watch = reroute_sheet_get_relay_watch (self->sheet);
  const char *english = reroute_relay_watch_get_tls_failure (watch);
  g_autofree char *failure = english != NULL ? reroute_certificate_dup_text (english) : NULL;
  g_autofree char *text = NULL;

  gtk_widget_set_visible (GTK_WIDGET (self->tls_failure),
                          failure != NULL && reroute_relay_watch_is_available (watch) &&
                            !is_said (self, failure));
  if (failure == NULL)
    return;
  /* Translators: %s is what is wrong with a file, without a full stop */
  text = g_strdup_printf (_ ("The relay says: %s"), failure);
  gtk_label_set_text (self->tls_failure, text);
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteSecurityPage *self)
{
  const char *value = reroute_sheet_get_setting (sheet, REROUTE_SETTING_TLS_LEVEL);
  const char *const *choices = get_level_spec ()->choices;

  self->showing = TRUE;
  for (guint i = 0; choices[i] != NULL; i++)
    if (g_str_equal (choices[i], value))
      gtk_drop_down_set_selected (self->level, i);
  self->showing = FALSE;
  gtk_widget_set_sensitive (GTK_WIDGET (self->level), reroute_sheet_is_editable (sheet));
  show_tls_failure (self);
}

static void
line_cb (RerouteFieldError *line, GParamSpec *pspec, RerouteSecurityPage *self)
{
  if (self->sheet != NULL)
    show_tls_failure (self);
}

static void
level_cb (GtkDropDown *drop_down, GParamSpec *pspec, RerouteSecurityPage *self)
{
  if (self->sheet == NULL || self->showing)
    return;
  reroute_sheet_set_setting (self->sheet,
                             REROUTE_SETTING_TLS_LEVEL,
                             get_level_spec ()->choices[gtk_drop_down_get_selected (drop_down)]);
}

static void
dialog_done_cb (RerouteEmailDomainDialog *dialog, gint64 id, RerouteSecurityPage *self)
{
  reroute_rows_view_select (self->rows, id);
}

static void
edit_row_cb (RerouteRowsView *rows, RerouteRow *row, RerouteSecurityPage *self)
{
  RerouteEmailDomainDialog *dialog = reroute_email_domain_dialog_new (
    GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), self->sheet, row);

  if (row != NULL)
    reroute_email_domain_dialog_focus_tls (dialog);
  g_signal_connect_object (dialog, "done", G_CALLBACK (dialog_done_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
accounts_clicked_cb (GtkButton *button, RerouteSecurityPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (GTK_WINDOW (reroute_accounts_window_new (window, self->sheet)));
}

static void
reports_clicked_cb (GtkButton *button, RerouteSecurityPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (reroute_tls_reports_window_new (window, self->sheet));
}

/* --- ReroutePropertyPage --- */

static void
add_accounts_button (RerouteSecurityPage *self)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (_ ("Acc_ounts…"));

  gtk_widget_set_tooltip_text (
    button, _ ("Who may log in here, and what this relay logs in with at other hosts"));
  g_signal_connect (button, "clicked", G_CALLBACK (accounts_clicked_cb), self);
  reroute_guard_button (button, self->sheet);
  reroute_name_tree (button);
  reroute_rows_view_add_button (self->rows, button);
}

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteSecurityPage *self = REROUTE_SECURITY_PAGE (page);

  self->sheet = g_object_ref (sheet);
  reroute_setting_entries_open (GTK_WIDGET (self), sheet);
  reroute_guard_button (self->reports_button, sheet);
  self->certificate_check = reroute_certificate_check_new (reroute_sheet_get_relay_watch (sheet),
                                                           self->tls_certificate,
                                                           self->tls_key,
                                                           self->tls_certificate_error);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->level), _ (get_level_spec ()->summary));
  reroute_rows_view_open (self->rows, sheet, REROUTE_ROWS_SECURITY);
  add_accounts_button (self);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  sheet_changed_cb (sheet, self);
}

static void
focus_search (ReroutePropertyPage *page)
{
  reroute_rows_view_focus_search (REROUTE_SECURITY_PAGE (page)->rows);
}

static gboolean
clear_search (ReroutePropertyPage *page)
{
  return reroute_rows_view_clear_search (REROUTE_SECURITY_PAGE (page)->rows);
}

static gboolean
flush (ReroutePropertyPage *page)
{
  return reroute_setting_entries_flush (GTK_WIDGET (page));
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "security";
  iface->open = open_sheet;
  iface->focus_search = focus_search;
  iface->clear_search = clear_search;
  iface->flush = flush;
}

static void
reroute_security_page_dispose (GObject *object)
{
  RerouteSecurityPage *self = REROUTE_SECURITY_PAGE (object);

  g_clear_object (&self->certificate_check);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_security_page_parent_class)->dispose (object);
}

static void
reroute_security_page_class_init (RerouteSecurityPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_security_page_dispose;

  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_ROWS_VIEW);
  g_type_ensure (REROUTE_TYPE_SETTING_CHECK);
  g_type_ensure (REROUTE_TYPE_SETTING_ENTRY);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/security-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, tls_certificate);
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, tls_certificate_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, tls_key);
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, level);
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, tls_failure);
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, rows);
  gtk_widget_class_bind_template_child (widget_class, RerouteSecurityPage, reports_button);
  gtk_widget_class_bind_template_callback (widget_class, level_cb);
  gtk_widget_class_bind_template_callback (widget_class, line_cb);
  gtk_widget_class_bind_template_callback (widget_class, edit_row_cb);
  gtk_widget_class_bind_template_callback (widget_class, reports_clicked_cb);
}

static void
reroute_security_page_init (RerouteSecurityPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}
