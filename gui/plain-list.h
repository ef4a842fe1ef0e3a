/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/state-icon.h"

G_BEGIN_DECLS

/**
 * RerouteListLine:
 *
 * One line of a list: a value of any kind, or the place of one that is being read.
 */
#define REROUTE_TYPE_LIST_LINE (reroute_list_line_get_type ())
G_DECLARE_FINAL_TYPE (RerouteListLine, reroute_list_line, REROUTE, LIST_LINE, GObject)

/* @value: (transfer full) (nullable): freed with @free_func; the cells of %NULL are empty. */
RerouteListLine *reroute_list_line_new (gpointer value, GDestroyNotify free_func);
/* The lines of @values, whose elements move into them.  Returns: (transfer full) (element-type
   RerouteListLine), for g_list_store_splice(): a list that grows line by line is laid out as often.
 */
GPtrArray *reroute_list_lines_new (GPtrArray *values, GDestroyNotify free_func);
gpointer reroute_list_line_get_value (RerouteListLine *self);
/* @value: (transfer full) (nullable): shown from now on. */
void reroute_list_line_set_value (RerouteListLine *self, gpointer value);
/* What is said of it is another thing: its cells are filled anew. */
void reroute_list_line_tell_again (RerouteListLine *self);

/* (transfer full): what stands in a cell. */
typedef char *(*RerouteCellFunc) (gpointer value, gpointer user_data);

typedef struct
{
  const char *title;
  int width; /* in pixels; -1: the rest */
  gboolean is_number;
  RerouteCellFunc func;
  gboolean (*is_off) (gpointer value); /* (nullable): it is dimmed */
  /* (nullable): an icon stands in the cell, and no text */
  RerouteStateLook (*get_state) (gpointer value);
  int (*compare) (gconstpointer value, gconstpointer other); /* (nullable): the list sorts by it */
  const char *sample; /* (nullable): a cell that is seen whole, however narrow the width */
  gboolean is_order;  /* the model sorts by it: as header-order.h, by the index of the column */
} RerouteTextColumn;

/* Scrolls so that the item at @position is seen, be it laid out by now or later.  GTK 4.8 has no
   gtk_column_view_scroll_to(); the list inside it knows the way. */
void reroute_column_view_scroll_to (GtkColumnView *view, guint position);

/* Columns of text, or of icons, for a list of lines. */
void reroute_text_columns_add (GtkColumnView *view,
                               const RerouteTextColumn *columns,
                               gsize n,
                               gpointer user_data);
/* What is said of the lines is another thing: the cells are filled anew. */
void reroute_text_columns_refresh (GListModel *lines);

G_END_DECLS
