/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-load.c - the newest generation of rules, by its changes or in pages
 *
 * Settings give the serial to start from, then both pages are read by rising id, then what changed
 * since that serial is laid over the rows.  A row that changed after its page was read, or before,
 * ends up the same: only the last change of a row counts.
 */

#include "config.h"

#include "common/client/rules-load.h"

#include "common/change-set.h"
#include "common/client/peer.h"
#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/row-columns.h"

/* Beyond so many changes the rows are loaded anew: one change costs as much as some ten rows. */
#define MIN_CHANGES 2000
#define ROWS_PER_CHANGE 10

/* --- changes since a generation --- */

typedef struct
{
  RerouteBus *bus;
  guint64 since;
  guint64 serial;
  guint max_changes;  /* more are not worth their while */
  GPtrArray *changes; /* (element-type RerouteChange) */
} Catching;

static void
catching_free (Catching *catching)
{
  g_object_unref (catching->bus);
  g_clear_pointer (&catching->changes, g_ptr_array_unref);
  g_free (catching);
}

static void ask_changes (GTask *task);

/* TRUE: there are more. */
static gboolean
take_changes (Catching *catching, GVariant *reply, GError **error)
{
  const char *state = NULL;
  gboolean more = FALSE;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (GPtrArray) part = NULL;

  g_variant_get (reply, "(&st@a(sv)b)", &state, &catching->serial, &array, &more);
  if (!g_str_equal (state, "changes"))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_NO_SUCH_SERIAL,
                   "the history does not reach back to generation %" G_GUINT64_FORMAT
                   ": load the rules anew",
                   catching->since);
      return FALSE;
    }
  part = reroute_changes_from_variant (array, error);
  if (part == NULL)
    return FALSE;
  if (more && part->len == 0)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_PROTOCOL,
                   "reroute-rulesd promises more changes and sends none");
      return FALSE;
    }
  for (guint i = 0; i < part->len; i++)
    g_ptr_array_add (catching->changes, reroute_change_ref (part->pdata[i]));
  if (more && catching->changes->len > catching->max_changes)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_NO_SUCH_SERIAL,
                   "more than %u changes since generation %" G_GUINT64_FORMAT
                   ": load the rules anew",
                   catching->max_changes,
                   catching->since);
      return FALSE;
    }
  return more;
}

static void
changes_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Catching *catching = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_finish (result, &error);
  gboolean more = reply != NULL && take_changes (catching, reply, &error);

  if (error != NULL)
    g_task_return_error (task, error);
  else if (more)
    ask_changes (task);
  else
    g_task_return_pointer (
      task, g_steal_pointer (&catching->changes), (GDestroyNotify) g_ptr_array_unref);
}

static void
ask_changes (GTask *task)
{
  Catching *catching = g_task_get_task_data (task);

  reroute_peer_call (
    &reroute_peer_rules,
    catching->bus,
    "ChangesSince",
    g_variant_new ("(tuu)", catching->since, catching->changes->len, REROUTE_LIMIT_PAGE_ROWS),
    G_VARIANT_TYPE ("(sta(sv)b)"),
    REROUTE_LIMIT_CALL_MS,
    g_task_get_cancellable (task),
    changes_cb,
    g_object_ref (task));
}

static void
start_catching (RerouteBus *bus,
                guint64 since,
                guint max_changes,
                GCancellable *cancellable,
                GAsyncReadyCallback callback,
                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Catching *catching = g_new0 (Catching, 1);

  catching->bus = g_object_ref (bus);
  catching->since = since;
  catching->max_changes = max_changes;
  catching->changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_task_set_source_tag (task, reroute_rules_changes_since_async);
  g_task_set_task_data (task, catching, (GDestroyNotify) catching_free);
  ask_changes (task);
}

void
reroute_rules_changes_since_async (RerouteBus *bus,
                                   guint64 since,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  start_catching (bus, since, G_MAXUINT, cancellable, callback, user_data);
}

