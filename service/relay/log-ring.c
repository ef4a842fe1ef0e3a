/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log-ring.c - the last lines of the log, for who looks at it over the bus
 */

#include "config.h"

#include "service/relay/log-ring.h"

#include <string.h>

#define ANSWER_MOST_OCTETS (256 * 1024) /* of the lines in one answer */

typedef struct
{
  guint64 first; /* number of its first line */
  GString *text;
  GArray *marks; /* (element-type RerouteLogMark) */
} Batch;

struct _RerouteLogRing
{
  GMutex lock;
  GQueue batches; /* of Batch, oldest first */
  gsize octets;
  gsize most_octets;
  guint64 first; /* number of the first line there was */
  guint64 next;  /* and of the next one */
};

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  g_string_free (batch->text, TRUE);
  g_array_unref (batch->marks);
  g_free (batch);
}

RerouteLogRing *
reroute_log_ring_new (gsize most_octets)
{
  RerouteLogRing *self = g_new0 (RerouteLogRing, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->batches);
  self->most_octets = most_octets;
  self->first = (guint64) MAX (g_get_real_time (), 1);
  self->next = self->first;
  return self;
}

void
reroute_log_ring_free (RerouteLogRing *self)
{
  g_queue_clear_full (&self->batches, batch_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
reroute_log_ring_push (RerouteLogRing *self, GString *text, GArray *marks)
{
  Batch *batch = g_new (Batch, 1);

  g_mutex_lock (&self->lock);
  *batch = (Batch){ self->next, text, marks };
  self->next += marks->len;
  self->octets += text->allocated_len;
  g_queue_push_tail (&self->batches, batch);
  while (self->octets > self->most_octets && self->batches.length > 1)
    {
      Batch *oldest = g_queue_pop_head (&self->batches);

      self->octets -= oldest->text->allocated_len;
      batch_free (oldest);
    }
  g_mutex_unlock (&self->lock);
}

/* @needle is folded already. */
static gboolean
contains (const char *text, const char *needle)
{
  g_autofree char *folded = *needle != '\0' ? g_utf8_casefold (text, -1) : NULL;

  return folded == NULL || strstr (folded, needle) != NULL;
}

/* An answer under way. */
typedef struct
{
  const RerouteLogQuestion *question;
  const char *needle;
  GVariantBuilder lines;
  guint n_lines;
  gsize octets;
} Answer;

/* FALSE: the answer is full, and the line is not in it. */
static gboolean
take_line (Answer *answer, const Batch *batch, guint i)
{
  const RerouteLogMark *mark = &g_array_index (batch->marks, RerouteLogMark, i);
  g_autofree char *text = NULL;

  if ((answer->question->categories & 1u << mark->category) == 0)
    return TRUE;
  text = g_utf8_make_valid (batch->text->str + mark->start, mark->length);
  if (!contains (text, answer->needle))
    return TRUE;
  if (answer->n_lines >= answer->question->limit ||
      (answer->n_lines > 0 && answer->octets + mark->length > ANSWER_MOST_OCTETS))
    return FALSE;
  answer->n_lines++;
  answer->octets += mark->length;
  g_variant_builder_add (&answer->lines,
                         "(txsus)",
                         batch->first + i,
                         mark->time_us,
                         reroute_log_category_to_string (mark->category),
                         (guint32) mark->severity,
                         text);
  return TRUE;
}

/* With the lock held.  Returns: the number of the line to go on with. */
static guint64
take_lines (RerouteLogRing *self, Answer *answer, guint64 from)
{
  for (GList *at = self->batches.head; at != NULL; at = at->next)
    {
      const Batch *batch = at->data;
      guint start =
        (guint) (from > batch->first ? MIN (from - batch->first, batch->marks->len) : 0);

      for (guint i = start; i < batch->marks->len; i++)
        if (!take_line (answer, batch, i))
          return batch->first + i;
    }
  return self->next;
}

/* With the lock held.  A cursor of an earlier relay: from its first line on all is new. */
static guint64
get_cursor (const RerouteLogRing *self, guint64 cursor)
{
  return cursor > 0 && (cursor < self->first || cursor > self->next) ? self->first : cursor;
}

GVariant *
reroute_log_ring_read (RerouteLogRing *self, const RerouteLogQuestion *question)
{
  g_autofree char *needle = g_utf8_casefold (question->filter, -1);
  Answer answer = { .question = question, .needle = needle };
  const Batch *oldest = NULL;
  guint64 cursor, next, first;

  g_variant_builder_init (&answer.lines, G_VARIANT_TYPE ("a(txsus)"));
  g_mutex_lock (&self->lock);
  oldest = g_queue_peek_head (&self->batches);
  first = oldest != NULL ? oldest->first : self->next;
  cursor = get_cursor (self, question->cursor);
  next = take_lines (self, &answer, cursor);
  g_mutex_unlock (&self->lock);
  return g_variant_new ("(tta(txsus))",
                        next,
                        cursor > 0 && cursor < first ? first - cursor : G_GUINT64_CONSTANT (0),
                        &answer.lines);
}
