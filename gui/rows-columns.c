/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-columns.c - the columns of a list of rows: cells, state icons, sorting by header
 *
 * rulesd sorts.
 */

#include "config.h"

#include "gui/rows-columns.h"

#include "gui/cell-tip.h"
#include "gui/fit.h"
#include "gui/header-order.h"
#include "gui/row-item.h"
#include "gui/state-icon.h"

#include <glib/gi18n.h>

#define COLUMNS_MOST 5

/* One column of one list; lives as long as its factory. */
typedef struct
{
  RerouteSheet *sheet;
  ReroutePage page;
  RerouteColumn column;
} Cell;

static void
cell_free (gpointer data, GClosure *closure)
{
  Cell *cell = data;

  g_clear_object (&cell->sheet);
  g_free (cell);
}

/* --- cells --- */

static RerouteStateLook
look_of (Cell *cell, const RerouteRow *row)
{
  RerouteFinding *finding = reroute_sheet_find_finding (cell->sheet, cell->page, row->id);
  RerouteEditState state =
    reroute_edit_get_state (reroute_sheet_get_edit (cell->sheet), cell->page, row->id);
  RerouteStateLook look = { NULL, NULL, NULL };

  if (finding != NULL && finding->level == REROUTE_FINDING_ERROR)
    look = (RerouteStateLook){ "dialog-error-symbolic", "state-error", _ ("Error") };
  else if (finding != NULL && finding->level < REROUTE_FINDING_NOTE)
    look = (RerouteStateLook){ "dialog-warning-symbolic", "state-warning", _ ("Warning") };
  else if (state == REROUTE_EDIT_ADDED)
    look = (RerouteStateLook){ "document-edit-symbolic", NULL, _ ("Added, not saved yet") };
  else if (state == REROUTE_EDIT_CHANGED)
    look = (RerouteStateLook){ "document-edit-symbolic", NULL, _ ("Changed, not saved yet") };
  return look;
}

static void
show_state (Cell *cell, GtkImage *image, const RerouteRow *row)
{
  RerouteStateLook look = { NULL, NULL, NULL };

  if (row != NULL)
    look = look_of (cell, row);
  reroute_state_icon_show (image, &look);
}

static void
show_text (Cell *cell, GtkLabel *label, const RerouteRow *row)
{
  g_autofree char *text = row != NULL ? reroute_row_dup_cell (row, cell->column) : g_strdup ("…");

  reroute_cell_set_text (label, text);
  if (row != NULL && !row->enabled)
    gtk_widget_add_css_class (GTK_WIDGET (label), "off");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (label), "off");
}

static void
show_cell (Cell *cell, GtkListItem *list_item)
{
  RerouteRowItem *item = gtk_list_item_get_item (list_item);
  GtkWidget *child = gtk_list_item_get_child (list_item);
  const RerouteRow *row = item != NULL ? reroute_row_item_get_row (item) : NULL;

  if (cell->column == REROUTE_COLUMN_STATE)
    show_state (cell, GTK_IMAGE (child), row);
  else
    show_text (cell, GTK_LABEL (child), row);
}

static void
setup_cb (GtkListItemFactory *factory, GtkListItem *list_item, Cell *cell)
{
  GtkWidget *child = NULL;

  if (cell->column == REROUTE_COLUMN_STATE)
    {
      child = gtk_image_new ();
    }
  else
    {
      child = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (child), 0);
      gtk_label_set_ellipsize (GTK_LABEL (child), PANGO_ELLIPSIZE_END);
      reroute_cell_tip_init (GTK_LABEL (child));
    }
  g_object_set_data (G_OBJECT (list_item), "cell", cell);
  gtk_list_item_set_child (list_item, child);
}

static void
item_changed_cb (RerouteRowItem *item, GtkListItem *list_item)
{
  show_cell (g_object_get_data (G_OBJECT (list_item), "cell"), list_item);
}