GPtrArray *
reroute_rules_changes_since_finish (GAsyncResult *result, guint64 *serial, GError **error)
{
  const Catching *catching = NULL;

  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_rules_changes_since_async), NULL);

  catching = g_task_get_task_data (G_TASK (result));
  *serial = catching->serial;
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- the newest generation --- */

typedef struct
{
  RerouteBus *bus;
  RerouteRuleset *base; /* (nullable): what the changes are laid over */
  RerouteRulesetBuilder *builder;
  guint64 first_serial; /* of the settings, which are read first */
  ReroutePage page;
  gint64 after_id; /* of the row that was taken last */
  GError *failure; /* that the call on its way reports; NULL: none */
} Loading;

static void
loading_free (Loading *loading)
{
  g_object_unref (loading->bus);
  g_clear_pointer (&loading->base, reroute_ruleset_unref);
  g_clear_pointer (&loading->builder, reroute_ruleset_builder_free);
  g_clear_error (&loading->failure);
  g_free (loading);
}

static void load_anew (GTask *task);

static void
caught_up_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Loading *loading = g_task_get_task_data (task);
  GError *error = NULL;
  guint64 serial = 0;
  g_autoptr (GPtrArray) changes = reroute_rules_changes_since_finish (result, &serial, &error);
  RerouteRuleset *newest = NULL;

  if (changes != NULL)
    newest = reroute_ruleset_catch_up (loading->base, changes, serial, &error);
  if (newest != NULL)
    {
      g_task_return_pointer (task, newest, (GDestroyNotify) reroute_ruleset_unref);
      return;
    }
  /* The database was put back to an older state, or changed beyond the history or by too much:
     begin again. */
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_SERIAL))
    {
      g_error_free (error);
      load_anew (task);
      return;
    }
  g_task_return_error (task, error);
}

static void
catch_up (GTask *task)
{
  Loading *loading = g_task_get_task_data (task);
  gsize n_rows = 0;

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    n_rows += reroute_ruleset_get_n_rows (loading->base, page);
  start_catching (loading->bus,
                  reroute_ruleset_get_serial (loading->base),
                  MIN_CHANGES + (guint) (n_rows / ROWS_PER_CHANGE),
                  g_task_get_cancellable (task),
                  caught_up_cb,
                  g_object_ref (task));
}

/* Takes the rows of a reply over. */
static gboolean
take_rows (Loading *loading, GVariant *columns, GError **error)
{
  g_autoptr (GPtrArray) rows = reroute_rows_from_columns (loading->page, columns, error);

  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    {
      RerouteRow *row = rows->pdata[i];

      if (row->id <= loading->after_id)
        {
          g_set_error (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_PROTOCOL,
                       "reroute-rulesd sent the row “%s” where it does not belong",
                       row->domain);
          return FALSE;
        }
      loading->after_id = row->id;
      if (!reroute_ruleset_builder_put (loading->builder, row, error))
        return FALSE;
    }
  return TRUE;
}

static void ask_rows (GTask *task, gint64 after_id);

static void
use_huge_pages (GTask *step, gpointer source, gpointer data, GCancellable *cancellable)
{
  reroute_ruleset_use_huge_pages (data);
  g_task_return_boolean (step, TRUE);
}

/* Rows that were loaded whole lie close together, and are held for long.  Nobody waits for it. */
static void
begin_to_use_huge_pages (RerouteRuleset *ruleset)
{
  g_autoptr (GTask) step = g_task_new (NULL, NULL, NULL, NULL);

  g_task_set_source_tag (step, begin_to_use_huge_pages);
  g_task_set_task_data (
    step, reroute_ruleset_ref (ruleset), (GDestroyNotify) reroute_ruleset_unref);
  g_task_run_in_thread (step, use_huge_pages);
}

