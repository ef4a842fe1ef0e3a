/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * email-domain-dialog.c - Add E-Mail Domain, Edit E-Mail Domain
 *
 * Source: Q190710, Q258203, Q279323.
 */

#include "config.h"

#include "gui/email-domain-dialog.h"

#include "common/email-domain.h"
#include "common/file-name.h"
#include "common/verifier.h"
#include "gui/certificate-check.h"
#include "gui/field-error.h"
#include "gui/fit.h"
#include "gui/help-window.h"
#include "gui/host-grid.h"
#include "gui/naming.h"
#include "gui/row-form.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

struct _RerouteEmailDomainDialog
{
  GtkWindow parent_instance;

  GtkScrolledWindow *scroller;
  GtkEditable *domain;
  GtkDropDown *reach;
  RerouteFieldError *domain_error;
  GtkCheckButton *dns_radio;
  GtkCheckButton *forward_radio;
  RerouteHostGrid *hosts;
  GtkDropDown *accept_from;
  GtkEditable *comment;
  GtkDropDown *tls;
  GtkEditable *account;
  RerouteFieldError *account_error;
  GtkEditable *certificate;
  RerouteFieldError *certificate_error;
  GtkDropDown *recipient_check;
  GtkWidget *list_button;
  GtkCheckButton *queue_for_etrn;
  GtkCheckButton *leaves;
  GtkCheckButton *enabled;
  RerouteNote *note;
  GtkLabel *provenance;
  GtkWidget *ok_button;

  RerouteRowForm *form;
  RerouteCertificateCheck *certificate_check;
};

enum
{
  DONE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteEmailDomainDialog, reroute_email_domain_dialog, GTK_TYPE_WINDOW)

/* A blank that was pasted with it is none of the name's. */
static char *
dup_trimmed (GtkEditable *field)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (field)));
}

/* In clear text there is nothing to show a certificate in. */
static gboolean
may_use_tls (RerouteEmailDomainDialog *self)
{
  return gtk_drop_down_get_selected (self->tls) != REROUTE_TLS_NONE;
}

static RerouteRow *
make_row (gpointer user_data)
{
  RerouteEmailDomainDialog *self = REROUTE_EMAIL_DOMAIN_DIALOG (user_data);
  RerouteRowFields fields = reroute_row_form_get_fields (self->form);
  gboolean forward = gtk_check_button_get_active (self->forward_radio);
  g_autofree char *account = dup_trimmed (self->account);
  g_autofree char *certificate = dup_trimmed (self->certificate);
  g_autoptr (RerouteHosts) hosts = forward ? reroute_host_grid_dup_hosts (self->hosts) : NULL;
  g_autoptr (GError) error = NULL;
  RerouteEmailDomain *entry = NULL;

  if (forward && hosts == NULL)
    return NULL;
  fields.account = forward ? account : NULL;
  fields.certificate = may_use_tls (self) ? certificate : NULL;
  fields.queue_for_etrn = gtk_check_button_get_active (self->queue_for_etrn);
  entry = reroute_email_domain_new (&fields, hosts, &error);
  if (entry == NULL)
    g_debug ("not yet: %s", error->message);
  return (RerouteRow *) entry;
}

/* Without hosts there is nobody to log in to. */
static char *
judge_account (GtkEditable *field, gpointer user_data)
{
  RerouteEmailDomainDialog *self = REROUTE_EMAIL_DOMAIN_DIALOG (user_data);
  g_autofree char *text = dup_trimmed (self->account);

  if (text[0] == '\0' || !gtk_check_button_get_active (self->forward_radio) ||
      reroute_account_check_name (text, NULL))
    return NULL;
  return reroute_dup_account_error (text);
}

static char *
judge_certificate (GtkEditable *field, gpointer user_data)
{
  RerouteEmailDomainDialog *self = REROUTE_EMAIL_DOMAIN_DIALOG (user_data);
  g_autofree char *text = dup_trimmed (self->certificate);

  if (text[0] == '\0' || !may_use_tls (self) || reroute_file_name_check (text, NULL))
    return NULL;
  return reroute_dup_file_name_error (text);
}

static void
tls_cb (GtkDropDown *drop_down, GParamSpec *pspec, RerouteEmailDomainDialog *self)
{
  gtk_widget_set_sensitive (GTK_WIDGET (self->certificate), may_use_tls (self));
}

static void
field_changed_cb (GtkEditable *field, RerouteEmailDomainDialog *self)
{
  if (self->form != NULL)
    reroute_row_form_update (self->form);
}

static void
queue_toggled_cb (GtkCheckButton *button, RerouteEmailDomainDialog *self)
{
  if (self->form != NULL)
    reroute_row_form_update (self->form);
}

static void
delivery_toggled_cb (GtkCheckButton *button, RerouteEmailDomainDialog *self)
{
  gboolean forward = gtk_check_button_get_active (self->forward_radio);
  GtkWidget *focus = NULL;

  if (!gtk_check_button_get_active (button))
    return;
  focus = gtk_window_get_focus (GTK_WINDOW (self));
  /* Before a field that has it goes insensitive. */
  if (self->form != NULL && !forward && !GTK_IS_CHECK_BUTTON (focus))
    gtk_widget_grab_focus (GTK_WIDGET (button));
  gtk_widget_set_sensitive (GTK_WIDGET (self->hosts), forward);
  gtk_widget_set_sensitive (GTK_WIDGET (self->account), forward);
  if (self->form == NULL)
    return;
  /* By its mnemonic a radio is chosen without the focus: the next key is for its field. */
  if (button == self->forward_radio && focus != GTK_WIDGET (button))
    gtk_widget_grab_focus (GTK_WIDGET (self->hosts));
  reroute_row_form_update (self->form);
}

