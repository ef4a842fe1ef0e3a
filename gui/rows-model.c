/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-model.c - the rows of one page, read in pages, with the sheet's edit over them
 *
 * Sections: first the rows that the edit adds, then one for each page of REROUTE_LIMIT_PAGE_ROWS
 * saved rows.  A table that fits in one page is merged instead: added rows stand where they will
 * stand.  A section that was not read yet counts its nominal rows; when it comes, and has fewer
 * (because the edit removes some), the list says so.  Only a few sections are held.
 */

#include "config.h"

#include "gui/rows-model-private.h"

#include "common/limits.h"

#define SECTIONS_HELD 16 /* of 1,000 rows; the screen shows 2 at most */
#define IN_FLIGHT 2      /* calls at a time while someone drags the scrollbar */
#define WANTED_MOST 6    /* sections beside them */

typedef RerouteRowsSection Section;

enum
{
  UPDATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void list_model_iface_init (GListModelInterface *iface);
static void ask (RerouteRowsModel *self, guint index, guint offset, GPtrArray *rows);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteRowsModel,
                               reroute_rows_model,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init))

/* --- sections --- */

static Section *
get_section (RerouteRowsModel *self, guint index)
{
  return g_ptr_array_index (self->table.sections, index);
}

/* Makes the section, which begins at @start, show @rows. */
static void
show_rows (RerouteRowsModel *self, Section *section, guint start, GPtrArray *rows)
{
  RerouteRowsSplice splice = reroute_rows_section_show (section, rows);

  if (splice.removed == 0 && splice.added == 0)
    return;
  reroute_rows_table_recount (&self->table);
  g_list_model_items_changed (
    G_LIST_MODEL (self), start + splice.position, splice.removed, splice.added);
}

static void
show_section (RerouteRowsModel *self, guint index, GPtrArray *rows)
{
  show_rows (
    self, get_section (self, index), reroute_rows_table_get_start (&self->table, index), rows);
}

void
reroute_rows_model_tell (RerouteRowsModel *self)
{
  g_signal_emit (self, signals[UPDATED], 0);
}

/* --- the edit over the saved rows --- */

/* What of the saved @section is shown. */
static GPtrArray *
dup_shown (RerouteRowsModel *self, Section *section)
{
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);
  GPtrArray *shown = g_ptr_array_new_with_free_func (reroute_row_unref);

  for (guint i = 0; i < section->rows->len; i++)
    {
      RerouteRow *row = g_ptr_array_index (section->rows, i);
      RerouteEditState state = reroute_edit_get_state (edit, self->page, row->id);

      if (state == REROUTE_EDIT_UNTOUCHED)
        g_ptr_array_add (shown, reroute_row_ref (row));
      else if (state == REROUTE_EDIT_CHANGED)
        g_ptr_array_add (shown, reroute_row_ref (reroute_edit_get_row (edit, self->page, row->id)));
    }
  return shown;
}

static GPtrArray *
dup_added (RerouteRowsModel *self)
{
  GPtrArray *rows = reroute_edit_dup_added (reroute_sheet_get_edit (self->sheet), self->page);

  for (guint i = rows->len; i > 0; i--)
    if (!reroute_row_matches (rows->pdata[i - 1], self->filter))
      g_ptr_array_remove_index (rows, i - 1);
  return rows;
}

static void
show_edit (RerouteRowsModel *self)
{
  g_autoptr (GPtrArray) added = dup_added (self);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  gboolean merged = self->table.sections->len == 1 && added->len <= REROUTE_LIMIT_PAGE_ROWS;

  if (!self->loaded)
    return;
  show_rows (self, self->table.added, 0, merged ? none : added);
  for (guint i = 0; i < self->table.sections->len; i++)
    {
      Section *section = get_section (self, i);
      g_autoptr (GPtrArray) shown = NULL;

      if (section->rows == NULL)
        continue;
      shown = dup_shown (self, section);
      for (guint j = 0; merged && j < added->len; j++)
        reroute_rows_insert_sorted (shown, added->pdata[j], self->column, self->descending);
      show_section (self, i, shown);
    }
  reroute_rows_model_leave_out (self);
  reroute_rows_model_tell (self);
}

static gboolean
update_cb (gpointer user_data)
{
  RerouteRowsModel *self = REROUTE_ROWS_MODEL (user_data);

  self->update_id = 0;
  show_edit (self);
  return G_SOURCE_REMOVE;
}

