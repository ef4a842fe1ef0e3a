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

RerouteNews *
reroute_news_new (guint64 since)
{
  RerouteNews *self = g_new0 (RerouteNews, 1);

  self->since = since;
  self->who = g_strdup ("");
  self->changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  self->conflicts = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
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
reroute_news_add (RerouteNews *self, guint64 serial, GPtrArray *changes, GPtrArray *conflicts)
{
  self->serial = serial;
  g_free (self->who);
  self->who = dup_who (changes);
  for (guint i = 0; i < changes->len; i++)
    g_ptr_array_add (self->changes, reroute_change_ref (g_ptr_array_index (changes, i)));
  for (guint i = 0; i < conflicts->len; i++)
    g_ptr_array_add (self->conflicts, reroute_change_ref (g_ptr_array_index (conflicts, i)));
}
