/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edit.c - the unsaved changes of the property sheet, with undo
 *
 * A table of overlays by page and id, a value for some settings, and a stack of what was there
 * before each step.  Nothing here is proportional to the number of saved rows, but for the ids of
 * those that are removed without having been read: a sorted set of them, 8 octets a row.  No id is
 * in the set and has an overlay.
 */

#include "config.h"

#include "gui/edit-private.h"

#define IDS_PER_CHANGE 50000 /* 400 KB: a part of an edit as it travels */

typedef RerouteOverlay Overlay;
typedef RerouteEditStep Step;

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteEdit, reroute_edit, G_TYPE_OBJECT)

static void
step_free (Step *step)
{
  reroute_overlay_free (step->before);
  g_clear_pointer (&step->removed, reroute_id_set_unref);
  g_free (step->value);
  g_free (step);
}

Overlay *
reroute_edit_find (RerouteEdit *self, ReroutePage page, gint64 id)
{
  return g_hash_table_lookup (self->rows[page], &id);
}

void
reroute_edit_place (RerouteEdit *self, ReroutePage page, gint64 id, Overlay *overlay)
{
  if (overlay != NULL)
    g_hash_table_replace (self->rows[page], g_memdup2 (&id, sizeof id), overlay);
  else
    g_hash_table_remove (self->rows[page], &id);
}

static void
remember_row (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *before = reroute_edit_find (self, page, id);
  Step *step = g_new0 (Step, 1);

  step->group = self->group;
  step->page = page;
  step->id = id;
  if (before != NULL)
    step->before = reroute_overlay_new (before->state, before->row, before->base);
  g_ptr_array_add (self->steps, step);
}

/* Takes @removed, the set from now on. */
static void
step_removed (RerouteEdit *self, ReroutePage page, RerouteIdSet *removed)
{
  Step *step = g_new0 (Step, 1);

  step->group = self->group;
  step->page = page;
  step->id = -1;
  step->by_ids = TRUE;
  step->removed = self->removed[page];
  g_ptr_array_add (self->steps, step);
  self->removed[page] = removed;
}

void
reroute_edit_tell (RerouteEdit *self, int page, gint64 id)
{
  if (self->n_freezes > 0)
    self->untold = TRUE;
  else
    g_signal_emit (self, signals[CHANGED], 0, page, id);
}

static void
undo_step (RerouteEdit *self)
{
  g_autofree Step *step = g_ptr_array_steal_index (self->steps, self->steps->len - 1);

  if (step->by_ids)
    {
      g_clear_pointer (&self->removed[step->page], reroute_id_set_unref);
      self->removed[step->page] = step->removed;
    }
  else if (step->page >= 0)
    {
      reroute_edit_place (self, step->page, step->id, step->before);
    }
  else
    {
      g_free (self->settings[step->id]);
      self->settings[step->id] = step->value;
    }
  reroute_edit_tell (self, step->page, step->id);
}

static int
compare_id_descending (gconstpointer a, gconstpointer b)
{
  const RerouteRow *row_a = *(RerouteRow *const *) a;
  const RerouteRow *row_b = *(RerouteRow *const *) b;

  return row_a->id < row_b->id ? 1 : row_a->id > row_b->id ? -1 : 0;
}

/* (element-type RerouteRow), both pages when @page is negative; ids fall: -1 was added first. */
static GPtrArray *
list_rows (RerouteEdit *self, int page, RerouteEditState state)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (reroute_row_unref);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    {
      GHashTableIter iter;
      Overlay *overlay;

      if (page >= 0 && page != i)
        continue;
      g_hash_table_iter_init (&iter, self->rows[i]);
      while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &overlay))
        if (overlay->state == state)
          g_ptr_array_add (rows,
                           reroute_row_ref (overlay->row != NULL ? overlay->row : overlay->base));
    }
  g_ptr_array_sort (rows, compare_id_descending);
  return rows;
}

static void
reroute_edit_finalize (GObject *object)
{
  RerouteEdit *self = REROUTE_EDIT (object);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    {
      g_clear_pointer (&self->rows[i], g_hash_table_unref);
      g_clear_pointer (&self->removed[i], reroute_id_set_unref);
    }
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    g_clear_pointer (&self->settings[i], g_free);
  g_clear_pointer (&self->steps, g_ptr_array_unref);
  g_clear_pointer (&self->saved_ids, g_hash_table_unref);

  G_OBJECT_CLASS (reroute_edit_parent_class)->finalize (object);
}

