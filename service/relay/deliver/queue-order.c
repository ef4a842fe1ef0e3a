/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-order.c - the queue, or a group of it, in another order than that of arrival
 *
 * What is asked for is put into its order a portion a turn, and kept while nothing has changed that
 * would give another one: who scrolls through a long list waits once.  Several who ask for the same
 * make it together.
 */

#include "config.h"

#include "service/relay/deliver/queue-private.h"

#include <string.h>

#include "common/error.h"

#define LISTINGS_KEPT 2 /* some 100 octets a message each, besides what they are ordered by */

struct _RerouteQueueListing
{
  gatomicrefcount ref_count; /* who asked lets it go on the main thread */
  RerouteQueueBy by;
  char *key;  /* (nullable): of the group; NULL: the whole queue */
  char *text; /* in lower case: what stands in all of them */
  RerouteQueueOrder order;
  guint64 changes; /* of the group, or of the queue, when it was begun */
  guint64 *ids;    /* that are to be looked at */
  gsize n_ids, next;
  GSequence *lines;    /* (element-type Line) */
  GStringChunk *texts; /* of the lines */
};

/* A message by what it is ordered by. */
typedef struct
{
  guint64 id;
  gint64 number;
  const char *text; /* in lower case; "" in an order by numbers */
} Line;

/* --- what a message is ordered by --- */

typedef void (*ReadFunc) (RerouteQueueListing *self,
                          RerouteQueued *queued,
                          const RerouteIndexGroup *group,
                          Line *line);

/* @group: (nullable) */
static gboolean
is_listed (const RerouteIndexGroup *group,
           const RerouteQueued *queued,
           guint recipient,
           RerouteQueueBy by)
{
  return queued->recipients[recipient].state < REROUTE_RECIPIENT_SENT &&
         (group == NULL || reroute_index_group_has (group, queued, recipient, by));
}

static guint
find_first_listed (const RerouteIndexGroup *group, const RerouteQueued *queued, RerouteQueueBy by)
{
  guint i = 0;

  while (i < queued->message->n_recipients && !is_listed (group, queued, i, by))
    i++;
  return i;
}

static void
set_text (RerouteQueueListing *self, Line *line, const char *text)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);

  line->text = g_string_chunk_insert_const (self->texts, lower);
}

static void
read_sender (RerouteQueueListing *self,
             RerouteQueued *queued,
             const RerouteIndexGroup *group,
             Line *line)
{
  set_text (self, line, reroute_queued_get_envelope (queued)->reverse_path);
}

/* The one that stands first in its line of the list. */
static void
read_recipient (RerouteQueueListing *self,
                RerouteQueued *queued,
                const RerouteIndexGroup *group,
                Line *line)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (queued);
  guint first = find_first_listed (group, queued, self->by);

  set_text (self, line, reroute_envelope_get_recipient (envelope, first)->address->text);
}

static void
read_size (RerouteQueueListing *self,
           RerouteQueued *queued,
           const RerouteIndexGroup *group,
           Line *line)
{
  line->number = (gint64) queued->message->content_octets;
}

/* Under way, waiting, for ETRN, held: of several recipients the one that is kept most. */
static void
read_state (RerouteQueueListing *self,
            RerouteQueued *queued,
            const RerouteIndexGroup *group,
            Line *line)
{
  for (guint i = 0; i < queued->message->n_recipients; i++)
    {
      gint64 state = reroute_waiting_get_state (&queued->recipients[i]);

      if (is_listed (group, queued, i, self->by))
        line->number = MAX (line->number, state);
    }
}

/* The first of several; behind all others what no schedule tries. */
static void
read_next_try (RerouteQueueListing *self,
               RerouteQueued *queued,
               const RerouteIndexGroup *group,
               Line *line)
{
  line->number = G_MAXINT64;
  for (guint i = 0; i < queued->message->n_recipients; i++)
    {
      const RerouteWaiting *recipient = &queued->recipients[i];
      gint64 next_try_us = reroute_waiting_get_next_try_us (recipient);

      if (is_listed (group, queued, i, self->by) && recipient->state == REROUTE_RECIPIENT_WAITING &&
          !reroute_waiting_awaits_etrn (recipient))
        line->number = MIN (line->number, next_try_us);
    }
}

static void
read_tries (RerouteQueueListing *self,
            RerouteQueued *queued,
            const RerouteIndexGroup *group,
            Line *line)
{
  for (guint i = 0; i < queued->message->n_recipients; i++)
    if (is_listed (group, queued, i, self->by))
      line->number = MAX (line->number, (gint64) queued->recipients[i].tries);
}

static const struct
{
  const char *name;
  ReadFunc read; /* NULL: by id alone */
} columns[] = {
  [REROUTE_QUEUE_ARRIVAL] = { "arrival", NULL },
  [REROUTE_QUEUE_SENDER] = { "sender", read_sender },
  [REROUTE_QUEUE_RECIPIENT] = { "recipient", read_recipient },
  [REROUTE_QUEUE_SIZE] = { "size", read_size },
  [REROUTE_QUEUE_STATE] = { "state", read_state },
  [REROUTE_QUEUE_NEXT_TRY] = { "next-try", read_next_try },
  [REROUTE_QUEUE_TRIES] = { "tries", read_tries },
};

gboolean
reroute_queue_order_parse (const char *text, RerouteQueueOrder *order, GError **error)
{
  gboolean descending = text[0] == '-';

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    if (g_str_equal (text[0] != '\0' ? text + descending : "arrival", columns[i].name))
      {
        *order = (RerouteQueueOrder){ i, descending };
        return TRUE;
      }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "the queue has no order by “%.64s”: wanted “arrival”, “sender”, “recipient”, "
               "“size”, “state”, “next-try” or “tries”",
               text);
  return FALSE;
}

