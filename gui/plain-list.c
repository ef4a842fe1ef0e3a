/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plain-list.c - columns of text for a list of values
 */

#include "config.h"

#include "gui/plain-list.h"

#include "gui/cell-tip.h"
#include "gui/fit.h"
#include "gui/header-order.h"

struct _RerouteListLine
{
  GObject parent_instance;

  gpointer value;
  GDestroyNotify free_func;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteListLine, reroute_list_line, G_TYPE_OBJECT)

static void
reroute_list_line_finalize (GObject *object)
{
  RerouteListLine *self = REROUTE_LIST_LINE (object);

  g_clear_pointer (&self->value, self->free_func);

  G_OBJECT_CLASS (reroute_list_line_parent_class)->finalize (object);
}

static void
reroute_list_line_class_init (RerouteListLineClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reroute_list_line_finalize;

  signals[CHANGED] = g_signal_new (
    "changed", REROUTE_TYPE_LIST_LINE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
reroute_list_line_init (RerouteListLine *self)
{
}

RerouteListLine *
reroute_list_line_new (gpointer value, GDestroyNotify free_func)
{
  RerouteListLine *self = g_object_new (REROUTE_TYPE_LIST_LINE, NULL);

  self->value = value;
  self->free_func = free_func;
  return self;
}

GPtrArray *
reroute_list_lines_new (GPtrArray *values, GDestroyNotify free_func)
{
  GPtrArray *lines = g_ptr_array_new_full (values->len, g_object_unref);

  g_ptr_array_set_free_func (values, NULL);
  for (guint i = 0; i < values->len; i++)
    g_ptr_array_add (lines, reroute_list_line_new (values->pdata[i], free_func));
  return lines;
}

gpointer
reroute_list_line_get_value (RerouteListLine *self)
{
  g_return_val_if_fail (REROUTE_IS_LIST_LINE (self), NULL);

  return self->value;
}

void
reroute_list_line_set_value (RerouteListLine *self, gpointer value)
{
  g_return_if_fail (REROUTE_IS_LIST_LINE (self));

  g_clear_pointer (&self->value, self->free_func);
  self->value = value;
  reroute_list_line_tell_again (self);
}

void
reroute_list_line_tell_again (RerouteListLine *self)
{
  g_return_if_fail (REROUTE_IS_LIST_LINE (self));

  g_signal_emit (self, signals[CHANGED], 0);
}

/* --- columns --- */

/* One column of one list; lives as long as its factory. */
typedef struct
{
  RerouteTextColumn column; /* but for its title */
  gpointer user_data;
} Cell;

static void
cell_free (gpointer data, GClosure *closure)
{
  g_free (data);
}

static void
show_state (GtkImage *image, gpointer value, const Cell *cell)
{
  RerouteStateLook look = { NULL, NULL, NULL };

  if (value != NULL)
    look = cell->column.get_state (value);
  reroute_state_icon_show (image, &look);
}

static void
show_text (GtkLabel *label, gpointer value, const Cell *cell)
{
  g_autofree char *text =
    value != NULL ? cell->column.func (value, cell->user_data) : g_strdup ("");

  reroute_cell_set_text (label, text);
  if (value != NULL && cell->column.is_off != NULL && cell->column.is_off (value))
    gtk_widget_add_css_class (GTK_WIDGET (label), "off");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (label), "off");
}

static void
show_cell (GtkListItem *list_item, const Cell *cell)
{
  GtkWidget *child = gtk_list_item_get_child (list_item);
  RerouteListLine *line = gtk_list_item_get_item (list_item);

  if (cell->column.get_state != NULL)
    show_state (GTK_IMAGE (child), line->value, cell);
  else
    show_text (GTK_LABEL (child), line->value, cell);
}

static void
line_changed_cb (RerouteListLine *line, GtkListItem *list_item)
{
  show_cell (list_item, g_object_get_data (G_OBJECT (list_item), "cell"));
}

static void
setup_cb (GtkListItemFactory *factory, GtkListItem *list_item, Cell *cell)
{
  GtkWidget *child = NULL;

  if (cell->column.get_state != NULL)
    {
      child = gtk_image_new ();
    }
  else
    {
      child = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (child), cell->column.is_number ? 1 : 0);
      gtk_label_set_ellipsize (GTK_LABEL (child), PANGO_ELLIPSIZE_END);
      reroute_cell_tip_init (GTK_LABEL (child));
    }
  g_object_set_data (G_OBJECT (list_item), "cell", cell);
  gtk_list_item_set_child (list_item, child);
}

static void
bind_cb (GtkListItemFactory *factory, GtkListItem *list_item, Cell *cell)
{
  g_signal_connect (
    gtk_list_item_get_item (list_item), "changed", G_CALLBACK (line_changed_cb), list_item);
  show_cell (list_item, cell);
}

static void
unbind_cb (GtkListItemFactory *factory, GtkListItem *list_item, Cell *cell)
{
  g_signal_handlers_disconnect_by_func (
    gtk_list_item_get_item (list_item), line_changed_cb, list_item);
}

static int
compare_lines (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const RerouteTextColumn *column = user_data;

  return column->compare (((const RerouteListLine *) a)->value,
                          ((const RerouteListLine *) b)->value);
}

static void
let_sort (GtkColumnViewColumn *view_column, const RerouteTextColumn *column)
{
  RerouteTextColumn *own = g_memdup2 (column, sizeof *column);
  g_autoptr (GtkSorter) sorter = GTK_SORTER (gtk_custom_sorter_new (compare_lines, own, g_free));

  gtk_column_view_column_set_sorter (view_column, sorter);
}

void
reroute_column_view_scroll_to (GtkColumnView *view, guint position)
{
  g_return_if_fail (GTK_IS_COLUMN_VIEW (view));

  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (view)); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_LIST_VIEW (child))
      gtk_widget_activate_action (child, "list.scroll-to-item", "u", position);
}

void
reroute_text_columns_add (GtkColumnView *view,
                          const RerouteTextColumn *columns,
                          gsize n,
                          gpointer user_data)
{
  g_return_if_fail (GTK_IS_COLUMN_VIEW (view));

  for (gsize i = 0; i < n; i++)
    {
      GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
      g_autoptr (GtkColumnViewColumn) column =
                   gtk_column_view_column_new (columns[i].title, factory);
      gboolean has_arrow = columns[i].compare != NULL || columns[i].is_order;
      const char *const words[] = {
        has_arrow ? columns[i].title : "", columns[i].title, columns[i].sample, NULL
      };
      Cell *cell = g_new0 (Cell, 1);

      cell->column = columns[i];
      cell->column.title = cell->column.sample = NULL;
      cell->user_data = user_data;
      g_signal_connect_data (factory, "setup", G_CALLBACK (setup_cb), cell, cell_free, 0);
      g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), cell);
      g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cb), cell);
      gtk_column_view_column_set_resizable (column, TRUE);
      if (columns[i].compare != NULL)
        let_sort (column, &columns[i]);
      if (columns[i].is_order)
        reroute_header_order_add (view, column, (guint) i);
      if (columns[i].width < 0)
        gtk_column_view_column_set_expand (column, TRUE);
      else
        gtk_column_view_column_set_fixed_width (column,
                                                reroute_fit_column (view, columns[i].width, words));
      gtk_column_view_append_column (view, column);
    }
}

void
reroute_text_columns_refresh (GListModel *lines)
{
  guint n = g_list_model_get_n_items (lines);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (RerouteListLine) line = g_list_model_get_item (lines, i);

      reroute_list_line_tell_again (line);
    }
}
