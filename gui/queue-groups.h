/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/**
 * RerouteQueueGroups:
 *
 * The groups of the queue, most messages first, as long as somebody looks at them: the relay tells
 * that its queue has changed at most once a second, and they are then read again.  A group keeps
 * its line, so that a selection holds.
 *
 * Signal "updated" (): anything that can be asked below.
 */
#define REROUTE_TYPE_QUEUE_GROUPS (reroute_queue_groups_get_type ())
G_DECLARE_FINAL_TYPE (RerouteQueueGroups, reroute_queue_groups, REROUTE, QUEUE_GROUPS, GObject)

RerouteQueueGroups *reroute_queue_groups_new (RerouteRelayClient *relay);

/* (transfer none): of RerouteListLine of RerouteQueueGroup */
GListModel *reroute_queue_groups_get_lines (RerouteQueueGroups *self);
/* As Relay1.QueueGroups: @by: "next-hop" or "entry"; @text: that stands in their names. */
void reroute_queue_groups_set_question (RerouteQueueGroups *self, const char *by, const char *text);
const char *reroute_queue_groups_get_by (RerouteQueueGroups *self);
/* Whether somebody looks. */
void reroute_queue_groups_set_shown (RerouteQueueGroups *self, gboolean shown);
void reroute_queue_groups_refresh (RerouteQueueGroups *self);

gboolean reroute_queue_groups_is_loaded (RerouteQueueGroups *self);
/* How many there are; more than lines when the service gave the first ones alone. */
guint reroute_queue_groups_get_total (RerouteQueueGroups *self);
gint64 reroute_queue_groups_get_as_of_us (RerouteQueueGroups *self);  /* wall clock */
guint64 reroute_queue_groups_get_n_queued (RerouteQueueGroups *self); /* messages of the relay */
gint64 reroute_queue_groups_get_oldest_us (RerouteQueueGroups *self); /* wall clock; 0: none */
/* (transfer none) (nullable): why they cannot be read, but for a relay that is not there */
const GError *reroute_queue_groups_get_error (RerouteQueueGroups *self);

G_END_DECLS