/* The last page of rows is in. */
static void
finish_rows (GTask *task)
{
  Loading *loading = g_task_get_task_data (task);

  loading->page++;
  loading->after_id = 0;
  if (loading->page < REROUTE_N_PAGES)
    {
      ask_rows (task, 0);
      return;
    }
  loading->base = reroute_ruleset_builder_build (loading->builder, loading->first_serial);
  begin_to_use_huge_pages (loading->base);
  catch_up (task);
}

/* The next rows are asked for before these are decoded, so that both daemons are at work. */
static void
rows_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Loading *loading = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_finish (result, &error);
  g_autoptr (GVariant) columns = NULL;
  gint64 last_id = 0;
  gboolean goes_on = FALSE;

  if (loading->failure != NULL || reply == NULL)
    {
      g_task_return_error (task,
                           loading->failure != NULL ? g_steal_pointer (&loading->failure)
                                                    : g_steal_pointer (&error));
      return;
    }
  columns = g_variant_get_child_value (reply, 1);
  last_id = reroute_columns_peek_last_id (columns);
  goes_on = last_id > loading->after_id;
  if (goes_on)
    ask_rows (task, last_id);
  if (!take_rows (loading, columns, &error))
    {
      /* The call that is on its way ends the task. */
      if (goes_on)
        loading->failure = g_steal_pointer (&error);
      else
        g_task_return_error (task, g_steal_pointer (&error));
    }
  else if (!goes_on)
    finish_rows (task);
}

static void
ask_rows (GTask *task, gint64 after_id)
{
  Loading *loading = g_task_get_task_data (task);

  reroute_peer_call (
    &reroute_peer_rules,
    loading->bus,
    "LoadColumns",
    g_variant_new (
      "(sxu)", reroute_page_to_string (loading->page), after_id, REROUTE_LIMIT_PAGE_ROWS),
    G_VARIANT_TYPE ("(t" REROUTE_COLUMNS_TYPE ")"),
    REROUTE_LIMIT_CALL_MS,
    g_task_get_cancellable (task),
    rows_cb,
    g_object_ref (task));
}

static gboolean
take_settings (Loading *loading, GVariant *reply, GError **error)
{
  g_autoptr (GVariantIter) values = NULL;
  const char *key = NULL, *value = NULL;

  g_variant_get (reply, "(ta{ss})", &loading->first_serial, &values);
  while (g_variant_iter_next (values, "{&s&s}", &key, &value))
    {
      g_autoptr (RerouteChange) change = reroute_change_new_set (key, value, error);

      if (change == NULL || !reroute_ruleset_builder_apply (loading->builder, change, error))
        return FALSE;
    }
  return TRUE;
}

static void
settings_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_finish (result, &error);

  if (reply == NULL || !take_settings (g_task_get_task_data (task), reply, &error))
    g_task_return_error (task, error);
  else
    ask_rows (task, 0);
}

static void
load_anew (GTask *task)
{
  Loading *loading = g_task_get_task_data (task);
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();

  g_clear_pointer (&loading->base, reroute_ruleset_unref);
  g_clear_pointer (&loading->builder, reroute_ruleset_builder_free);
  loading->builder = reroute_ruleset_builder_new (empty);
  loading->page = 0;
  loading->after_id = 0;
  reroute_peer_call (&reroute_peer_rules,
                     loading->bus,
                     "Settings",
                     NULL,
                     G_VARIANT_TYPE ("(ta{ss})"),
                     REROUTE_LIMIT_CALL_MS,
                     g_task_get_cancellable (task),
                     settings_cb,
                     g_object_ref (task));
}

void
reroute_rules_load_async (RerouteBus *bus,
                          RerouteRuleset *held,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Loading *loading = g_new0 (Loading, 1);

  loading->bus = g_object_ref (bus);
  g_task_set_source_tag (task, reroute_rules_load_async);
  g_task_set_task_data (task, loading, (GDestroyNotify) loading_free);
  if (held == NULL)
    {
      load_anew (task);
      return;
    }
  loading->base = reroute_ruleset_ref (held);
  catch_up (task);
}

RerouteRuleset *
reroute_rules_load_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_rules_load_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
