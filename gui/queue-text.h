/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/* All are (transfer full). */

/* "9 h": how long ago; "–" for 0. */
char *reroute_dup_age (gint64 since_us);
/* "in 12 min", "now"; "–" for 0. */
char *reroute_dup_wait (gint64 until_us);
char *reroute_dup_size (guint64 octets);

/* @by: "next-hop" or "entry".  "mx1.example.com:25", "Routing: test.com", "No entry" */
char *reroute_queue_dup_group_name (const char *by, const char *key);
/* Markup: what was said last of the group; NULL: nothing yet. */
char *reroute_queue_dup_failure (const char *by, const RerouteQueueGroup *group);

/* A mnemonic: what the messages of @group, (nullable), are called. */
char *reroute_queue_dup_title (const char *by, const RerouteQueueGroup *group);
/* How much waits, and since when; NULL: nothing. */
char *reroute_queue_dup_total (guint64 n_queued, gint64 oldest_us);

/* "Waiting", "Under way", "Held", "Partly held" */
char *reroute_queue_dup_state (const RerouteQueuedMessage *message);
char *reroute_queue_dup_recipient_state (const char *state);
/* "user@example.com", "user@example.com and 2 more" */
char *reroute_queue_dup_recipients (const RerouteQueuedMessage *message);

/* The earliest of the message; 0: none. */
gint64 reroute_queue_get_next_try_us (const RerouteQueuedMessage *message);
/* The last try found no connection to the next hop, or lost it: a status of network and routing
   (RFC 3463 section 3.5). */
gboolean reroute_queue_is_unreached (const RerouteQueueGroup *group);
/* Nothing of it is tried before it is released. */
gboolean reroute_queue_is_held (const RerouteQueuedMessage *message);

G_END_DECLS
