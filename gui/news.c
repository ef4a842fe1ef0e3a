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

static GPtrArray *
new_changes (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
}

static void
append (GPtrArray *changes, GPtrArray *more)
{
  for (guint i = 0; i < more->len; i++)
    g_ptr_array_add (changes, reroute_change_ref (g_ptr_array_index (more, i)));
}

static gboolean
is_of_row (const RerouteChange *change, ReroutePage page, gint64 id)
{
  switch (change->kind)
    {
    case REROUTE_CHANGE_PUT:
      return change->row->page == page && change->row->id == id;
    case REROUTE_CHANGE_REMOVE:
      return change->page == page && change->id == id;
    default:
      return FALSE;
    }
}

RerouteNews *
reroute_news_new (guint64 since, guint64 serial, GPtrArray *changes, GPtrArray *conflicts)
{
  RerouteNews *self = g_new0 (RerouteNews, 1);

  self->since = since;
  self->serial = serial;
  self->who = dup_who (changes);
  self->changes = g_ptr_array_ref (changes);
  self->conflicts = g_ptr_array_ref (conflicts);
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
      self->conflicts = new_changes ();
    }
  self->serial = more->serial;
  g_free (self->who);
  self->who = g_strdup (more->who);
  append (self->changes, more->changes);
  append (self->conflicts, more->conflicts);
  self->unknown |= more->unknown;
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
