/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-view.c - a list of rows with its search, its note and its verbs
 */

#include "config.h"

#include "gui/rows-view.h"

#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/rows-model.h"
#include "gui/rows-section.h"
#include "gui/rows-selection.h"
#include "gui/rows-words.h"
#include "gui/search-field.h"

#include <glib/gi18n.h>

#define ROWS_REMOVED_AS_ROWS 100 /* more are removed by their ids */
#define PROGRESS_AFTER_MS 1000   /* what takes no longer needs no progress bar */

/* Does something with all that is selected; FALSE: what it needs of it is being read. */
typedef gboolean (*Verb) (RerouteRowsView *self);

struct _RerouteRowsView
{
  GtkBox parent_instance;

  GtkSearchEntry *search;
  GtkLabel *count;
  GtkProgressBar *progress;
  GtkWidget *stop_button;
  GtkColumnView *view;
  GtkWidget *empty;
  GtkLabel *empty_title;
  GtkLabel *empty_text;
  RerouteNote *note;
  GtkWidget *buttons;
  GtkWidget *add_button;
  GtkWidget *edit_button;
  GtkWidget *remove_button;

  RerouteSheet *sheet;
  ReroutePage page;
  char *list; /* as a filter names it: "@test.com"; NULL: the rows are of no list of recipients */
  char *word; /* that is searched for; "" when none is */
  RerouteRowsModel *model;
  GtkSelectionModel *selection;
  gboolean in_use;
  RerouteRow *current; /* the selected row; found again after the list changed */
  Verb pending;        /* (nullable): done as soon as what it needs is read */
  GPtrArray *meant;    /* (nullable) (element-type RerouteRow): what Remove was pressed on */
  guint pending_most;  /* of what it needs, outstanding at the same time */
  guint progress_id;
  guint position_to_select; /* after Remove; GTK_INVALID_LIST_POSITION: none */
};

enum
{
  EDIT_ROW,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRowsView, reroute_rows_view, GTK_TYPE_BOX)

static guint
count_selected (RerouteRowsView *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);

  return (guint) gtk_bitset_get_size (selected);
}

/* (transfer full) (nullable): NULL when none is selected, or it is not read yet. */
static RerouteRow *
dup_first_selected (RerouteRowsView *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  g_autoptr (RerouteRowItem) item = g_list_model_get_item (G_LIST_MODEL (self->model),
                                                           gtk_bitset_get_minimum (selected));
  RerouteRow *row = item != NULL ? reroute_row_item_get_row (item) : NULL;

  return row != NULL ? reroute_row_ref (row) : NULL;
}

static void
show_note (RerouteRowsView *self)
{
  g_autoptr (RerouteRow) row = NULL;
  RerouteFinding *finding = NULL;
  g_autofree char *markup = NULL;

  if (self->in_use && count_selected (self) == 1)
    row = dup_first_selected (self);
  if (row == NULL)
    {
      reroute_note_show (
        self->note, REROUTE_NOTE_PLAIN, self->in_use ? NULL : _ ("The table is not used."), NULL);
      return;
    }
  finding = reroute_sheet_find_finding (self->sheet, self->page, row->id);
  if (finding != NULL && finding->level < REROUTE_FINDING_NOTE)
    {
      markup = reroute_finding_dup_markup (finding);
      reroute_note_show (self->note,
                         finding->level == REROUTE_FINDING_ERROR ? REROUTE_NOTE_ERROR
                                                                 : REROUTE_NOTE_WARNING,
                         markup,
                         finding->path);
      return;
    }
  if (self->page != REROUTE_PAGE_RECIPIENTS)
    markup = reroute_row_dup_sentence (row);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, markup, NULL);
}

static void
show_empty (RerouteRowsView *self, guint n)
{
  g_autofree char *text = reroute_rows_dup_empty_text (self->page, self->word);

  gtk_widget_set_visible (self->empty, n == 0 && reroute_rows_model_is_loaded (self->model));
  gtk_widget_set_visible (GTK_WIDGET (self->empty_title), self->word[0] == '\0');
  gtk_label_set_label (self->empty_title, reroute_rows_get_empty_title (self->page));
  gtk_label_set_label (self->empty_text, text);
}

