/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/* What is to be done with messages of a group; all borrowed. */
typedef struct
{
  RerouteRelayClient *relay;
  RerouteQueueVerb verb;
  const char *by;   /* of the group, as Relay1.QueueGroups */
  const char *key;  /* of the group */
  const char *text; /* of the search among its messages; "" when there is none */
  GArray *ids;      /* (nullable) (element-type guint64): NULL: all that @text finds */
  guint n;          /* messages */
} RerouteQueueDeed;

/* @problem: (nullable): what was not done, and why, for a person */
typedef void (*RerouteQueueActedFunc) (GObject *owner, const char *problem);

/**
 * reroute_queue_act:
 * @owner: the widget that asks, in a window; a reference is held while the call runs
 *
 * Asks once before mail is returned or deleted; @func runs when the relay has answered, and not
 * when the question was cancelled.  Of messages with several recipients only those of the group are
 * meant.
 */
void reroute_queue_act (const RerouteQueueDeed *deed, RerouteQueueActedFunc func, GtkWidget *owner);

G_END_DECLS
