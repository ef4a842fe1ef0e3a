/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * restoration.c - what a backup holds, and what it makes of a generation
 *
 * A backup is a stranger's file.  It has the tables that the migrations make, word for word, or
 * none of it is read; rows, settings and history are then made by the same constructors as what a
 * person types.
 */

#include "config.h"

#include "service/rules/restoration.h"

#include "common/error.h"
#include "service/rules/row-store.h"
#include "service/rules/store-file.h"

/* Behind it there is room for as many generations and rows as there will ever be. */
#define NUMBER_MOST (G_MAXINT64 / 2)

struct _RerouteRestoration
{
  gatomicrefcount ref_count;
  RerouteStore *store;
  RerouteRuleset *ruleset;
  gint64 next_row_id;
};

/* --- examining --- */

/* What was asked to be made; statistics of the query planner are not among it. */
static char *
dup_schema (RerouteStore *store, GError **error)
{
  RerouteQuery *query =
    reroute_store_query (store,
                         "SELECT type || ' ' || name || ': ' || coalesce(sql, '') "
                         "FROM sqlite_schema WHERE substr(name, 1, 7) != 'sqlite_' ORDER BY 1",
                         error);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) failure = NULL;

  if (query == NULL)
    return NULL;
  while (reroute_query_step (query, &failure))
    g_string_append_printf (text, "%s\n", reroute_query_get_text (query, 0));
  if (failure == NULL)
    return g_string_free (g_steal_pointer (&text), FALSE);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

static gboolean
check_schema (RerouteStore *store, const char *path, RerouteStore *like, GError **error)
{
  g_autofree char *given = dup_schema (store, error);
  g_autofree char *wanted = given != NULL ? dup_schema (like, error) : NULL;

  if (wanted == NULL)
    return FALSE;
  if (g_str_equal (given, wanted))
    return TRUE;
  reroute_store_file_refuse (error, path, TRUE, "has not the tables of Reroute");
  return FALSE;
}

static gboolean
note_id (RerouteRow *row, gpointer user_data)
{
  gint64 *greatest = user_data;

  if (row->id > *greatest)
    *greatest = row->id;
  return TRUE;
}

/* A row of an id that no row has is not among those that are read. */
static gboolean
check_numbers (RerouteRestoration *self, const char *path, GError **error)
{
  gboolean whole = reroute_ruleset_get_serial (self->ruleset) < NUMBER_MOST;
  gint64 greatest = 0;

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    {
      guint n_rows = 0;

      if (!reroute_row_store_count (self->store, page, &n_rows, error))
        return FALSE;
      reroute_ruleset_foreach (self->ruleset, page, note_id, &greatest);
      whole = whole && n_rows == reroute_ruleset_get_n_rows (self->ruleset, page);
    }
  if (whole && self->next_row_id > greatest && self->next_row_id < NUMBER_MOST)
    return TRUE;
  reroute_store_file_refuse (error, path, TRUE, "counts its generations or rows wrongly");
  return FALSE;
}

