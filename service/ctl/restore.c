/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * restore.c - reroutectl restore: a backup becomes a generation
 *
 * The file is found whole here before any of it is sent; rulesd examines what arrives once more.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "service/ctl/backup-file.h"
#include "service/ctl/edit.h"

#include "common/client/rules-copy.h"
#include "common/error.h"

#include <glib/gi18n.h>
#include <unistd.h>

#define ANSWER_OCTETS 256

typedef struct
{
  RerouteCtl *ctl;
  RerouteBackupFile *file;
  gboolean dry_run;
  gboolean agreed; /* --yes */
} Restore;

static guint
begin (Restore *restore, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  RerouteRulesClient *rules = restore->ctl->rules;

  reroute_rules_client_restore_begin_async (
    rules, restore->file->n_octets, restore->file->sha256, NULL, reroute_ctl_wait_cb, &result);
  return reroute_rules_client_restore_begin_finish (rules, reroute_ctl_wait (&result), error);
}

static gboolean
send (Restore *restore, guint number, GError **error)
{
  RerouteRulesClient *rules = restore->ctl->rules;
  guint64 offset = 0;

  while (offset < restore->file->n_octets)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GBytes) octets = reroute_backup_file_read (restore->file, offset, error);

      if (octets == NULL)
        return FALSE;
      reroute_rules_client_restore_write_async (
        rules, number, offset, octets, NULL, reroute_ctl_wait_cb, &result);
      if (!reroute_rules_client_restore_write_finish (rules, reroute_ctl_wait (&result), error))
        return FALSE;
      offset += g_bytes_get_size (octets);
    }
  return TRUE;
}

static RerouteRestoreCheck *
check (Restore *restore, guint number, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  RerouteRulesClient *rules = restore->ctl->rules;

  reroute_rules_client_restore_check_async (rules, number, NULL, reroute_ctl_wait_cb, &result);
  return reroute_rules_client_restore_check_finish (rules, reroute_ctl_wait (&result), error);
}

/* --- what is said --- */

typedef void (*Print) (const char *format, ...);

static void
describe_backup (const Restore *restore, const RerouteRestoreCheck *checked, Print print)
{
  g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, checked->backup_serial);
  g_autofree char *line = NULL;

  if (restore->file->host != NULL)
    {
      /* Translators: the number of a generation, the name of a machine, a date and time */
      line = g_strdup_printf (_ ("Backup of generation %s of %s, taken %s"),
                                 serial,
                                 restore->file->host,
                                 restore->file->taken);
      print ("%s\n", line);
    }
}

static void
describe_rows (const RerouteRestoreCheck *checked, Print print)
{
  guint n_routing = checked->n_rows[REROUTE_PAGE_ROUTING];
  guint n_connections = checked->n_rows[REROUTE_PAGE_CONNECTIONS];
  guint n_recipients = checked->n_rows[REROUTE_PAGE_RECIPIENTS];
  g_autofree char *routing =
    g_strdup_printf (ngettext ("%'u Routing entry", "%'u Routing entries", n_routing), n_routing);
  g_autofree char *connections = g_strdup_printf (
    ngettext ("%'u E-Mail Domain entry", "%'u E-Mail Domain entries", n_connections),
    n_connections);
  g_autofree char *recipients =
    g_strdup_printf (ngettext ("%'u recipient", "%'u recipients", n_recipients), n_recipients);
  g_autofree char *line = g_strdup_printf (
    /* Translators: “3 Routing entries”, “1 E-Mail Domain entry”, “12 recipients” */
    _ ("it holds %s, %s, %s"), routing, connections, recipients);

  print ("%s\n", line);
}

static void
describe_changes (const RerouteRestoreCheck *checked, Print print)
{
  g_autofree char *added = g_strdup_printf (
    ngettext ("%'u row to add", "%'u rows to add", checked->n_added), checked->n_added);
  g_autofree char *set = g_strdup_printf (
    ngettext ("%'u setting to set", "%'u settings to set", checked->n_set), checked->n_set);
  g_autofree char *line =
    /* Translators: “3 rows to add”, numbers of rows, “1 setting to set” */
    g_strdup_printf (_ ("%s, %'u to update, %'u to remove, %s"), added, checked->n_changed, checked->n_removed, set);

  print ("%s\n", line);
  if (checked->takes_over)
    print ("%s\n", _ ("nothing was ever saved here, so the history comes along"));
}

static void
describe_in_json (const Restore *restore, const RerouteRestoreCheck *checked, guint64 serial)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  reroute_ctl_add_boolean (builder, "dry_run", restore->dry_run);
  reroute_ctl_add_string (builder, "host", restore->file->host);
  reroute_ctl_add_string (builder, "taken", restore->file->taken);
  reroute_ctl_add_int (builder, "backup_serial", (gint64) checked->backup_serial);
  reroute_ctl_add_int (builder, "serial", (gint64) serial);
  reroute_ctl_add_boolean (builder, "history", checked->takes_over);
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    reroute_ctl_add_int (builder, reroute_page_to_string (page), checked->n_rows[page]);
  reroute_ctl_add_int (builder, "added", checked->n_added);
  reroute_ctl_add_int (builder, "updated", checked->n_changed);
  reroute_ctl_add_int (builder, "removed", checked->n_removed);
  reroute_ctl_add_int (builder, "settings", checked->n_set);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