/* Many changes in one go are shown once. */
static void
edit_changed_cb (RerouteEdit *edit, int page, gint64 id, RerouteRowsModel *self)
{
  if (self->update_id == 0)
    self->update_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, update_cb, self, NULL);
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteRowsModel *self)
{
  GPtrArray *findings = reroute_sheet_get_findings (sheet);

  if (findings == self->findings)
    return;
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  self->findings = g_ptr_array_ref (findings);
  reroute_rows_section_refresh (self->table.added);
  for (guint i = 0; i < self->table.sections->len; i++)
    reroute_rows_section_refresh (get_section (self, i));
  g_signal_emit (self, signals[UPDATED], 0);
}

/* --- reading --- */

static void
remove_last_section (RerouteRowsModel *self)
{
  guint last = self->table.sections->len - 1;
  guint start = reroute_rows_table_get_start (&self->table, last);
  guint n_items = get_section (self, last)->items->len;

  g_ptr_array_remove_index (self->table.sections, last);
  reroute_rows_table_recount (&self->table);
  g_list_model_items_changed (G_LIST_MODEL (self), start, n_items, 0);
}

/* The table has another length: sections at its end come and go.  Those that are not read get
   their lines at once. */
static void
set_total (RerouteRowsModel *self, guint total)
{
  RerouteRowsTable *table = &self->table;
  guint n_sections = MAX (1, (total + REROUTE_LIMIT_PAGE_ROWS - 1) / REROUTE_LIMIT_PAGE_ROWS);
  guint old_n = table->sections->len;
  guint added = 0;

  if (total == table->total && old_n == n_sections)
    return;
  reroute_rows_model_forget_ids (self);
  table->total = total;
  while (table->sections->len > n_sections)
    remove_last_section (self);
  for (guint i = 0; i < MIN (old_n, n_sections); i++)
    {
      Section *section = get_section (self, i);
      guint start = reroute_rows_table_get_start (table, i);
      guint nominal = reroute_rows_table_get_nominal (table, i);
      guint old_length = section->items->len;

      if (section->rows != NULL || old_length == nominal)
        continue;
      g_ptr_array_set_size (section->items, (int) nominal);
      reroute_rows_table_recount (table);
      g_list_model_items_changed (G_LIST_MODEL (self), start, old_length, nominal);
    }
  for (guint i = old_n; i < n_sections; i++)
    {
      guint nominal = reroute_rows_table_get_nominal (table, i);

      g_ptr_array_add (table->sections, reroute_rows_section_new (nominal));
      added += nominal;
    }
  reroute_rows_table_recount (table);
  if (added > 0)
    g_list_model_items_changed (
      G_LIST_MODEL (self), reroute_rows_table_get_n_lines (table) - added, 0, added);
}

static void
forget_wanted (RerouteRowsModel *self, guint place)
{
  guint index = g_array_index (self->wanted, guint, place);

  g_array_remove_index (self->wanted, place);
  if (index < self->table.sections->len)
    get_section (self, index)->asked = FALSE;
}

/* What was looked at last is asked for first; what was passed by is not asked for at all. */
static void
want (RerouteRowsModel *self, guint index)
{
  Section *section = get_section (self, index);

  for (guint i = self->wanted->len; section->asked && i > 0; i--)
    if (g_array_index (self->wanted, guint, i - 1) == index)
      forget_wanted (self, i - 1);
  if (section->asked)
    return;
  section->asked = TRUE;
  g_array_append_val (self->wanted, index);
  if (!self->hold && self->wanted->len > WANTED_MOST)
    forget_wanted (self, 0);
}

static void
ask_next (RerouteRowsModel *self)
{
  while (self->n_in_flight < IN_FLIGHT && self->wanted->len > 0 && !self->resetting)
    {
      guint index = g_array_index (self->wanted, guint, self->wanted->len - 1);

      g_array_set_size (self->wanted, self->wanted->len - 1);
      if (index < self->table.sections->len)
        ask (self, index, 0, NULL);
    }
}

typedef struct
{
  RerouteRowsModel *self;
  GCancellable *cancellable;
  guint index;
  guint n_news;
  GPtrArray *rows; /* what came before: a reply may hold fewer than were asked for */
} Request;

