/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-ids.c - what is done with more rows than are read: their ids are enough
 *
 * The ids of the sections that are not read come in the order of the list, a hundred sections a
 * call.  A list that is read anew meanwhile forgets them all.
 */

#include "config.h"

#include "gui/rows-model-private.h"

#include "common/limits.h"

#define SECTIONS_PER_CALL (REROUTE_LIMIT_PAGE_IDS / REROUTE_LIMIT_PAGE_ROWS)

typedef RerouteRowsSection Section;

typedef struct
{
  RerouteRowsModel *self;
  GCancellable *cancellable;
  guint first; /* section */
  guint n_sections;
} Request;

static void
request_free (Request *request)
{
  g_clear_object (&request->self);
  g_clear_object (&request->cancellable);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

static Section *
get_section (RerouteRowsModel *self, guint index)
{
  return g_ptr_array_index (self->table.sections, index);
}

/* --- what is shown --- */

/* (transfer full) (element-type gint64): of the lines of a section that is not read */
static GArray *
dup_shown_ids (RerouteRowsModel *self, Section *section)
{
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);
  GArray *shown = g_array_sized_new (FALSE, FALSE, sizeof (gint64), section->ids->len);

  for (guint i = 0; i < section->ids->len; i++)
    {
      gint64 id = g_array_index (section->ids, gint64, i);

      if (reroute_edit_get_state (edit, self->page, id) != REROUTE_EDIT_REMOVED)
        g_array_append_val (shown, id);
    }
  return shown;
}

/* Shortens or lengthens the sections that are not read; the list is told of it as one change. */
static void
show_lengths (RerouteRowsModel *self)
{
  RerouteRowsTable *table = &self->table;
  guint old_n = reroute_rows_table_get_n_lines (table);
  guint begin = G_MAXUINT;
  guint behind = 0; /* lines behind the last section that changes */
  guint new_n = 0;

  for (guint i = 0; i < table->sections->len; i++)
    {
      Section *section = get_section (self, i);
      guint start = reroute_rows_table_get_start (table, i);
      guint old_length = section->items->len;
      g_autoptr (GArray) shown = NULL;

      if (section->rows != NULL || section->ids == NULL)
        continue;
      shown = dup_shown_ids (self, section);
      if (shown->len == old_length)
        continue;
      begin = MIN (begin, start);
      behind = old_n - start - old_length;
      reroute_rows_section_forget (section);
      g_ptr_array_set_size (section->items, (int) shown->len);
    }
  if (begin == G_MAXUINT)
    return;
  reroute_rows_table_recount (table);
  new_n = reroute_rows_table_get_n_lines (table);
  g_list_model_items_changed (
    G_LIST_MODEL (self), begin, old_n - behind - begin, new_n - behind - begin);
}

/* --- reading --- */

static void ask_ids (RerouteRowsModel *self);

static void
want_ids (RerouteRowsModel *self, Section *section)
{
  if (section->rows != NULL || section->ids != NULL || section->ids_wanted)
    return;
  section->ids_wanted = TRUE;
  self->n_ids_wanted++;
}

static void
unwant_ids (RerouteRowsModel *self, Section *section)
{
  if (section->ids_wanted)
    self->n_ids_wanted--;
  section->ids_wanted = FALSE;
}

static void
take_ids (RerouteRowsModel *self, const Request *request, GArray *ids)
{
  for (guint i = 0; i < request->n_sections; i++)
    {
      Section *section = get_section (self, request->first + i);
      guint n = reroute_rows_table_get_nominal (&self->table, request->first + i);

      unwant_ids (self, section);
      g_clear_pointer (&section->ids, g_array_unref);
      section->ids = g_array_sized_new (FALSE, FALSE, sizeof (gint64), n);
      g_array_append_vals (
        section->ids, (gint64 *) ids->data + (gsize) i * REROUTE_LIMIT_PAGE_ROWS, n);
    }
  self->has_ids = TRUE;
  g_clear_pointer (&self->removed, reroute_id_set_unref);
}

