/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import.c - reroutectl import: rows from CSV, all or nothing
 *
 * A row of the same page, domain and match is updated; with --replace the rows that the file
 * does not name go away.
 */

#include "config.h"

#include <stdio.h>

#include "service/ctl/rows.h"

#include "common/csv.h"
#include "common/error.h"
#include "service/ctl/edit.h"
#include "service/ctl/output.h"

#include <errno.h>
#include <glib/gi18n.h>

typedef struct
{
  RerouteRuleset *saved;
  GHashTable *kept; /* (element-type RerouteRow): rows of @saved that the file names */
  GPtrArray *changes;
  guint n_added, n_updated, n_removed, n_same;
} Import;

static RerouteRuleset *
load_saved (RerouteCtl *ctl, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_load_async (ctl->rules, NULL, reroute_ctl_wait_cb, &result);
  return reroute_rules_client_load_finish (ctl->rules, reroute_ctl_wait (&result), error);
}

char *
reroute_ctl_read_input (const char *name, gsize *length, GError **error)
{
  g_autoptr (GString) text = NULL;
  char block[65536];
  size_t n;

  if (!g_str_equal (name, "-"))
    {
      char *content = NULL;

      if (!g_file_get_contents (name, &content, length, error))
        g_prefix_error (error, _ ("cannot read “%s”: "), name);
      return content;
    }
  text = g_string_new (NULL);
  while ((n = fread (block, 1, sizeof block, stdin)) > 0)
    g_string_append_len (text, block, (gssize) n);
  if (ferror (stdin))
    {
      int code = errno;

      g_set_error_literal (error, G_FILE_ERROR, g_file_error_from_errno (code), g_strerror (code));
      g_prefix_error (error, _ ("cannot read “%s”: "), name);
      return NULL;
    }
  *length = text->len;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Turns one row of the file into a change against what is saved. */
static void
plan_row (Import *import, RerouteRow *row)
{
  RerouteRow *saved = reroute_ruleset_find_row (import->saved, row->page, row->domain, row->exact);
  g_autoptr (RerouteRow) wanted = NULL;

  if (saved == NULL)
    {
      import->n_added++;
      g_ptr_array_add (import->changes, reroute_change_new_put (row));
      return;
    }
  g_hash_table_add (import->kept, saved);
  wanted = reroute_row_stamp (row, saved->id, saved->changed_by, saved->changed_us);
  if (reroute_row_equal (saved, wanted))
    {
      import->n_same++;
      return;
    }
  import->n_updated++;
  g_ptr_array_add (import->changes, reroute_change_new_put (wanted));
}

/* Page by page: rows of one page in a row travel best. */
static void
plan_rows (Import *import, GPtrArray *rows)
{
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    for (guint i = 0; i < rows->len; i++)
      if (((RerouteRow *) rows->pdata[i])->page == page)
        plan_row (import, rows->pdata[i]);
}

static gboolean
plan_removal (RerouteRow *row, gpointer user_data)
{
  Import *import = user_data;

  if (!g_hash_table_contains (import->kept, row))
    {
      g_ptr_array_add (import->changes, reroute_change_new_remove (row->page, row->id));
      import->n_removed++;
    }
  return TRUE;
}

static void
plan_removals (Import *import)
{
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    reroute_ruleset_foreach (import->saved, page, plan_removal, import);
}

/* Whether every entry says itself who may send. */
static gboolean
all_say (GPtrArray *rows, GHashTable *said)
{
  for (guint i = 0; i < rows->len; i++)
    if (((RerouteRow *) rows->pdata[i])->page != REROUTE_PAGE_RECIPIENTS &&
        !g_hash_table_contains (said, rows->pdata[i]))
      return FALSE;
  return TRUE;
}

static GPtrArray *
parse_file (const char *name, GHashTable *said, GError **error)
{
  g_autoptr (GPtrArray) errors = NULL;
  g_autofree char *text = NULL;
  GPtrArray *rows;
  gsize length = 0;

  text = reroute_ctl_read_input (name, &length, error);
  if (text == NULL)
    return NULL;
  rows = reroute_csv_parse (text, length, said, &errors);
  if (rows != NULL)
    return rows;
  for (guint i = 0; i < errors->len; i++)
    {
      const RerouteCsvError *bad = errors->pdata[i];
      g_autofree char *message = reroute_ctl_dup_plain (bad->message);

      g_printerr ("%s:%u: %s\n", name, bad->line, message);
    }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: a number, the name of a file */
               ngettext ("nothing was changed: %'u line of “%s” is not understood",
                         "nothing was changed: %'u lines of “%s” are not understood",
                         errors->len),
               errors->len,
               name);
  return NULL;
}

static void
report (RerouteCtl *ctl, const Import *import, gboolean dry_run)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *line = NULL;

  if (!ctl->json)
    {
      line = g_strdup_printf (
        dry_run
        /* Translators: numbers of rows; “to add: %'u, …” where words must agree with them */
        ? _ ("%'u to add, %'u to update, %'u to remove, %'u as they are; nothing was changed")
        /* Translators: numbers of rows; “added: %'u, …” where words must agree with them */
        : _ ("%'u added, %'u updated, %'u removed, %'u as they were"),
             import->n_added,
             import->n_updated,
             import->n_removed,
             import->n_same);
      g_print ("%s\n", line);
      return;
    }
  json_builder_begin_object (builder);
  reroute_ctl_add_boolean (builder, "dry_run", dry_run);
  reroute_ctl_add_int (builder, "added", import->n_added);
  reroute_ctl_add_int (builder, "updated", import->n_updated);
  reroute_ctl_add_int (builder, "removed", import->n_removed);
  reroute_ctl_add_int (builder, "same", import->n_same);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

gboolean
reroute_ctl_import (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean dry_run = FALSE;
  gboolean replace = FALSE;
  const GOptionEntry entries[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, NULL, NULL },
    { "replace", 0, 0, G_OPTION_ARG_NONE, &replace, NULL, NULL },
    { NULL },
  };
  g_autoptr (GHashTable) said = g_hash_table_new (NULL, NULL);
  GHashTable *unless_all = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (RerouteRuleset) saved = NULL;
  g_autoptr (GHashTable) kept = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  Import import = { .kept = kept, .changes = changes };
  guint64 serial = 0;

  ctl->last_is_file = TRUE;
  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error))
    return FALSE;
  rows = parse_file (argv[1], said, error);
  if (rows == NULL)
    return FALSE;
  saved = load_saved (ctl, error);
  if (saved == NULL)
    return FALSE;
  import.saved = saved;
  plan_rows (&import, rows);
  if (replace)
    plan_removals (&import);
  serial = reroute_ruleset_get_serial (saved);
  unless_all = all_say (rows, said) ? NULL : said;
  if (dry_run ? !reroute_ctl_try_file (ctl, changes, unless_all, error)
              : !reroute_ctl_apply_file (ctl, changes, unless_all, serial, error))
    return FALSE;
  report (ctl, &import, dry_run);
  return TRUE;
}
