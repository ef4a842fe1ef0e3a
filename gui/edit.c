/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edit.c - the unsaved changes of the property sheet, with undo
 *
 * A table of overlays by page and id, a value for some settings, and a stack of what was there
 * before each step.  Nothing here is proportional to the number of saved rows.
 */

#include "config.h"

#include "gui/edit.h"

#include "gui/overlay.h"

typedef RerouteOverlay Overlay;

typedef struct
{
  guint group;
  int page; /* -1: a setting */
  gint64 id;
  Overlay *before; /* NULL: was untouched */
  char *value;     /* NULL: was at its saved value */
} Step;

struct _RerouteEdit
{
  GObject parent_instance;

  GHashTable *rows[REROUTE_N_PAGES]; /* gint64 to Overlay */
  char *settings[REROUTE_N_SETTINGS];
  GPtrArray *steps;
  guint group;
  gint64 next_id;
  guint n_freezes; /* of "changed" */
  gboolean untold; /* it changed meanwhile */
};

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
  g_free (step->value);
  g_free (step);
}

static Overlay *
find (RerouteEdit *self, ReroutePage page, gint64 id)
{
  return g_hash_table_lookup (self->rows[page], &id);
}

/* Takes @overlay; NULL leaves the row as it is saved. */
static void
place (RerouteEdit *self, ReroutePage page, gint64 id, Overlay *overlay)
{
  if (overlay != NULL)
    g_hash_table_replace (self->rows[page], g_memdup2 (&id, sizeof id), overlay);
  else
    g_hash_table_remove (self->rows[page], &id);
}

static void
remember_row (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *before = find (self, page, id);
  Step *step = g_new0 (Step, 1);

  step->group = self->group;
  step->page = page;
  step->id = id;
  if (before != NULL)
    step->before = reroute_overlay_new (before->state, before->row, before->base);
  g_ptr_array_add (self->steps, step);
}

/* @page: -1: of a setting, or of more than one thing */
static void
tell (RerouteEdit *self, int page, gint64 id)
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

  if (step->page >= 0)
    {
      place (self, step->page, step->id, step->before);
    }
  else
    {
      g_free (self->settings[step->id]);
      self->settings[step->id] = step->value;
    }
  tell (self, step->page, step->id);
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
rebase_steps (RerouteEdit *self, ReroutePage page, gint64 id, const RerouteChange *change)
{
  for (guint i = 0; i < self->steps->len; i++)
    {
      Step *step = g_ptr_array_index (self->steps, i);

      if (step->page != (int) page || step->id != id || step->before == NULL)
        continue;
      reroute_overlay_rebase (step->before, change);
      if (step->before->state == REROUTE_EDIT_UNTOUCHED)
        g_clear_pointer (&step->before, reroute_overlay_free);
    }
}

static gboolean
rebase_row (RerouteEdit *self, const RerouteChange *change)
{
  gboolean put = change->kind == REROUTE_CHANGE_PUT;
  ReroutePage page = put ? change->row->page : change->page;
  gint64 id = put ? change->row->id : change->id;
  Overlay *overlay = find (self, page, id);
  gboolean differs = FALSE;

  rebase_steps (self, page, id, change);
  if (overlay == NULL)
    return FALSE;
  differs = reroute_overlay_rebase (overlay, change);
  if (overlay->state == REROUTE_EDIT_UNTOUCHED)
    place (self, page, id, NULL);
  tell (self, (int) page, id);
  return differs;
}

static gboolean
rebase_setting (RerouteEdit *self, const RerouteChange *change)
{
  const RerouteSettingSpec *spec = reroute_setting_find (change->key, NULL);
  const char *theirs = NULL;

  if (spec == NULL || self->settings[spec->id] == NULL)
    return FALSE;
  theirs = change->value != NULL ? change->value : spec->default_value;
  if (g_strcmp0 (self->settings[spec->id], theirs) != 0)
    return TRUE;
  g_clear_pointer (&self->settings[spec->id], g_free);
  tell (self, -1, spec->id);
  return FALSE;
}

