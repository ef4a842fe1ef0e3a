/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history.c - reroutectl history | revert
 */

#include "config.h"

#include "service/ctl/edit.h"
#include "service/ctl/table.h"

#include "common/error.h"
#include "common/summary-text.h"

#include <glib/gi18n.h>

/* Generations that are shown. */
#define N_GENERATIONS 100

gboolean
reroute_ctl_history (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  const char *const titles[] = { C_ ("heading", "NO."),  C_ ("heading", "WHEN"),
                                 C_ ("heading", "WHO"),  C_ ("heading", "CHANGES"),
                                 C_ ("heading", "WHAT"), NULL };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) generations = NULL;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 0, error))
    return FALSE;
  reroute_rules_client_history_async (
    ctl->rules, 0, N_GENERATIONS, NULL, reroute_ctl_wait_cb, &result);
  generations = reroute_rules_client_history_finish (ctl->rules, reroute_ctl_wait (&result), error);
  if (generations == NULL)
    return FALSE;

  json_builder_begin_array (builder);
  for (guint i = 0; i < generations->len; i++)
    {
      const RerouteGeneration *generation = generations->pdata[i];
      g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, generation->serial);
      g_autofree char *when = reroute_table_format_time (generation->when_us);
      g_autofree char *count = g_strdup_printf ("%u", generation->n_changes);
      g_autofree char *summary = reroute_summary_dup_text (generation->summary);

      reroute_table_add (table, serial, when, generation->who, count, summary, NULL);
      json_builder_begin_object (builder);
      reroute_ctl_add_int (builder, "serial", (gint64) generation->serial);
      reroute_ctl_add_int (builder, "when_us", generation->when_us);
      reroute_ctl_add_string (builder, "who", generation->who);
      reroute_ctl_add_string (builder, "summary", generation->summary);
      reroute_ctl_add_int (builder, "n_changes", generation->n_changes);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  else
    reroute_table_print (table);
  return TRUE;
}

gboolean
reroute_ctl_revert (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean confirm = FALSE;
  const GOptionEntry entries[] = {
    { "confirm", 0, 0, G_OPTION_ARG_NONE, &confirm, NULL, NULL },
    { NULL },
  };
  guint64 target;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error))
    return FALSE;
  if (!g_ascii_string_to_unsigned (argv[1], 10, 0, G_MAXINT64, &target, NULL))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("“%s” is not the number of a generation: “reroutectl history” shows them"),
                      argv[1]);
      return FALSE;
    }
  return reroute_ctl_go_back (
    ctl, target, confirm ? REROUTE_CTL_AGREED_ALL : REROUTE_CTL_AGREED_NOTHING, error);
}
