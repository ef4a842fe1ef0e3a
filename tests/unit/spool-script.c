/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool-script.c - a spool at work, with a log of all that it promised
 *
 * The log is written when the spool answers and lies in shared memory, so it tells what was
 * promised even when the process ended between two instructions.
 */

#include "config.h"

#include "tests/unit/spool-script.h"

#include "tests/unit/spool-fixture.h"

#include <sys/mman.h>

#define GROUP_MAX 4

SpoolScriptLog *
spool_script_log_new (void)
{
  void *log =
    mmap (NULL, sizeof (SpoolScriptLog), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  g_assert_true (log != MAP_FAILED);
  return log;
}

void
spool_script_log_free (SpoolScriptLog *self)
{
  munmap (self, sizeof *self);
}

typedef struct
{
  SpoolScriptLog *log;
  RerouteSpool *spool;
  RerouteMessage *messages[SPOOL_SCRIPT_MAX_ITEMS];
  guint32 seed;
  GMutex lock;
  GCond cond;
  guint n_waiting;
} Script;

/* What an answer is about. */
typedef struct
{
  Script *script;
  guint item;
  guint recipient;
  RerouteRecipientState state;
  guint tries;
} Question;

static guint32
get_random (Script *self)
{
  self->seed = self->seed * 1664525u + 1013904223u;
  return self->seed >> 8;
}

static void
answer_question (Question *question)
{
  Script *script = question->script;

  g_mutex_lock (&script->lock);
  script->n_waiting--;
  g_cond_signal (&script->cond);
  g_mutex_unlock (&script->lock);
  g_free (question);
}

static void
committed_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  Question *question = user_data;
  SpoolScriptItem *item = &question->script->log->items[question->item];

  if (error == NULL)
    {
      question->script->messages[question->item] = reroute_message_ref (message);
      g_atomic_int_set (&item->is_acknowledged, 1);
    }
  else
    g_atomic_int_set (&item->is_refused, 1);
  answer_question (question);
}

static void
recorded_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  Question *question = user_data;
  SpoolScriptItem *item = &question->script->log->items[question->item];

  g_assert_no_error (error);
  if (question->state == REROUTE_RECIPIENT_WAITING)
    g_atomic_int_set (&item->deferred[question->recipient], (gint) question->tries);
  else
    g_atomic_int_set (&item->acked[question->recipient], (gint) question->state);
  answer_question (question);
}

static Question *
ask (Script *self, guint item)
{
  Question *question = g_new0 (Question, 1);

  question->script = self;
  question->item = item;
  g_mutex_lock (&self->lock);
  self->n_waiting++;
  g_mutex_unlock (&self->lock);
  return question;
}

static void
hand_in_message (Script *self)
{
  static const guint32 sizes[] = { 0, 100, 2000, 3000, 9000, 20000, 40000, 300000 };
  guint index = self->log->n_items;

  if (index == SPOOL_SCRIPT_MAX_ITEMS)
    return;
  RerouteSpoolDraft *draft = reroute_spool_begin (self->spool);
  SpoolScriptItem *item = &self->log->items[index];
  item->id = reroute_spool_draft_get_id (draft);
  item->seed = get_random (self);
  item->octets = sizes[get_random (self) % G_N_ELEMENTS (sizes)];
  item->n_recipients = 1 + get_random (self) % SPOOL_SCRIPT_MAX_RECIPIENTS;
  self->log->n_items = index + 1;
  g_autoptr (GBytes) content = spool_fixture_content (item->seed, item->octets);
  reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  if (get_random (self) % 16 == 0)
    {
      reroute_spool_draft_discard (draft);
      item->is_discarded = TRUE;
      return;
    }
  reroute_spool_commit (self->spool,
                        draft,
                        spool_fixture_envelope (item->n_recipients),
                        committed_cb,
                        ask (self, index));
}

static void
hand_in_verdict (Script *self)
{
  guint index = get_random (self) % (self->log->n_items + 1);
  guint recipient = get_random (self) % SPOOL_SCRIPT_MAX_RECIPIENTS;
  SpoolScriptItem *item = &self->log->items[index];

  /* Every seventh message stays, so that there is something to copy. */
  if (index == self->log->n_items || self->messages[index] == NULL || index % 7 == 0 ||
      recipient >= item->n_recipients || item->asked[recipient] != 0)
    return;
  Question *question = ask (self, index);
  question->recipient = recipient;
  if (get_random (self) % 4 == 0)
    {
      question->state = REROUTE_RECIPIENT_WAITING;
      question->tries = (guint) item->deferred[recipient] + 1;
    }
  else
    {
      question->state = REROUTE_RECIPIENT_SENT + get_random (self) % 3;
      g_atomic_int_set (&item->asked[recipient], (gint) question->state);
    }
  RerouteVerdict verdict = { recipient, question->state,
                             12345,     question->tries,
                             0,         "451 4.0.0 some reply of some length" };
  reroute_spool_record (self->spool, self->messages[index], &verdict, 1, recorded_cb, question);
}

