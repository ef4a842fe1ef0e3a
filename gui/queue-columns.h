/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/queue-groups.h"
#include "gui/queue-model.h"

G_BEGIN_DECLS

/* The columns of the groups of the queue; those of @groups, borrowed, are shown. */
void reroute_queue_columns_add_groups (GtkColumnView *view, RerouteQueueGroups *groups);
/* The first one is called by what the groups are by. */
void reroute_queue_columns_name_groups (GtkColumnView *view, RerouteQueueGroups *groups);
/* The columns of the messages of a group; a click on a header orders @model, borrowed. */
void reroute_queue_columns_add_messages (GtkColumnView *view, RerouteQueueModel *model);
/* The columns of the recipients of a message: lines of RerouteQueuedRecipient. */
void reroute_queue_columns_add_recipients (GtkColumnView *view);

G_END_DECLS
