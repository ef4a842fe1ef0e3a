/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-view.c - a list of rows with its search, its note and its verbs
 */

#include "config.h"

#include "gui/rows-view.h"

#include "gui/naming.h"
#include "gui/note.h"
#include "gui/row-item.h"
#include "gui/rows-model.h"
#include "gui/search-field.h"

#include <glib/gi18n.h>

/* Does something with @rows (element-type RerouteRow), all that are selected. */
typedef void (*Verb) (RerouteRowsView *self, GPtrArray *rows);

struct _RerouteRowsView
{
  GtkBox parent_instance;

  GtkSearchEntry *search;
  GtkLabel *count;
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
  GtkMultiSelection *selection;
  gboolean in_use;
  RerouteRow *current;      /* the selected row; found again after the list changed */
  Verb pending;             /* (nullable): done as soon as every selected row is read */
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
  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));

  return (guint) gtk_bitset_get_size (selected);
}

/* (transfer full) (nullable): NULL when none is selected, or it is not read yet. */
static RerouteRow *
dup_first_selected (RerouteRowsView *self)
{
  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  g_autoptr (RerouteRowItem) item = NULL;
  RerouteRow *row = NULL;

  if (gtk_bitset_is_empty (selected))
    return NULL;
  item = g_list_model_get_item (G_LIST_MODEL (self->model), gtk_bitset_get_minimum (selected));
  row = item != NULL ? reroute_row_item_get_row (item) : NULL;
  return row != NULL ? reroute_row_ref (row) : NULL;
}

/* (transfer full) (element-type RerouteRow): those that are read; the others are asked for. */
static GPtrArray *
dup_selected (RerouteRowsView *self)
{
  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  GPtrArray *rows = g_ptr_array_new_with_free_func (reroute_row_unref);
  GtkBitsetIter iter;
  guint position = 0;

  for (gboolean more = gtk_bitset_iter_init_first (&iter, selected, &position); more;
       more = gtk_bitset_iter_next (&iter, &position))
    {
      g_autoptr (RerouteRowItem) item =
                   g_list_model_get_item (G_LIST_MODEL (self->model), position);
      RerouteRow *row = item != NULL ? reroute_row_item_get_row (item) : NULL;

      if (row != NULL)
        g_ptr_array_add (rows, reroute_row_ref (row));
    }
  return rows;
}

static void
show_note (RerouteRowsView *self)
{
  g_autoptr (RerouteRow) row = NULL;
  RerouteFinding *finding = NULL;
  g_autofree char *markup = NULL;

  if (!self->in_use)
    {
      reroute_note_show (self->note, REROUTE_NOTE_PLAIN, _ ("The table is not used."), NULL);
      return;
    }
  if (count_selected (self) == 1)
    row = dup_first_selected (self);
  if (row == NULL)
    {
      reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
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
  const char *const texts[] = {
    [REROUTE_PAGE_ROUTING] = _ ("Mail for every domain goes where the Connections page says. Add an entry to accept a "
                        "domain here or to send its mail to another one."),
      [REROUTE_PAGE_CONNECTIONS] = _ ("Mail for every domain goes where the Connections page says. Add an entry to send the "
                        "mail for one domain to a host of its own."),
        [REROUTE_PAGE_RECIPIENTS] = _ ("While the list is empty, everybody but the postmaster is refused. Add the addresses that exist, or import them."),
        };
  gboolean searched = self->word[0] != '\0';
  g_autofree char *text = NULL;

  gtk_widget_set_visible (self->empty, n == 0 && reroute_rows_model_is_loaded (self->model));
  gtk_widget_set_visible (GTK_WIDGET (self->empty_title), !searched);
  gtk_label_set_label (self->empty_title,
                       self->page == REROUTE_PAGE_RECIPIENTS
                       ? _ ("No addresses yet")
                       : _ ("No entries yet"));
  text = searched ? g_strdup_printf (_ ("No entry contains “%s”."), self->word)
                  : g_strdup (texts[self->page]);
  gtk_label_set_label (self->empty_text, text);
}

/* (transfer full) */
static char *
dup_count (RerouteRowsView *self, guint n)
{
  const char *pattern = self->page == REROUTE_PAGE_RECIPIENTS
                          /* Translators: the length of a list of recipients. */
                          ? g_dngettext (GETTEXT_PACKAGE, "%'u address", "%'u addresses", n)
                          /* Translators: the length of a list. */
                          : g_dngettext (GETTEXT_PACKAGE, "%'u entry", "%'u entries", n);

  if (self->pending != NULL)
    return g_strdup (_ ("Reading the rules…"));
  if (!reroute_rows_model_is_loaded (self->model))
    return g_strdup ("");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return g_strdup_printf (pattern, n);
#pragma GCC diagnostic pop
}

static void
update (RerouteRowsView *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  gboolean loaded = reroute_rows_model_is_loaded (self->model);
  gboolean editable =
    self->in_use && loaded && self->pending == NULL && !reroute_sheet_is_applying (self->sheet);
  guint n_selected = count_selected (self);
  g_autofree char *count = dup_count (self, n);

  gtk_label_set_label (self->count, count);
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

static void
set_pending (RerouteRowsView *self, Verb verb)
{
  self->pending = verb;
  reroute_rows_model_set_hold (self->model, verb != NULL);
}

/* In a long list what is selected may have to be read first. */
static void
do_with_selected (RerouteRowsView *self, Verb verb)
{
  g_autoptr (GPtrArray) rows = NULL;

  set_pending (self, verb);
  rows = dup_selected (self);
  if (rows->len == count_selected (self))
    {
      if (rows->len > 0)
        verb (self, rows);
      set_pending (self, NULL);
    }
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

/* GTK 4.8 has no gtk_column_view_scroll_to(); the list inside it knows the way. */
static void
scroll_to (RerouteRowsView *self, guint position)
{
  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self->view)); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_LIST_VIEW (child))
      gtk_widget_activate_action (child, "list.scroll-to-item", "u", position);
}

