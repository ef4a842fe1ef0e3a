/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ledger.c - what became of every message of a run
 */

#include "config.h"

#include "tests/bench/ledger.h"

#include <time.h>

/* Returns: the monotonic clock, in nanoseconds */
gint64
load_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

void
load_ledger_init (LoadLedger *self, guint32 messages, guint recipients)
{
  gsize pairs = (gsize) messages * recipients;

  *self = (LoadLedger){ .messages = messages, .recipients = recipients };
  self->begun_ns = g_new0 (gint64, messages);
  self->accepted_ns = g_new0 (gint64, messages);
  self->arrived_ns = g_new0 (gint64, messages);
  self->outcomes = g_new0 (guint8, messages);
  self->uncertain = g_new0 (guint8, messages);
  self->promised = g_new0 (guint8, pairs);
  self->arrivals = g_new0 (guint8, pairs);
}

void
load_ledger_clear (LoadLedger *self)
{
  g_clear_pointer (&self->begun_ns, g_free);
  g_clear_pointer (&self->accepted_ns, g_free);
  g_clear_pointer (&self->arrived_ns, g_free);
  g_clear_pointer (&self->outcomes, g_free);
  g_clear_pointer (&self->uncertain, g_free);
  g_clear_pointer (&self->promised, g_free);
  g_clear_pointer (&self->arrivals, g_free);
}

/* 250 after the final dot: the recipients whose `promised` is set are the server's now. */
void
load_ledger_accept (LoadLedger *self, guint32 number, gint64 now_ns)
{
  const guint8 *promised = self->promised + (gsize) number * self->recipients;
  guint count = 0;

  for (guint recipient = 0; recipient < self->recipients; recipient++)
    count += promised[recipient];
  self->accepted_ns[number] = now_ns;
  self->outcomes[number] = LOAD_OUTCOME_ACCEPTED;
  g_atomic_int_add (&self->n_promised, count);
  g_atomic_int_inc (&self->n_accepted);
  g_atomic_int_inc (&self->n_ended);
}

/* The end of a message that the server did not take. */
void
load_ledger_fail (LoadLedger *self, guint32 number, LoadOutcome outcome)
{
  self->outcomes[number] = (guint8) outcome;
  g_atomic_int_inc (&self->n_ended);
}

void
load_ledger_arrive (LoadLedger *self, guint32 number, guint recipient, gint64 now_ns)
{
  guint8 *arrivals = self->arrivals + (gsize) number * self->recipients + recipient;

  if (*arrivals == 0)
    {
      self->arrived_ns[number] = now_ns;
      g_atomic_int_inc (&self->n_arrived);
    }
  if (*arrivals < G_MAXUINT8)
    ++*arrivals;
}

/* Returns: whether every message has an outcome; then the source's half changes no more */
gboolean
load_ledger_sent (LoadLedger *self)
{
  return (guint) g_atomic_int_get (&self->n_ended) == self->messages;
}

/* Returns: whether all is sent, and every recipient that was promised has arrived */
gboolean
load_ledger_complete (LoadLedger *self)
{
  gsize pairs = (gsize) self->messages * self->recipients;

  if (!load_ledger_sent (self) ||
      g_atomic_int_get (&self->n_arrived) < g_atomic_int_get (&self->n_promised))
    return FALSE;
  /* More may have arrived than was promised: behind a connection that broke before its 250. */
  for (gsize n = 0; n < pairs; n++)
    {
      gsize number = n / self->recipients;

      if (self->outcomes[number] == LOAD_OUTCOME_ACCEPTED && self->promised[n] &&
          !self->arrivals[n])
        return FALSE;
    }
  return TRUE;
}