static void
show_count (RerouteRowsView *self, guint n)
{
  gboolean loaded = reroute_rows_model_is_loaded (self->model);
  gboolean shows_progress = self->pending != NULL && self->progress_id == 0;
  guint outstanding = reroute_rows_model_count_outstanding (self->model);
  g_autofree char *count = loaded ? reroute_rows_dup_count (self->page, n) : g_strdup ("");

  self->pending_most = MAX (self->pending_most, outstanding);
  gtk_label_set_label (self->count, self->pending != NULL ? _ ("Reading the rules…") : count);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), shows_progress);
  gtk_widget_set_visible (self->stop_button, shows_progress);
  if (shows_progress && self->pending_most > 0)
    gtk_progress_bar_set_fraction (self->progress, 1 - outstanding / (double) self->pending_most);
}

static void
update (RerouteRowsView *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  gboolean loaded = reroute_rows_model_is_loaded (self->model);
  gboolean editable =
    self->in_use && loaded && self->pending == NULL && !reroute_sheet_is_busy (self->sheet);
  guint n_selected = count_selected (self);

  show_count (self, n);
  gtk_widget_set_sensitive (self->add_button, editable);
  gtk_widget_set_sensitive (self->edit_button, editable && n_selected == 1);
  gtk_widget_set_sensitive (self->remove_button, editable && n_selected > 0);
  if (self->in_use)
    gtk_widget_remove_css_class (GTK_WIDGET (self->view), "off");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->view), "off");
  show_empty (self, n);
  show_note (self);
}

/* --- selection --- */

static void
remember (RerouteRowsView *self, RerouteRow *row)
{
  RerouteRow *now = row != NULL ? reroute_row_ref (row) : NULL;

  g_clear_pointer (&self->current, reroute_row_unref);
  self->current = now;
}

static gboolean
progress_due_cb (gpointer user_data)
{
  RerouteRowsView *self = REROUTE_ROWS_VIEW (user_data);

  self->progress_id = 0;
  update (self);
  return G_SOURCE_REMOVE;
}

static void
set_pending (RerouteRowsView *self, Verb verb)
{
  if (self->pending == verb)
    return;
  self->pending = verb;
  self->pending_most = 0;
  g_clear_pointer (&self->meant, g_ptr_array_unref);
  reroute_rows_model_set_hold (self->model, verb != NULL);
  g_clear_handle_id (&self->progress_id, g_source_remove);
  if (verb != NULL)
    self->progress_id = g_timeout_add (PROGRESS_AFTER_MS, progress_due_cb, self);
}

/* In a long list what is selected may have to be read first. */
static void
do_with_selected (RerouteRowsView *self, Verb verb)
{
  set_pending (self, verb);
  if (verb (self))
    set_pending (self, NULL);
  update (self);
}

static void
stop_clicked_cb (GtkButton *button, RerouteRowsView *self)
{
  set_pending (self, NULL);
  update (self);
}

static void
selection_changed_cb (GtkSelectionModel *selection,
                      guint position,
                      guint n_items,
                      RerouteRowsView *self)
{
  g_autoptr (RerouteRow) row = dup_first_selected (self);

  if (row != NULL)
    remember (self, row);
  set_pending (self, NULL);
  update (self);
}

static void
select_again (RerouteRowsView *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  guint position = self->current != NULL ? reroute_rows_model_find (self->model, self->current)
                                         : GTK_INVALID_LIST_POSITION;
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);

  if (!gtk_bitset_is_empty (selected))
    return;
  if (position == GTK_INVALID_LIST_POSITION &&
      self->position_to_select != GTK_INVALID_LIST_POSITION && n > 0)
    position = MIN (self->position_to_select, n - 1);
  if (position == GTK_INVALID_LIST_POSITION)
    return;
  self->position_to_select = GTK_INVALID_LIST_POSITION;
  gtk_selection_model_select_item (self->selection, position, TRUE);
  reroute_column_view_scroll_to (self->view, position);
}

static void
model_updated_cb (RerouteRowsModel *model, RerouteRowsView *self)
{
  select_again (self);
  if (self->pending != NULL && reroute_rows_model_has_failed (model))
    set_pending (self, NULL);
  if (self->pending != NULL && !reroute_rows_model_is_reading (model))
    do_with_selected (self, self->pending);
  else
    update (self);
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteRowsView *self)
{
  update (self);
}

/* --- verbs --- */

static void
add_clicked_cb (GtkButton *button, RerouteRowsView *self)
{
  g_signal_emit (self, signals[EDIT_ROW], 0, NULL);
}