static void
select_again (RerouteRowsView *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  guint position = self->current != NULL ? reroute_rows_model_find (self->model, self->current)
                                         : GTK_INVALID_LIST_POSITION;
  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));

  if (!gtk_bitset_is_empty (selected))
    return;
  if (position == GTK_INVALID_LIST_POSITION &&
      self->position_to_select != GTK_INVALID_LIST_POSITION && n > 0)
    position = MIN (self->position_to_select, n - 1);
  if (position == GTK_INVALID_LIST_POSITION)
    return;
  self->position_to_select = GTK_INVALID_LIST_POSITION;
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  scroll_to (self, position);
}

static void
model_updated_cb (RerouteRowsModel *model, RerouteRowsView *self)
{
  select_again (self);
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

static void
edit_selected (RerouteRowsView *self)
{
  g_autoptr (RerouteRow) row = count_selected (self) == 1 ? dup_first_selected (self) : NULL;

  if (row != NULL && gtk_widget_is_sensitive (self->edit_button))
    g_signal_emit (self, signals[EDIT_ROW], 0, row);
}

static void
activate_cb (GtkColumnView *view, guint position, RerouteRowsView *self)
{
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  edit_selected (self);
}

static void
remove_rows (RerouteRowsView *self, GPtrArray *rows)
{
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);
  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));

  self->position_to_select = gtk_bitset_get_minimum (selected);
  gtk_selection_model_unselect_all (GTK_SELECTION_MODEL (self->selection));
  remember (self, NULL);
  reroute_edit_begin_step (edit);
  reroute_edit_freeze_changed (edit);
  for (guint i = 0; i < rows->len; i++)
    reroute_edit_remove_row (edit, rows->pdata[i]);
  reroute_edit_thaw_changed (edit);
}

static void
remove_clicked_cb (GtkButton *button, RerouteRowsView *self)
{
  do_with_selected (self, remove_rows);
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

static void
copy_rows (RerouteRowsView *self, GPtrArray *rows)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < rows->len; i++)
    {
      g_autofree char *domain = reroute_row_dup_cell (rows->pdata[i], REROUTE_COLUMN_DOMAIN);
      g_autofree char *target = reroute_row_dup_cell (rows->pdata[i], REROUTE_COLUMN_TARGET);

      if (self->page == REROUTE_PAGE_RECIPIENTS)
        g_string_append_printf (text, "%s\n", domain);
      else
        g_string_append_printf (text, "%s\t%s\n", domain, target);
    }
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text->str);
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
        do_with_selected (self, remove_rows);
    }
  else if ((keyval == GDK_KEY_Insert || keyval == GDK_KEY_KP_Insert) &&
           gtk_widget_is_sensitive (self->add_button))
    g_signal_emit (self, signals[EDIT_ROW], 0, NULL);
  else if (control && keyval == GDK_KEY_c)
    do_with_selected (self, copy_rows);
  else
    return GDK_EVENT_PROPAGATE;
  return GDK_EVENT_STOP;
}

static void
reroute_rows_view_dispose (GObject *object)
{
  RerouteRowsView *self = REROUTE_ROWS_VIEW (object);

  g_clear_pointer (&self->current, reroute_row_unref);
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
  gtk_widget_class_bind_template_callback (widget_class, edit_selected);
  gtk_widget_class_bind_template_callback (widget_class, remove_clicked_cb);
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
  const struct
  {
    const char *name;
    const char *hint;
  } words[] = {
    [REROUTE_PAGE_ROUTING] = {
      _ ("Routing table"), _ ("Search domains and comments") },
      [REROUTE_PAGE_CONNECTIONS] = {
        _ ("E-mail domains"), _ ("Search domains and hosts") },
        [REROUTE_PAGE_RECIPIENTS] = { _ ("Recipients"), _ ("Search addresses and comments") },
        };

  g_return_if_fail (REROUTE_IS_ROWS_VIEW (self));
  g_return_if_fail (self->model == NULL);

  self->sheet = g_object_ref (sheet);
  self->page = page;
  self->model = reroute_rows_model_new (sheet, page);
  search (self);
  self->selection = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (self->model)));
  reroute_rows_columns_add (self->view, self->model, sheet, look);
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  reroute_search_field_init (self->search, words[page].hint);
  reroute_name_widget (GTK_WIDGET (self->view), words[page].name);
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
  gtk_selection_model_unselect_all (GTK_SELECTION_MODEL (self->selection));
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