static void
bind_cb (GtkListItemFactory *factory, GtkListItem *list_item, Cell *cell)
{
  g_signal_connect (
    gtk_list_item_get_item (list_item), "changed", G_CALLBACK (item_changed_cb), list_item);
  show_cell (cell, list_item);
}

static void
unbind_cb (GtkListItemFactory *factory, GtkListItem *list_item, Cell *cell)
{
  g_signal_handlers_disconnect_by_func (
    gtk_list_item_get_item (list_item), item_changed_cb, list_item);
}

static GtkListItemFactory *
make_factory (RerouteSheet *sheet, ReroutePage page, RerouteColumn column)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  Cell *cell = g_new0 (Cell, 1);

  cell->sheet = g_object_ref (sheet);
  cell->page = page;
  cell->column = column;
  g_signal_connect_data (factory, "setup", G_CALLBACK (setup_cb), cell, cell_free, 0);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), cell);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cb), cell);
  return factory;
}

/* --- sorting --- */

static void
ordered_cb (guint column, gboolean descending, gpointer model)
{
  reroute_rows_model_set_sort (model, column, descending);
}

/* --- columns --- */

static GtkColumnViewColumn *
add_column (GtkColumnView *view,
            RerouteSheet *sheet,
            ReroutePage page,
            RerouteColumn column,
            const char *title)
{
  GtkColumnViewColumn *made =
    gtk_column_view_column_new (title, make_factory (sheet, page, column));

  gtk_column_view_append_column (view, made);
  g_object_unref (made);
  return made;
}

/* The columns behind the state; -1 as the width: the rest. */
typedef struct
{
  RerouteColumn column;
  const char *title;
  int width;
} ColumnLook;

static guint
get_routing_columns (GtkColumnView *view, ColumnLook *looks)
{
  const char *const accept_words[] = { _ ("Accept From"), C_ ("column", "Anyone"), C_ ("column", "Permitted hosts"), NULL };
  /* A domain of ordinary length, so that the column grows with the font. */
  const char *const domain_words[] = { "oldname.example", NULL };
  const char *const target_words[] = { _ ("Route To"),
                                          _ ("<always relay>"), _ ("<inbound>"), NULL };

  looks[0] = (ColumnLook){ REROUTE_COLUMN_DOMAIN,
                           _ ("Sent To"), reroute_fit_column (view, 190, domain_words) };
  looks[1] = (ColumnLook){ REROUTE_COLUMN_TARGET,
                           _ ("Route To"), reroute_fit_column (view, 170, target_words) };
  looks[2] = (ColumnLook){ REROUTE_COLUMN_ACCEPT_FROM,
                           _ ("Accept From"), reroute_fit_column (view, 140, accept_words) };
  looks[3] = (ColumnLook){ REROUTE_COLUMN_COMMENT, _ ("Comment"), -1 };
  return 4;
}

static guint
get_connections_columns (GtkColumnView *view, ColumnLook *looks)
{
  const char *const accept_words[] = { _ ("Accept From"), C_ ("column", "Anyone"), C_ ("column", "Permitted hosts"), NULL };
  const char *const comment_words[] = { _ ("Comment"), NULL };
  const char *const domain_words[] = { "oldname.example", NULL };

  looks[0] = (ColumnLook){ REROUTE_COLUMN_DOMAIN,
                           _ ("E-Mail Domain"), reroute_fit_column (view, 180, domain_words) };
  looks[1] = (ColumnLook){ REROUTE_COLUMN_TARGET, _ ("Deliver Using"), -1 };
  looks[2] = (ColumnLook){ REROUTE_COLUMN_ACCEPT_FROM,
                           _ ("Accept From"), reroute_fit_column (view, 140, accept_words) };
  looks[3] = (ColumnLook){ REROUTE_COLUMN_COMMENT,
                           _ ("Comment"), reroute_fit_column (view, 140, comment_words) };
  return 4;
}

