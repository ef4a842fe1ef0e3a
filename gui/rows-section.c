/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-section.c - a run of lines of a list
 */

#include "config.h"

#include "gui/rows-section.h"

static void
item_free (gpointer item)
{
  if (item != NULL)
    g_object_unref (item);
}

static gint64
id_at (GPtrArray *items, guint position)
{
  RerouteRowItem *item = g_ptr_array_index (items, position);

  return item != NULL ? reroute_row_item_get_id (item) : 0;
}

static gint64
row_id_at (GPtrArray *rows, guint position)
{
  return ((RerouteRow *) g_ptr_array_index (rows, position))->id;
}

static void
set_row_at (GPtrArray *items, guint position, RerouteRow *row)
{
  RerouteRowItem *item = g_ptr_array_index (items, position);

  if (item != NULL)
    reroute_row_item_set_row (item, row);
  else
    g_ptr_array_index (items, position) = reroute_row_item_new (row);
}

RerouteRowsSection *
reroute_rows_section_new (guint n_items)
{
  RerouteRowsSection *self = g_new0 (RerouteRowsSection, 1);

  self->items = g_ptr_array_new_with_free_func (item_free);
  g_ptr_array_set_size (self->items, (int) n_items);
  return self;
}

void
reroute_rows_section_free (RerouteRowsSection *self)
{
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_pointer (&self->ids, g_array_unref);
  g_free (self);
}

void
reroute_rows_section_forget (RerouteRowsSection *self)
{
  int n_items = (int) self->items->len;

  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_ptr_array_set_size (self->items, 0);
  g_ptr_array_set_size (self->items, n_items);
}

RerouteRowsSplice
reroute_rows_section_show (RerouteRowsSection *self, GPtrArray *rows)
{
  GPtrArray *items = self->items;
  guint old_n = items->len;
  guint same = MIN (old_n, rows->len);
  guint head = 0;
  guint tail = 0;

  while (head < same && (id_at (items, head) == 0 || id_at (items, head) == row_id_at (rows, head)))
    head++;
  while (tail < same - head &&
         id_at (items, old_n - 1 - tail) == row_id_at (rows, rows->len - 1 - tail))
    tail++;

  for (guint i = 0; i < head; i++)
    set_row_at (items, i, rows->pdata[i]);
  for (guint i = 0; i < tail; i++)
    set_row_at (items, old_n - 1 - i, rows->pdata[rows->len - 1 - i]);
  if (old_n > head + tail)
    g_ptr_array_remove_range (items, head, old_n - head - tail);
  for (guint i = head; i < rows->len - tail; i++)
    g_ptr_array_insert (items, (int) i, reroute_row_item_new (rows->pdata[i]));
  return (RerouteRowsSplice){ head, old_n - head - tail, rows->len - head - tail };
}

RerouteRowItem *
reroute_rows_section_get_item (RerouteRowsSection *self, guint position)
{
  if (self->items->pdata[position] == NULL)
    self->items->pdata[position] = reroute_row_item_new (NULL);
  return self->items->pdata[position];
}

guint
reroute_rows_section_find (RerouteRowsSection *self, const RerouteRow *row)
{
  guint twin = G_MAXUINT;

  for (guint i = 0; i < self->items->len; i++)
    {
      RerouteRowItem *item = g_ptr_array_index (self->items, i);
      const RerouteRow *shown = item != NULL ? reroute_row_item_get_row (item) : NULL;

      if (shown == NULL)
        continue;
      if (shown->id == row->id)
        return i;
      if (row->id < 0 && shown->exact == row->exact && g_str_equal (shown->domain, row->domain))
        twin = i;
    }
  return twin;
}

void
reroute_rows_section_refresh (RerouteRowsSection *self)
{
  for (guint i = 0; i < self->items->len; i++)
    if (self->items->pdata[i] != NULL)
      reroute_row_item_refresh (self->items->pdata[i]);
}

void
reroute_rows_mark_stale (GPtrArray *sections)
{
  for (guint i = 0; i < sections->len; i++)
    {
      RerouteRowsSection *section = g_ptr_array_index (sections, i);

      section->stale = TRUE;
      section->asked = FALSE;
    }
}

void
reroute_rows_insert_sorted (GPtrArray *rows,
                            RerouteRow *row,
                            RerouteColumn column,
                            gboolean descending)
{
  guint place = 0;

  while (place < rows->len)
    {
      int order = reroute_row_compare (rows->pdata[place], row, column);

      if ((descending ? -order : order) > 0)
        break;
      place++;
    }
  g_ptr_array_insert (rows, (int) place, reroute_row_ref (row));
}

gboolean
reroute_rows_are_equal (GPtrArray *a, GPtrArray *b)
{
  if (b == NULL || a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!reroute_row_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

int
reroute_rows_find_last_used (GPtrArray *sections, int except)
{
  int last = -1;
  guint64 used = 0;

  for (guint i = 0; i < sections->len; i++)
    {
      RerouteRowsSection *section = g_ptr_array_index (sections, i);

      if ((int) i == except || section->rows == NULL || section->used < used)
        continue;
      used = section->used;
      last = (int) i;
    }
  return last;
}

void
reroute_rows_let_go (GPtrArray *sections, guint most)
{
  g_autoptr (GPtrArray) held = g_ptr_array_new ();

  for (guint i = 0; i < sections->len; i++)
    {
      RerouteRowsSection *section = g_ptr_array_index (sections, i);

      if (section->rows != NULL && section->items->len == section->rows->len)
        g_ptr_array_add (held, section);
    }
  while (held->len > most)
    {
      guint oldest = 0;

      for (guint i = 1; i < held->len; i++)
        if (((RerouteRowsSection *) held->pdata[i])->used <
            ((RerouteRowsSection *) held->pdata[oldest])->used)
          oldest = i;
      reroute_rows_section_forget (held->pdata[oldest]);
      g_ptr_array_remove_index_fast (held, oldest);
    }
}
