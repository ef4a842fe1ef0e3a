/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * main.c - reroute-rulesd: options, then daemon.c
 */

#include "config.h"

#include "service/rules/daemon.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>

/* What a thread makes is freed by another: of an arena each, most would stay behind, and they grow
   page by page. */
#define MALLOC_ARENAS 1
#define MALLOC_GROW_OCTETS (1024 * 1024)

int
main (int argc, char *argv[])
{
  RerouteRulesOptions options = { 0 };
  gboolean version = FALSE;
  /* clang-format off */
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, &options.session, N_("Serve on the session bus"), NULL },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &options.address, N_("Serve on the bus at ADDRESS"), N_("ADDRESS") },
    { "database", 0, 0, G_OPTION_ARG_FILENAME, &options.database, N_("Keep the rules in FILE"), N_("FILE") },
    { "check", 0, 0, G_OPTION_ARG_NONE, &options.check, N_("Validate the database, change nothing, and exit"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_("Print the version and exit"), NULL },
    { "exit-after-startup", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.exit_after_startup, NULL, NULL },
    { NULL },
  };
  /* clang-format on */
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  int status = EXIT_SUCCESS;

  mallopt (M_ARENA_MAX, MALLOC_ARENAS);
  mallopt (M_TOP_PAD, MALLOC_GROW_OCTETS);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, REROUTE_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_summary (context,
                                _ ("Keeps the rules of Reroute and serves them on D-Bus."));
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc > 1)
    {
      g_printerr ("reroute-rulesd: %s\n",
                  error != NULL ? error->message : _ ("there are no arguments, only options"));
      return 2;
    }
  /* What is logged and kept, and what goes over the bus, is English whatever the machine speaks. */
  setlocale (LC_MESSAGES, "C");
  if (version)
    {
      g_print ("reroute-rulesd %s\n", REROUTE_VERSION);
      return EXIT_SUCCESS;
    }
  if (!reroute_rules_daemon_run (&options, &error))
    {
      g_printerr ("reroute-rulesd: %s\n", error->message);
      status = EXIT_FAILURE;
    }
  g_free (options.address);
  g_free (options.database);
  return status;
}
