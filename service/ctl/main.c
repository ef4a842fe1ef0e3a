/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * main.c - reroutectl: the rules and the relay at a prompt
 *
 * Exit status: 0 done, 1 refused or failed (one line on standard error), 2 wrong usage.
 */

#include "config.h"

#include "service/ctl/complete.h"
#include "service/ctl/output.h"

#include "common/error.h"
#include "common/refusal-text.h"

#include <glib/gi18n.h>
#include <locale.h>

#define SYNOPSIS "[--session|--bus=ADDRESS] [--host=[USER@]HOST[:PORT]] [--json] VERB"

/* Words that are typed, and the signs between them, are the same in every language. */
static char *
dup_usage (const char *arguments)
{
  /* Translators: %s is a verb with its arguments, which are not translated */
  return g_strdup_printf (_ ("Usage: reroutectl %s"), arguments);
}

/* The verbs whose names begin with the @n words.  Returns: how many they are */
static guint
print_verbs (int n, char **words)
{
  gsize n_verbs;
  const RerouteVerb *verbs = reroute_ctl_get_verbs (&n_verbs);
  guint n_printed = 0;

  for (gsize i = 0; i < n_verbs; i++)
    {
      if (!reroute_ctl_is_verb_of (&verbs[i], n, words))
        continue;
      g_print ("  %s %s\n      %s\n", verbs[i].name, verbs[i].arguments, _ (verbs[i].summary));
      n_printed++;
    }
  return n_printed;
}

static void
print_help (void)
{
  const char *const options[][2] = {
    { "--session", _ ("talk to the services on the session bus") },
      { "--bus=ADDRESS", _ ("talk to the services on the bus at ADDRESS") },
        { "--host=[USER@]HOST[:PORT]",
          _ ("talk to the services of another computer, through ssh") },
          { "--json", _ ("print JSON, for a program to read") },
            { "--version", _ ("print the version") },
              { "--complete", _ ("print what the last word may become, for a shell") },
                { "--help", _ ("print the verbs; behind a verb: how it is used") },
              };
  g_autofree char *usage = dup_usage (SYNOPSIS);

  g_print ("%s\n\n", usage);
  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    g_print ("  %s\n      %s\n", options[i][0], options[i][1]);
  g_print ("\n");
  print_verbs (0, NULL);
}

static int
complain (const char *verb, const GError *error)
{
  g_autofree char *message = g_strdup (error->message);
  g_autofree char *usage = dup_usage (verb);

  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS))
    {
      g_autofree char *advice = reroute_dup_access_advice ();

      g_free (message);
      /* Translators: %s is a sentence that says who may */
      message = g_strdup_printf (_ ("you may not do this: %s"), advice);
    }
  g_printerr ("reroutectl: %s\n", message);
  if (error->domain != G_OPTION_ERROR)
    return 1;
  g_printerr ("%s\n", usage);
  return 2;
}

/* What --host says; a name that is none is wrong usage. */
static gboolean
take_host (RerouteCtl *ctl, const char *host, GError **error)
{
  g_autoptr (GError) refusal = NULL;

  if (host == NULL)
    return TRUE;
  if (ctl->session)
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("--host and --session exclude one another"));
      return FALSE;
    }
  ctl->remote = reroute_remote_parse (host, &refusal);
  if (ctl->remote == NULL)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, refusal->message);
      return FALSE;
    }
  reroute_set_access_server (ctl->remote->host,
                             ctl->remote->user != NULL ? ctl->remote->user : g_get_user_name ());
  return TRUE;
}

static gboolean
asks_for_help (int argc, char **argv)
{
  gboolean asks = FALSE;

  for (int i = 0; i < argc && !g_str_equal (argv[i], "--"); i++)
    asks = asks || g_str_equal (argv[i], "--help") || g_str_equal (argv[i], "-h");
  return asks;
}

/* The verbs that go on as the words do, or that have the most of them. */
static int
help_with (int argc, char **argv)
{
  int n = 0;

  while (n < argc && argv[n][0] != '-')
    n++;
  while (print_verbs (n, argv) == 0)
    n--;
  return 0;
}

static int
complain_of_verb (const char *word)
{
  char *words[] = { (char *) word };
  g_autofree char *refusal = NULL;

  if (reroute_ctl_is_beginning (1, words))
    refusal = g_strdup_printf (
      /* Translators: %s is the first word of several verbs: “routing” */
      _ ("“%s” is the beginning of several verbs: “reroutectl %s --help” lists them"), word, word);
  else
    refusal = g_strdup_printf (_ ("there is no verb “%s”: “reroutectl --help” lists them"), word);
  g_printerr ("reroutectl: %s\n", refusal);
  return 2;
}

static int
run_verb (RerouteCtl *ctl, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *usage = NULL;
  int n_words = 0;
  const RerouteVerb *verb = reroute_ctl_find_verb (argc, argv, &n_words);

  if (asks_for_help (argc, argv))
    return help_with (argc, argv);
  if (verb == NULL)
    return complain_of_verb (argv[0]);
  usage = g_strdup_printf ("%s %s", verb->name, verb->arguments);
  if (!verb->run (ctl, argc - n_words + 1, argv + n_words - 1, &error))
    return complain (usage, error);
  return 0;
}

static int
run (int argc, char **argv)
{
  g_auto (RerouteCtl) ctl = { 0 };
  g_autofree char *address = NULL;
  g_autofree char *host = NULL;
  gboolean version = FALSE, help = FALSE, complete = FALSE;
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, &ctl.session, NULL, NULL },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &address, NULL, NULL },
    { "host", 0, 0, G_OPTION_ARG_STRING, &host, NULL, NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &ctl.json, NULL, NULL },
    { "complete", 0, 0, G_OPTION_ARG_NONE, &complete, NULL, NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !take_host (&ctl, host, &error))
    {
      reroute_ctl_reword_encoding (argc, argv, &error);
      return complain (SYNOPSIS, error);
    }
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
  if (complete)
    {
      /* GLib leaves it where options follow. */
      int n_marks = g_str_equal (argv[1], "--") ? 1 : 0;
      return reroute_ctl_complete (&ctl, argc - 1 - n_marks, argv + 1 + n_marks) ? 0 : 1;
    }
  return run_verb (&ctl, argc - 1, argv + 1);
}

/* In the locale “C”, of cron and of containers, text is UTF-8 all the same. */
static void
take_locale (void)
{
  const char *charset = NULL;

  setlocale (LC_ALL, "");
  if (!g_get_charset (&charset) && g_str_equal (charset, "ANSI_X3.4-1968"))
    setlocale (LC_CTYPE, "C.UTF-8");
}

int
main (int argc, char **argv)
{
  const char *catalogues = g_getenv ("REROUTE_LOCALE_DIR");
  g_autoptr (GError) error = NULL;
  int status;

  take_locale ();
  bindtextdomain (GETTEXT_PACKAGE, catalogues != NULL ? catalogues : REROUTE_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  reroute_ctl_begin_output ();
  status = run (argc, argv);
  if (reroute_ctl_end_output (&error))
    return status;
  g_printerr ("reroutectl: %s\n", error->message);
  return MAX (status, 1);
}