static void
reroute_edit_class_init (RerouteEditClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reroute_edit_finalize;

  signals[CHANGED] = g_signal_new ("changed",
                                   REROUTE_TYPE_EDIT,
                                   G_SIGNAL_RUN_LAST,
                                   0,
                                   NULL,
                                   NULL,
                                   NULL,
                                   G_TYPE_NONE,
                                   2,
                                   G_TYPE_INT,
                                   G_TYPE_INT64);
}

static void
reroute_edit_init (RerouteEdit *self)
{
  for (int i = 0; i < REROUTE_N_PAGES; i++)
    self->rows[i] = g_hash_table_new_full (
      g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) reroute_overlay_free);
  self->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) step_free);
  self->saved_ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->next_id = -1;
}

RerouteEdit *
reroute_edit_new (void)
{
  return g_object_new (REROUTE_TYPE_EDIT, NULL);
}

RerouteEdit *
reroute_edit_copy (RerouteEdit *self)
{
  RerouteEdit *copy = reroute_edit_new ();
  GHashTableIter saved;
  gint64 *own, *saved_as;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), copy);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    {
      GHashTableIter iter;
      gint64 *id;
      Overlay *overlay;

      g_hash_table_iter_init (&iter, self->rows[i]);
      while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &overlay))
        reroute_edit_place (
          copy, i, *id, reroute_overlay_new (overlay->state, overlay->row, overlay->base));
      if (self->removed[i] != NULL)
        copy->removed[i] = reroute_id_set_ref (self->removed[i]);
    }
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    copy->settings[i] = g_strdup (self->settings[i]);
  copy->next_id = self->next_id;
  g_hash_table_iter_init (&saved, self->saved_ids);
  while (g_hash_table_iter_next (&saved, (gpointer *) &own, (gpointer *) &saved_as))
    reroute_edit_set_saved_id (copy, *own, *saved_as);
  return copy;
}

void
reroute_edit_begin_step (RerouteEdit *self)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));

  self->group++;
}

void
reroute_edit_freeze_changed (RerouteEdit *self)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));

  self->n_freezes++;
}

void
reroute_edit_thaw_changed (RerouteEdit *self)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));
  g_return_if_fail (self->n_freezes > 0);

  if (--self->n_freezes > 0 || !self->untold)
    return;
  self->untold = FALSE;
  reroute_edit_tell (self, -1, -1);
}

gint64
reroute_edit_put_row (RerouteEdit *self, RerouteRow *row, RerouteRow *base)
{
  g_autoptr (RerouteRow) own = NULL;
  g_autoptr (RerouteRow) own_base = NULL;
  Overlay *overlay = NULL;
  Overlay *next = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), 0);
  g_return_val_if_fail (row != NULL, 0);

  own = row->id == 0 ? reroute_row_stamp (row, self->next_id--, "", 0)
                     : reroute_edit_dup_as_saved (self, row);
  if (base != NULL)
    base = own_base = reroute_edit_dup_as_saved (self, base);
  if (reroute_id_set_contains (self->removed[own->page], own->id))
    {
      g_autoptr (RerouteIdSet) one = reroute_id_set_new (&own->id, 1);

      step_removed (self, own->page, reroute_id_set_subtract (self->removed[own->page], one));
    }
  overlay = reroute_edit_find (self, own->page, own->id);
  if (overlay != NULL && overlay->state != REROUTE_EDIT_ADDED)
    base = overlay->base;

  if (own->id < 0 || (overlay != NULL && overlay->state == REROUTE_EDIT_ADDED))
    next = reroute_overlay_new (REROUTE_EDIT_ADDED, own, NULL);
  else if (base == NULL || !reroute_row_equal (own, base))
    next = reroute_overlay_new (REROUTE_EDIT_CHANGED, own, base);

  remember_row (self, own->page, own->id);
  reroute_edit_place (self, own->page, own->id, next);
  reroute_edit_tell (self, (int) own->page, own->id);
  return own->id;
}

