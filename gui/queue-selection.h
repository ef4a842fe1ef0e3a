/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/queue-model.h"

G_BEGIN_DECLS

/* (transfer full) (nullable) (element-type guint64): the ids of the messages that are selected;
   NULL: some of them were not read yet.  @selection: over @model */
GArray *reroute_queue_selection_dup_ids (GtkSelectionModel *selection, RerouteQueueModel *model);

/* Whether what is selected can be held, and whether it can be released: as far as it was read, and
   of many the first ones alone. */
void reroute_queue_selection_look (GtkSelectionModel *selection,
                                   RerouteQueueModel *model,
                                   gboolean *can_hold,
                                   gboolean *held);

/**
 * RerouteQueueReading:
 *
 * Reads those selected messages that were never looked at.
 */
typedef struct _RerouteQueueReading RerouteQueueReading;

/* It is over, and may be freed.  @ids: (transfer full) (nullable): as of
   reroute_queue_selection_dup_ids(); %NULL: @error says why, or (nullable) something else was
   selected meanwhile */
typedef void (*RerouteQueueReadFunc) (GArray *ids, const GError *error, gpointer user_data);

/* @func is called once, and not from within this call. */
RerouteQueueReading *reroute_queue_reading_new (GtkSelectionModel *selection,
                                                RerouteQueueModel *model,
                                                RerouteQueueReadFunc func,
                                                gpointer user_data);
/* Without a word to the function when it is not over. */
void reroute_queue_reading_free (RerouteQueueReading *self);

G_END_DECLS
