/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-table.c - where the lines of a list stand
 *
 * A thousand sections are asked for their place by every line that is drawn: it is counted once,
 * whenever one of them has another length.
 */

#include "config.h"

#include "gui/rows-table.h"

#include "common/limits.h"

void
reroute_rows_table_init (RerouteRowsTable *self)
{
  self->added = reroute_rows_section_new (0);
  self->sections = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_rows_section_free);
  self->starts = g_array_new (FALSE, FALSE, sizeof (guint));
  reroute_rows_table_empty (self);
}

void
reroute_rows_table_clear (RerouteRowsTable *self)
{
  g_clear_pointer (&self->added, reroute_rows_section_free);
  g_clear_pointer (&self->sections, g_ptr_array_unref);
  g_clear_pointer (&self->starts, g_array_unref);
}

void
reroute_rows_table_empty (RerouteRowsTable *self)
{
  g_ptr_array_set_size (self->added->items, 0);
  g_ptr_array_set_size (self->sections, 0);
  g_ptr_array_add (self->sections, reroute_rows_section_new (0));
  self->total = 0;
  reroute_rows_table_recount (self);
}

void
reroute_rows_table_recount (RerouteRowsTable *self)
{
  self->counted = FALSE;
}

static void
count (RerouteRowsTable *self)
{
  guint position = self->added->items->len;

  if (self->counted)
    return;
  g_array_set_size (self->starts, 0);
  g_array_append_val (self->starts, position);
  for (guint i = 0; i < self->sections->len; i++)
    {
      position += ((RerouteRowsSection *) g_ptr_array_index (self->sections, i))->items->len;
      g_array_append_val (self->starts, position);
    }
  self->counted = TRUE;
}

guint
reroute_rows_table_get_n_lines (RerouteRowsTable *self)
{
  return reroute_rows_table_get_start (self, self->sections->len);
}

guint
reroute_rows_table_get_start (RerouteRowsTable *self, guint index)
{
  count (self);
  return g_array_index (self->starts, guint, index);
}

guint
reroute_rows_table_get_nominal (RerouteRowsTable *self, guint index)
{
  guint first = index * REROUTE_LIMIT_PAGE_ROWS;

  return first >= self->total ? 0 : MIN (REROUTE_LIMIT_PAGE_ROWS, self->total - first);
}

RerouteRowsSection *
reroute_rows_table_find_line (RerouteRowsTable *self, guint *position, int *index)
{
  guint first = 0;
  guint end = self->sections->len;

  count (self);
  *index = -1;
  if (*position < self->added->items->len)
    return self->added;
  if (*position >= g_array_index (self->starts, guint, end))
    return NULL;
  /* The last section that does not begin behind it: an empty one before it begins there, too. */
  while (end - first > 1)
    {
      guint middle = first + (end - first) / 2;

      if (g_array_index (self->starts, guint, middle) <= *position)
        first = middle;
      else
        end = middle;
    }
  *position -= g_array_index (self->starts, guint, first);
  *index = (int) first;
  return g_ptr_array_index (self->sections, first);
}

guint
reroute_rows_table_find_row (RerouteRowsTable *self, const RerouteRow *row)
{
  guint place = reroute_rows_section_find (self->added, row);

  for (guint i = 0; place == G_MAXUINT && i < self->sections->len; i++)
    {
      place = reroute_rows_section_find (g_ptr_array_index (self->sections, i), row);
      if (place != G_MAXUINT)
        place += reroute_rows_table_get_start (self, i);
    }
  return place;
}