void
reroute_edit_remove_row (RerouteEdit *self, RerouteRow *row)
{
  g_autoptr (RerouteRow) own = NULL;
  Overlay *overlay = NULL;
  Overlay *next = NULL;

  g_return_if_fail (REROUTE_IS_EDIT (self));
  g_return_if_fail (row != NULL);

  own = reroute_edit_dup_as_saved (self, row);
  if (reroute_id_set_contains (self->removed[own->page], own->id))
    return;
  overlay = reroute_edit_find (self, own->page, own->id);
  if (overlay == NULL)
    next = reroute_overlay_new (REROUTE_EDIT_REMOVED, NULL, own);
  else if (overlay->state != REROUTE_EDIT_ADDED)
    next = reroute_overlay_new (REROUTE_EDIT_REMOVED, NULL, overlay->base);

  remember_row (self, own->page, own->id);
  reroute_edit_place (self, own->page, own->id, next);
  reroute_edit_tell (self, (int) own->page, own->id);
}

void
reroute_edit_remove_ids (RerouteEdit *self, ReroutePage page, const RerouteIdSet *ids)
{
  g_autoptr (GPtrArray) touched = g_ptr_array_new ();
  g_autoptr (GArray) touched_ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (RerouteIdSet) not_these = NULL;
  g_autoptr (RerouteIdSet) rest = NULL;
  GHashTableIter iter;
  gint64 *id;
  Overlay *overlay;

  g_return_if_fail (REROUTE_IS_EDIT (self));
  g_return_if_fail (page < REROUTE_N_PAGES);

  g_hash_table_iter_init (&iter, self->rows[page]);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &overlay))
    {
      if (!reroute_id_set_contains (ids, *id))
        continue;
      g_array_append_val (touched_ids, *id);
      if (overlay->row != NULL)
        g_ptr_array_add (touched, overlay->row);
    }
  not_these = reroute_id_set_new ((const gint64 *) touched_ids->data, touched_ids->len);
  rest = reroute_id_set_subtract (ids, not_these);

  reroute_edit_freeze_changed (self);
  for (guint i = 0; i < touched->len; i++)
    reroute_edit_remove_row (self, g_ptr_array_index (touched, i));
  if (rest != NULL)
    {
      step_removed (self, page, reroute_id_set_unite (self->removed[page], rest));
      reroute_edit_tell (self, (int) page, -1);
    }
  reroute_edit_thaw_changed (self);
}

RerouteIdSet *
reroute_edit_get_removed_ids (RerouteEdit *self, ReroutePage page)
{
  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);
  g_return_val_if_fail (page < REROUTE_N_PAGES, NULL);

  return self->removed[page];
}

void
reroute_edit_set (RerouteEdit *self, RerouteSettingId id, const char *value, const char *saved)
{
  Step *step = NULL;

  g_return_if_fail (REROUTE_IS_EDIT (self));
  g_return_if_fail (id < REROUTE_N_SETTINGS);

  if (g_strcmp0 (value, saved) == 0)
    value = NULL;
  if (g_strcmp0 (value, self->settings[id]) == 0)
    return;

  step = g_new0 (Step, 1);
  step->group = self->group;
  step->page = -1;
  step->id = id;
  step->value = self->settings[id];
  g_ptr_array_add (self->steps, step);
  self->settings[id] = g_strdup (value);
  reroute_edit_tell (self, -1, id);
}

RerouteRow *
reroute_edit_get_row (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *overlay = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);

  overlay = reroute_edit_find (self, page, id);
  return overlay != NULL ? overlay->row : NULL;
}

RerouteRow *
reroute_edit_get_base (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *overlay = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);

  overlay = reroute_edit_find (self, page, id);
  return overlay != NULL ? overlay->base : NULL;
}

RerouteEditState
reroute_edit_get_state (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *overlay = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), REROUTE_EDIT_UNTOUCHED);

  overlay = reroute_edit_find (self, page, id);
  if (overlay != NULL)
    return overlay->state;
  return reroute_id_set_contains (self->removed[page], id) ? REROUTE_EDIT_REMOVED
                                                           : REROUTE_EDIT_UNTOUCHED;
}

const char *
reroute_edit_get_setting (RerouteEdit *self, RerouteSettingId id)
{
  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);
  g_return_val_if_fail (id < REROUTE_N_SETTINGS, NULL);

  return self->settings[id];
}

guint
reroute_edit_get_n_changes (RerouteEdit *self)
{
  guint n = 0;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), 0);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    n += g_hash_table_size (self->rows[i]) + (guint) reroute_id_set_get_size (self->removed[i]);
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    n += self->settings[i] != NULL;
  return n;
}

