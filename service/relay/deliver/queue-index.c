/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-index.c - the queue by next hops and by entries
 *
 * A million messages are not gone through for every look at the queue, nor is every message that
 * passes put into an order that nobody looks at: the index is made when somebody asks, a portion a
 * turn, then follows what leaves and catches up with what came, and goes when nobody has asked for
 * a while or the rules have changed.
 */

#include "config.h"

#include "service/relay/deliver/queue-private.h"

#define PORTION 512 /* messages a turn of the worker */
#define UNUSED_US (60 * G_USEC_PER_SEC)

struct _RerouteQueueIndex
{
  RerouteTimer unused; /* first: the timer's function is given it */
  RerouteScheduler *scheduler;
  guint generation;                       /* of the rules that it was made by */
  GHashTable *groups[REROUTE_QUEUE_N_BY]; /* (element-type utf8 RerouteIndexGroup) */
  RerouteQueued *seen;                    /* (nullable): the last one that was looked at */
  GPtrArray *listings;                    /* of queue-order.c */
  guint64 changes;                        /* of all groups */
};

/* Of one recipient, in one order. */
typedef struct
{
  RerouteIndexGroup *group; /* NULL: it is final */
  GSequenceIter *iter;      /* NULL: another recipient of the message stands for it */
} Place;

struct _RerouteQueuePlaces
{
  Place by[REROUTE_QUEUE_N_BY];
};

/* --- groups --- */

static void
free_group (gpointer data)
{
  RerouteIndexGroup *self = data;

  g_free (self->key);
  g_sequence_free (self->members);
  g_free (self);
}

static RerouteIndexGroup *
get_group (RerouteQueueIndex *self, RerouteQueueBy by, const char *key)
{
  RerouteIndexGroup *group = g_hash_table_lookup (self->groups[by], key);

  if (group != NULL)
    return group;
  group = g_new (RerouteIndexGroup, 1);
  *group = (RerouteIndexGroup){ g_strdup (key), g_sequence_new (NULL), 0, 0 };
  g_hash_table_insert (self->groups[by], group->key, group);
  return group;
}

static int
compare_ids (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const RerouteQueued *left = a;
  const RerouteQueued *right = b;

  return left->message->id < right->message->id ? -1 : left->message->id > right->message->id;
}

static GSequenceIter *
insert (RerouteIndexGroup *group, RerouteQueued *queued)
{
  GSequenceIter *end = g_sequence_get_end_iter (group->members);

  group->octets += queued->message->content_octets;
  if (g_sequence_iter_is_begin (end) ||
      compare_ids (g_sequence_get (g_sequence_iter_prev (end)), queued, NULL) < 0)
    return g_sequence_append (group->members, queued);
  return g_sequence_insert_sorted (group->members, queued, compare_ids, NULL);
}

/* The first other recipient of the message in the same group, or n. */
static guint
find_other (const RerouteQueued *queued, guint recipient, RerouteQueueBy by)
{
  const RerouteIndexGroup *group = queued->places[recipient].by[by].group;
  guint n = queued->message->n_recipients;

  for (guint i = 0; i < n; i++)
    {
      if (i != recipient && queued->places[i].by[by].group == group)
        return i;
    }
  return n;
}

/* --- recipients come and go --- */

static void
put (RerouteQueueIndex *self,
     RerouteQueued *queued,
     guint recipient,
     RerouteQueueBy by,
     const char *key)
{
  Place *place = &queued->places[recipient].by[by];

  place->group = get_group (self, by, key);
  place->group->changes = ++self->changes;
  if (find_other (queued, recipient, by) == queued->message->n_recipients)
    place->iter = insert (place->group, queued);
}

static void
take (RerouteQueueIndex *self, RerouteQueued *queued, guint recipient, RerouteQueueBy by)
{
  Place *place = &queued->places[recipient].by[by];
  RerouteIndexGroup *group = place->group;
  guint other = place->iter != NULL ? find_other (queued, recipient, by) : 0;

  if (group == NULL)
    return;
  group->changes = ++self->changes;
  if (place->iter != NULL && other < queued->message->n_recipients)
    {
      queued->places[other].by[by].iter = place->iter;
    }
  else if (place->iter != NULL)
    {
      g_sequence_remove (place->iter);
      group->octets -= queued->message->content_octets;
      if (g_sequence_is_empty (group->members))
        g_hash_table_remove (self->groups[by], group->key);
    }
  *place = (Place){ NULL, NULL };
}

void
reroute_queue_index_drop_recipient (RerouteQueued *queued, guint recipient)
{
  RerouteQueueIndex *self = queued->scheduler->index;

  if (queued->places == NULL)
    return;
  for (guint by = 0; by < REROUTE_QUEUE_N_BY; by++)
    take (self, queued, recipient, by);
}