static gboolean
edit_selected (RerouteRowsView *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  g_autoptr (RerouteRow) row = NULL;

  if (!reroute_rows_model_is_fresh (self->model, selected))
    return FALSE;
  row = dup_first_selected (self);
  if (row != NULL)
    g_signal_emit (self, signals[EDIT_ROW], 0, row);
  return TRUE;
}

static void
edit_clicked_cb (RerouteRowsView *self)
{
  if (gtk_widget_is_sensitive (self->edit_button))
    do_with_selected (self, edit_selected);
}

static void
activate_cb (GtkColumnView *view, guint position, RerouteRowsView *self)
{
  gtk_selection_model_select_item (self->selection, position, TRUE);
  edit_clicked_cb (self);
}

/* What others have changed since she saw it is shown, and stays. */
static gboolean
remove_selected (RerouteRowsView *self)
{
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  guint first = gtk_bitset_get_minimum (selected);
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (RerouteIdSet) ids = NULL;

  if (gtk_bitset_is_empty (selected))
    return TRUE;
  if (count_selected (self) <= ROWS_REMOVED_AS_ROWS)
    rows = reroute_rows_model_dup_rows (self->model, selected);
  if (!reroute_rows_model_is_fresh (self->model, selected))
    {
      if (self->meant == NULL)
        self->meant = g_steal_pointer (&rows);
      return FALSE;
    }
  if (self->meant != NULL && !reroute_rows_are_equal (self->meant, rows))
    return TRUE;
  if (rows == NULL || rows->len < count_selected (self))
    {
      ids = reroute_rows_model_dup_ids (self->model, selected);
      if (ids == NULL)
        return FALSE;
    }
  self->position_to_select = first;
  gtk_selection_model_unselect_all (self->selection);
  remember (self, NULL);
  reroute_edit_begin_step (edit);
  reroute_edit_freeze_changed (edit);
  for (guint i = 0; ids == NULL && i < rows->len; i++)
    reroute_edit_remove_row (edit, rows->pdata[i]);
  if (ids != NULL)
    reroute_edit_remove_ids (edit, self->page, ids);
  reroute_edit_thaw_changed (edit);
  return TRUE;
}

static void
remove_clicked_cb (GtkButton *button, RerouteRowsView *self)
{
  do_with_selected (self, remove_selected);
}

static void
search (RerouteRowsView *self)
{
  g_autofree char *filter = NULL;

  if (self->list != NULL)
    filter = g_strjoin (self->word[0] != '\0' ? " " : "", self->list, self->word, NULL);
  reroute_rows_model_set_filter (self->model, filter != NULL ? filter : self->word);
}

static void
search_changed_cb (GtkSearchEntry *field, RerouteRowsView *self)
{
  if (self->model == NULL)
    return;
  g_free (self->word);
  self->word = reroute_search_field_dup_text (field);
  search (self);
}

static gboolean
copy_selected (RerouteRowsView *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  g_autoptr (GPtrArray) rows = reroute_rows_model_dup_rows (self->model, selected);
  g_autofree char *text = NULL;

  if (rows->len < count_selected (self))
    return FALSE;
  text = reroute_rows_dup_text (self->page, rows);
  if (rows->len > 0)
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
  return TRUE;
}

static gboolean
list_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteRowsView *self)
{
  gboolean control = (state & GDK_CONTROL_MASK) != 0;

  if (keyval == GDK_KEY_Delete || keyval == GDK_KEY_KP_Delete)
    {
      if (gtk_widget_is_sensitive (self->remove_button))
        do_with_selected (self, remove_selected);
    }
  else if ((keyval == GDK_KEY_Insert || keyval == GDK_KEY_KP_Insert) &&
           gtk_widget_is_sensitive (self->add_button))
    g_signal_emit (self, signals[EDIT_ROW], 0, NULL);
  else if (control && keyval == GDK_KEY_c)
    do_with_selected (self, copy_selected);
  else
    return GDK_EVENT_PROPAGATE;
  return GDK_EVENT_STOP;
}

static void
reroute_rows_view_dispose (GObject *object)
{
  RerouteRowsView *self = REROUTE_ROWS_VIEW (object);

  g_clear_handle_id (&self->progress_id, g_source_remove);
  g_clear_pointer (&self->current, reroute_row_unref);
  g_clear_pointer (&self->meant, g_ptr_array_unref);
  g_clear_object (&self->selection);
  g_clear_object (&self->model);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_rows_view_parent_class)->dispose (object);
}

