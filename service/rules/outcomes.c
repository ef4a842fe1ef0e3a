/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * outcomes.c - what became of the calls that save
 *
 * A message can come after the question what became of it: it stood in the bridge of a connection
 * that was cut.  Asking therefore gives up a call that has not come.
 */

#include "config.h"

#include "service/rules/outcomes.h"

#include "common/limits.h"

typedef struct
{
  RerouteOutcomeFunc func;
  gpointer data;
} Waiter;

typedef struct
{
  gboolean running;
  gboolean given_up; /* somebody asked before it came */
  guint64 serial;
  GArray *waiters; /* (element-type Waiter) */
} Outcome;

struct _RerouteOutcomes
{
  GHashTable *outcomes; /* (element-type utf8 Outcome): by name */
  GQueue ended;         /* (element-type utf8): names, the oldest first; of the table */
};

static void
outcome_free (gpointer data)
{
  Outcome *outcome = data;

  g_array_unref (outcome->waiters);
  g_free (outcome);
}

RerouteOutcomes *
reroute_outcomes_new (void)
{
  RerouteOutcomes *self = g_new0 (RerouteOutcomes, 1);

  self->outcomes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, outcome_free);
  return self;
}

void
reroute_outcomes_free (RerouteOutcomes *self)
{
  g_queue_clear (&self->ended);
  g_hash_table_unref (self->outcomes);
  g_free (self);
}

char *
reroute_outcomes_name (const char *sender, guint number)
{
  return g_strdup_printf ("%s %u", sender, number);
}

static Outcome *
add (RerouteOutcomes *self, const char *name)
{
  Outcome *outcome = g_new0 (Outcome, 1);

  outcome->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  g_hash_table_insert (self->outcomes, g_strdup (name), outcome);
  return outcome;
}

static void
keep (RerouteOutcomes *self, const char *name)
{
  gpointer key = NULL;

  g_hash_table_lookup_extended (self->outcomes, name, &key, NULL);
  g_queue_push_tail (&self->ended, key);
  if (self->ended.length > REROUTE_LIMIT_OUTCOMES)
    g_hash_table_remove (self->outcomes, g_queue_pop_head (&self->ended));
}

/* A bus that was started anew gives its names anew, too. */
static void
forget (RerouteOutcomes *self, const char *name)
{
  gpointer key = NULL;

  g_hash_table_lookup_extended (self->outcomes, name, &key, NULL);
  g_queue_remove (&self->ended, key);
  g_hash_table_remove (self->outcomes, name);
}

gboolean
reroute_outcomes_begin (RerouteOutcomes *self, const char *name)
{
  const Outcome *outcome = g_hash_table_lookup (self->outcomes, name);

  if (outcome != NULL && (outcome->running || outcome->given_up))
    return FALSE;
  if (outcome != NULL)
    forget (self, name);
  add (self, name)->running = TRUE;
  return TRUE;
}

void
reroute_outcomes_end (RerouteOutcomes *self, const char *name, guint64 serial)
{
  Outcome *outcome = g_hash_table_lookup (self->outcomes, name);
  g_autoptr (GArray) waiters = NULL;

  g_return_if_fail (outcome != NULL && outcome->running);

  outcome->running = FALSE;
  outcome->serial = serial;
  waiters = g_array_ref (outcome->waiters);
  keep (self, name);
  for (guint i = 0; i < waiters->len; i++)
    {
      const Waiter *waiter = &g_array_index (waiters, Waiter, i);
      waiter->func (serial, waiter->data);
    }
}

gboolean
reroute_outcomes_ask (RerouteOutcomes *self,
                      const char *name,
                      RerouteOutcomeFunc func,
                      gpointer user_data)
{
  Outcome *outcome = g_hash_table_lookup (self->outcomes, name);
  Waiter waiter = { func, user_data };

  if (outcome == NULL)
    {
      add (self, name)->given_up = TRUE;
      keep (self, name);
      return FALSE;
    }
  if (outcome->given_up)
    return FALSE;
  if (outcome->running)
    g_array_append_val (outcome->waiters, waiter);
  else
    func (outcome->serial, user_data);
  return TRUE;
}
