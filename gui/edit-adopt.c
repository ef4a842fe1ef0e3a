/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edit-adopt.c - the edit over a generation that it became itself, and has gone on from since
 *
 * Whoever sent it waited for an answer, and she did not.
 */

#include "config.h"

#include "gui/edit-private.h"

void
reroute_edit_set_saved_id (RerouteEdit *self, gint64 id, gint64 saved_id)
{
  g_hash_table_replace (
    self->saved_ids, g_memdup2 (&id, sizeof id), g_memdup2 (&saved_id, sizeof saved_id));
}

RerouteRow *
reroute_edit_dup_as_saved (RerouteEdit *self, RerouteRow *row)
{
  const gint64 *id = g_hash_table_lookup (self->saved_ids, &row->id);

  return id != NULL ? reroute_row_stamp (row, *id, row->changed_by, row->changed_us)
                    : reroute_row_ref (row);
}

/* What the generation made of one row. */
typedef struct
{
  RerouteRow *was; /* NULL: it was not there */
  RerouteRow *now; /* NULL: it is gone */
} RowStep;

/* What the generation made of one setting; canonical text. */
typedef struct
{
  gboolean touched;
  const char *was;
  const char *now;
} SettingStep;

/* All of it; borrows from the differences. */
typedef struct
{
  GHashTable *rows[REROUTE_N_PAGES]; /* (element-type gint64 RowStep): by the id in the edit */
  SettingStep settings[REROUTE_N_SETTINGS];
} Generation;

/* "routing #example.com": what one row alone has. */
static char *
dup_name (const RerouteRow *row)
{
  return g_strconcat (
    reroute_page_to_string (row->page), row->exact ? " #" : " ", row->domain, NULL);
}

/* (element-type utf8 gint64): the ids of the rows that @sent added; borrows from @added. */
static GHashTable *
name_rows (GPtrArray *added)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < added->len; i++)
    {
      RerouteRow *row = g_ptr_array_index (added, i);

      g_hash_table_insert (names, dup_name (row), &row->id);
    }
  return names;
}

static void
take_row (Generation *self, const RerouteDifference *difference, GHashTable *names)
{
  RowStep step = { reroute_change_get_row (difference->before),
                   reroute_change_get_row (difference->after) };
  RerouteRow *row = step.now != NULL ? step.now : step.was;
  const gint64 *id = NULL;

  if (row == NULL)
    return;
  id = &row->id;
  if (step.was == NULL)
    {
      g_autofree char *name = dup_name (row);

      id = g_hash_table_lookup (names, name);
    }
  /* It came with the generation, and the edit knows nothing of it. */
  if (id == NULL)
    return;
  g_hash_table_replace (
    self->rows[row->page], g_memdup2 (id, sizeof *id), g_memdup2 (&step, sizeof step));
}

static void
take_setting (Generation *self, const RerouteDifference *difference, const char *key)
{
  const RerouteSettingSpec *spec = reroute_setting_find (key, NULL);

  if (spec != NULL)
    self->settings[spec->id] = (SettingStep){
      .touched = TRUE,
      .was = reroute_change_get_value (difference->before, spec),
      .now = reroute_change_get_value (difference->after, spec),
    };
}

static void
generation_init (Generation *self, GPtrArray *added, GPtrArray *differences)
{
  g_autoptr (GHashTable) names = name_rows (added);

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    self->rows[i] = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  for (guint i = 0; i < differences->len; i++)
    {
      const RerouteDifference *difference = g_ptr_array_index (differences, i);
      const RerouteChange *change =
        difference->after != NULL ? difference->after : difference->before;

      if (change != NULL && change->kind == REROUTE_CHANGE_SET)
        take_setting (self, difference, change->key);
      else
        take_row (self, difference, names);
    }
}

static void
generation_clear (Generation *self)
{
  for (int i = 0; i < REROUTE_N_PAGES; i++)
    g_clear_pointer (&self->rows[i], g_hash_table_unref);
}

/* The id that the row has from now on. */
static gint64
get_id (const RowStep *step, gint64 id)
{
  return step->now != NULL ? step->now->id : id;
}

/* (transfer full) (nullable): what leads from the saved row to what she sees.  @overlay:
   (nullable): what led to it from the row before. */
static RerouteOverlay *
lay_row (const RowStep *step, const RerouteOverlay *overlay, gint64 id)
{
  RerouteRow *seen = overlay != NULL ? overlay->row : step->was;
  g_autoptr (RerouteRow) row = NULL;

  if (seen == NULL)
    return step->now != NULL ? reroute_overlay_new (REROUTE_EDIT_REMOVED, NULL, step->now) : NULL;
  if (step->now == NULL)
    return reroute_overlay_new (REROUTE_EDIT_ADDED, seen, NULL);
  row = seen->id == id ? reroute_row_ref (seen) : reroute_row_stamp (seen, id, "", 0);
  return reroute_row_equal (row, step->now)
           ? NULL
           : reroute_overlay_new (REROUTE_EDIT_CHANGED, row, step->now);
}

