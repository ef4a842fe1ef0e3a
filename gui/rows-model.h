/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/row-text.h"
#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteRowsModel:
 *
 * The rows of one page as a #GListModel of #RerouteRowItem: rulesd filters and sorts and gives
 * pages of them as they are looked at; the sheet's edit lies over them.  A table of a million rows
 * is never loaded: a few pages are.
 *
 * Signal "updated" (): rows came, or the edit changed what is shown.
 */
#define REROUTE_TYPE_ROWS_MODEL (reroute_rows_model_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRowsModel, reroute_rows_model, REROUTE, ROWS_MODEL, GObject)

RerouteRowsModel *reroute_rows_model_new (RerouteSheet *sheet, ReroutePage page);

void reroute_rows_model_set_filter (RerouteRowsModel *self, const char *filter);
const char *reroute_rows_model_get_filter (RerouteRowsModel *self);
void
reroute_rows_model_set_sort (RerouteRowsModel *self, RerouteColumn column, gboolean descending);

gboolean reroute_rows_model_is_loaded (RerouteRowsModel *self);
/* Where the row of that id stands, or, when it was saved meanwhile, the one of its domain and
   match; %GTK_INVALID_LIST_POSITION when it is not among the pages that are held. */
guint reroute_rows_model_find (RerouteRowsModel *self, const RerouteRow *row);
/* Whether rows that were looked at are still on their way. */
gboolean reroute_rows_model_is_reading (RerouteRowsModel *self);
/* How much of it: pages of rows, or of ids. */
guint reroute_rows_model_count_outstanding (RerouteRowsModel *self);
/* Whether some of it will not come. */
gboolean reroute_rows_model_has_failed (RerouteRowsModel *self);
/* (transfer full) (element-type RerouteRow): of the lines at @positions those that are read; the
   others are asked for. */
GPtrArray *reroute_rows_model_dup_rows (RerouteRowsModel *self, GtkBitset *positions);
/* Whether the rows at @positions are what others saved last; those that are not are asked for, and
   "updated" tells when they are here. */
gboolean reroute_rows_model_is_fresh (RerouteRowsModel *self, GtkBitset *positions);
/* The ids of the lines at @positions, of which no more is read than that.  (transfer full)
   (nullable): NULL: they are asked for; "updated" tells when they are here. */
RerouteIdSet *reroute_rows_model_dup_ids (RerouteRowsModel *self, GtkBitset *positions);
/* While @hold, nothing that was read is let go, so that a whole selection can be looked at. */
void reroute_rows_model_set_hold (RerouteRowsModel *self, gboolean hold);

G_END_DECLS
