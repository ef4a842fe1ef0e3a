/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * header-order.c - which header of a list was clicked, where a daemon does the sorting
 *
 * GTK 4.8 does not say it, so each column has a sorter that compares nothing but notes that it was
 * asked: the list's own sorter asks the primary one first, and turns its answer round when the
 * order is descending.
 */

#include "config.h"

#include "gui/header-order.h"

#define KEY "header-order"

typedef struct
{
  RerouteHeaderOrderFunc func;
  gpointer user_data;
  guint asked; /* the column whose sorter was asked last; G_MAXUINT: none */
} Order;

typedef struct
{
  Order *order;
  guint column;
} Header;

static int
note_column_cb (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Header *header = user_data;

  header->order->asked = header->column;
  return -1;
}

static void
changed_cb (GtkSorter *sorter, GtkSorterChange change, Order *order)
{
  g_autoptr (GObject) one = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GObject) other = g_object_new (G_TYPE_OBJECT, NULL);
  GtkOrdering answer;

  order->asked = G_MAXUINT;
  answer = gtk_sorter_compare (sorter, one, other);
  if (order->asked != G_MAXUINT)
    order->func (order->asked, answer == GTK_ORDERING_LARGER, order->user_data);
}

void
reroute_header_order_init (GtkColumnView *view, RerouteHeaderOrderFunc func, gpointer user_data)
{
  Order *order = g_new0 (Order, 1);

  g_return_if_fail (GTK_IS_COLUMN_VIEW (view));

  order->func = func;
  order->user_data = user_data;
  g_object_set_data_full (G_OBJECT (view), KEY, order, g_free);
  g_signal_connect (gtk_column_view_get_sorter (view), "changed", G_CALLBACK (changed_cb), order);
}

void
reroute_header_order_add (GtkColumnView *view, GtkColumnViewColumn *view_column, guint column)
{
  Header *header = g_new0 (Header, 1);
  g_autoptr (GtkSorter) sorter =
               GTK_SORTER (gtk_custom_sorter_new (note_column_cb, header, g_free));

  g_return_if_fail (GTK_IS_COLUMN_VIEW (view));

  header->order = g_object_get_data (G_OBJECT (view), KEY);
  header->column = column;
  gtk_column_view_column_set_sorter (view_column, sorter);
}
