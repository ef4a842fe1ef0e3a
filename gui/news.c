/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * news.c - what someone else saved meanwhile
 */

#include "config.h"

#include "gui/news.h"

static char *
dup_who (GPtrArray *changes)
{
  for (guint i = changes->len; i > 0; i--)
    {
      const RerouteChange *change = g_ptr_array_index (changes, i - 1);

      if (change->kind == REROUTE_CHANGE_PUT && change->row->changed_by[0] != '\0')
        return g_strdup (change->row->changed_by);
    }
  return g_strdup ("");
}

static void
clear_conflict (gpointer data)
{
  RerouteConflict *self = data;

  g_clear_pointer (&self->difference, reroute_difference_free);
  g_clear_pointer (&self->who, g_free);
}

static void
conflict_unref (gpointer conflict)
{
  g_rc_box_release_full (conflict, clear_conflict);
}

static GPtrArray *
new_changes (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
}

static void
append_changes (GPtrArray *changes, GPtrArray *more)
{
  for (guint i = 0; i < more->len; i++)
    g_ptr_array_add (changes, reroute_change_ref (g_ptr_array_index (more, i)));
}

static void
append_conflicts (GPtrArray *conflicts, GPtrArray *more)
{
  for (guint i = 0; i < more->len; i++)
    g_ptr_array_add (conflicts, g_rc_box_acquire (g_ptr_array_index (more, i)));
}

static gboolean
is_of_row (const RerouteChange *change, ReroutePage page, gint64 id)
{
  return change->kind != REROUTE_CHANGE_SET && change->page == page && change->id == id;
}

static gboolean
is_touched (RerouteEdit *edit, const RerouteChange *change)
{
  const RerouteSettingSpec *spec = NULL;

  if (change->kind != REROUTE_CHANGE_SET)
    return reroute_edit_get_state (edit, change->page, change->id) != REROUTE_EDIT_UNTOUCHED;
  spec = reroute_setting_find (change->key, NULL);
  return spec != NULL && reroute_edit_get_setting (edit, spec->id) != NULL;
}

/* Who saved @change, one of those of @self: a row tells; of another it is known only where all are
   of one generation. */
static const char *
get_who (const RerouteNews *self, const RerouteChange *change)
{
  if (change->kind == REROUTE_CHANGE_PUT)
    return change->row->changed_by;
  return self->serial == self->since + 1 ? self->who : "";
}

RerouteNews *
reroute_news_new (guint64 since, guint64 serial, GPtrArray *changes, GPtrArray *conflicts)
{
  RerouteNews *self = g_new0 (RerouteNews, 1);

  self->since = since;
  self->serial = serial;
  self->who = dup_who (changes);
  self->changes = g_ptr_array_ref (changes);
  self->conflicts = g_ptr_array_new_with_free_func (conflict_unref);
  for (guint i = 0; i < conflicts->len; i++)
    reroute_news_add_conflict (self, self, g_ptr_array_index (conflicts, i));
  g_free (g_ptr_array_free (conflicts, FALSE));
  return self;
}

void
reroute_news_free (RerouteNews *self)
{
  g_free (self->who);
  g_clear_pointer (&self->changes, g_ptr_array_unref);
  g_clear_pointer (&self->conflicts, g_ptr_array_unref);
  g_free (self);
}

void
reroute_news_add (RerouteNews **place, const RerouteNews *more)
{
  RerouteNews *self = *place;

  if (self == NULL)
    {
      self = *place = g_new0 (RerouteNews, 1);
      self->since = more->since;
      self->changes = new_changes ();
      self->conflicts = g_ptr_array_new_with_free_func (conflict_unref);
    }
  self->serial = more->serial;
  g_free (self->who);
  self->who = g_strdup (more->who);
  append_changes (self->changes, more->changes);
  append_conflicts (self->conflicts, more->conflicts);
  self->unknown |= more->unknown;
}

void
reroute_news_add_conflict (RerouteNews *self, const RerouteNews *of, RerouteDifference *conflict)
{
  RerouteConflict *added = NULL;

  for (guint i = 0; i < self->conflicts->len; i++)
    if (((RerouteConflict *) self->conflicts->pdata[i])->difference->after == conflict->after)
      {
        reroute_difference_free (conflict);
        return;
      }
  added = g_rc_box_new0 (RerouteConflict);
  added->difference = conflict;
  added->who = g_strdup (get_who (of, conflict->after));
  added->serial = of->serial;
  g_ptr_array_add (self->conflicts, added);
}

void
reroute_news_drop_untouched (RerouteNews *self, RerouteEdit *edit)
{
  for (guint i = self->conflicts->len; i > 0; i--)
    {
      const RerouteConflict *conflict = g_ptr_array_index (self->conflicts, i - 1);

      if (!is_touched (edit, conflict->difference->after))
        g_ptr_array_remove_index (self->conflicts, i - 1);
    }
}

gboolean
reroute_news_has_conflict (const RerouteNews *self, const RerouteChange *change)
{
  for (guint i = 0; i < self->conflicts->len; i++)
    {
      const RerouteConflict *conflict = g_ptr_array_index (self->conflicts, i);

      if (reroute_change_is_of_same (conflict->difference->after, change))
        return TRUE;
    }
  return FALSE;
}

RerouteChange *
reroute_news_find_row (const RerouteNews *self, ReroutePage page, gint64 id)
{
  for (guint i = self->changes->len; i > 0; i--)
    {
      RerouteChange *change = g_ptr_array_index (self->changes, i - 1);

      if (is_of_row (change, page, id))
        return change;
    }
  return NULL;
}

RerouteChange *
reroute_news_find_setting (const RerouteNews *self, const char *key)
{
  for (guint i = self->changes->len; i > 0; i--)
    {
      RerouteChange *change = g_ptr_array_index (self->changes, i - 1);

      if (change->kind == REROUTE_CHANGE_SET && g_str_equal (change->key, key))
        return change;
    }
  return NULL;
}

gboolean
reroute_news_is_touching (const RerouteNews *self)
{
  return self->conflicts->len > 0 || self->unknown;
}

guint64
reroute_news_get_serial (const RerouteNews *self)
{
  guint64 last = 0;

  for (guint i = 0; i < self->conflicts->len; i++)
    last = MAX (last, ((const RerouteConflict *) g_ptr_array_index (self->conflicts, i))->serial);
  return last > 0 ? last : self->serial;
}

char *
reroute_news_dup_who (const RerouteNews *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  if (self->conflicts->len == 0)
    return g_strdup (self->who);
  for (guint i = 0; i < self->conflicts->len; i++)
    {
      const RerouteConflict *conflict = g_ptr_array_index (self->conflicts, i);

      if (conflict->who[0] != '\0' &&
          !g_ptr_array_find_with_equal_func (names, conflict->who, g_str_equal, NULL))
        g_ptr_array_add (names, conflict->who);
    }
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **) names->pdata);
}
