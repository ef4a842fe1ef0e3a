/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connections-page.c - the Connections page: transfer mode, message delivery, queues
 *
 * Source: Q190710, Q319881, Q182339, Q285090, Q146669.
 */

#include "config.h"

#include "gui/connections-page.h"

#include "gui/certificate-check.h"
#include "gui/email-domain-window.h"
#include "gui/guard.h"
#include "gui/naming.h"
#include "gui/setting-check.h"
#include "gui/setting-entry.h"
#include "gui/setting-windows.h"
#include "gui/test-strip.h"

#include <glib/gi18n.h>

#define N_MODES 4
#define SECONDS_AN_HOUR 3600

struct _RerouteConnectionsPage
{
  GtkBox parent_instance;

  GtkCheckButton *both_radio;
  GtkCheckButton *inbound_radio;
  GtkCheckButton *outbound_radio;
  GtkCheckButton *none_radio;
  GtkCheckButton *dns_radio;
  GtkCheckButton *forward_radio;
  GtkEditable *forward;
  RerouteFieldError *forward_error;
  GtkEditable *account;
  RerouteFieldError *account_error;
  GtkEditable *certificate;
  RerouteFieldError *certificate_error;
  GtkLabel *accept_label;
  GtkLabel *permit_label;
  GtkEditable *retry;
  RerouteFieldError *retry_error;
  RerouteTestStrip *test_strip;
  GtkWidget *advanced_button;
  GtkWidget *email_domain_button;
  GtkWidget *hosts_button;
  GtkWidget *timeouts_button;

  RerouteSheet *sheet;
  RerouteSettingField *forward_field;
  RerouteSettingField *account_field;
  RerouteSettingField *certificate_field;
  RerouteCertificateCheck *certificate_check;
  RerouteSettingField *retry_field;
  gboolean showing;
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteConnectionsPage,
                               reroute_connections_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

/* In the order of the radios; what the setting says. */
static const char *const modes[N_MODES] = { "both", "inbound", "outbound", "none" };

static GtkCheckButton *
get_mode_radio (RerouteConnectionsPage *self, int mode)
{
  GtkCheckButton *const radios[N_MODES] = {
    self->both_radio,
    self->inbound_radio,
    self->outbound_radio,
    self->none_radio,
  };

  return radios[mode];
}

/* --- what is typed and what is kept --- */

static char *
show_list (const char *value)
{
  g_auto (GStrv) parts = g_strsplit_set (value, ",;", -1);

  for (char **part = parts; *part != NULL; part++)
    g_strstrip (*part);
  return g_strjoinv (", ", parts);
}

static char *
show_hosts (const char *value)
{
  return g_str_equal (value, "dns") ? g_strdup ("") : show_list (value);
}

/* "dns" would be a delivery, not a host. */
static char *
read_hosts (const char *text)
{
  return g_ascii_strcasecmp (text, "dns") == 0 ? g_strdup ("") : g_strdup (text);
}

/* A number alone means hours, as in the original: ".25, 1" is "15m, 1h". */
static char *
read_durations (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, ",;", -1);

  for (char **part = parts; *part != NULL; part++)
    {
      char *end = NULL;
      double hours = 0;

      g_strstrip (*part);
      hours = g_ascii_strtod (*part, &end);
      if (**part == '\0' || *end != '\0' || hours < 0 || hours > G_MAXINT / SECONDS_AN_HOUR)
        continue;
      g_free (*part);
      *part = g_strdup_printf ("%.0fs", hours * SECONDS_AN_HOUR);
    }
  return g_strjoinv (",", parts);
}

/* --- the sheet --- */

static guint
count_ranges (RerouteSheet *sheet, RerouteSettingId id)
{
  const char *text = reroute_sheet_get_setting (sheet, id);
  guint n = text[0] != '\0';

  for (const char *p = text; *p != '\0'; p++)
    n += *p == ',';
  return n;
}

