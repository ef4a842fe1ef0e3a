/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-selection.c - the selected lines of a list of any length
 */

#include "config.h"

#include "gui/rows-selection.h"

struct _RerouteRowsSelection
{
  GObject parent_instance;

  GListModel *model;
  GtkBitset *selected;
};

static void list_model_iface_init (GListModelInterface *iface);
static void selection_model_iface_init (GtkSelectionModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteRowsSelection,
                               reroute_rows_selection,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init)
                                 G_IMPLEMENT_INTERFACE (GTK_TYPE_SELECTION_MODEL,
                                                        selection_model_iface_init))

/* What comes in place of other lines is not selected. */
static void
items_changed_cb (
  GListModel *model, guint position, guint removed, guint added, RerouteRowsSelection *self)
{
  gtk_bitset_splice (self->selected, position, removed, added);
  g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
}

/* --- GListModel --- */

static GType
get_item_type (GListModel *model)
{
  return g_list_model_get_item_type (REROUTE_ROWS_SELECTION (model)->model);
}

static guint
get_n_items (GListModel *model)
{
  return g_list_model_get_n_items (REROUTE_ROWS_SELECTION (model)->model);
}

static gpointer
get_item (GListModel *model, guint position)
{
  return g_list_model_get_item (REROUTE_ROWS_SELECTION (model)->model, position);
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

/* --- GtkSelectionModel --- */

static gboolean
is_selected (GtkSelectionModel *model, guint position)
{
  return gtk_bitset_contains (REROUTE_ROWS_SELECTION (model)->selected, position);
}

static GtkBitset *
get_selection_in_range (GtkSelectionModel *model, guint position, guint n_items)
{
  return gtk_bitset_copy (REROUTE_ROWS_SELECTION (model)->selected);
}

static gboolean
set_selection (GtkSelectionModel *model, GtkBitset *selected, GtkBitset *mask)
{
  RerouteRowsSelection *self = REROUTE_ROWS_SELECTION (model);
  g_autoptr (GtkBitset) changes = gtk_bitset_copy (self->selected);
  g_autoptr (GtkBitset) lines = gtk_bitset_new_range (0, get_n_items (G_LIST_MODEL (self)));
  guint first = 0;

  gtk_bitset_difference (changes, selected); /* what is in one of the two */
  gtk_bitset_intersect (changes, mask);
  gtk_bitset_intersect (changes, lines);
  if (gtk_bitset_is_empty (changes))
    return TRUE;
  first = gtk_bitset_get_minimum (changes);
  gtk_bitset_difference (self->selected, changes);
  gtk_selection_model_selection_changed (
    model, first, gtk_bitset_get_maximum (changes) - first + 1);
  return TRUE;
}

static void
selection_model_iface_init (GtkSelectionModelInterface *iface)
{
  iface->is_selected = is_selected;
  iface->get_selection_in_range = get_selection_in_range;
  iface->set_selection = set_selection;
}

/* --- GObject --- */

static void
reroute_rows_selection_dispose (GObject *object)
{
  g_clear_object (&REROUTE_ROWS_SELECTION (object)->model);

  G_OBJECT_CLASS (reroute_rows_selection_parent_class)->dispose (object);
}

static void
reroute_rows_selection_finalize (GObject *object)
{
  g_clear_pointer (&REROUTE_ROWS_SELECTION (object)->selected, gtk_bitset_unref);

  G_OBJECT_CLASS (reroute_rows_selection_parent_class)->finalize (object);
}

static void
reroute_rows_selection_class_init (RerouteRowsSelectionClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_rows_selection_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_rows_selection_finalize;
}

static void
reroute_rows_selection_init (RerouteRowsSelection *self)
{
  self->selected = gtk_bitset_new_empty ();
}

GtkSelectionModel *
reroute_rows_selection_new (GListModel *model)
{
  RerouteRowsSelection *self = g_object_new (REROUTE_TYPE_ROWS_SELECTION, NULL);

  g_return_val_if_fail (G_IS_LIST_MODEL (model), GTK_SELECTION_MODEL (self));

  self->model = g_object_ref (model);
  g_signal_connect_object (model, "items-changed", G_CALLBACK (items_changed_cb), self, 0);
  return GTK_SELECTION_MODEL (self);
}
