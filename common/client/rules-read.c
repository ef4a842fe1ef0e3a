/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-read.c - the calls of rules-client that read: lists, settings, history
 *
 * Each is one call, ChangesSince and Load as many as it takes.
 */

#include "config.h"

#include "common/client/rules-client-private.h"

#include "common/client/peer.h"
#include "common/client/rules-load.h"
#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"

void
reroute_row_page_free (RerouteRowPage *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

void
reroute_generation_free (RerouteGeneration *self)
{
  g_free (self->who);
  g_free (self->summary);
  g_free (self);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *reply = reroute_peer_call_finish (result, &error);

  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* Takes @task over. */
static void
start_read (GTask *task, const char *method, GVariant *arguments, const char *reply_type)
{
  RerouteRulesClient *self = g_task_get_source_object (task);

  reroute_peer_call (&reroute_peer_rules,
                     reroute_rules_client_get_bus (self),
                     method,
                     arguments,
                     G_VARIANT_TYPE (reply_type),
                     REROUTE_LIMIT_CALL_MS,
                     g_task_get_cancellable (task),
                     read_cb,
                     task);
}

void
reroute_rules_client_list_async (RerouteRulesClient *self,
                                 ReroutePage page,
                                 const char *filter,
                                 const char *sort,
                                 guint offset,
                                 guint limit,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_read (task,
              "List",
              g_variant_new ("(sssuu)", reroute_page_to_string (page), filter, sort, offset, limit),
              "(tua" REROUTE_ROW_TYPE ")");
}

static GPtrArray *
decode_rows (GVariant *array, GError **error)
{
  gsize n = g_variant_n_children (array);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_full (n, reroute_row_unref);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (array, i);
      RerouteRow *row = reroute_row_from_variant (child, error);

      if (row == NULL)
        return NULL;
      g_ptr_array_add (rows, row);
    }
  return g_steal_pointer (&rows);
}

RerouteRowPage *
reroute_rules_client_list_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (RerouteRowPage) page = NULL;
  guint64 serial = 0;
  guint total = 0;
  GPtrArray *rows = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(tu@a" REROUTE_ROW_TYPE ")", &serial, &total, &array);
  rows = decode_rows (array, error);
  if (rows == NULL)
    return NULL;
  page = g_new0 (RerouteRowPage, 1);
  page->serial = serial;
  page->total = MIN (total, REROUTE_LIMIT_LIST_ROWS);
  page->rows = rows;
  return g_steal_pointer (&page);
}

void
reroute_rules_client_list_ids_async (RerouteRulesClient *self,
                                     ReroutePage page,
                                     const char *filter,
                                     const char *sort,
                                     guint offset,
                                     guint limit,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_read (task,
              "ListIds",
              g_variant_new ("(sssuu)", reroute_page_to_string (page), filter, sort, offset, limit),
              "(tuax)");
}

GArray *
reroute_rules_client_list_ids_finish (
  RerouteRulesClient *self, GAsyncResult *result, guint64 *serial, guint *total, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) array = NULL;
  GArray *ids = NULL;
  const gint64 *first = NULL;
  gsize n_ids = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(tu@ax)", serial, total, &array);
  *total = MIN (*total, REROUTE_LIMIT_LIST_ROWS);
  first = g_variant_get_fixed_array (array, &n_ids, sizeof (gint64));
  ids = g_array_sized_new (FALSE, FALSE, sizeof (gint64), (guint) n_ids);
  if (n_ids > 0)
    g_array_append_vals (ids, first, (guint) n_ids);
  return ids;
}

void
reroute_rules_client_settings_async (RerouteRulesClient *self,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_read (task, "Settings", NULL, "(ta{ss})");
}