static void
reroute_rows_view_finalize (GObject *object)
{
  RerouteRowsView *self = REROUTE_ROWS_VIEW (object);

  g_free (self->list);
  g_free (self->word);

  G_OBJECT_CLASS (reroute_rows_view_parent_class)->finalize (object);
}

static void
reroute_rows_view_class_init (RerouteRowsViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_rows_view_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_rows_view_finalize;

  signals[EDIT_ROW] = g_signal_new ("edit-row",
                                    REROUTE_TYPE_ROWS_VIEW,
                                    G_SIGNAL_RUN_LAST,
                                    0,
                                    NULL,
                                    NULL,
                                    NULL,
                                    G_TYPE_NONE,
                                    1,
                                    G_TYPE_POINTER);

  g_type_ensure (REROUTE_TYPE_NOTE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/rows-view.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, search);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, count);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, progress);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, stop_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, empty);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, empty_title);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, empty_text);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, buttons);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, add_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, edit_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteRowsView, remove_button);
  gtk_widget_class_bind_template_callback (widget_class, add_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, edit_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, stop_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, search_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
}

static void
reroute_rows_view_init (RerouteRowsView *self)
{
  GtkEventController *keys = NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  self->in_use = TRUE;
  self->word = g_strdup ("");
  self->position_to_select = GTK_INVALID_LIST_POSITION;

  keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (list_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
  reroute_name_let_tab_leave (self->view);
}

void
reroute_rows_view_open (RerouteRowsView *self, RerouteSheet *sheet, RerouteRowsLook look)
{
  ReroutePage page = reroute_rows_look_get_page (look);
  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));
  g_return_if_fail (self->model == NULL);

  self->sheet = g_object_ref (sheet);
  self->page = page;
  self->model = reroute_rows_model_new (sheet, page);
  search (self);
  self->selection = reroute_rows_selection_new (G_LIST_MODEL (self->model));
  reroute_rows_columns_add (self->view, self->model, sheet, look);
  gtk_column_view_set_model (self->view, self->selection);
  reroute_search_field_init (self->search, reroute_rows_get_search_hint (page));
  reroute_name_widget (GTK_WIDGET (self->view), reroute_rows_get_name (page));
  gtk_widget_set_visible (self->edit_button, page != REROUTE_PAGE_RECIPIENTS);

  g_signal_connect_object (
    self->selection, "selection-changed", G_CALLBACK (selection_changed_cb), self, 0);
  g_signal_connect_object (self->model, "updated", G_CALLBACK (model_updated_cb), self, 0);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  update (self);
}

void
reroute_rows_view_open_list (RerouteRowsView *self, RerouteSheet *sheet, const char *domain)
{
  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));

  self->list = g_strconcat ("@", domain, NULL);
  reroute_rows_view_open (self, sheet, REROUTE_ROWS_RECIPIENTS);
}

void
reroute_rows_view_set_in_use (RerouteRowsView *self, gboolean in_use)
{
  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));

  self->in_use = in_use;
  update (self);
}

void
reroute_rows_view_add_button (RerouteRowsView *self, GtkWidget *button)
{
  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));

  gtk_widget_set_hexpand (button, TRUE);
  gtk_widget_set_halign (button, GTK_ALIGN_END);
  gtk_box_append (GTK_BOX (self->buttons), button);
}

void
reroute_rows_view_select (RerouteRowsView *self, gint64 id)
{
  RerouteRow *row = NULL;

  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));

  row = reroute_edit_get_row (reroute_sheet_get_edit (self->sheet), self->page, id);
  gtk_selection_model_unselect_all (self->selection);
  remember (self, row);
  /* What was just added is to be seen. */
  if (row != NULL && !reroute_row_matches (row, reroute_rows_model_get_filter (self->model)))
    reroute_rows_view_clear_search (self);
  select_again (self);
}

void
reroute_rows_view_focus_list (RerouteRowsView *self)
{
  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

void
reroute_rows_view_focus_search (RerouteRowsView *self)
{
  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

gboolean
reroute_rows_view_clear_search (RerouteRowsView *self)
{
  g_return_val_if_fail (REROUTE_IS_ROWS_VIEW (self), FALSE);

  return reroute_search_field_clear (self->search);
}