static void
wait_for_answers (Script *self)
{
  gint64 end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  g_mutex_lock (&self->lock);
  while (self->n_waiting > 0)
    g_assert_true (g_cond_wait_until (&self->cond, &self->lock, end_us));
  g_mutex_unlock (&self->lock);
}

static guint
find_item (const SpoolScriptLog *log, guint64 id)
{
  guint index = 0;

  while (index < log->n_items && log->items[index].id != id)
    index++;
  g_assert_cmpuint (index, <, log->n_items);
  return index;
}

void
spool_script_run (
  SpoolScriptLog *log, const char *directory, gsize segment_octets, guint32 seed, guint n_rounds)
{
  g_autoptr (GPtrArray) entries = NULL;
  Script script = { .log = log, .seed = seed };

  g_mutex_init (&script.lock);
  g_cond_init (&script.cond);
  script.spool = spool_fixture_open_directory (directory, segment_octets, &entries);
  for (guint i = 0; i < entries->len; i++)
    {
      const RerouteSpoolEntry *entry = g_ptr_array_index (entries, i);
      script.messages[find_item (log, entry->message->id)] = reroute_message_ref (entry->message);
    }
  for (guint i = 0; i < n_rounds; i++)
    {
      for (guint n = 1 + get_random (&script) % GROUP_MAX; n > 0; n--)
        {
          hand_in_message (&script);
          for (guint j = 0; j < 8; j++)
            hand_in_verdict (&script);
        }
      wait_for_answers (&script);
    }
  reroute_spool_close (script.spool);
  for (guint i = 0; i < SPOOL_SCRIPT_MAX_ITEMS; i++)
    g_clear_pointer (&script.messages[i], reroute_message_unref);
  g_mutex_clear (&script.lock);
  g_cond_clear (&script.cond);
}

static void
check_entry (const SpoolScriptItem *item, RerouteSpool *spool, const RerouteSpoolEntry *entry)
{
  g_autoptr (GBytes) content = spool_fixture_content (item->seed, item->octets);

  g_assert_cmpuint (entry->n_verdicts, ==, item->n_recipients);
  spool_fixture_assert_content (spool, entry->message, content);
  for (guint i = 0; i < item->n_recipients; i++)
    {
      const RerouteVerdict *verdict = &entry->verdicts[i];
      if (item->acked[i] != 0)
        g_assert_cmpint (verdict->state, ==, item->acked[i]);
      else if (verdict->state != REROUTE_RECIPIENT_WAITING)
        g_assert_cmpint (verdict->state, ==, item->asked[i]);
      if (verdict->state == REROUTE_RECIPIENT_WAITING)
        g_assert_cmpuint (verdict->tries, >=, item->deferred[i]);
    }
}

static gboolean
may_be_gone (const SpoolScriptItem *item)
{
  gboolean is_final = TRUE;

  for (guint i = 0; i < item->n_recipients; i++)
    is_final = is_final && item->asked[i] != 0;
  return is_final || !item->is_acknowledged;
}

void
spool_script_check (SpoolScriptLog *log,
                    const char *directory,
                    gsize segment_octets,
                    gboolean refused_may_be_there)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) report = g_string_new (NULL);
  g_autoptr (GPtrArray) entries = NULL;
  gboolean is_found[SPOOL_SCRIPT_MAX_ITEMS] = { FALSE };

  reroute_spool_verify (directory, report, &error);
  g_assert_no_error (error);
  RerouteSpool *spool = spool_fixture_open_directory (directory, segment_octets, &entries);
  for (guint i = 0; i < entries->len; i++)
    {
      const RerouteSpoolEntry *entry = g_ptr_array_index (entries, i);
      guint index = find_item (log, entry->message->id);
      g_assert_false (is_found[index]);
      is_found[index] = TRUE;
      g_assert_false (log->items[index].is_discarded);
      g_assert_true (refused_may_be_there || !log->items[index].is_refused);
      check_entry (&log->items[index], spool, entry);
    }
  for (guint i = 0; i < log->n_items; i++)
    g_assert_true (is_found[i] || may_be_gone (&log->items[i]));
  RerouteSpoolDraft *draft = reroute_spool_begin (spool);
  for (guint i = 0; i < log->n_items; i++)
    g_assert_cmpuint (reroute_spool_draft_get_id (draft), >, log->items[i].id);
  reroute_spool_draft_discard (draft);
  reroute_spool_close (spool);
}
