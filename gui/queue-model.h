/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/**
 * RerouteQueueModel:
 *
 * The messages of one group of the queue as a #GListModel of #RerouteListLine of
 * #RerouteQueuedMessage: read in pages as they are looked at.  A message keeps its line while it
 * waits and keeps its place, so that a selection holds while others come and go.
 *
 * Signal "updated" (): lines came, went or changed.
 * Signal "failed" (const GError *): what was asked for cannot be read.
 */
#define REROUTE_TYPE_QUEUE_MODEL (reroute_queue_model_get_type ())
G_DECLARE_FINAL_TYPE (RerouteQueueModel, reroute_queue_model, REROUTE, QUEUE_MODEL, GObject)

RerouteQueueModel *reroute_queue_model_new (RerouteRelayClient *relay);

/* @by, @key, @text: as Relay1.QueueGroup; @key: (nullable): %NULL shows nothing */
void reroute_queue_model_set_group (RerouteQueueModel *self,
                                    const char *by,
                                    const char *key,
                                    const char *text);
/* @order: as Relay1.QueueGroup: what is shown is read again.  The oldest first before it is called.
 */
void reroute_queue_model_set_order (RerouteQueueModel *self, const char *order);
/* As of reroute_queue_model_set_group() */
const char *reroute_queue_model_get_by (RerouteQueueModel *self);
const char *reroute_queue_model_get_key (RerouteQueueModel *self);
const char *reroute_queue_model_get_text (RerouteQueueModel *self);

/* The queue has changed: what is looked at is read again. */
void reroute_queue_model_refresh (RerouteQueueModel *self);

/* Whether what was read is let go when it lies far from what is looked at. */
void reroute_queue_model_set_keeps_all (RerouteQueueModel *self, gboolean keeps_all);

/* Ages are others by now. */
void reroute_queue_model_tell_again (RerouteQueueModel *self);

/* (transfer none) (nullable): NULL while it is being read, which this asks for */
const RerouteQueuedMessage *reroute_queue_model_get_message (RerouteQueueModel *self,
                                                             guint position);

G_END_DECLS