void
reroute_queue_index_drop (RerouteQueued *queued)
{
  RerouteQueueIndex *self = queued->scheduler->index;

  if (self != NULL && self->seen == queued)
    self->seen = queued->link.prev != NULL ? queued->link.prev->data : NULL;
  for (guint i = 0; queued->places != NULL && i < queued->message->n_recipients; i++)
    reroute_queue_index_drop_recipient (queued, i);
  g_clear_pointer (&queued->places, g_free);
}

void
reroute_queue_index_note (RerouteQueued *queued, guint recipient)
{
  RerouteQueueIndex *self = queued->scheduler->index;

  for (guint by = 0; queued->places != NULL && by < REROUTE_QUEUE_N_BY; by++)
    {
      RerouteIndexGroup *group = queued->places[recipient].by[by].group;

      if (group != NULL)
        group->changes = ++self->changes;
    }
}

static void
add (RerouteQueueIndex *self, RerouteQueued *queued)
{
  guint n = queued->message->n_recipients;

  queued->places = g_new0 (RerouteQueuePlaces, n);
  for (guint i = 0; i < n; i++)
    {
      g_auto (RerouteQueuePlace) place = { NULL, NULL };

      if (queued->recipients[i].state >= REROUTE_RECIPIENT_SENT)
        continue;
      reroute_queued_find_place (queued, i, &place);
      put (self, queued, i, REROUTE_QUEUE_BY_NEXT_HOP, place.next_hop);
      put (self, queued, i, REROUTE_QUEUE_BY_ENTRY, place.entry);
    }
  reroute_queued_rest (queued);
}

/* --- the index as a whole --- */

void
reroute_queue_index_free (RerouteScheduler *scheduler)
{
  RerouteQueueIndex *self = g_steal_pointer (&scheduler->index);

  if (self == NULL)
    return;
  reroute_worker_disarm_timer (scheduler->thread, &self->unused);
  for (GList *each = scheduler->order.head; each != NULL; each = each->next)
    g_clear_pointer (&((RerouteQueued *) each->data)->places, g_free);
  for (guint by = 0; by < REROUTE_QUEUE_N_BY; by++)
    g_hash_table_unref (self->groups[by]);
  g_ptr_array_unref (self->listings);
  g_free (self);
}

static void
unused (RerouteTimer *timer)
{
  reroute_queue_index_free (((RerouteQueueIndex *) timer)->scheduler);
}

static RerouteQueueIndex *
ensure (RerouteScheduler *scheduler)
{
  RerouteQueueIndex *self;

  if (scheduler->index != NULL && scheduler->index->generation != scheduler->generation)
    reroute_queue_index_free (scheduler);
  if (scheduler->index != NULL)
    return scheduler->index;
  self = g_new0 (RerouteQueueIndex, 1);
  self->unused.func = unused;
  self->listings = g_ptr_array_new_with_free_func (reroute_queue_listing_unref);
  self->scheduler = scheduler;
  self->generation = scheduler->generation;
  for (guint by = 0; by < REROUTE_QUEUE_N_BY; by++)
    self->groups[by] = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_group);
  scheduler->index = self;
  return self;
}

gboolean
reroute_queue_index_catch_up (RerouteScheduler *scheduler)
{
  RerouteQueueIndex *self = ensure (scheduler);
  GList *next = self->seen != NULL ? self->seen->link.next : scheduler->order.head;

  for (guint n = 0; next != NULL && n < PORTION; n++, next = next->next)
    {
      self->seen = next->data;
      add (self, self->seen);
    }
  reroute_worker_arm_timer (
    scheduler->thread, &self->unused, reroute_worker_now_us (scheduler->thread) + UNUSED_US);
  return next == NULL;
}

GPtrArray *
reroute_queue_index_list (RerouteScheduler *scheduler, RerouteQueueBy by)
{
  GPtrArray *groups = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer group;

  g_hash_table_iter_init (&iter, scheduler->index->groups[by]);
  while (g_hash_table_iter_next (&iter, NULL, &group))
    g_ptr_array_add (groups, group);
  return groups;
}

GPtrArray *
reroute_queue_index_get_listings (RerouteScheduler *scheduler)
{
  return scheduler->index->listings;
}

RerouteIndexGroup *
reroute_queue_index_find (RerouteScheduler *scheduler, RerouteQueueBy by, const char *key)
{
  return g_hash_table_lookup (scheduler->index->groups[by], key);
}

gboolean
reroute_index_group_has (const RerouteIndexGroup *self,
                         const RerouteQueued *queued,
                         guint recipient,
                         RerouteQueueBy by)
{
  return queued->places != NULL && queued->places[recipient].by[by].group == self;
}