static void
fail (RerouteRowsModel *self, const GError *error)
{
  g_debug ("no ids: %s", error->message);
  reroute_rows_model_forget_ids (self);
  self->failed = TRUE;
  reroute_rows_model_tell (self);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  RerouteRowsModel *self = request->self;
  g_autoptr (GError) error = NULL;
  guint64 serial = 0;
  guint total = 0;
  g_autoptr (GArray) ids = reroute_rules_client_list_ids_finish (
    REROUTE_RULES_CLIENT (source), result, &serial, &total, &error);
  guint nominal = 0;

  if (g_cancellable_is_cancelled (request->cancellable))
    return;
  self->ids_in_flight = FALSE;
  if (ids == NULL)
    {
      fail (self, error);
      return;
    }
  for (guint i = 0; i < request->n_sections; i++)
    nominal += reroute_rows_table_get_nominal (&self->table, request->first + i);
  /* Someone saved meanwhile: these are the ids of other lines. */
  if (serial != self->serial || total != self->table.total || ids->len != nominal)
    {
      reroute_rows_model_reset (self);
      return;
    }
  take_ids (self, request, ids);
  ask_ids (self);
  if (self->n_ids_wanted == 0)
    reroute_rows_model_leave_out (self);
  reroute_rows_model_tell (self);
}

static void
ask_ids (RerouteRowsModel *self)
{
  guint n_all = self->table.sections->len;
  g_autofree char *sort = NULL;
  Request *request = NULL;
  guint first = 0;
  guint n = 0;

  if (self->ids_in_flight || self->n_ids_wanted == 0 || self->resetting)
    return;
  while (first < n_all && !get_section (self, first)->ids_wanted)
    first++;
  while (first + n < n_all && n < SECTIONS_PER_CALL && get_section (self, first + n)->ids_wanted)
    n++;
  request = g_new0 (Request, 1);
  request->self = g_object_ref (self);
  request->cancellable = g_object_ref (self->cancellable);
  request->first = first;
  request->n_sections = n;
  self->ids_in_flight = TRUE;
  sort = reroute_rows_model_dup_sort (self);
  reroute_rules_client_list_ids_async (reroute_sheet_get_rules (self->sheet),
                                       self->page,
                                       self->filter,
                                       sort,
                                       first * REROUTE_LIMIT_PAGE_ROWS,
                                       n * REROUTE_LIMIT_PAGE_ROWS,
                                       self->cancellable,
                                       listed_cb,
                                       request);
}

/* How many of @removed stand in a section whose ids are known. */
static gsize
count_known (Section *section, const RerouteIdSet *removed)
{
  guint n_rows = section->rows != NULL ? section->rows->len : 0;
  gsize n = 0;

  for (guint i = 0; i < n_rows; i++)
    n += reroute_id_set_contains (removed, ((RerouteRow *) section->rows->pdata[i])->id);
  for (guint i = 0; n_rows == 0 && section->ids != NULL && i < section->ids->len; i++)
    n += reroute_id_set_contains (removed, g_array_index (section->ids, gint64, i));
  return n;
}

void
reroute_rows_model_leave_out (RerouteRowsModel *self)
{
  RerouteIdSet *removed =
    reroute_edit_get_removed_ids (reroute_sheet_get_edit (self->sheet), self->page);
  gsize n_known = 0;

  if (removed == self->removed)
    return;
  for (guint i = 0; i < self->table.sections->len; i++)
    n_known += count_known (get_section (self, i), removed);
  /* Removed from this very list, their places are known, and other sections are as they were. */
  if (n_known < reroute_id_set_get_size (removed))
    for (guint i = 0; i < self->table.sections->len; i++)
      want_ids (self, get_section (self, i));
  if (self->n_ids_wanted > 0)
    {
      ask_ids (self);
      return;
    }
  show_lengths (self);
  g_clear_pointer (&self->removed, reroute_id_set_unref);
  self->removed = removed != NULL ? reroute_id_set_ref (removed) : NULL;
}

