/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sheet-news.c - what others saved, of which she takes notice
 */

#include "config.h"

#include "gui/sheet-private.h"

void
reroute_sheet_forget_past_conflicts (RerouteSheet *self)
{
  if (self->news == NULL)
    return;
  if (reroute_edit_get_n_changes (self->edit) == 0)
    g_clear_pointer (&self->news, reroute_news_free);
  else
    reroute_news_drop_untouched (self->news, self->edit);
}

/* The saved value that hers lay over; where theirs is read already, that is not known any more. */
static void
fill_in_settings (RerouteSheet *self, GPtrArray *conflicts)
{
  for (guint i = 0; i < conflicts->len; i++)
    {
      RerouteDifference *conflict = g_ptr_array_index (conflicts, i);
      const RerouteSettingSpec *spec = conflict->after->kind == REROUTE_CHANGE_SET
                                         ? reroute_setting_find (conflict->after->key, NULL)
                                         : NULL;
      const char *saved = NULL;

      if (spec == NULL || self->settings == NULL)
        continue;
      saved = reroute_settings_get_text (self->settings, spec->id);
      if (!g_str_equal (saved, reroute_change_get_value (conflict->after, spec)))
        conflict->before = reroute_change_new_set (spec->key, saved, NULL);
    }
}

RerouteNews *
reroute_sheet_take_news (RerouteSheet *self, guint64 since, GPtrArray *changes, gboolean unknown)
{
  GPtrArray *conflicts = reroute_edit_rebase (self->edit, changes);
  RerouteNews *news = NULL;

  fill_in_settings (self, conflicts);
  news = reroute_news_new (since, self->serial, changes, conflicts);
  news->unknown = unknown;
  if (reroute_edit_get_n_changes (self->edit) > 0)
    {
      reroute_news_add (&self->news, news);
      self->n_touching += reroute_news_is_touching (news);
    }
  return news;
}

RerouteNews *
reroute_sheet_get_news (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->news;
}

guint
reroute_sheet_get_n_touching (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), 0);

  return self->n_touching;
}

/* Lays what is edited of one thing over @theirs; returns the conflicts.  @theirs: (nullable) */
static GPtrArray *
rebase_one (RerouteSheet *self, RerouteChange *theirs)
{
  g_autoptr (GPtrArray) last = g_ptr_array_new ();

  if (theirs != NULL)
    g_ptr_array_add (last, theirs);
  return reroute_edit_rebase (self->edit, last);
}

/* @conflicts: its elements are taken; @touched: the edit has something there still */
static void
take_conflicts (RerouteSheet *self,
                GPtrArray *conflicts,
                gboolean touched,
                const RerouteNews *others)
{
  if (conflicts->len == 0 && !(others->unknown && touched))
    return;
  if (self->news == NULL)
    {
      reroute_news_add (&self->news, others);
      /* Those were with what she has taken back or saved since. */
      g_ptr_array_set_size (self->news->conflicts, 0);
    }
  self->news->unknown |= others->unknown && touched;
  self->n_touching++;
  while (conflicts->len > 0)
    reroute_news_add_conflict (self->news, others, g_ptr_array_steal_index (conflicts, 0));
  reroute_sheet_emit_changed (self);
}

void
reroute_sheet_lay_row (RerouteSheet *self, ReroutePage page, gint64 id, const RerouteNews *others)
{
  g_autoptr (GPtrArray) conflicts = NULL;

  g_return_if_fail (REROUTE_IS_SHEET (self));

  conflicts = rebase_one (self, reroute_news_find_row (others, page, id));
  take_conflicts (self,
                  conflicts,
                  reroute_edit_get_state (self->edit, page, id) != REROUTE_EDIT_UNTOUCHED,
                  others);
}

void
reroute_sheet_lay_setting (RerouteSheet *self, RerouteSettingId id, const RerouteNews *others)
{
  g_autoptr (GPtrArray) conflicts = NULL;

  g_return_if_fail (REROUTE_IS_SHEET (self));

  conflicts =
    rebase_one (self, reroute_news_find_setting (others, reroute_setting_specs ()[id].key));
  take_conflicts (self, conflicts, reroute_edit_get_setting (self->edit, id) != NULL, others);
}

void
reroute_sheet_dismiss_news (RerouteSheet *self)
{
  g_return_if_fail (REROUTE_IS_SHEET (self));

  g_clear_pointer (&self->news, reroute_news_free);
  reroute_sheet_emit_changed (self);
}
