/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * help-window.c - the help of each page and dialog
 */

#include "config.h"

#include "gui/help-window.h"

#include "gui/naming.h"

#include <glib/gi18n.h>

struct _RerouteHelpWindow
{
  GtkWindow parent_instance;

  GtkLabel *heading;
  GtkLabel *text;
  GtkWidget *close_button;
};

G_DEFINE_FINAL_TYPE (RerouteHelpWindow, reroute_help_window, GTK_TYPE_WINDOW)

/* clang-format off */
static const struct
{
  const char *topic;
  const char *heading;
  const char *text;
} topics[] = {
  { "routing", N_("Routing"),
    N_("The table says what becomes of mail by the domain of its recipient.\n\n"
       "An entry covers its domain and all subdomains; an entry for “#example.com” covers example.com alone. "
       "The most exact entry acts, wherever it stands in the list.\n\n"
       "• <inbound>: the mail is taken in and goes to the inbound host.\n"
       "• A domain: the recipient's domain is replaced by that one, and the table is asked again for it.\n"
       "• <always relay>: the recipient stays as it is; the Connections page says where the mail goes.\n\n"
       "Add, Edit and Remove change this window only. OK and Apply save, and the relay follows at once: "
       "no restart, and mail that is being taken in is not disturbed. Ctrl+Z takes a change back until then.\n\n"
       "With “Do not reroute incoming SMTP mail” the table is kept but not used.") },
  { "routing-entry", N_("Routing table entry"),
    N_("To send the mail for one domain to another: write the old domain in “E-mail sent to this domain”, choose "
       "“Should be rerouted to this domain” and write the new one. Mail for user@test.com then leaves for "
       "user@example.com. Nothing inside the message changes.\n\n"
       "“Anyone” takes mail for the domain from the whole Internet, as its mail server does. Choose “Only permitted "
       "hosts” for a domain that is not yours.\n\n"
       "A “#” in front of the domain chooses “This domain only”. An entry that is off is as if it were not there.") },
  { "connections", N_("Connections"),
    N_("Message Delivery says how mail leaves for domains without an entry of their own: to the exchangers that DNS "
       "names, or all of it to one host or several, separated by commas, which take turns.\n\n"
       "E-Mail Domain… lists the domains that have a host of their own; their mail keeps its recipient.\n\n"
       "Transfer Mode stops what comes in, what goes out, or both; “None (Flush Queues)” takes no more mail and goes "
       "on sending what waits.\n\n"
       "Retry intervals are the waits between tries, such as “1m, 5m, 10m, 20m, 30m, 1h”: s, m, h or d for "
       "seconds, minutes, hours or days. The last one repeats.") },
  { "email-domains", N_("E-Mail Domain"),
    N_("Domains whose mail goes to a host of their own, or by DNS when all other mail goes to one host. The recipient "
       "of the mail stays as it is.\n\n"
       "When the Routing page reroutes a domain, its entry here never acts; the list says so beside it.") },
  { "email-domain", N_("E-Mail Domain entry"),
    N_("To forward the mail for a domain to a host: write the domain, choose “Forward all messages for this domain "
       "to host” and write the host's name or address. Mail for user@test.com then goes to that host as "
       "user@test.com.\n\n"
       "“This very host” connects to the name's address. “Look up its MX” connects to the exchangers that DNS names "
       "for it. Several hosts are tried from top to bottom, or taken by turns; a dead one is passed over.\n\n"
       "“Anyone” takes mail for the domain from the whole Internet. To send your own mail for someone else's domain "
       "through a host, choose “Only permitted hosts”.") },
};
/* clang-format on */

static void
reroute_help_window_class_init (RerouteHelpWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/help-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteHelpWindow, heading);
  gtk_widget_class_bind_template_child (widget_class, RerouteHelpWindow, text);
  gtk_widget_class_bind_template_child (widget_class, RerouteHelpWindow, close_button);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
reroute_help_window_init (RerouteHelpWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}

void
reroute_help_window_show (GtkWindow *parent, const char *topic)
{
  RerouteHelpWindow *self = NULL;
  gsize i = 0;

  g_return_if_fail (GTK_IS_WINDOW (parent));

  while (i < G_N_ELEMENTS (topics) && !g_str_equal (topics[i].topic, topic))
    i++;
  g_return_if_fail (i < G_N_ELEMENTS (topics));

  self = g_object_new (REROUTE_TYPE_HELP_WINDOW, "transient-for", parent, NULL);
  gtk_window_set_modal (GTK_WINDOW (self), gtk_window_get_modal (parent));
  gtk_label_set_label (self->heading, _ (topics[i].heading));
  gtk_label_set_label (self->text, _ (topics[i].text));
  gtk_widget_grab_focus (self->close_button);
  gtk_window_present (GTK_WINDOW (self));
}