static void
reroute_edit_finalize (GObject *object)
{
  RerouteEdit *self = REROUTE_EDIT (object);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    g_clear_pointer (&self->rows[i], g_hash_table_unref);
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    g_clear_pointer (&self->settings[i], g_free);
  g_clear_pointer (&self->steps, g_ptr_array_unref);

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

  g_return_val_if_fail (REROUTE_IS_EDIT (self), copy);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    {
      GHashTableIter iter;
      gint64 *id;
      Overlay *overlay;

      g_hash_table_iter_init (&iter, self->rows[i]);
      while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &overlay))
        place (copy, i, *id, reroute_overlay_new (overlay->state, overlay->row, overlay->base));
    }
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    copy->settings[i] = g_strdup (self->settings[i]);
  copy->next_id = self->next_id;
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
  tell (self, -1, -1);
}

gint64
reroute_edit_put_row (RerouteEdit *self, RerouteRow *row, RerouteRow *base)
{
  g_autoptr (RerouteRow) own = NULL;
  Overlay *overlay = NULL;
  Overlay *next = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), 0);
  g_return_val_if_fail (row != NULL, 0);

  own = row->id == 0 ? reroute_row_stamp (row, self->next_id--, "", 0) : reroute_row_ref (row);
  overlay = find (self, own->page, own->id);
  if (overlay != NULL && overlay->state != REROUTE_EDIT_ADDED)
    base = overlay->base;

  if (own->id < 0 || (overlay != NULL && overlay->state == REROUTE_EDIT_ADDED))
    next = reroute_overlay_new (REROUTE_EDIT_ADDED, own, NULL);
  else if (base == NULL || !reroute_row_equal (own, base))
    next = reroute_overlay_new (REROUTE_EDIT_CHANGED, own, base);

  remember_row (self, own->page, own->id);
  place (self, own->page, own->id, next);
  tell (self, (int) own->page, own->id);
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

  own = reroute_row_ref (row);
  overlay = find (self, own->page, own->id);
  if (overlay == NULL)
    next = reroute_overlay_new (REROUTE_EDIT_REMOVED, NULL, own);
  else if (overlay->state != REROUTE_EDIT_ADDED)
    next = reroute_overlay_new (REROUTE_EDIT_REMOVED, NULL, overlay->base);

  remember_row (self, own->page, own->id);
  place (self, own->page, own->id, next);
  tell (self, (int) own->page, own->id);
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
  tell (self, -1, id);
}

RerouteRow *
reroute_edit_get_row (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *overlay = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);

  overlay = find (self, page, id);
  return overlay != NULL ? overlay->row : NULL;
}

RerouteRow *
reroute_edit_get_base (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *overlay = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), NULL);

  overlay = find (self, page, id);
  return overlay != NULL ? overlay->base : NULL;
}

RerouteEditState
reroute_edit_get_state (RerouteEdit *self, ReroutePage page, gint64 id)
{
  Overlay *overlay = NULL;

  g_return_val_if_fail (REROUTE_IS_EDIT (self), REROUTE_EDIT_UNTOUCHED);

  overlay = find (self, page, id);
  return overlay != NULL ? overlay->state : REROUTE_EDIT_UNTOUCHED;
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
    n += g_hash_table_size (self->rows[i]);
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

  return self->steps->len;
}

void
reroute_edit_undo_to (RerouteEdit *self, guint mark)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));

  reroute_edit_freeze_changed (self);
  while (self->steps->len > mark)
    undo_step (self);
  reroute_edit_thaw_changed (self);
}

void
reroute_edit_clear (RerouteEdit *self)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    g_hash_table_remove_all (self->rows[i]);
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    g_clear_pointer (&self->settings[i], g_free);
  g_ptr_array_set_size (self->steps, 0);
  tell (self, -1, -1);
}

GPtrArray *
reroute_edit_rebase (RerouteEdit *self, GPtrArray *changes)
{
  GPtrArray *conflicts = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);

  g_return_val_if_fail (REROUTE_IS_EDIT (self), conflicts);

  reroute_edit_freeze_changed (self);
  for (guint i = 0; i < changes->len; i++)
    {
      RerouteChange *change = g_ptr_array_index (changes, i);
      gboolean differs = change->kind == REROUTE_CHANGE_SET ? rebase_setting (self, change)
                                                            : rebase_row (self, change);

      if (differs)
        g_ptr_array_add (conflicts, reroute_change_ref (change));
    }
  reroute_edit_thaw_changed (self);
  return conflicts;
}