RerouteRestoration *
reroute_restoration_open (const char *path,
                          RerouteStore *like,
                          GCancellable *cancellable,
                          GError **error)
{
  g_autoptr (RerouteRestoration) self = g_new0 (RerouteRestoration, 1);

  g_return_val_if_fail (path != NULL && like != NULL, NULL);

  g_atomic_ref_count_init (&self->ref_count);
  self->store = reroute_store_open (path, REROUTE_STORE_ADOPT, cancellable, error);
  if (self->store == NULL)
    return NULL;
  if (!check_schema (self->store, path, like, error))
    return NULL;
  self->ruleset = reroute_row_store_load (self->store, &self->next_row_id, error);
  if (self->ruleset == NULL || !check_numbers (self, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

RerouteRestoration *
reroute_restoration_ref (RerouteRestoration *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_restoration_unref (RerouteRestoration *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->store, reroute_store_close);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_free (self);
}

RerouteRuleset *
reroute_restoration_get_ruleset (RerouteRestoration *self)
{
  return self->ruleset;
}

RerouteStore *
reroute_restoration_get_store (RerouteRestoration *self)
{
  return self->store;
}

/* --- into a generation --- */

typedef struct
{
  RerouteRestoration *restoration;
  RerouteRuleset *base;
  GPtrArray *changes;
  RerouteRestorationFigures figures;
} Comparison;

static gboolean
put_row (RerouteRow *row, gpointer user_data)
{
  Comparison *comparison = user_data;
  RerouteRow *old = reroute_ruleset_find_row (comparison->base, row->page, row->domain, row->exact);
  RerouteRow *wanted =
    reroute_row_stamp (row, old != NULL ? old->id : 0, row->changed_by, row->changed_us);

  if (old == NULL || !reroute_row_equal (old, wanted))
    {
      g_ptr_array_add (comparison->changes, reroute_change_new_put (wanted));
      comparison->figures.n_added += old == NULL;
      comparison->figures.n_changed += old != NULL;
    }
  reroute_row_unref (wanted);
  return TRUE;
}

static gboolean
remove_row (RerouteRow *row, gpointer user_data)
{
  Comparison *comparison = user_data;

  if (reroute_ruleset_find_row (
        comparison->restoration->ruleset, row->page, row->domain, row->exact) != NULL)
    return TRUE;
  g_ptr_array_add (comparison->changes, reroute_change_new_remove (row->page, row->id));
  comparison->figures.n_removed++;
  return TRUE;
}

/* NULL: the default. */
static const char *
get_setting (RerouteRuleset *ruleset, RerouteSettingId id)
{
  RerouteSettings *settings = reroute_ruleset_get_settings (ruleset);

  return reroute_settings_is_default (settings, id) ? NULL
                                                    : reroute_settings_get_text (settings, id);
}

static gboolean
set_settings (Comparison *comparison, GError **error)
{
  const RerouteSettingSpec *specs = reroute_setting_specs ();

  for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
    {
      const char *value = get_setting (comparison->restoration->ruleset, specs[i].id);
      RerouteChange *change = NULL;

      if (g_strcmp0 (value, get_setting (comparison->base, specs[i].id)) == 0)
        continue;
      change = reroute_change_new_set (specs[i].key, value, error);
      if (change == NULL)
        return FALSE;
      g_ptr_array_add (comparison->changes, change);
      comparison->figures.n_set++;
    }
  return TRUE;
}

GPtrArray *
reroute_restoration_dup_changes (RerouteRestoration *self,
                                 RerouteRuleset *base,
                                 RerouteRestorationFigures *figures,
                                 GError **error)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  Comparison comparison = { .restoration = self, .base = base, .changes = changes };

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    {
      reroute_ruleset_foreach (base, page, remove_row, &comparison);
      reroute_ruleset_foreach (self->ruleset, page, put_row, &comparison);
    }
  if (!set_settings (&comparison, error))
    return NULL;
  if (figures != NULL)
    *figures = comparison.figures;
  return g_steal_pointer (&changes);
}

/* --- into a database that never held anything --- */

gboolean
reroute_restoration_takes_over (RerouteRestoration *self, RerouteRuleset *base)
{
  return reroute_ruleset_get_serial (base) == 0 && reroute_ruleset_get_serial (self->ruleset) > 0;
}

static gboolean
keep_row (RerouteRow *row, gpointer user_data)
{
  RerouteDelta *delta = g_new0 (RerouteDelta, 1);

  delta->page = row->page;
  delta->id = row->id;
  delta->after = reroute_change_new_put (row);
  g_ptr_array_add (user_data, delta);
  return TRUE;
}

static gboolean
keep_settings (RerouteRestoration *self, GPtrArray *deltas, GError **error)
{
  const RerouteSettingSpec *specs = reroute_setting_specs ();

  for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
    {
      const char *value = get_setting (self->ruleset, specs[i].id);
      RerouteDelta *delta = NULL;

      if (value == NULL)
        continue;
      delta = g_new0 (RerouteDelta, 1);
      g_ptr_array_add (deltas, delta);
      delta->before = reroute_change_new_set (specs[i].key, NULL, error);
      delta->after = reroute_change_new_set (specs[i].key, value, error);
      if (delta->before == NULL || delta->after == NULL)
        return FALSE;
    }
  return TRUE;
}

RerouteProposal *
reroute_restoration_take_over (RerouteRestoration *self,
                               RerouteRuleset *base,
                               const RerouteProposalOrigin *origin,
                               GError **error)
{
  g_autoptr (RerouteProposal) proposal = g_new0 (RerouteProposal, 1);
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (self->ruleset);
  guint64 serial = reroute_ruleset_get_serial (self->ruleset) + 1;

  proposal->base = reroute_ruleset_ref (base);
  proposal->deltas = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_delta_free);
  proposal->first_new_id = self->next_row_id;
  proposal->next_row_id = self->next_row_id;
  proposal->who = g_strdup (origin->who);
  proposal->where = g_strdup (origin->where);
  proposal->call = g_strdup (origin->call != NULL ? origin->call : "");
  proposal->when_us = origin->when_us;
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    reroute_ruleset_foreach (self->ruleset, page, keep_row, proposal->deltas);
  if (!keep_settings (self, proposal->deltas, error))
    return NULL;
  proposal->next = reroute_ruleset_builder_build (builder, serial);
  return g_steal_pointer (&proposal);
}