static void
show_hosts_summary (RerouteConnectionsPage *self)
{
  guint n_forbidden = count_ranges (self->sheet, REROUTE_SETTING_FORBIDDEN_HOSTS);
  guint n_permitted = count_ranges (self->sheet, REROUTE_SETTING_PERMITTED_HOSTS);
  g_autofree char *accept =
    g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                  "From any host but those in %u address range.",
                                  "From any host but those in %u address ranges.",
                                  n_forbidden),
                     n_forbidden);
  g_autofree char *permit =
    g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                  "Hosts in %u address range may send to any domain.",
                                  "Hosts in %u address ranges may send to any domain.",
                                  n_permitted),
                     n_permitted);

  gtk_label_set_label (self->accept_label, n_forbidden > 0 ? accept : _ ("From any host."));
  gtk_label_set_label (self->permit_label,
                       n_permitted > 0 ? permit : _ ("No host may send to any domain."));
}

static gboolean
has_focus (GtkEditable *field)
{
  return (gtk_widget_get_state_flags (GTK_WIDGET (field)) & GTK_STATE_FLAG_FOCUS_WITHIN) != 0;
}

/* Only at hosts that are named there is somebody to log in to, and to show who we are. */
static void
show_forward (RerouteConnectionsPage *self, gboolean forward)
{
  /* Before a field that has it goes insensitive. */
  if (!forward &&
      (has_focus (self->forward) || has_focus (self->account) || has_focus (self->certificate)))
    gtk_widget_grab_focus (GTK_WIDGET (self->dns_radio));
  reroute_setting_field_set_active (self->forward_field, forward);
  reroute_setting_field_set_active (self->account_field, forward);
  reroute_setting_field_set_active (self->certificate_field, forward);
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteConnectionsPage *self)
{
  const char *mode = reroute_sheet_get_setting (sheet, REROUTE_SETTING_TRANSFER_MODE);
  gboolean dns =
    g_str_equal (reroute_sheet_get_setting (sheet, REROUTE_SETTING_DEFAULT_DELIVERY), "dns");
  gboolean ready = reroute_sheet_is_editable (sheet);

  /* With an empty field "forward" is chosen but not yet a value. */
  if (dns && gtk_check_button_get_active (self->forward_radio) &&
      gtk_editable_get_text (self->forward)[0] == '\0')
    dns = FALSE;
  show_hosts_summary (self);
  self->showing = TRUE;
  for (int i = 0; i < N_MODES; i++)
    {
      gtk_widget_set_sensitive (GTK_WIDGET (get_mode_radio (self, i)), ready);
      if (g_str_equal (mode, modes[i]))
        gtk_check_button_set_active (get_mode_radio (self, i), TRUE);
    }
  gtk_check_button_set_active (dns ? self->dns_radio : self->forward_radio, TRUE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->dns_radio), ready);
  gtk_widget_set_sensitive (GTK_WIDGET (self->forward_radio), ready);
  show_forward (self, !dns);
  self->showing = FALSE;
}

static void
mode_toggled_cb (GtkCheckButton *button, RerouteConnectionsPage *self)
{
  if (self->showing || !gtk_check_button_get_active (button))
    return;
  for (int i = 0; i < N_MODES; i++)
    if (button == get_mode_radio (self, i))
      reroute_sheet_set_setting (self->sheet, REROUTE_SETTING_TRANSFER_MODE, modes[i]);
}

static void
delivery_toggled_cb (GtkCheckButton *button, RerouteConnectionsPage *self)
{
  gboolean forward = gtk_check_button_get_active (self->forward_radio);
  GtkWidget *focus = NULL;

  if (self->showing || !gtk_check_button_get_active (button))
    return;
  show_forward (self, forward);
  focus = gtk_root_get_focus (gtk_widget_get_root (GTK_WIDGET (self)));
  /* The arrow keys go on between the two. */
  if (forward && focus != GTK_WIDGET (button))
    gtk_widget_grab_focus (GTK_WIDGET (self->forward));
  if (!forward)
    reroute_sheet_set_setting (self->sheet, REROUTE_SETTING_DEFAULT_DELIVERY, "dns");
}

static void
email_domain_clicked_cb (GtkButton *button, RerouteConnectionsPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (GTK_WINDOW (reroute_email_domain_window_new (window, self->sheet)));
}

