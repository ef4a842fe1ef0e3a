/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-groups.c - the queue by next hops and by entries, as org.reroute.Relay1 tells it
 *
 * Messages and octets of a group are counted exactly, and so is the oldest.  What has to be looked
 * for among its messages is looked for among the oldest of them, so that no answer takes long.
 */

#include "config.h"

#include "service/relay/deliver/queue-private.h"

#include <string.h>

#include "common/error.h"
#include "common/limits.h"

#define LOOKED_AT 10000      /* messages of a group */
#define LOOKED_AT_ALL 100000 /* messages of an answer */

/* What is told of a group besides its counts. */
typedef struct
{
  guint n_held;         /* messages */
  gint64 next_try_us;   /* 0: none */
  gint64 newest_due_us; /* of the one whose reply is the last: it was tried last */
  const char *last;     /* (nullable) */
} Summary;

static gboolean
parse_by (const char *text, RerouteQueueBy *by, GError **error)
{
  static const char *const names[] = {
    [REROUTE_QUEUE_BY_NEXT_HOP] = "next-hop", [REROUTE_QUEUE_BY_ENTRY] = "entry"
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (text, names[i]))
      {
        *by = i;
        return TRUE;
      }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "the queue has no groups by “%.64s”: wanted “next-hop” or “entry”",
               text);
  return FALSE;
}

/* --- the groups --- */

static void
look_at (Summary *self, const RerouteWaiting *recipient)
{
  gboolean waits = recipient->state == REROUTE_RECIPIENT_WAITING;
  gint64 next_try_us = reroute_waiting_get_next_try_us (recipient);

  if (waits && next_try_us > 0 && (self->next_try_us == 0 || next_try_us < self->next_try_us))
    self->next_try_us = next_try_us;
  if (recipient->reply == NULL || (self->last != NULL && recipient->due_us < self->newest_due_us))
    return;
  self->last = recipient->reply;
  self->newest_due_us = recipient->due_us;
}

static Summary
summarise (const RerouteIndexGroup *group, RerouteQueueBy by, guint *budget)
{
  GSequenceIter *each = g_sequence_get_begin_iter (group->members);
  Summary summary = { 0 };

  for (guint n = 0; n<LOOKED_AT && * budget> 0 && !g_sequence_iter_is_end (each); n++)
    {
      const RerouteQueued *queued = g_sequence_get (each);
      gboolean held = FALSE;

      for (guint i = 0; i < queued->message->n_recipients; i++)
        {
          if (!reroute_index_group_has (group, queued, i, by))
            continue;
          look_at (&summary, &queued->recipients[i]);
          held = held || queued->recipients[i].state == REROUTE_RECIPIENT_HELD;
        }
      summary.n_held += held;
      (*budget)--;
      each = g_sequence_iter_next (each);
    }
  return summary;
}

static GVariant *
describe_group (const RerouteIndexGroup *group, RerouteQueueBy by, guint *budget)
{
  const RerouteQueued *oldest = g_sequence_get (g_sequence_get_begin_iter (group->members));
  Summary summary = summarise (group, by, budget);

  return g_variant_new ("(@suutxx@s)",
                        reroute_queue_make_string (group->key),
                        (guint) g_sequence_get_length (group->members),
                        summary.n_held,
                        group->octets,
                        oldest->message->received_us,
                        summary.next_try_us,
                        reroute_queue_make_string (summary.last));
}

/* Most messages first. */
static int
compare_groups (gconstpointer a, gconstpointer b)
{
  const RerouteIndexGroup *left = *(RerouteIndexGroup *const *) a;
  const RerouteIndexGroup *right = *(RerouteIndexGroup *const *) b;
  int difference = g_sequence_get_length (right->members) - g_sequence_get_length (left->members);

  return difference != 0 ? difference : strcmp (left->key, right->key);
}

static gboolean
matches (const RerouteIndexGroup *group, const char *text)
{
  g_autofree char *lower = g_ascii_strdown (group->key, -1);

  return strstr (lower, text) != NULL;
}