static void
request_free (Request *request)
{
  g_clear_object (&request->self);
  g_clear_object (&request->cancellable);
  g_clear_pointer (&request->rows, g_ptr_array_unref);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

static void
take_rows (RerouteRowsModel *self, const Request *request, guint total)
{
  guint index = request->index;
  Section *section = NULL;
  g_autoptr (GPtrArray) shown = NULL;

  if (self->resetting)
    {
      guint old_n = g_list_model_get_n_items (G_LIST_MODEL (self));

      self->resetting = FALSE;
      reroute_rows_model_forget_ids (self);
      reroute_rows_table_empty (&self->table);
      g_array_set_size (self->wanted, 0);
      g_list_model_items_changed (G_LIST_MODEL (self), 0, old_n, 0);
    }
  self->loaded = TRUE;
  set_total (self, total);
  if (index >= self->table.sections->len)
    return;
  section = get_section (self, index);
  g_clear_pointer (&section->rows, g_ptr_array_unref);
  section->rows = g_ptr_array_ref (request->rows);
  section->n_news = request->n_news;
  section->stale = request->n_news != self->n_news;
  section->asked = FALSE;
  section->used = ++self->clock;
  if (!self->hold)
    reroute_rows_let_go (self->table.sections, SECTIONS_HELD);
  if (index == 0)
    {
      show_edit (self);
      return;
    }
  shown = dup_shown (self, section);
  show_section (self, index, shown);
  reroute_rows_model_leave_out (self);
  reroute_rows_model_tell (self);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  RerouteRowsModel *self = request->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRowPage) page =
               reroute_rules_client_list_finish (REROUTE_RULES_CLIENT (source), result, &error);
  guint first = request->index * REROUTE_LIMIT_PAGE_ROWS;
  gboolean late = request->n_news != self->n_news;

  if (g_cancellable_is_cancelled (request->cancellable))
    return;
  self->n_in_flight--;
  if (page == NULL)
    {
      g_debug ("no rows: %s", error->message);
      if (request->index < self->table.sections->len)
        get_section (self, request->index)->asked = FALSE;
      self->failed = TRUE;
      reroute_rows_model_tell (self);
      return;
    }

  self->serial = page->serial;
  for (guint i = 0; i < page->rows->len; i++)
    g_ptr_array_add (request->rows, reroute_row_ref (page->rows->pdata[i]));
  if (page->rows->len > 0 && request->rows->len < REROUTE_LIMIT_PAGE_ROWS &&
      first + request->rows->len < page->total)
    ask (self, request->index, late ? 0 : request->rows->len, late ? NULL : request->rows);
  else
    take_rows (self, request, page->total);
  ask_next (self);
}

char *
reroute_rows_model_dup_sort (RerouteRowsModel *self)
{
  return g_strconcat (self->descending ? "-" : "", reroute_column_to_sort (self->column), NULL);
}

/* @rows: (nullable): the first @offset rows of that section. */
static void
ask (RerouteRowsModel *self, guint index, guint offset, GPtrArray *rows)
{
  g_autofree char *sort = reroute_rows_model_dup_sort (self);
  Request *request = g_new0 (Request, 1);

  request->self = g_object_ref (self);
  request->cancellable = g_object_ref (self->cancellable);
  request->index = index;
  request->n_news = self->n_news;
  request->rows =
    rows != NULL ? g_ptr_array_ref (rows) : g_ptr_array_new_with_free_func (reroute_row_unref);
  self->n_in_flight++;
  reroute_rules_client_list_async (reroute_sheet_get_rules (self->sheet),
                                   self->page,
                                   self->filter,
                                   sort,
                                   index * REROUTE_LIMIT_PAGE_ROWS + offset,
                                   REROUTE_LIMIT_PAGE_ROWS - offset,
                                   self->cancellable,
                                   listed_cb,
                                   request);
}

void
reroute_rows_model_look_at (RerouteRowsModel *self, guint index)
{
  Section *section = get_section (self, index);

  section->used = ++self->clock;
  if (section->rows == NULL || section->stale)
    want (self, index);
  ask_next (self);
}

void
reroute_rows_model_reset (RerouteRowsModel *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->n_in_flight = 0;
  self->resetting = TRUE;
  reroute_rows_model_forget_ids (self);
  ask (self, 0, 0, NULL);
}

/* The rows that are held are those of before, until "saved" or whoever needs one has them read. */
static void
others_saved_cb (RerouteSheet *sheet, const RerouteNews *news, RerouteRowsModel *self)
{
  self->n_news++;
  reroute_rows_mark_stale (self->table.sections);
  if (self->has_ids)
    reroute_rows_model_reset (self);
}

