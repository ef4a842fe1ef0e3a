/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "common/row.h"

G_BEGIN_DECLS

/**
 * RerouteRowItem:
 *
 * One line of a list: a row, or the place of a row that is being read.
 *
 * Signal "changed" (): the row, or what is said about it, is another one.
 */
#define REROUTE_TYPE_ROW_ITEM (reroute_row_item_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRowItem, reroute_row_item, REROUTE, ROW_ITEM, GObject)

/* @row: (nullable): a reference is taken. */
RerouteRowItem *reroute_row_item_new (RerouteRow *row);
/* (transfer none) (nullable) */
RerouteRow *reroute_row_item_get_row (RerouteRowItem *self);
void reroute_row_item_set_row (RerouteRowItem *self, RerouteRow *row);
/* 0 while the row is being read. */
gint64 reroute_row_item_get_id (RerouteRowItem *self);
void reroute_row_item_refresh (RerouteRowItem *self);

G_END_DECLS