GPtrArray *
reroute_edit_dup_added (RerouteEdit *self, ReroutePage page)
{
  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);

  return list_rows (self, page, REROUTE_EDIT_ADDED);
}

/* In parts that fit into a message. */
static void
add_removals (GPtrArray *changes, ReroutePage page, const RerouteIdSet *removed)
{
  const gint64 *ids = reroute_id_set_get_ids (removed);
  gsize n_ids = reroute_id_set_get_size (removed);

  for (gsize first = 0; first < n_ids; first += IDS_PER_CHANGE)
    {
      g_autoptr (RerouteIdSet) part =
                   reroute_id_set_new (ids + first, MIN (IDS_PER_CHANGE, n_ids - first));

      g_ptr_array_add (changes, reroute_change_new_remove_many (page, part));
    }
}

GPtrArray *
reroute_edit_dup_changes (RerouteEdit *self)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (GPtrArray) removed = NULL;
  g_autoptr (GPtrArray) changed = NULL;
  g_autoptr (GPtrArray) added = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), changes);

  removed = list_rows (self, -1, REROUTE_EDIT_REMOVED);
  for (guint i = 0; i < removed->len; i++)
    {
      const RerouteRow *row = g_ptr_array_index (removed, i);

      g_ptr_array_add (changes, reroute_change_new_remove (row->page, row->id));
    }
  for (int i = 0; i < REROUTE_N_PAGES; i++)
    add_removals (changes, i, self->removed[i]);

  changed = list_rows (self, -1, REROUTE_EDIT_CHANGED);
  for (guint i = 0; i < changed->len; i++)
    g_ptr_array_add (changes, reroute_change_new_put (g_ptr_array_index (changed, i)));

  added = list_rows (self, -1, REROUTE_EDIT_ADDED);
  for (guint i = 0; i < added->len; i++)
    {
      g_autoptr (RerouteRow) row = reroute_row_stamp (g_ptr_array_index (added, i), 0, "", 0);

      g_ptr_array_add (changes, reroute_change_new_put (row));
    }

  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    {
      RerouteChange *change = NULL;

      if (self->settings[i] == NULL)
        continue;
      change = reroute_change_new_set (reroute_setting_specs ()[i].key, self->settings[i], NULL);
      g_assert (change != NULL);
      g_ptr_array_add (changes, change);
    }
  return changes;
}

gint64
reroute_edit_resolve_id (RerouteEdit *self, gint64 id)
{
  g_autoptr (GPtrArray) added = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), id);

  if (id >= 0)
    return id;
  added = list_rows (self, -1, REROUTE_EDIT_ADDED);
  if (-id > (gint64) added->len)
    return 0;
  return ((RerouteRow *) g_ptr_array_index (added, -id - 1))->id;
}

gboolean
reroute_edit_can_undo (RerouteEdit *self)
{
  g_return_val_if_fail (REROUTE_IS_EDIT (self), FALSE);

  return self->steps->len > 0;
}

void
reroute_edit_undo (RerouteEdit *self)
{
  guint group = 0;

  g_return_if_fail (REROUTE_IS_EDIT (self));

  if (self->steps->len == 0)
    return;
  group = ((Step *) g_ptr_array_index (self->steps, self->steps->len - 1))->group;
  reroute_edit_freeze_changed (self);
  while (self->steps->len > 0 &&
         ((Step *) g_ptr_array_index (self->steps, self->steps->len - 1))->group == group)
    undo_step (self);
  reroute_edit_thaw_changed (self);
}

guint
reroute_edit_get_mark (RerouteEdit *self)
{
  g_return_val_if_fail (REROUTE_IS_EDIT (self), 0);

  return self->n_dropped + self->steps->len;
}

void
reroute_edit_undo_to (RerouteEdit *self, guint mark)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));

  reroute_edit_freeze_changed (self);
  while (self->steps->len > 0 && reroute_edit_get_mark (self) > mark)
    undo_step (self);
  reroute_edit_thaw_changed (self);
}

void
reroute_edit_clear (RerouteEdit *self)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    {
      g_hash_table_remove_all (self->rows[i]);
      g_clear_pointer (&self->removed[i], reroute_id_set_unref);
    }
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    g_clear_pointer (&self->settings[i], g_free);
  self->n_dropped += self->steps->len;
  g_ptr_array_set_size (self->steps, 0);
  reroute_edit_tell (self, -1, -1);
}
