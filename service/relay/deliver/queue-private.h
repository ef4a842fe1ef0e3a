/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the verbs of org.reroute.Relay1 that concern the queue share; all but the start of a call is
   for the scheduler's thread. */

#pragma once

#include "service/relay/deliver/queue-index.h"

G_BEGIN_DECLS

/* --- queue-filter.c --- */

/* Which recipients are meant; a NULL member asks for nothing. */
typedef struct
{
  gboolean all; /* said in so many words, where nothing else is asked for */
  char *text;   /* lower case: stands in the id, the reverse-path, the recipient or the next hop */
  char *next_hop; /* as RerouteQueuePlace has it */
  char *entry;    /* likewise */
  char *state;    /* "waiting", "active", "held", "etrn" */
} RerouteQueueFilter;

/**
 * reroute_queue_filter_new:
 * @values: a{sv} as Relay1.QueueRetry documents
 *
 * Errors: %REROUTE_ERROR_VALUE: a name that is none, or a value of another type.
 *
 * Returns: (transfer full): %NULL with @error
 */
RerouteQueueFilter *reroute_queue_filter_new (GVariant *values, GError **error);
void reroute_queue_filter_free (RerouteQueueFilter *self); /* @self: (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteQueueFilter, reroute_queue_filter_free)

/* Whether it asks for anything at all. */
gboolean reroute_queue_filter_says_something (const RerouteQueueFilter *self);
/* Whether a recipient that is not final is meant. */
gboolean
reroute_queue_filter_takes (const RerouteQueueFilter *self, RerouteQueued *queued, guint recipient);

/* Where a recipient goes by the rules of now. */
typedef struct
{
  char *next_hop; /* "mx1.example.com:25", "lmtp:/run/lmtp", "example.com" by DNS; "" nowhere */
  char *entry; /* the row that decided: "routing test.com", "connections #fwd.test"; "" none did */
} RerouteQueuePlace;

void reroute_queued_find_place (RerouteQueued *queued, guint recipient, RerouteQueuePlace *place);
void reroute_queue_place_clear (RerouteQueuePlace *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteQueuePlace, reroute_queue_place_clear)

/* In the order in which they are listed: the nearest to its delivery first. */
typedef enum
{
  REROUTE_WAITING_ACTIVE, /* under way, or in line for a connection */
  REROUTE_WAITING_FOR_TRY,
  REROUTE_WAITING_FOR_ETRN,
  REROUTE_WAITING_HELD,
} RerouteWaitingState;

RerouteWaitingState reroute_waiting_get_state (const RerouteWaiting *self);
/* "waiting", "active", "held", "etrn" */
const char *reroute_waiting_get_state_name (const RerouteWaiting *self);

/* When it is tried again by the retry schedule, wall clock; 0: as soon as may be, or when it is
   released or asked for. */
gint64 reroute_waiting_get_next_try_us (const RerouteWaiting *self);

/* --- queue-list.c --- */

/* A message: id, received, reverse-path, octets, recipients. */
#define REROUTE_QUEUE_ROW_TYPE "(txsta(ssxus))"
/* Messages that a turn of the worker goes through. */
#define REROUTE_QUEUE_PORTION 256
/* Rows after which a page ends, so that an answer stays under REROUTE_LIMIT_REPLY_OCTETS. */
#define REROUTE_QUEUE_PAGE_OCTETS (REROUTE_LIMIT_REPLY_OCTETS / 2)

/* (transfer floating): @text, (nullable), made valid. */
GVariant *reroute_queue_make_string (const char *text);
/* (transfer floating): a row, with the recipients that are not final; @group: (nullable): of this
   group alone */
GVariant *
reroute_queued_describe (RerouteQueued *queued, const RerouteIndexGroup *group, RerouteQueueBy by);
/* Whether @filter takes a recipient of it. */
gboolean reroute_queued_matches (RerouteQueued *queued, const RerouteQueueFilter *filter);