/* What is on the screen is read again now, the rest when it is looked at. */
static void
saved_cb (RerouteSheet *sheet, RerouteRowsModel *self)
{
  int last = reroute_rows_find_last_used (self->table.sections, -1);
  int before = reroute_rows_find_last_used (self->table.sections, last);

  if (!self->loaded || self->resetting || self->has_ids || last < 0)
    {
      reroute_rows_model_reset (self);
      return;
    }
  reroute_rows_mark_stale (self->table.sections);
  if (before >= 0)
    want (self, before);
  want (self, last);
  ask_next (self);
}

/* --- GListModel --- */

static GType
get_item_type (GListModel *model)
{
  return REROUTE_TYPE_ROW_ITEM;
}

static guint
get_n_items (GListModel *model)
{
  return reroute_rows_table_get_n_lines (&REROUTE_ROWS_MODEL (model)->table);
}

static gpointer
get_item (GListModel *model, guint position)
{
  RerouteRowsModel *self = REROUTE_ROWS_MODEL (model);
  int index = -1;
  Section *section = reroute_rows_table_find_line (&self->table, &position, &index);

  if (section == NULL)
    return NULL;
  if (index >= 0)
    reroute_rows_model_look_at (self, (guint) index);
  return g_object_ref (reroute_rows_section_get_item (section, position));
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
reroute_rows_model_dispose (GObject *object)
{
  RerouteRowsModel *self = REROUTE_ROWS_MODEL (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->update_id, g_source_remove);

  G_OBJECT_CLASS (reroute_rows_model_parent_class)->dispose (object);
}

static void
reroute_rows_model_finalize (GObject *object)
{
  RerouteRowsModel *self = REROUTE_ROWS_MODEL (object);

  g_clear_object (&self->sheet);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  g_clear_pointer (&self->filter, g_free);
  g_clear_pointer (&self->removed, reroute_id_set_unref);
  reroute_rows_table_clear (&self->table);
  g_clear_pointer (&self->wanted, g_array_unref);

  G_OBJECT_CLASS (reroute_rows_model_parent_class)->finalize (object);
}

static void
reroute_rows_model_class_init (RerouteRowsModelClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_rows_model_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_rows_model_finalize;

  signals[UPDATED] = g_signal_new (
    "updated", REROUTE_TYPE_ROWS_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
reroute_rows_model_init (RerouteRowsModel *self)
{
  self->filter = g_strdup ("");
  self->column = REROUTE_COLUMN_DOMAIN;
  reroute_rows_table_init (&self->table);
  self->wanted = g_array_new (FALSE, FALSE, sizeof (guint));
  self->cancellable = g_cancellable_new ();
}

RerouteRowsModel *
reroute_rows_model_new (RerouteSheet *sheet, ReroutePage page)
{
  RerouteRowsModel *self = g_object_new (REROUTE_TYPE_ROWS_MODEL, NULL);

  self->sheet = g_object_ref (sheet);
  self->page = page;
  g_signal_connect_object (sheet, "others-saved", G_CALLBACK (others_saved_cb), self, 0);
  g_signal_connect_object (sheet, "saved", G_CALLBACK (saved_cb), self, 0);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  g_signal_connect_object (
    reroute_sheet_get_edit (sheet), "changed", G_CALLBACK (edit_changed_cb), self, 0);
  reroute_rows_model_reset (self);
  return self;
}

void
reroute_rows_model_set_filter (RerouteRowsModel *self, const char *filter)
{
  g_return_if_fail (REROUTE_IS_ROWS_MODEL (self));

  if (g_str_equal (self->filter, filter))
    return;
  g_free (self->filter);
  self->filter = g_strdup (filter);
  reroute_rows_model_reset (self);
}

const char *
reroute_rows_model_get_filter (RerouteRowsModel *self)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), NULL);

  return self->filter;
}

void
reroute_rows_model_set_sort (RerouteRowsModel *self, RerouteColumn column, gboolean descending)
{
  g_return_if_fail (REROUTE_IS_ROWS_MODEL (self));

  if (self->column == column && self->descending == descending)
    return;
  self->column = column;
  self->descending = descending;
  reroute_rows_model_reset (self);
}

gboolean
reroute_rows_model_is_loaded (RerouteRowsModel *self)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), FALSE);

  return self->loaded;
}

guint
reroute_rows_model_find (RerouteRowsModel *self, const RerouteRow *row)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_MODEL (self), GTK_INVALID_LIST_POSITION);

  return reroute_rows_table_find_row (&self->table, row);
}

void
reroute_rows_model_set_hold (RerouteRowsModel *self, gboolean hold)
{
  g_return_if_fail (REROUTE_IS_ROWS_MODEL (self));

  self->hold = hold;
  self->failed = FALSE;
}
