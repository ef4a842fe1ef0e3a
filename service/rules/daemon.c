/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * daemon.c - reroute-rulesd from its start to its end
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-rulesd"

#include "service/rules/daemon.h"

#include "common/client/bus.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "service/memory-trim.h"
#include "service/rules/rules-service.h"
#include "service/supervisor.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/stat.h>

#define US_PER_MS 1000
#define TRIM_AFTER_S 2   /* what asks at its start has asked */
#define WATCHDOG_LOOKS 2 /* in the interval that the service manager gives */

typedef struct
{
  GMainLoop *loop;
  RerouteBus *bus;
  RerouteRulesService *service;
  gboolean exit_after_startup;
  gboolean stopping;
  guint away;  /* source: the bus is away for too long */
  guint alive; /* source: what the service manager wants to hear; 0: nothing */
  guint trim;  /* source: what only the start needed goes back; 0: it has */
  GError *error;
} Daemon;

static void
stopped_cb (gpointer user_data)
{
  g_main_loop_quit (((Daemon *) user_data)->loop);
}

static void
stop (Daemon *daemon)
{
  if (daemon->stopping)
    return;
  daemon->stopping = TRUE;
  reroute_supervisor_notify ("STOPPING=1\nSTATUS=Ends what is being saved");
  reroute_rules_service_stop (daemon->service, stopped_cb, daemon);
}

static gboolean
signal_cb (gpointer user_data)
{
  stop (user_data);
  return G_SOURCE_CONTINUE;
}

static void
published_cb (RerouteBus *bus, gpointer user_data)
{
  Daemon *daemon = user_data;

  g_message ("serving %s on %s", REROUTE_RULES_BUS_NAME, reroute_bus_get_label (bus));
  reroute_supervisor_notify_status ("Serving the rules");
  reroute_supervisor_notify ("READY=1");
  if (daemon->exit_after_startup)
    stop (daemon);
}

/* The main loop goes on; threads are for single calls, which have an end of their own. */
static gboolean
alive_cb (gpointer user_data)
{
  reroute_supervisor_notify ("WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

static void
start_watchdog (Daemon *daemon)
{
  guint64 interval_us = reroute_supervisor_get_watchdog_us ();

  if (interval_us > 0)
    daemon->alive = g_timeout_add (
      (guint) CLAMP (interval_us / US_PER_MS / WATCHDOG_LOOKS, 1, G_MAXINT), alive_cb, daemon);
}

static gboolean
trim_cb (gpointer user_data)
{
  ((Daemon *) user_data)->trim = 0;
  reroute_memory_trim_now ();
  return G_SOURCE_REMOVE;
}

static void
name_taken_cb (RerouteBus *bus, gpointer user_data)
{
  Daemon *daemon = user_data;

  if (daemon->stopping)
    return;
  g_set_error (
    &daemon->error,
    REROUTE_ERROR,
    REROUTE_ERROR_UNAVAILABLE,
    "the name %s on %s belongs to another process: stop the other reroute-rulesd, or see "
    "whether this user may own the name",
    REROUTE_RULES_BUS_NAME,
    reroute_bus_get_label (bus));
  stop (daemon);
}

static gboolean
away_cb (gpointer user_data)
{
  Daemon *daemon = user_data;

  daemon->away = 0;
  g_message ("%s does not come back", reroute_bus_get_label (daemon->bus));
  stop (daemon);
  return G_SOURCE_REMOVE;
}

static void
connection_cb (RerouteBus *bus, GParamSpec *pspec, gpointer user_data)
{
  Daemon *daemon = user_data;
  gboolean away = reroute_bus_get_connection (bus) == NULL;

  g_clear_handle_id (&daemon->away, g_source_remove);
  if (!away)
    return;
  g_message ("%s went away; waiting for it", reroute_bus_get_label (bus));
  if (!reroute_bus_is_system (bus))
    daemon->away = g_timeout_add_seconds (REROUTE_LIMIT_BUS_AWAY_S, away_cb, daemon);
}

/* The default below the user's folders is made when it is missing; the system's is the package's.
 */
static char *
find_database (const RerouteRulesOptions *options, GError **error)
{
  g_autofree char *folder = NULL;

  if (options->database != NULL)
    return g_strdup (options->database);
  if (!options->session && options->address == NULL)
    return g_build_filename (REROUTE_STATE_DIR, "rules.db", NULL);
  folder = g_build_filename (g_get_user_state_dir (), "reroute", NULL);
  if (!options->check && g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_STORE,
                   "cannot make the folder “%s”: %s",
                   folder,
                   g_strerror (errno));
      return NULL;
    }
  return g_build_filename (folder, "rules.db", NULL);
}

static gboolean
check (const char *path, GError **error)
{
  g_autofree char *summary = NULL;

  if (!reroute_rulebook_check (path, &summary, error))
    return FALSE;
  g_print ("%s\n", summary);
  return TRUE;
}

static gboolean
serve (Daemon *daemon, RerouteRulebook *rulebook, GError **error)
{
  guint term = 0, interrupt = 0;

  if (!reroute_bus_open (daemon->bus, error))
    return FALSE;
  daemon->loop = g_main_loop_new (NULL, FALSE);
  daemon->service = reroute_rules_service_new (daemon->bus, rulebook);
  term = g_unix_signal_add (SIGTERM, signal_cb, daemon);
  interrupt = g_unix_signal_add (SIGINT, signal_cb, daemon);
  g_signal_connect (daemon->bus, "published", G_CALLBACK (published_cb), daemon);
  g_signal_connect (daemon->bus, "name-taken", G_CALLBACK (name_taken_cb), daemon);
  g_signal_connect (daemon->bus, "notify::connection", G_CALLBACK (connection_cb), daemon);
  reroute_rules_service_publish (daemon->service);
  start_watchdog (daemon);
  daemon->trim = g_timeout_add_seconds (TRIM_AFTER_S, trim_cb, daemon);
  g_main_loop_run (daemon->loop);
  g_signal_handlers_disconnect_by_data (daemon->bus, daemon);
  g_clear_handle_id (&daemon->away, g_source_remove);
  g_clear_handle_id (&daemon->alive, g_source_remove);
  g_clear_handle_id (&daemon->trim, g_source_remove);
  g_source_remove (term);
  g_source_remove (interrupt);
  g_object_unref (daemon->service);
  g_main_loop_unref (daemon->loop);
  if (daemon->error == NULL)
    return TRUE;
  g_propagate_error (error, daemon->error);
  return FALSE;
}

gboolean
reroute_rules_daemon_run (const RerouteRulesOptions *options, GError **error)
{
  g_autofree char *path = find_database (options, error);
  g_autoptr (RerouteRulebook) rulebook = NULL;
  g_autoptr (RerouteBus) bus = NULL;
  Daemon daemon = { .exit_after_startup = options->exit_after_startup };

  if (path == NULL)
    return FALSE;
  if (options->check)
    return check (path, error);
  /* The rules are nobody else's; a full disk is an error of the write, not the end of the process.
   */
  umask (077);
  signal (SIGXFSZ, SIG_IGN);
  rulebook = reroute_rulebook_open (path, error);
  if (rulebook == NULL)
    return FALSE;
  if (reroute_rulebook_get_serial (rulebook) == 0)
    g_message ("“%s” has no rules yet: nothing was ever saved there", path);
  bus = reroute_bus_new (options->session, options->address);
  daemon.bus = bus;
  return serve (&daemon, rulebook, error);
}
