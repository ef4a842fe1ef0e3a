/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trial.c - what rulesd would say of a row that is still in its dialog
 */

#include "config.h"

#include "gui/trial.h"

typedef struct
{
  RerouteEdit *edit; /* a copy of the sheet's, with the row in it */
  ReroutePage page;
  gint64 id;
} Trial;

static void
trial_free (Trial *trial)
{
  g_clear_object (&trial->edit);
  g_free (trial);
}

static void
checked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Trial *trial = g_task_get_task_data (task);
  GError *error = NULL;
  GPtrArray *findings =
    reroute_rules_client_check_finish (REROUTE_RULES_CLIENT (source), result, &error);

  if (findings == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  reroute_findings_resolve_rows (findings, trial->edit);
  for (guint i = findings->len; i > 0; i--)
    if (!reroute_finding_names_row (g_ptr_array_index (findings, i - 1), trial->page, trial->id))
      g_ptr_array_remove_index (findings, i - 1);
  g_task_return_pointer (task, findings, (GDestroyNotify) g_ptr_array_unref);
}

void
reroute_findings_resolve_rows (GPtrArray *findings, RerouteEdit *edit)
{
  for (guint i = 0; i < findings->len; i++)
    {
      RerouteFinding *finding = g_ptr_array_index (findings, i);

      for (guint j = 0; finding->rows != NULL && j < finding->rows->len; j++)
        {
          RerouteRowRef *ref = &g_array_index (finding->rows, RerouteRowRef, j);

          ref->id = reroute_edit_resolve_id (edit, ref->id);
        }
    }
}

GPtrArray *
reroute_findings_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_finding_free);
}

guint
reroute_findings_count (GPtrArray *findings, RerouteFindingLevel level)
{
  guint n = 0;

  for (guint i = 0; i < findings->len; i++)
    n += ((RerouteFinding *) g_ptr_array_index (findings, i))->level == level;
  return n;
}

GStrv
reroute_findings_dup_confirm_keys (GPtrArray *findings)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = g_ptr_array_index (findings, i);

      if (finding->level == REROUTE_FINDING_CONFIRM)
        g_strv_builder_add (builder, finding->key);
    }
  return g_strv_builder_end (builder);
}

char *
reroute_findings_dup_text (GPtrArray *findings, RerouteFindingLevel level)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = g_ptr_array_index (findings, i);

      if (finding->level != level)
        continue;
      g_string_append (text, text->len > 0 ? "\n\n" : "");
      g_string_append (text, finding->sentence);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
reroute_finding_names_row (const RerouteFinding *finding, ReroutePage page, gint64 id)
{
  for (guint i = 0; finding->rows != NULL && i < finding->rows->len; i++)
    {
      const RerouteRowRef *ref = &g_array_index (finding->rows, RerouteRowRef, i);

      if (ref->page == page && ref->id == id)
        return TRUE;
    }
  return FALSE;
}

static gboolean
touches (RerouteEdit *edit, const RerouteFinding *finding, gboolean settings_changed)
{
  gboolean about_settings =
    finding->rows == NULL || finding->rows->len == 0 || finding->level == REROUTE_FINDING_ERROR;

  if (about_settings && settings_changed)
    return TRUE;
  for (guint i = 0; finding->rows != NULL && i < finding->rows->len; i++)
    {
      const RerouteRowRef *ref = &g_array_index (finding->rows, RerouteRowRef, i);

      if (reroute_edit_get_state (edit, ref->page, ref->id) != REROUTE_EDIT_UNTOUCHED)
        return TRUE;
    }
  return FALSE;
}

/* The same is told once: by code and by what it speaks of. */
static gboolean
contains (GPtrArray *findings, const RerouteFinding *finding)
{
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *other = g_ptr_array_index (findings, i);

      if (g_str_equal (other->code, finding->code) &&
          g_strv_equal ((const char *const *) other->arguments,
                        (const char *const *) finding->arguments))
        return TRUE;
    }
  return FALSE;
}

GPtrArray *
reroute_findings_merge (RerouteEdit *edit, GPtrArray *of_edit, GPtrArray *of_saved)
{
  GPtrArray *all = g_ptr_array_copy (of_edit, NULL, NULL);
  gboolean settings_changed = FALSE;

  g_ptr_array_set_free_func (all, NULL);
  for (int i = 0; i < REROUTE_N_SETTINGS; i++)
    settings_changed |= reroute_edit_get_setting (edit, i) != NULL;
  for (guint i = 0; i < of_saved->len; i++)
    {
      RerouteFinding *finding = g_ptr_array_index (of_saved, i);

      /* What was agreed to when it was saved is not asked again. */
      if (finding->level != REROUTE_FINDING_CONFIRM && !touches (edit, finding, settings_changed) &&
          !contains (of_edit, finding))
        g_ptr_array_add (all, finding);
    }
  return all;
}

RerouteFinding *
reroute_findings_find_worst (GPtrArray *findings, ReroutePage page, gint64 id)
{
  RerouteFinding *worst = NULL;

  for (guint i = 0; i < findings->len; i++)
    {
      RerouteFinding *finding = g_ptr_array_index (findings, i);

      if (reroute_finding_names_row (finding, page, id) &&
          (worst == NULL || finding->level < worst->level))
        worst = finding;
    }
  return worst;
}

void
reroute_trial_check_row_async (RerouteSheet *sheet,
                               RerouteRow *row,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task = NULL;
  Trial *trial = NULL;
  g_autoptr (GPtrArray) changes = NULL;

  g_return_if_fail (REROUTE_IS_SHEET (sheet));

  trial = g_new0 (Trial, 1);
  trial->edit = reroute_edit_copy (reroute_sheet_get_edit (sheet));
  trial->page = row->page;
  trial->id = reroute_edit_put_row (trial->edit, row, NULL);

  task = g_task_new (sheet, cancellable, callback, user_data);
  g_task_set_source_tag (task, reroute_trial_check_row_async);
  g_task_set_task_data (task, trial, (GDestroyNotify) trial_free);
  changes = reroute_edit_dup_changes (trial->edit);
  reroute_rules_client_check_async (
    reroute_sheet_get_rules (sheet), changes, cancellable, checked_cb, task);
}

GPtrArray *
reroute_trial_check_row_finish (RerouteSheet *sheet, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, sheet), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