static gboolean
refuse (GError **error, RerouteError code, const char *text)
{
  g_set_error_literal (error, REROUTE_ERROR, (int) code, text);
  return FALSE;
}

/* --- what is agreed to --- */

/* The locale need not be one of the language that the question is in. */
static gboolean
is_yes (char *answer)
{
  g_strstrip (answer);
  /* Translators: the word that the question “(yes/no)” is answered with */
  return rpmatch (answer) == 1 || g_str_equal (answer, C_ ("answer", "yes"));
}

static gboolean
ask (const Restore *restore, GError **error)
{
  char answer[ANSWER_OCTETS];

  if (restore->agreed)
    return TRUE;
  if (!isatty (STDIN_FILENO))
    return refuse (error,
                   REROUTE_ERROR_NOT_CONFIRMED,
                   _ ("nothing was changed: say --yes to put the backup in force"));
  g_printerr ("%s ", _ ("Put this in the place of the present rules and settings? (yes/no)"));
  if (fgets (answer, sizeof answer, stdin) != NULL && is_yes (answer))
    return TRUE;
  return refuse (error, REROUTE_ERROR_NOT_CONFIRMED, _ ("nothing was changed"));
}

static gboolean
has_errors (GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    if (((const RerouteFinding *) findings->pdata[i])->level == REROUTE_FINDING_ERROR)
      return TRUE;
  return FALSE;
}

static void
report (const Restore *restore, const RerouteRestoreCheck *checked, guint64 serial)
{
  g_autofree char *now = g_strdup_printf ("%" G_GUINT64_FORMAT, serial);
  g_autofree char *before = g_strdup_printf ("%" G_GUINT64_FORMAT, checked->serial);
  g_autofree char *line = NULL;

  if (restore->ctl->json)
    {
      describe_in_json (restore, checked, serial);
      return;
    }
  if (checked->takes_over || serial == checked->serial)
    /* Translators: the number of a generation */
    line = g_strdup_printf (_ ("generation %s is in force"), now);
  else
    line = g_strdup_printf (
      /* Translators: numbers of generations */
      _ ("generation %s is in force; “reroutectl revert %s” leads back"), now, before);
  g_print ("%s\n", line);
}

/* What is asked about is said, too, where JSON has the standard output. */
static void
describe (const Restore *restore, const RerouteRestoreCheck *checked)
{
  Print print = restore->ctl->json ? g_printerr : g_print;

  if (restore->ctl->json && (restore->dry_run || restore->agreed || !isatty (STDIN_FILENO)))
    return;
  describe_backup (restore, checked, print);
  describe_rows (checked, print);
  describe_changes (checked, print);
}

static gboolean
put_in_force (Restore *restore, guint number, GError **error)
{
  g_autoptr (RerouteRestoreCheck) checked = check (restore, number, error);
  guint64 serial = 0;

  if (checked == NULL)
    return FALSE;
  reroute_ctl_print_findings (checked->findings);
  describe (restore, checked);
  if (has_errors (checked->findings))
    return refuse (
      error, REROUTE_ERROR_FINDINGS, _ ("nothing was changed: correct what is said above"));
  if (restore->dry_run)
    {
      if (restore->ctl->json)
        describe_in_json (restore, checked, checked->serial);
      return TRUE;
    }
  if (!ask (restore, error) ||
      !reroute_ctl_restore_copy (restore->ctl, number, checked->serial, &serial, error))
    return FALSE;
  report (restore, checked, serial);
  return TRUE;
}

gboolean
reroute_ctl_restore (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  Restore restore = { .ctl = ctl };
  const GOptionEntry entries[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &restore.dry_run, NULL, NULL },
    { "yes", 0, 0, G_OPTION_ARG_NONE, &restore.agreed, NULL, NULL },
    { NULL },
  };
  g_autoptr (RerouteBackupFile) file = NULL;
  guint number = 0;
  gboolean done = FALSE;

  ctl->last_is_file = TRUE;
  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error))
    return FALSE;
  file = reroute_backup_file_open (argv[1], error);
  if (file == NULL)
    return FALSE;
  restore.file = file;
  number = begin (&restore, error);
  if (number != 0)
    {
      done = send (&restore, number, error) && put_in_force (&restore, number, error);
      reroute_rules_client_restore_end (ctl->rules, number);
    }
  if (!done)
    /* Translators: the name of a file */
    g_prefix_error (error, _ ("cannot restore “%s”: "), argv[1]);
  return done;
}