static GVariant *
run_groups (RerouteQueueCall *call, GError **error)
{
  g_autoptr (GPtrArray) groups = NULL;
  GVariantBuilder builder;
  guint budget = LOOKED_AT_ALL;
  guint total = 0;

  if (!reroute_queue_index_catch_up (call->scheduler))
    return NULL;
  groups = reroute_queue_index_list (call->scheduler, call->by);
  g_ptr_array_sort (groups, compare_groups);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(suutxxs)"));
  for (guint i = 0; i < groups->len; i++)
    {
      if (!matches (groups->pdata[i], call->text))
        continue;
      if (total >= call->offset && total - call->offset < call->limit)
        g_variant_builder_add_value (&builder,
                                     describe_group (groups->pdata[i], call->by, &budget));
      total++;
    }
  return g_variant_new ("(ua(suutxxs))", total, &builder);
}

/* --- one group --- */

static RerouteIndexGroup *
find_group (const RerouteQueueCall *call)
{
  return reroute_queue_index_find (call->scheduler, call->by, call->text);
}

static GVariant *
run_group (RerouteQueueCall *call, GError **error)
{
  RerouteIndexGroup *group;
  GSequenceIter *each;

  if (!reroute_queue_index_catch_up (call->scheduler))
    return NULL;
  group = find_group (call);
  if (group == NULL)
    return reroute_queue_call_answer_list (call);
  call->total = (guint) g_sequence_get_length (group->members);
  each = g_sequence_get_iter_at_pos (group->members, (int) MIN (call->offset, call->total));
  for (; !g_sequence_iter_is_end (each) && !reroute_queue_call_is_full (call);
       each = g_sequence_iter_next (each))
    {
      RerouteQueued *queued = g_sequence_get (each);

      reroute_queue_call_add_row (call, queued, group);
      reroute_queued_rest (queued);
    }
  return reroute_queue_call_answer_list (call);
}

/* It may be gone, and the rules may be others, before the search is over. */
static GVariant *
run_group_search (RerouteQueueCall *call, GError **error)
{
  RerouteIndexGroup *group;

  if (!reroute_queue_index_catch_up (call->scheduler))
    return NULL;
  group = find_group (call);
  if (group == NULL)
    return reroute_queue_call_answer_list (call);
  if (call->ids == NULL)
    reroute_queue_call_take_ids (call, group);
  return reroute_queue_call_search (call, group);
}

/* --- both --- */

static RerouteQueueCall *
call_new (const char *by_text, guint offset, guint limit, GError **error)
{
  RerouteQueueCall *call;
  RerouteQueueBy by;

  if (!parse_by (by_text, &by, error))
    return NULL;
  call = g_new0 (RerouteQueueCall, 1);
  call->by = by;
  call->offset = offset;
  call->limit = MIN (limit, REROUTE_LIMIT_PAGE_ROWS);
  return call;
}

void
reroute_scheduler_queue_groups_async (RerouteScheduler *self,
                                      GVariant *arguments,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  const char *by, *text;
  guint offset, limit;
  RerouteQueueCall *call;
  GError *error = NULL;

  g_variant_get (arguments, "(&s&suu)", &by, &text, &offset, &limit);
  call = call_new (by, offset, limit, &error);
  if (call == NULL)
    {
      g_task_report_error (NULL, callback, user_data, reroute_scheduler_queue_groups_async, error);
      return;
    }
  call->text = g_ascii_strdown (text, -1);
  call->run = run_groups;
  reroute_queue_call_start (call, self, cancellable, callback, user_data);
}

void
reroute_scheduler_queue_group_async (RerouteScheduler *self,
                                     GVariant *arguments,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  const char *by, *key, *text, *order_text;
  RerouteQueueOrder order = { 0 };
  guint offset, limit;
  RerouteQueueCall *call = NULL;
  GError *error = NULL;

  g_variant_get (arguments, "(&s&s&s&suu)", &by, &key, &text, &order_text, &offset, &limit);
  if (reroute_queue_order_parse (order_text, &order, &error))
    call = call_new (by, offset, limit, &error);
  if (call == NULL)
    {
      g_task_report_error (NULL, callback, user_data, reroute_scheduler_queue_group_async, error);
      return;
    }
  call->text = g_strdup (key);
  call->filter = g_new0 (RerouteQueueFilter, 1);
  call->filter->text = g_ascii_strdown (text, -1);
  *(call->by == REROUTE_QUEUE_BY_ENTRY ? &call->filter->entry : &call->filter->next_hop) =
    g_strdup (key);
  call->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  call->order = order;
  if (order.column != REROUTE_QUEUE_ARRIVAL || order.descending)
    call->run = reroute_queue_call_run_ordered;
  else
    call->run = text[0] != '\0' ? run_group_search : run_group;
  reroute_queue_call_start (call, self, cancellable, callback, user_data);
}
