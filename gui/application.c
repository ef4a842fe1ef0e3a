/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * application.c - the options of reroute, its one window and whose computer it shows
 */

#include "config.h"

#include "gui/application.h"

#include "common/refusal-text.h"
#include "gui/known-computers.h"
#include "gui/window.h"

#include <glib-unix.h>
#include <glib/gi18n.h>

struct _RerouteApplication
{
  GtkApplication parent_instance;

  gboolean session;
  char *address;
  RerouteRemote *remote; /* (nullable): --host, until it is opened; @address is there then */
  gboolean exit_after_startup;
  guint terminate_id;
};

G_DEFINE_FINAL_TYPE (RerouteApplication, reroute_application, GTK_TYPE_APPLICATION)

/* Whether --host says nothing, or a server. */
static gboolean
take_host (RerouteApplication *self, GVariantDict *options)
{
  g_autofree char *host = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_variant_dict_lookup (options, "host", "s", &host))
    return TRUE;
  if (!self->session)
    self->remote = reroute_remote_parse (host, &error);
  if (self->remote != NULL)
    return TRUE;
  g_printerr ("reroute: %s\n",
              error != NULL ? error->message : _ ("--host and --session exclude one another"));
  return FALSE;
}

static int
handle_local_options (GApplication *application, GVariantDict *options)
{
  RerouteApplication *self = REROUTE_APPLICATION (application);

  if (g_variant_dict_contains (options, "version"))
    {
      g_print ("reroute %s\n", REROUTE_VERSION);
      return 0;
    }
  self->session = g_variant_dict_contains (options, "session");
  self->exit_after_startup = g_variant_dict_contains (options, "exit-after-startup");
  g_variant_dict_lookup (options, "bus", "s", &self->address);
  if (self->address != NULL && !g_dbus_is_address (self->address))
    {
      g_printerr (
        _ ("reroute: --bus: “%s” is not a bus address; write one such as unix:path=/run/bus\n"),
           self->address);
      return 2;
    }
  return take_host (self, options) ? -1 : 2;
}

/* Whoever ends the session ends it in order: nothing is asked, what is not saved is lost. */
static gboolean
terminate_cb (gpointer user_data)
{
  g_application_quit (G_APPLICATION (user_data));
  return G_SOURCE_CONTINUE;
}

static void
startup (GApplication *application)
{
  g_autoptr (GtkCssProvider) style = gtk_css_provider_new ();

  G_APPLICATION_CLASS (reroute_application_parent_class)->startup (application);

  gtk_css_provider_load_from_resource (style, "/org/reroute/gui/style.css");
  gtk_style_context_add_provider_for_display (gdk_display_get_default (),
                                              GTK_STYLE_PROVIDER (style),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  gtk_window_set_default_icon_name ("org.reroute.Reroute");
  REROUTE_APPLICATION (application)->terminate_id =
    g_unix_signal_add (SIGTERM, terminate_cb, application);
}

static void
shutdown (GApplication *application)
{
  g_clear_handle_id (&REROUTE_APPLICATION (application)->terminate_id, g_source_remove);

  G_APPLICATION_CLASS (reroute_application_parent_class)->shutdown (application);
}

static gboolean
exit_cb (gpointer user_data)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (user_data));

  if (window != NULL)
    gtk_window_destroy (window);
  return G_SOURCE_REMOVE;
}

/* Refusals are of the computer that the window shows. */
static void
set_access_server (RerouteBus *bus)
{
  const RerouteRemote *remote = reroute_bus_get_remote (bus);

  if (remote == NULL)
    reroute_set_access_server (NULL, NULL);
  else
    reroute_set_access_server (remote->host,
                               remote->user != NULL ? remote->user : g_get_user_name ());
}

/* (transfer full): what the options name */
static RerouteBus *
make_bus (RerouteApplication *self)
{
  g_autofree char *address = NULL;

  if (self->remote == NULL)
    return reroute_bus_new (self->session, self->address);
  address = g_steal_pointer (&self->address);
  return reroute_bus_new_remote (g_steal_pointer (&self->remote), address);
}

static void
connection_cb (RerouteBus *bus, GParamSpec *pspec, RerouteWindow *window)
{
  const RerouteRemote *remote = reroute_bus_get_remote (bus);
  g_autoptr (GError) error = NULL;

  if (remote != NULL && reroute_bus_get_connection (bus) != NULL &&
      !reroute_known_computers_add (remote->name, &error))
    g_message ("%s", error->message);
}

static void computer_chosen_cb (RerouteWindow *window, RerouteBus *bus, RerouteApplication *self);

static void
open_window (RerouteApplication *self, RerouteBus *bus)
{
  RerouteWindow *window = reroute_window_new (GTK_APPLICATION (self), bus);

  set_access_server (bus);
  g_signal_connect_object (window, "computer-chosen", G_CALLBACK (computer_chosen_cb), self, 0);
  g_signal_connect_object (bus, "notify::connection", G_CALLBACK (connection_cb), window, 0);
  connection_cb (bus, NULL, window);
  reroute_bus_start (bus);
  gtk_window_present (GTK_WINDOW (window));
}

/* @bus: (nullable): of this computer */
static void
computer_chosen_cb (RerouteWindow *window, RerouteBus *bus, RerouteApplication *self)
{
  g_autoptr (RerouteBus) chosen = bus != NULL ? g_object_ref (bus) : make_bus (self);
  g_autoptr (RerouteBus) left = g_object_ref (reroute_window_get_bus (window));

  open_window (self, chosen);
  gtk_window_destroy (GTK_WINDOW (window));
  reroute_bus_close (left);
}

static void
activate (GApplication *application)
{
  RerouteApplication *self = REROUTE_APPLICATION (application);
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

  if (window == NULL)
    {
      g_autoptr (RerouteBus) bus = make_bus (self);

      open_window (self, bus);
    }
  else
    gtk_window_present (window);
  if (self->exit_after_startup)
    g_idle_add (exit_cb, self);
}

static void
reroute_application_finalize (GObject *object)
{
  g_clear_pointer (&REROUTE_APPLICATION (object)->address, g_free);
  g_clear_pointer (&REROUTE_APPLICATION (object)->remote, reroute_remote_free);

  G_OBJECT_CLASS (reroute_application_parent_class)->finalize (object);
}

static void
reroute_application_class_init (RerouteApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = reroute_application_finalize;
  application_class->handle_local_options = handle_local_options;
  application_class->startup = startup;
  application_class->shutdown = shutdown;
  application_class->activate = activate;
}

static void
reroute_application_init (RerouteApplication *self)
{
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Use the session bus"), NULL },
      { "bus",
        0,
        0,
        G_OPTION_ARG_STRING,
        NULL,
        N_ ("Use the bus at ADDRESS"), N_ ("ADDRESS") },
        { "host",
          0,
          0,
          G_OPTION_ARG_STRING,
          NULL,
          N_ ("Administer another computer, through ssh"), N_ ("[USER@]HOST[:PORT]") },
          { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Print the version"), NULL },
            { "exit-after-startup", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, NULL, "", NULL },
            { NULL },
         };

  g_application_add_main_option_entries (G_APPLICATION (self), entries);
}

RerouteApplication *
reroute_application_new (void)
{
  return g_object_new (REROUTE_TYPE_APPLICATION,
                       "application-id",
                       "org.reroute.Reroute",
                       "flags",
                       G_APPLICATION_NON_UNIQUE,
                       "resource-base-path",
                       "/org/reroute/gui",
                       NULL);
}
