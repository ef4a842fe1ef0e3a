/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * main.c - reroutectl: the rules and the relay at a prompt
 *
 * Exit status: 0 done, 1 refused or failed (one line on standard error), 2 wrong usage.
 */

#include "config.h"

#include <locale.h>

#include "service/ctl/ctl.h"

static void
print_help (void)
{
  gsize n_verbs;
  const RerouteVerb *verbs = reroute_ctl_get_verbs (&n_verbs);

  g_print ("Usage: reroutectl [--session|--bus=ADDRESS] [--json] VERB\n\n");
  for (gsize i = 0; i < n_verbs; i++)
    g_print ("  %s %s\n      %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
}

static int
complain (const char *verb, const GError *error)
{
  g_printerr ("reroutectl: %s\n", error->message);
  if (error->domain != G_OPTION_ERROR)
    return 1;
  g_printerr ("Usage: reroutectl %s\n", verb);
  return 2;
}

static int
run_verb (RerouteCtl *ctl, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *usage = NULL;
  int n_words = 0;
  const RerouteVerb *verb = reroute_ctl_find_verb (argc, argv, &n_words);

  if (verb == NULL)
    {
      g_printerr ("reroutectl: there is no verb “%s”: “reroutectl --help” lists them\n", argv[0]);
      return 2;
    }
  usage = g_strdup_printf ("%s %s", verb->name, verb->arguments);
  if (!verb->run (ctl, argc - n_words + 1, argv + n_words - 1, &error))
    return complain (usage, error);
  return 0;
}

int
main (int argc, char **argv)
{
  g_auto (RerouteCtl) ctl = { 0 };
  g_autofree char *address = NULL;
  gboolean version = FALSE, help = FALSE;
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, &ctl.session, NULL, NULL },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &address, NULL, NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &ctl.json, NULL, NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return complain ("[--session|--bus=ADDRESS] [--json] VERB", error);
  if (version)
    {
      g_print ("reroutectl %s\n", REROUTE_VERSION);
      return 0;
    }
  if (help || argc < 2)
    {
      print_help ();
      return help ? 0 : 2;
    }
  ctl.address = address;
  return run_verb (&ctl, argc - 1, argv + 1);
}