static void
hosts_clicked_cb (GtkButton *button, RerouteConnectionsPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (reroute_hosts_window_new (window, self->sheet));
}

static void
timeouts_clicked_cb (GtkButton *button, RerouteConnectionsPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (reroute_timeouts_window_new (window, self->sheet));
}

static void
advanced_clicked_cb (GtkButton *button, RerouteConnectionsPage *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (reroute_limits_window_new (window, self->sheet));
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteConnectionsPage *self = REROUTE_CONNECTIONS_PAGE (page);

  self->sheet = g_object_ref (sheet);
  self->forward_field = reroute_setting_field_new (sheet,
                                                   REROUTE_SETTING_DEFAULT_DELIVERY,
                                                   self->forward,
                                                   self->forward_error,
                                                   show_hosts,
                                                   read_hosts);
  self->account_field = reroute_setting_field_new (
    sheet, REROUTE_SETTING_DEFAULT_ACCOUNT, self->account, self->account_error, NULL, NULL);
  self->certificate_field = reroute_setting_field_new (sheet,
                                                       REROUTE_SETTING_DEFAULT_CERTIFICATE,
                                                       self->certificate,
                                                       self->certificate_error,
                                                       NULL,
                                                       NULL);
  self->certificate_check = reroute_certificate_check_new (
    reroute_sheet_get_relay_watch (sheet), self->certificate, NULL, self->certificate_error);
  self->retry_field = reroute_setting_field_new (sheet,
                                                 REROUTE_SETTING_RETRY_INTERVALS,
                                                 self->retry,
                                                 self->retry_error,
                                                 show_list,
                                                 read_durations);
  reroute_setting_entries_open (GTK_WIDGET (self), sheet);
  reroute_test_strip_open (self->test_strip, sheet);
  reroute_guard_button (self->advanced_button, sheet);
  reroute_guard_button (self->email_domain_button, sheet);
  reroute_guard_button (self->hosts_button, sheet);
  reroute_guard_button (self->timeouts_button, sheet);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  for (int i = 0; i < N_MODES; i++)
    gtk_widget_set_tooltip_text (
      GTK_WIDGET (get_mode_radio (self, i)),
      _ (reroute_setting_specs ()[REROUTE_SETTING_TRANSFER_MODE].summary));
  sheet_changed_cb (sheet, self);
}

static gboolean
flush (ReroutePropertyPage *page)
{
  RerouteConnectionsPage *self = REROUTE_CONNECTIONS_PAGE (page);

  return reroute_setting_field_flush (self->forward_field) &&
         reroute_setting_field_flush (self->account_field) &&
         reroute_setting_field_flush (self->certificate_field) &&
         reroute_setting_field_flush (self->retry_field);
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "connections";
  iface->open = open_sheet;
  iface->flush = flush;
}

static void
reroute_connections_page_dispose (GObject *object)
{
  RerouteConnectionsPage *self = REROUTE_CONNECTIONS_PAGE (object);

  g_clear_object (&self->forward_field);
  g_clear_object (&self->account_field);
  g_clear_object (&self->certificate_check);
  g_clear_object (&self->certificate_field);
  g_clear_object (&self->retry_field);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_connections_page_parent_class)->dispose (object);
}

static void
reroute_connections_page_class_init (RerouteConnectionsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_connections_page_dispose;

  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_SETTING_CHECK);
  g_type_ensure (REROUTE_TYPE_TEST_STRIP);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/connections-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, both_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, inbound_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, outbound_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, none_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, dns_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, forward_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, forward);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, forward_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, account);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, account_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, certificate);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, certificate_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, accept_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, permit_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, retry);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, retry_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, test_strip);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, advanced_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, email_domain_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, hosts_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteConnectionsPage, timeouts_button);
  gtk_widget_class_bind_template_callback (widget_class, mode_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, delivery_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, email_domain_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, hosts_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, timeouts_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, advanced_clicked_cb);
}

static void
reroute_connections_page_init (RerouteConnectionsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_name_widget (GTK_WIDGET (self->forward), _ ("Forward all messages to host"));
}