/* --- queue-order.c --- */

typedef enum
{
  REROUTE_QUEUE_ARRIVAL,
  REROUTE_QUEUE_SENDER,
  REROUTE_QUEUE_RECIPIENT,
  REROUTE_QUEUE_SIZE,
  REROUTE_QUEUE_STATE,
  REROUTE_QUEUE_NEXT_TRY,
  REROUTE_QUEUE_TRIES,
} RerouteQueueColumn;

typedef struct
{
  RerouteQueueColumn column;
  gboolean descending;
} RerouteQueueOrder;

/**
 * reroute_queue_order_parse:
 * @text: as Relay1.Queue documents; "" is by arrival
 * @order: return location
 *
 * Errors: %REROUTE_ERROR_VALUE: there is no such order.
 */
gboolean reroute_queue_order_parse (const char *text, RerouteQueueOrder *order, GError **error);

/* The messages of a call in their order. */
typedef struct _RerouteQueueListing RerouteQueueListing;
void reroute_queue_listing_unref (gpointer listing); /* a RerouteQueueListing */

/* --- queue-call.c --- */

typedef struct _RerouteQueueCall RerouteQueueCall;

/* The method's out values as a tuple (floating); NULL with @error; NULL without: it is not done and
   wants another turn. */
typedef GVariant *(*RerouteQueueCallFunc) (RerouteQueueCall *call, GError **error);

/* A call on its way to the scheduler's thread. */
struct _RerouteQueueCall
{
  RerouteScheduler *scheduler;
  RerouteQueueFilter *filter; /* (nullable) */
  RerouteQueueBy by;
  char *text; /* (nullable): of groups: what stands in their keys, in lower case, or one key */
  RerouteQueueOrder order;
  RerouteQueueListing *listing; /* (nullable): when they are in another order than by arrival */
  guint offset;
  guint limit;
  guint64 *ids;
  gsize n_ids;
  gsize next;      /* of the ids, when it takes several turns */
  GPtrArray *rows; /* (element-type GVariant) (nullable): of the page that is answered */
  gsize octets;    /* of them */
  guint total;     /* messages that the filter lets through */
  RerouteQueueAction action;
  guint n_done, n_busy, n_silent; /* as the verbs answer */
  guint n_syncs_left;             /* before a verb answers */
  guint n_notices_lost;           /* the scheduler's when the verb began */
  gboolean waits_for_spool;       /* the next turn comes when what was recorded is durable */
  GError *spool_error;            /* (nullable): some of it is not */
  RerouteQueueCallFunc run;
};

/* Adds a message to the page; @group: (nullable): as in reroute_queued_describe() */
void reroute_queue_call_add_row (RerouteQueueCall *call,
                                 RerouteQueued *queued,
                                 const RerouteIndexGroup *group);
gboolean reroute_queue_call_is_full (const RerouteQueueCall *call);

/* A portion of the call's ids: those that its filter takes are counted, and the page is filled with
   them.  NULL: it wants another turn. */
GVariant *reroute_queue_call_search (RerouteQueueCall *call, const RerouteIndexGroup *group);
/* (transfer floating): the total and the page. */
GVariant *reroute_queue_call_answer_list (RerouteQueueCall *call);

/* The ids of all that wait now, or of those of @group, (nullable): those that come meanwhile are
   not meant. */
void reroute_queue_call_take_ids (RerouteQueueCall *call, const RerouteIndexGroup *group);

/* A #RerouteQueueCallFunc: the page of what the filter takes, in the order of the call; of the
   group of which the text is the key, or of the whole queue. */
GVariant *reroute_queue_call_run_ordered (RerouteQueueCall *call, GError **error);

/* @call: (transfer full): of g_new0() */
void reroute_queue_call_start (RerouteQueueCall *call,
                               RerouteScheduler *scheduler,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);

G_END_DECLS