void
reroute_rows_model_forget_ids (RerouteRowsModel *self)
{
  for (guint i = 0; i < self->table.sections->len; i++)
    {
      Section *section = get_section (self, i);

      unwant_ids (self, section);
      g_clear_pointer (&section->ids, g_array_unref);
    }
  self->has_ids = FALSE;
  self->ids_in_flight = FALSE;
  g_clear_pointer (&self->removed, reroute_id_set_unref);
}

/* --- a selection --- */

/* The selected lines of @section, which begins at @start; FALSE: their ids are not known. */
static gboolean
add_selected (
  RerouteRowsModel *self, Section *section, guint start, GtkBitset *positions, GArray *ids)
{
  guint n = section->items->len;
  g_autoptr (GArray) shown = NULL;

  if (n == 0 || gtk_bitset_get_size_in_range (positions, start, start + n - 1) == 0)
    return TRUE;
  if (section != self->table.added && section->rows == NULL)
    {
      want_ids (self, section);
      if (section->ids == NULL)
        return FALSE;
      shown = dup_shown_ids (self, section);
      n = MIN (n, shown->len);
    }
  for (guint i = 0; i < n; i++)
    {
      gint64 id = 0;

      if (!gtk_bitset_contains (positions, start + i))
        continue;
      id = shown != NULL ? g_array_index (shown, gint64, i)
                         : reroute_row_item_get_id (reroute_rows_section_get_item (section, i));
      g_array_append_val (ids, id);
    }
  return TRUE;
}

GPtrArray *
reroute_rows_model_dup_rows (RerouteRowsModel *self, GtkBitset *positions)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (reroute_row_unref);
  GtkBitsetIter iter;
  guint position = 0;

  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), rows);

  for (gboolean more = gtk_bitset_iter_init_first (&iter, positions, &position); more;
       more = gtk_bitset_iter_next (&iter, &position))
    {
      g_autoptr (RerouteRowItem) item = g_list_model_get_item (G_LIST_MODEL (self), position);
      RerouteRow *row = item != NULL ? reroute_row_item_get_row (item) : NULL;

      if (row != NULL)
        g_ptr_array_add (rows, reroute_row_ref (row));
    }
  return rows;
}

gboolean
reroute_rows_model_is_fresh (RerouteRowsModel *self, GtkBitset *positions)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), FALSE);

  for (guint i = 0; i < self->table.sections->len; i++)
    {
      Section *section = get_section (self, i);
      guint start = reroute_rows_table_get_start (&self->table, i);
      guint n = section->items->len;

      if (section->rows == NULL || section->n_news == self->n_news || n == 0 ||
          gtk_bitset_get_size_in_range (positions, start, start + n - 1) == 0)
        continue;
      reroute_rows_model_look_at (self, i);
      return FALSE;
    }
  return TRUE;
}

RerouteIdSet *
reroute_rows_model_dup_ids (RerouteRowsModel *self, GtkBitset *positions)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  gboolean known = TRUE;

  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), NULL);

  self->failed = FALSE;
  known = add_selected (self, self->table.added, 0, positions, ids);
  for (guint i = 0; i < self->table.sections->len; i++)
    known &= add_selected (
      self, get_section (self, i), reroute_rows_table_get_start (&self->table, i), positions, ids);
  if (known)
    return reroute_id_set_new ((const gint64 *) ids->data, ids->len);
  ask_ids (self);
  return NULL;
}

guint
reroute_rows_model_count_outstanding (RerouteRowsModel *self)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), 0);

  return self->n_in_flight + self->wanted->len + self->n_ids_wanted;
}

gboolean
reroute_rows_model_is_reading (RerouteRowsModel *self)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), FALSE);

  return reroute_rows_model_count_outstanding (self) > 0;
}

gboolean
reroute_rows_model_has_failed (RerouteRowsModel *self)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), FALSE);

  return self->failed;
}