/* --- listings --- */

static int
compare_lines (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const RerouteQueueListing *self = user_data;
  const Line *left = a;
  const Line *right = b;
  int difference = strcmp (left->text, right->text);

  if (difference == 0)
    difference = (left->number > right->number) - (left->number < right->number);
  if (difference == 0)
    difference = (left->id > right->id) - (left->id < right->id);
  return self->order.descending ? -difference : difference;
}

void
reroute_queue_listing_unref (gpointer data)
{
  RerouteQueueListing *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->key);
  g_free (self->text);
  g_free (self->ids);
  g_sequence_free (self->lines);
  g_string_chunk_free (self->texts);
  g_free (self);
}

static guint64
get_changes (const RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  RerouteScheduler *scheduler = call->scheduler;
  guint64 changes;

  if (group != NULL)
    return group->changes;
  g_mutex_lock (&scheduler->lock);
  changes = scheduler->figures.changes;
  g_mutex_unlock (&scheduler->lock);
  return changes;
}

/* (transfer full) */
static RerouteQueueListing *
listing_new (RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  RerouteQueueListing *self = g_new0 (RerouteQueueListing, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->by = call->by;
  self->key = g_strdup (call->text);
  self->text = g_strdup (call->filter->text);
  self->order = call->order;
  self->changes = get_changes (call, group);
  self->lines = g_sequence_new (g_free);
  self->texts = g_string_chunk_new (4096);
  reroute_queue_call_take_ids (call, group);
  self->n_ids = call->n_ids;
  self->ids = g_steal_pointer (&call->ids);
  return self;
}

static gboolean
answers (const RerouteQueueListing *self, const RerouteQueueCall *call)
{
  return self->order.column == call->order.column &&
         self->order.descending == call->order.descending && self->by == call->by &&
         g_strcmp0 (self->key, call->text) == 0 && g_str_equal (self->text, call->filter->text);
}

/* One that is kept, or a new one; what it was once is let go. */
static RerouteQueueListing *
find_listing (RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  GPtrArray *kept = reroute_queue_index_get_listings (call->scheduler);
  RerouteQueueListing *found = NULL;
  guint i = 0;

  while (i < kept->len && !answers (kept->pdata[i], call))
    i++;
  if (i < kept->len)
    found = g_ptr_array_steal_index (kept, i);
  if (found != NULL && found->changes != get_changes (call, group))
    g_clear_pointer (&found, reroute_queue_listing_unref);
  if (found == NULL)
    found = listing_new (call, group);
  if (kept->len == LISTINGS_KEPT)
    g_ptr_array_remove_index (kept, 0);
  g_ptr_array_add (kept, found);
  g_atomic_ref_count_inc (&found->ref_count);
  return found;
}

static void
add_line (RerouteQueueListing *self, RerouteQueued *queued, const RerouteIndexGroup *group)
{
  Line line = { .id = queued->message->id, .text = "" };

  if (columns[self->order.column].read != NULL)
    columns[self->order.column].read (self, queued, group, &line);
  g_sequence_insert_sorted (self->lines, g_memdup2 (&line, sizeof line), compare_lines, self);
}

/* A portion of it.  FALSE: there is more. */
static gboolean
fill (RerouteQueueListing *self, const RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  gsize end = MIN (self->n_ids, self->next + REROUTE_QUEUE_PORTION);
  guint n;

  for (; self->next < end; self->next++)
    {
      RerouteQueued *queued = g_hash_table_lookup (call->scheduler->queue, &self->ids[self->next]);

      n = queued != NULL ? queued->message->n_recipients : 0;
      if (n == 0 || find_first_listed (group, queued, self->by) == n)
        continue;
      if (self->text[0] == '\0' || reroute_queued_matches (queued, call->filter))
        add_line (self, queued, group);
      reroute_queued_rest (queued);
    }
  if (self->next < self->n_ids)
    return FALSE;
  g_clear_pointer (&self->ids, g_free);
  return TRUE;
}

/* What has left since is taken out, so that the next page goes on where this one ends. */
static void
take_page (RerouteQueueListing *self, RerouteQueueCall *call, const RerouteIndexGroup *group)
{
  int length = g_sequence_get_length (self->lines);
  GSequenceIter *each =
    g_sequence_get_iter_at_pos (self->lines, (int) MIN (call->offset, (guint) length));

  while (!g_sequence_iter_is_end (each) && !reroute_queue_call_is_full (call))
    {
      GSequenceIter *next = g_sequence_iter_next (each);
      const Line *line = g_sequence_get (each);
      RerouteQueued *queued = g_hash_table_lookup (call->scheduler->queue, &line->id);

      if (queued == NULL ||
          find_first_listed (group, queued, self->by) == queued->message->n_recipients)
        {
          g_sequence_remove (each);
        }
      else
        {
          reroute_queue_call_add_row (call, queued, group);
          reroute_queued_rest (queued);
        }
      each = next;
    }
  call->total = (guint) g_sequence_get_length (self->lines);
}

GVariant *
reroute_queue_call_run_ordered (RerouteQueueCall *call, GError **error)
{
  RerouteIndexGroup *group = NULL;

  if (!reroute_queue_index_catch_up (call->scheduler))
    return NULL;
  if (call->text != NULL)
    group = reroute_queue_index_find (call->scheduler, call->by, call->text);
  if (call->text != NULL && group == NULL)
    return reroute_queue_call_answer_list (call);
  if (call->listing == NULL)
    call->listing = find_listing (call, group);
  if (!fill (call->listing, call, group))
    return NULL;
  take_page (call->listing, call, group);
  return reroute_queue_call_answer_list (call);
}
