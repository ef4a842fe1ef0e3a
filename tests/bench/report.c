/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * report.c - what a run came to, as JSON, one object a line
 */

#include "config.h"

#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct
{
  guint64 lost;              /* recipients that were promised and did not arrive */
  guint64 duplicated;        /* arrivals too many, of messages whose 250 was received at once */
  guint64 duplicated_unsure; /* of those whose connection broke before an answer */
  guint64 unpromised;        /* recipients that arrived though their message was refused */
  guint arrived;             /* messages of which something arrived */
  gint64 last_accepted_ns;
  gint64 last_arrived_ns;
} Totals;

static Totals
add_up (const LoadLedger *ledger)
{
  Totals totals = { 0 };

  for (gsize number = 0; number < ledger->messages; number++)
    {
      gboolean accepted = ledger->outcomes[number] == LOAD_OUTCOME_ACCEPTED;

      totals.arrived += ledger->arrived_ns[number] != 0;
      totals.last_accepted_ns = MAX (totals.last_accepted_ns, ledger->accepted_ns[number]);
      totals.last_arrived_ns = MAX (totals.last_arrived_ns, ledger->arrived_ns[number]);
      for (guint recipient = 0; recipient < ledger->recipients; recipient++)
        {
          gsize pair = number * ledger->recipients + recipient;
          guint more = MAX (ledger->arrivals[pair], 1) - 1u;

          totals.lost += accepted && ledger->promised[pair] && ledger->arrivals[pair] == 0;
          totals.unpromised += ledger->arrivals[pair] > 0 && !ledger->uncertain[number] &&
                               !(accepted && ledger->promised[pair]);
          if (ledger->uncertain[number])
            totals.duplicated_unsure += more;
          else
            totals.duplicated += more;
        }
    }
  return totals;
}

static int
compare (gconstpointer left, gconstpointer right)
{
  gint64 a = *(const gint64 *) left, b = *(const gint64 *) right;

  return (a > b) - (a < b);
}

/* Milliseconds between two times of each message that has both. */
static void
print_spans (const char *name, const gint64 *from_ns, const gint64 *to_ns, guint32 messages)
{
  g_autofree gint64 *spans = g_new (gint64, MAX (messages, 1));
  gsize count = 0;

  for (guint32 n = 0; n < messages; n++)
    if (from_ns[n] != 0 && to_ns[n] != 0)
      /* The sink may have a message before the source has read its 250. */
      spans[count++] = MAX (0, to_ns[n] - from_ns[n]);
  if (count == 0)
    {
      printf (", \"%s\": null", name);
      return;
    }
  qsort (spans, count, sizeof *spans, compare);
  printf (", \"%s\": {\"p50\": %.4f, \"p99\": %.4f, \"max\": %.4f}",
          name,
          (double) spans[count / 2] / 1e6,
          (double) spans[count * 99 / 100] / 1e6,
          (double) spans[count - 1] / 1e6);
}

static void
print_rate (const char *name, guint64 messages, gint64 span_ns)
{
  double seconds = (double) MAX (span_ns, 1) / 1e9;

  printf (", \"%s\": {\"messages\": %" G_GUINT64_FORMAT ", \"seconds\": %.6f, \"per_s\": %.2f}",
          name,
          messages,
          seconds,
          (double) messages / seconds);
}

static void
print_drain (const LoadReport *self)
{
  gint64 first_ns = G_MAXINT64, last_ns = 0;
  guint count = 0;

  for (guint32 n = 0; n < self->ledger->messages; n++)
    if (self->ledger->arrived_ns[n] >= self->opened_ns)
      {
        count++;
        first_ns = MIN (first_ns, self->ledger->arrived_ns[n]);
        last_ns = MAX (last_ns, self->ledger->arrived_ns[n]);
      }
  if (self->opened_ns == 0 || count == 0)
    return;
  print_rate ("drain", count, last_ns - self->opened_ns);
  printf (", \"drain_first_ms\": %.3f", (double) (first_ns - self->opened_ns) / 1e6);
}

static void
print_source (const LoadSourceFigures *source)
{
  printf (", \"refused\": {\"4xx\": %u, \"5xx\": %u, \"other\": %u, \"last_code\": %u, "
          "\"connections\": %u, \"recipients\": %u}",
          source->refused[4],
          source->refused[5],
          source->refused[0] + source->refused[1] + source->refused[2] + source->refused[3],
          source->last_code,
          source->refused_connections,
          source->refused_recipients);
  printf (", \"source\": {\"connections\": %u, \"most\": %u, \"lost_connections\": %u, "
          "\"cpu_s\": %.6f}",
          source->connections,
          source->most,
          source->lost_connections,
          source->cpu_s);
}

static void
print_sink (const LoadSinkFigures *sink)
{
  printf (", \"sink\": {\"connections\": %u, \"most\": %u, \"refused\": %u, \"deferred\": %u, "
          "\"cpu_s\": %.6f}",
          sink->connections,
          sink->most,
          sink->refused,
          sink->deferred,
          sink->cpu_s);
}

/* Prints the end of a run. Returns: whether everything is as it should be */
gboolean
load_report_print (const LoadReport *self)
{
  const LoadLedger *ledger = self->ledger;
  Totals totals = add_up (ledger);
  gboolean good = totals.lost == 0 && totals.duplicated == 0 && totals.unpromised == 0 &&
                  self->sink.wrong_content == 0 && self->sink.wrong_recipients == 0;

  printf ("{\"event\": \"done\", \"good\": %s, \"messages\": %u, \"accepted\": %u, "
          "\"arrived\": %u",
          good ? "true" : "false",
          ledger->messages,
          ledger->n_accepted,
          totals.arrived);
  printf (", \"lost\": %" G_GUINT64_FORMAT ", \"duplicated\": %" G_GUINT64_FORMAT
          ", \"duplicated_unsure\": %" G_GUINT64_FORMAT ", \"unpromised\": %" G_GUINT64_FORMAT
          ", \"wrong_content\": %u, \"wrong_recipients\": %u, \"foreign\": %u",
          totals.lost,
          totals.duplicated,
          totals.duplicated_unsure,
          totals.unpromised,
          self->sink.wrong_content,
          self->sink.wrong_recipients,
          self->sink.foreign);
  print_rate ("all", totals.arrived, totals.last_arrived_ns - self->source.begun_ns);
  print_rate ("fill", ledger->n_accepted, totals.last_accepted_ns - self->source.begun_ns);
  print_drain (self);
  print_spans ("accept_ms", ledger->begun_ns, ledger->accepted_ns, ledger->messages);
  print_spans ("delivery_ms", ledger->accepted_ns, ledger->arrived_ns, ledger->messages);
  print_source (&self->source);
  print_sink (&self->sink);
  printf ("}\n");
  fflush (stdout);
  return good;
}

/* Prints how far a run has come; @event: why. */
void
load_report_print_counts (const char *event, LoadLedger *ledger)
{
  printf ("{\"event\": \"%s\", \"accepted\": %u, \"recipients_arrived\": %u, \"ended\": %u}\n",
          event,
          g_atomic_int_get (&ledger->n_accepted),
          g_atomic_int_get (&ledger->n_arrived),
          g_atomic_int_get (&ledger->n_ended));
  fflush (stdout);
}