/* (transfer full) (nullable): the same of a setting */
static char *
lay_setting (const SettingStep *step, const char *value)
{
  const char *seen = value != NULL ? value : step->was;

  return g_str_equal (seen, step->now) ? NULL : g_strdup (seen);
}

static void
adopt_step (RerouteEditStep *step, const Generation *generation)
{
  RerouteOverlay *before = step->before;
  char *value = step->value;

  if (step->page < 0)
    {
      const SettingStep *setting = &generation->settings[step->id];

      if (!setting->touched)
        return;
      step->value = lay_setting (setting, value);
      g_free (value);
    }
  else if (!step->by_ids)
    {
      const RowStep *row = g_hash_table_lookup (generation->rows[step->page], &step->id);

      if (row == NULL)
        return;
      step->id = get_id (row, step->id);
      step->before = lay_row (row, before, step->id);
      reroute_overlay_free (before);
    }
}

/* What she has done to the saved row under its own id, which a list may show already, stands. */
static void
adopt_row (RerouteEdit *self, ReroutePage page, gint64 id, const RowStep *step)
{
  gint64 own = get_id (step, id);
  gboolean is_hers = own != id && (reroute_edit_find (self, page, own) != NULL ||
                                   reroute_id_set_contains (self->removed[page], own));
  RerouteOverlay *overlay =
    is_hers ? NULL : lay_row (step, reroute_edit_find (self, page, id), own);

  if (own != id)
    {
      reroute_edit_place (self, page, id, NULL);
      reroute_edit_set_saved_id (self, id, own);
    }
  if (!is_hers)
    reroute_edit_place (self, page, own, overlay);
}

static void
adopt_rows (RerouteEdit *self, ReroutePage page, GHashTable *rows)
{
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (RerouteIdSet) gone_ids = NULL;
  GHashTableIter iter;
  gint64 *id;
  RowStep *step;

  g_hash_table_iter_init (&iter, rows);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &step))
    {
      if (step->now == NULL)
        g_array_append_val (gone, *id);
      if (!reroute_id_set_contains (self->removed[page], *id))
        adopt_row (self, page, *id, step);
    }
  gone_ids = reroute_id_set_new ((const gint64 *) gone->data, gone->len);
  reroute_edit_forget_ids (self, page, gone_ids);
}

static void
adopt_settings (RerouteEdit *self, const Generation *generation)
{
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    {
      char *value = self->settings[i];

      if (!generation->settings[i].touched)
        continue;
      self->settings[i] = lay_setting (&generation->settings[i], value);
      g_free (value);
    }
}

/* --- without the generation --- */

static void
drop_sent_rows (RerouteEdit *self, RerouteEdit *sent, ReroutePage page)
{
  GHashTableIter iter;
  gint64 *id;
  const RerouteOverlay *overlay;

  g_hash_table_iter_init (&iter, sent->rows[page]);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &overlay))
    {
      const RerouteOverlay *own = reroute_edit_find (self, page, *id);

      if (own != NULL && own->state == overlay->state &&
          (own->row == NULL || reroute_row_equal (own->row, overlay->row)))
        reroute_edit_place (self, page, *id, NULL);
    }
  reroute_edit_forget_ids (self, page, sent->removed[page]);
}

static void
drop_sent (RerouteEdit *self, RerouteEdit *sent)
{
  for (int i = 0; i < REROUTE_N_PAGES; i++)
    drop_sent_rows (self, sent, i);
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    if (g_strcmp0 (self->settings[i], sent->settings[i]) == 0)
      g_clear_pointer (&self->settings[i], g_free);
}

static void
adopt (RerouteEdit *self, RerouteEdit *sent, GPtrArray *differences)
{
  g_autoptr (GPtrArray) added = g_ptr_array_new_with_free_func (reroute_row_unref);
  Generation generation = { { NULL } };

  for (int i = 0; i < REROUTE_N_PAGES; i++)
    {
      GPtrArray *of_page = reroute_edit_dup_added (sent, i);

      g_ptr_array_extend_and_steal (added, of_page);
    }
  generation_init (&generation, added, differences);
  for (guint i = 0; i < self->steps->len; i++)
    adopt_step (g_ptr_array_index (self->steps, i), &generation);
  for (int i = 0; i < REROUTE_N_PAGES; i++)
    adopt_rows (self, i, generation.rows[i]);
  adopt_settings (self, &generation);
  generation_clear (&generation);
}

void
reroute_edit_adopt (RerouteEdit *self, RerouteEdit *sent, GPtrArray *differences)
{
  g_return_if_fail (REROUTE_IS_EDIT (self));
  g_return_if_fail (REROUTE_IS_EDIT (sent));

  reroute_edit_freeze_changed (self);
  if (differences != NULL)
    adopt (self, sent, differences);
  else
    drop_sent (self, sent);
  reroute_edit_tell (self, -1, -1);
  reroute_edit_thaw_changed (self);
}
