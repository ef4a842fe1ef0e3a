/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/scheduler-private.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_QUEUE_BY_NEXT_HOP,
  REROUTE_QUEUE_BY_ENTRY,
} RerouteQueueBy;
#define REROUTE_QUEUE_N_BY 2

/**
 * RerouteQueueIndex:
 *
 * The queue by next hops and by entries.  It is made when somebody asks, kept while somebody does,
 * and costs nothing else; touched by the scheduler's thread alone.
 */

/* Messages of which recipients go the same way. */
typedef struct
{
  char *key;          /* as RerouteQueuePlace has it */
  GSequence *members; /* (element-type RerouteQueued): oldest first */
  guint64 octets;     /* of their contents */
  guint64 changes;    /* it looks as it did while this stays; no two groups have the same */
} RerouteIndexGroup;

/* Looks at a portion of what the index has not seen yet, by the rules of now.  FALSE: there is
   more. */
gboolean reroute_queue_index_catch_up (RerouteScheduler *scheduler);

/* After reroute_queue_index_catch_up(): (transfer container) (element-type RerouteIndexGroup) */
GPtrArray *reroute_queue_index_list (RerouteScheduler *scheduler, RerouteQueueBy by);
/* (nullable): NULL: nothing goes there */
RerouteIndexGroup *
reroute_queue_index_find (RerouteScheduler *scheduler, RerouteQueueBy by, const char *key);
/* After reroute_queue_index_catch_up(): (transfer none) (element-type RerouteQueueListing): what
   queue-order.c keeps as long as the index stays */
GPtrArray *reroute_queue_index_get_listings (RerouteScheduler *scheduler);
gboolean reroute_index_group_has (const RerouteIndexGroup *self,
                                  const RerouteQueued *queued,
                                  guint recipient,
                                  RerouteQueueBy by);

G_END_DECLS
