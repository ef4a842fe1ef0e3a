/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * main.c - reroute-relayd
 */

#include "config.h"

#include "service/relay/descriptors.h"
#include "service/relay/log-writer.h"
#include "service/relay/options.h"
#include "service/relay/relay.h"
#include "service/relay/sandbox.h"
#include "service/relay/spool/spool.h"
#include "service/relay/token-helper.h"

#include <locale.h>
#include <malloc.h>
#include <stdlib.h>

#define EXIT_USAGE 2

/* Parts of large messages come and go; without these two malloc() gives each back to the system,
   and every page of the next one costs a fault. */
#define MALLOC_KEEP_OCTETS (8 * 1024 * 1024)
#define MALLOC_MMAP_OCTETS (1024 * 1024)

/* Reads the spool, changes nothing. */
static gboolean
check (const RerouteRelayOptions *options, GError **error)
{
  g_autofree char *directory = reroute_relay_options_dup_spool (options);
  g_autoptr (GString) report = g_string_new (NULL);
  gboolean sound = reroute_spool_verify (directory, report, error);

  if (report->len > 0)
    g_print ("%s%s", report->str, report->str[report->len - 1] == '\n' ? "" : "\n");
  return sound;
}

/* Before there is another thread. */
static gboolean
enter_sandbox (const RerouteRelayOptions *options, GError **error)
{
  g_autofree char *directory = reroute_relay_options_dup_spool (options);

  /* On a server it is made with the right owner when the package is installed. */
  if (options->spool == NULL && (options->session || options->bus != NULL))
    g_mkdir_with_parents (directory, 0700);
  /* A spool that is missing is reported where it is opened. */
  return options->no_sandbox || !g_file_test (directory, G_FILE_TEST_IS_DIR) ||
         reroute_sandbox_enter (directory, error);
}

/* Before the sandbox, in which no program is run.  Returns: as reroute_token_helper_start() */
static int
start_token_helper (const RerouteRelayOptions *options)
{
  g_autofree char *token_commands = reroute_relay_options_dup_token_commands (options);
  g_autofree char *alarm_commands = reroute_relay_options_dup_alarm_commands (options);

  return reroute_token_helper_start (token_commands, alarm_commands);
}

static gboolean
run (const RerouteRelayOptions *options, GError **error)
{
  int token_helper = start_token_helper (options);

  if (!enter_sandbox (options, error))
    return FALSE;
  reroute_descriptors_raise_limit ();
  reroute_log_writer_start ();
  gboolean done = reroute_relay_run (options, token_helper, error);
  reroute_log_writer_stop ();
  return done;
}

int
main (int argc, char **argv)
{
  g_auto (RerouteRelayOptions) options = { 0 };
  g_auto (GStrv) arguments = g_strdupv (argv);
  g_autoptr (GError) error = NULL;

  mallopt (M_TRIM_THRESHOLD, MALLOC_KEEP_OCTETS);
  mallopt (M_MMAP_THRESHOLD, MALLOC_MMAP_OCTETS);
  setlocale (LC_ALL, "");
  /* What is logged, and what goes over the bus, is English whatever the machine speaks. */
  setlocale (LC_MESSAGES, "C");
  g_set_prgname ("reroute-relayd");
  if (!reroute_relay_options_parse (&options, &arguments, &error))
    {
      g_printerr ("reroute-relayd: %s\n", error->message);
      return EXIT_USAGE;
    }
  if (options.version)
    {
      g_print ("reroute-relayd %s\n", REROUTE_VERSION);
      return EXIT_SUCCESS;
    }
  if (options.check ? check (&options, &error) : run (&options, &error))
    return EXIT_SUCCESS;
  if (error != NULL)
    g_printerr ("reroute-relayd: %s\n", error->message);
  return EXIT_FAILURE;
}
