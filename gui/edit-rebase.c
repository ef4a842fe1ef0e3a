/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edit-rebase.c - the edit over a generation that someone else saved meanwhile
 */

#include "config.h"

#include "gui/edit-private.h"

static void
rebase_steps (RerouteEdit *self, ReroutePage page, gint64 id, const RerouteChange *change)
{
  for (guint i = 0; i < self->steps->len; i++)
    {
      RerouteEditStep *step = g_ptr_array_index (self->steps, i);

      if (step->page != (int) page || step->id != id || step->before == NULL)
        continue;
      reroute_overlay_rebase (step->before, change);
      if (step->before->state == REROUTE_EDIT_UNTOUCHED)
        g_clear_pointer (&step->before, reroute_overlay_free);
    }
}

/* @before: (nullable): what the edit lay over, where that is known */
static RerouteDifference *
make_conflict (RerouteRow *before, RerouteChange *change)
{
  RerouteDifference *conflict = g_new0 (RerouteDifference, 1);

  conflict->before = before != NULL ? reroute_change_new_put (before) : NULL;
  conflict->after = reroute_change_ref (change);
  return conflict;
}

/* (transfer full) (nullable): as for reroute_edit_rebase() */
static RerouteDifference *
rebase_row (RerouteEdit *self, RerouteChange *change)
{
  gboolean put = change->kind == REROUTE_CHANGE_PUT;
  ReroutePage page = change->page;
  gint64 id = change->id;
  RerouteOverlay *overlay = reroute_edit_find (self, page, id);
  g_autoptr (RerouteRow) base = NULL;
  gboolean differs = FALSE;

  /* Bring Back brings ids back, too. */
  if (put)
    g_hash_table_remove (self->saved_ids, &id);
  rebase_steps (self, page, id, change);
  if (overlay == NULL)
    return put && reroute_id_set_contains (self->removed[page], id) ? make_conflict (NULL, change)
                                                                    : NULL;
  base = overlay->base != NULL ? reroute_row_ref (overlay->base) : NULL;
  differs = reroute_overlay_rebase (overlay, change);
  if (overlay->state == REROUTE_EDIT_UNTOUCHED)
    reroute_edit_place (self, page, id, NULL);
  reroute_edit_tell (self, (int) page, id);
  return differs ? make_conflict (base, change) : NULL;
}

static void
subtract_ids (RerouteIdSet **set, const RerouteIdSet *gone)
{
  RerouteIdSet *rest = reroute_id_set_subtract (*set, gone);

  g_clear_pointer (set, reroute_id_set_unref);
  *set = rest;
}

void
reroute_edit_forget_ids (RerouteEdit *self, ReroutePage page, const RerouteIdSet *gone)
{
  subtract_ids (&self->removed[page], gone);
  reroute_edit_tell (self, (int) page, -1);
  for (guint i = 0; i < self->steps->len; i++)
    {
      RerouteEditStep *step = g_ptr_array_index (self->steps, i);

      if (step->by_ids && step->page == (int) page)
        subtract_ids (&step->removed, gone);
    }
}

/* What others removed is not there to be removed any more. */
static void
forget_gone (RerouteEdit *self, ReroutePage page, GPtrArray *changes)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (RerouteIdSet) gone = NULL;

  for (guint i = 0; i < changes->len; i++)
    {
      const RerouteChange *change = g_ptr_array_index (changes, i);

      if (change->kind == REROUTE_CHANGE_REMOVE && change->page == page)
        g_array_append_val (ids, change->id);
    }
  if (ids->len == 0)
    return;
  gone = reroute_id_set_new ((const gint64 *) ids->data, ids->len);
  reroute_edit_forget_ids (self, page, gone);
}

static RerouteDifference *
rebase_setting (RerouteEdit *self, RerouteChange *change)
{
  const RerouteSettingSpec *spec = reroute_setting_find (change->key, NULL);

  if (spec == NULL || self->settings[spec->id] == NULL)
    return NULL;
  if (g_strcmp0 (self->settings[spec->id], reroute_change_get_value (change, spec)) != 0)
    return make_conflict (NULL, change);
  g_clear_pointer (&self->settings[spec->id], g_free);
  reroute_edit_tell (self, -1, spec->id);
  return NULL;
}

GPtrArray *
reroute_edit_rebase (RerouteEdit *self, GPtrArray *changes)
{
  GPtrArray *conflicts = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_difference_free);

  g_return_val_if_fail (REROUTE_IS_EDIT (self), conflicts);

  reroute_edit_freeze_changed (self);
  for (int i = 0; i < REROUTE_N_PAGES; i++)
    forget_gone (self, i, changes);
  for (guint i = 0; i < changes->len; i++)
    {
      RerouteChange *change = g_ptr_array_index (changes, i);
      RerouteDifference *conflict = change->kind == REROUTE_CHANGE_SET
                                      ? rebase_setting (self, change)
                                      : rebase_row (self, change);

      if (conflict != NULL)
        g_ptr_array_add (conflicts, conflict);
    }
  reroute_edit_thaw_changed (self);
  return conflicts;
}