static void
hosts_changed_cb (RerouteHostGrid *hosts, RerouteEmailDomainDialog *self)
{
  if (self->form != NULL)
    reroute_row_form_update (self->form);
}

static void
ok_clicked_cb (GtkButton *button, RerouteEmailDomainDialog *self)
{
  gint64 id = reroute_row_form_commit (self->form);

  if (id == 0)
    return;
  g_signal_emit (self, signals[DONE], 0, id);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
help_clicked_cb (GtkButton *button, RerouteEmailDomainDialog *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "email-domain");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "email-domain");
  return TRUE;
}

static void
reroute_email_domain_dialog_dispose (GObject *object)
{
  RerouteEmailDomainDialog *self = REROUTE_EMAIL_DOMAIN_DIALOG (object);

  if (self->form != NULL)
    {
      reroute_field_error_unwatch (self->domain_error);
      reroute_field_error_unwatch (self->account_error);
      reroute_field_error_unwatch (self->certificate_error);
      reroute_row_form_close (self->form);
    }
  g_clear_object (&self->certificate_check);
  g_clear_object (&self->form);

  G_OBJECT_CLASS (reroute_email_domain_dialog_parent_class)->dispose (object);
}

static void
reroute_email_domain_dialog_class_init (RerouteEmailDomainDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_email_domain_dialog_dispose;

  signals[DONE] = g_signal_new ("done",
                                REROUTE_TYPE_EMAIL_DOMAIN_DIALOG,
                                G_SIGNAL_RUN_LAST,
                                0,
                                NULL,
                                NULL,
                                NULL,
                                G_TYPE_NONE,
                                1,
                                G_TYPE_INT64);

  g_type_ensure (REROUTE_TYPE_NOTE);
  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_HOST_GRID);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/email-domain-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, scroller);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, domain);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, reach);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, domain_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, dns_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, forward_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, hosts);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, accept_from);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, comment);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, tls);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, recipient_check);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, list_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, account);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, account_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, certificate);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, certificate_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, leaves);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, queue_for_etrn);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, enabled);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, provenance);
  gtk_widget_class_bind_template_child (widget_class, RerouteEmailDomainDialog, ok_button);
  gtk_widget_class_bind_template_callback (widget_class, delivery_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, queue_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, hosts_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, field_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, tls_cb);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_email_domain_dialog_init (RerouteEmailDomainDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_name_widget (GTK_WIDGET (self->reach), _ ("Reach"));
}

static void
fill (RerouteEmailDomainDialog *self, const RerouteEmailDomain *entry)
{
  gtk_check_button_set_active (entry->hosts != NULL ? self->forward_radio : self->dns_radio, TRUE);
  if (entry->hosts != NULL)
    reroute_host_grid_set_hosts (self->hosts, entry->hosts);
  gtk_editable_set_text (self->account, entry->account);
  gtk_editable_set_text (self->certificate, entry->certificate);
  gtk_check_button_set_active (self->queue_for_etrn, entry->row.queue_for_etrn);
}

RerouteEmailDomainDialog *
reroute_email_domain_dialog_new (GtkWindow *parent, RerouteSheet *sheet, RerouteRow *row)
{
  RerouteEmailDomainDialog *self = g_object_new (REROUTE_TYPE_EMAIL_DOMAIN_DIALOG,
                                                 "transient-for",
                                                 parent,
                                                 "title",
                                                 row != NULL
                                                 ? _ ("Edit E-Mail Domain")
                                                 : _ ("Add E-Mail Domain"), NULL);
  RerouteRowFieldsWidgets widgets = {
    .domain = self->domain,
    .reach = self->reach,
    .accept_from = self->accept_from,
    .tls = self->tls,
    .comment = self->comment,
    .recipient_check = self->recipient_check,
    .list_button = self->list_button,
    .leaves = self->leaves,
    .enabled = self->enabled,
    .note = self->note,
    .provenance = self->provenance,
    .ok_button = self->ok_button,
  };

  if (row != NULL)
    fill (self, (const RerouteEmailDomain *) row);
  self->form = reroute_row_form_new (sheet, row, &widgets, make_row, self);
  reroute_field_error_watch (self->domain_error, self->domain, reroute_row_form_judge_domain, self);
  reroute_field_error_watch (self->account_error, self->account, judge_account, self);
  reroute_field_error_watch (self->certificate_error, self->certificate, judge_certificate, self);
  self->certificate_check = reroute_certificate_check_new (
    reroute_sheet_get_relay_watch (sheet), self->certificate, NULL, self->certificate_error);
  reroute_row_form_update (self->form);
  reroute_fit_dialog (GTK_WINDOW (self), self->scroller);
  gtk_widget_grab_focus (GTK_WIDGET (self->domain));
  return self;
}

void
reroute_email_domain_dialog_focus_tls (RerouteEmailDomainDialog *self)
{
  g_return_if_fail (REROUTE_IS_EMAIL_DOMAIN_DIALOG (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->tls));
}