static guint
get_security_columns (GtkColumnView *view, ColumnLook *looks)
{
  const char *const check_words[] = { _ ("Recipient Check"), C_ ("column", "Asks the host"), C_ ("column", "By its list"), NULL };
  const char *const leaves_words[] = { _ ("Leaves"), C_ ("column", "Yes"), NULL };
  const char *const account_words[] = { _ ("Account"), NULL };
  const char *const domain_words[] = { "oldname.example", NULL };

  looks[0] = (ColumnLook){ REROUTE_COLUMN_DOMAIN,
                           _ ("E-Mail Domain"), reroute_fit_column (view, 150, domain_words) };
  looks[1] = (ColumnLook){ REROUTE_COLUMN_TLS, _ ("TLS"), -1 };
  looks[2] = (ColumnLook){ REROUTE_COLUMN_ACCOUNT,
                           _ ("Account"), reroute_fit_column (view, 90, account_words) };
  looks[3] = (ColumnLook){ REROUTE_COLUMN_RECIPIENT_CHECK,
                           _ ("Recipient Check"), reroute_fit_column (view, 120, check_words) };
  looks[4] = (ColumnLook){ REROUTE_COLUMN_LEAVES,
                           _ ("Leaves"), reroute_fit_column (view, 60, leaves_words) };
  return 5;
}

static guint
get_recipients_columns (GtkColumnView *view, ColumnLook *looks)
{
  const char *const comment_words[] = { _ ("Comment"), NULL };

  looks[0] = (ColumnLook){ REROUTE_COLUMN_DOMAIN, _ ("Address"), -1 };
  looks[1] = (ColumnLook){ REROUTE_COLUMN_COMMENT,
                           _ ("Comment"), reroute_fit_column (view, 160, comment_words) };
  return 2;
}

ReroutePage
reroute_rows_look_get_page (RerouteRowsLook look)
{
  const ReroutePage pages[] = {
    [REROUTE_ROWS_ROUTING] = REROUTE_PAGE_ROUTING,
    [REROUTE_ROWS_CONNECTIONS] = REROUTE_PAGE_CONNECTIONS,
    [REROUTE_ROWS_SECURITY] = REROUTE_PAGE_CONNECTIONS,
    [REROUTE_ROWS_RECIPIENTS] = REROUTE_PAGE_RECIPIENTS,
  };

  return pages[look];
}

void
reroute_rows_columns_add (GtkColumnView *view,
                          RerouteRowsModel *model,
                          RerouteSheet *sheet,
                          RerouteRowsLook look)
{
  guint (*const get_columns[]) (GtkColumnView * view, ColumnLook * looks) = {
    [REROUTE_ROWS_ROUTING] = get_routing_columns,
    [REROUTE_ROWS_CONNECTIONS] = get_connections_columns,
    [REROUTE_ROWS_SECURITY] = get_security_columns,
    [REROUTE_ROWS_RECIPIENTS] = get_recipients_columns,
  };
  ReroutePage page = reroute_rows_look_get_page (look);
  ColumnLook columns[COLUMNS_MOST];
  guint n_columns = get_columns[look](view, columns);
  GtkColumnViewColumn *first = NULL;

  reroute_header_order_init (view, ordered_cb, model);
  gtk_column_view_column_set_fixed_width (add_column (view, sheet, page, REROUTE_COLUMN_STATE, ""),
                                          REROUTE_STATE_WIDTH);
  for (guint i = 0; i < n_columns; i++)
    {
      GtkColumnViewColumn *made =
        add_column (view, sheet, page, columns[i].column, columns[i].title);

      if (columns[i].width < 0)
        gtk_column_view_column_set_expand (made, TRUE);
      else
        gtk_column_view_column_set_fixed_width (made, columns[i].width);
      gtk_column_view_column_set_resizable (made, TRUE);
      reroute_header_order_add (view, made, columns[i].column);
      if (i == 0)
        first = made;
    }
  gtk_column_view_sort_by_column (view, first, GTK_SORT_ASCENDING);
}
