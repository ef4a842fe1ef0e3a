/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-item.c - one line of a list
 */

#include "config.h"

#include "gui/row-item.h"

struct _RerouteRowItem
{
  GObject parent_instance;

  RerouteRow *row;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRowItem, reroute_row_item, G_TYPE_OBJECT)

static void
reroute_row_item_finalize (GObject *object)
{
  RerouteRowItem *self = REROUTE_ROW_ITEM (object);

  g_clear_pointer (&self->row, reroute_row_unref);

  G_OBJECT_CLASS (reroute_row_item_parent_class)->finalize (object);
}

static void
reroute_row_item_class_init (RerouteRowItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reroute_row_item_finalize;

  signals[CHANGED] = g_signal_new (
    "changed", REROUTE_TYPE_ROW_ITEM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
reroute_row_item_init (RerouteRowItem *self)
{
}

RerouteRowItem *
reroute_row_item_new (RerouteRow *row)
{
  RerouteRowItem *self = g_object_new (REROUTE_TYPE_ROW_ITEM, NULL);

  self->row = row != NULL ? reroute_row_ref (row) : NULL;
  return self;
}

RerouteRow *
reroute_row_item_get_row (RerouteRowItem *self)
{
  g_return_val_if_fail (REROUTE_IS_ROW_ITEM (self), NULL);

  return self->row;
}

void
reroute_row_item_set_row (RerouteRowItem *self, RerouteRow *row)
{
  g_return_if_fail (REROUTE_IS_ROW_ITEM (self));

  if (self->row == row)
    return;
  g_clear_pointer (&self->row, reroute_row_unref);
  self->row = reroute_row_ref (row);
  reroute_row_item_refresh (self);
}

gint64
reroute_row_item_get_id (RerouteRowItem *self)
{
  g_return_val_if_fail (REROUTE_IS_ROW_ITEM (self), 0);

  return self->row != NULL ? self->row->id : 0;
}

void
reroute_row_item_refresh (RerouteRowItem *self)
{
  g_return_if_fail (REROUTE_IS_ROW_ITEM (self));

  g_signal_emit (self, signals[CHANGED], 0);
}