RerouteSettings *
reroute_rules_client_settings_finish (RerouteRulesClient *self,
                                      GAsyncResult *result,
                                      guint64 *serial,
                                      GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) values = NULL;
  g_autoptr (RerouteSettings) settings = reroute_settings_new ();
  guint64 answered = 0;
  const char *key = NULL, *value = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(ta{ss})", &answered, &values);
  while (g_variant_iter_next (values, "{&s&s}", &key, &value))
    {
      g_autoptr (GError) refused = NULL;
      RerouteSettings *next = reroute_settings_with (settings, key, value, &refused);

      if (next == NULL)
        {
          reroute_peer_blame_version (&reroute_peer_rules, refused);
          g_propagate_error (error, g_steal_pointer (&refused));
          return NULL;
        }
      reroute_settings_unref (settings);
      settings = next;
    }
  if (serial != NULL)
    *serial = answered;
  return g_steal_pointer (&settings);
}

void
reroute_rules_client_history_async (RerouteRulesClient *self,
                                    guint64 before,
                                    guint limit,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_read (task, "History", g_variant_new ("(tu)", before, limit), "(a(txssu))");
}

GPtrArray *
reroute_rules_client_history_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) iter = NULL;
  GPtrArray *generations = NULL;
  RerouteGeneration read = { 0 };

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  generations = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_generation_free);
  g_variant_get (reply, "(a(txssu))", &iter);
  while (g_variant_iter_next (
    iter, "(txssu)", &read.serial, &read.when_us, &read.who, &read.summary, &read.n_changes))
    g_ptr_array_add (generations, g_memdup2 (&read, sizeof read));
  return generations;
}

void
reroute_rules_client_history_changes_async (RerouteRulesClient *self,
                                            guint64 serial,
                                            guint offset,
                                            guint limit,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_read (
    task, "HistoryChanges", g_variant_new ("(tuu)", serial, offset, limit), "(a(a(sv)a(sv)))");
}

/* An empty array stands for nothing. */
static gboolean
decode_image (GVariant *array, RerouteChange **image, GError **error)
{
  g_autoptr (GVariant) child = NULL;

  if (g_variant_n_children (array) == 0)
    return TRUE;
  child = g_variant_get_child_value (array, 0);
  *image = reroute_change_from_variant (child, error);
  return *image != NULL;
}

GPtrArray *
reroute_rules_client_history_changes_finish (RerouteRulesClient *self,
                                             GAsyncResult *result,
                                             GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (GPtrArray) differences =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_difference_free);

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  array = g_variant_get_child_value (reply, 0);
  for (gsize i = 0; i < g_variant_n_children (array); i++)
    {
      RerouteDifference *difference = g_new0 (RerouteDifference, 1);
      g_autoptr (GVariant) before = NULL;
      g_autoptr (GVariant) after = NULL;

      g_ptr_array_add (differences, difference);
      g_variant_get_child (array, i, "(@a(sv)@a(sv))", &before, &after);
      if (!decode_image (before, &difference->before, error) ||
          !decode_image (after, &difference->after, error))
        return NULL;
    }
  return g_steal_pointer (&differences);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  RerouteRuleset *ruleset = reroute_rules_load_finish (result, &error);

  if (ruleset != NULL)
    g_task_return_pointer (task, ruleset, (GDestroyNotify) reroute_ruleset_unref);
  else
    g_task_return_error (task, error);
}

void
reroute_rules_client_load_async (RerouteRulesClient *self,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  reroute_rules_load_async (
    reroute_rules_client_get_bus (self), NULL, cancellable, loaded_cb, task);
}

RerouteRuleset *
reroute_rules_client_load_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
changes_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  guint64 *serial = g_new0 (guint64, 1);
  GPtrArray *changes = reroute_rules_changes_since_finish (result, serial, &error);

  g_task_set_task_data (task, serial, g_free);
  if (changes != NULL)
    g_task_return_pointer (task, changes, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

void
reroute_rules_client_changes_since_async (RerouteRulesClient *self,
                                          guint64 since,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  reroute_rules_changes_since_async (
    reroute_rules_client_get_bus (self), since, cancellable, changes_cb, task);
}

GPtrArray *
reroute_rules_client_changes_since_finish (RerouteRulesClient *self,
                                           GAsyncResult *result,
                                           guint64 *serial,
                                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  if (serial != NULL)
    *serial = *(guint64 *) g_task_get_task_data (G_TASK (result));
  return g_task_propagate_pointer (G_TASK (result), error);
}
