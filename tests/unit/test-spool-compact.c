/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-compact.c - segments go oldest first, and what lives in them goes forward
 */

#include "config.h"

#include "common/limits.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#define SEGMENT_OCTETS (256 * 1024)
#define MANY 1500
#define MESSAGE_OCTETS 3000
#define LARGE_OCTETS (3 * REROUTE_LIMIT_PART_OCTETS + 1000)
#define N_KEPT 5
#define PATIENCE_US (60 * G_USEC_PER_SEC)

/* Mail that comes and goes, @n messages of it. */
static void
pass_mail (SpoolFixture *fixture, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GBytes) content = spool_fixture_content (i, MESSAGE_OCTETS);
      g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, NULL);
      g_assert_nonnull (message);
      spool_fixture_record (fixture, message, 0, REROUTE_RECIPIENT_SENT, "250 ok");
    }
}

static guint
count_segments (const SpoolFixture *fixture)
{
  g_autoptr (GPtrArray) paths = spool_fixture_list (fixture->directory, "journal-");
  return paths->len;
}

/* The serial of the oldest segment. */
static guint64
get_oldest (const SpoolFixture *fixture)
{
  g_autoptr (GPtrArray) paths = spool_fixture_list (fixture->directory, "journal-");
  return g_ascii_strtoull (strrchr (g_ptr_array_index (paths, 0), '-') + 1, NULL, 16);
}

static void
test_nothing_lives (void)
{
  SpoolFixture fixture;
  RerouteSpoolFigures figures;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  pass_mail (&fixture, MANY);
  reroute_spool_get_figures (fixture.spool, &figures);
  g_assert_cmpuint (figures.messages, ==, 0);
  g_assert_cmpuint (figures.commits, ==, MANY);
  g_assert_cmpuint (figures.octets, <=, 4 * SEGMENT_OCTETS);
  g_assert_cmpuint (count_segments (&fixture), <=, 3);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 0);
  spool_fixture_clear (&fixture);
}

typedef struct
{
  SpoolFixture *fixture;
  RerouteMessage *message;
  GBytes *content;
  gint is_stopped;
  guint n_read;
} Reader;

static gpointer
read_again_and_again (gpointer data)
{
  Reader *self = data;

  while (g_atomic_int_get (&self->is_stopped) == 0)
    {
      spool_fixture_assert_content (self->fixture->spool, self->message, self->content);
      self->n_read++;
    }
  return NULL;
}

static void
check_kept (RerouteSpoolEntry *entry)
{
  const RerouteVerdict *verdicts = entry->verdicts;

  g_assert_cmpuint (entry->n_verdicts, ==, 3);
  g_assert_cmpint (verdicts[0].state, ==, REROUTE_RECIPIENT_WAITING);
  g_assert_cmpstr (verdicts[0].reply, ==, "451 4.7.1 greylisted");
  g_assert_cmpint (verdicts[0].due_us, ==, 1234567890123456);
  g_assert_cmpuint (verdicts[0].tries, ==, 3);
  g_assert_cmpuint (verdicts[0].flags, ==, 1);
  g_assert_cmpint (verdicts[1].state, ==, REROUTE_RECIPIENT_SENT);
  g_assert_cmpstr (verdicts[1].reply, ==, "250 2.0.0 gone");
  g_assert_cmpint (verdicts[2].state, ==, REROUTE_RECIPIENT_HELD);
  g_assert_null (verdicts[2].reply);
}

/* Messages that stay, small and large, with a state for each recipient, while mail passes by. */
static void
test_copied_forward (void)
{
  SpoolFixture fixture;
  RerouteMessage *kept[N_KEPT];
  GBytes *contents[N_KEPT];

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  for (guint i = 0; i < N_KEPT; i++)
    {
      contents[i] = spool_fixture_content (7000 + i, i == 2 ? LARGE_OCTETS : MESSAGE_OCTETS);
      kept[i] = spool_fixture_commit (&fixture, 3, contents[i], NULL);
      pass_mail (&fixture, 20);
      spool_fixture_record (&fixture, kept[i], 1, REROUTE_RECIPIENT_SENT, "250 2.0.0 gone");
      spool_fixture_record (
        &fixture, kept[i], 0, REROUTE_RECIPIENT_WAITING, "451 4.7.1 greylisted");
    }
  Reader reader = { &fixture, kept[2], contents[2], 0, 0 };
  GThread *thread = g_thread_new ("reader", read_again_and_again, &reader);
  for (guint i = 0; i < N_KEPT; i++)
    {
      pass_mail (&fixture, MANY / N_KEPT);
      /* In whatever segment the message is by now. */
      spool_fixture_record (&fixture, kept[i], 2, REROUTE_RECIPIENT_HELD, NULL);
    }
  pass_mail (&fixture, MANY / 2);
  g_atomic_int_set (&reader.is_stopped, 1);
  g_thread_join (thread);
  g_assert_cmpuint (reader.n_read, >, 0);
  g_assert_cmpuint (get_oldest (&fixture), >, 10);
  g_assert_cmpuint (count_segments (&fixture), <=, 12);
  spool_fixture_close (&fixture);

  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_KEPT);
  for (guint i = 0; i < N_KEPT; i++)
    {
      RerouteSpoolEntry *entry = spool_fixture_find (&fixture, kept[i]->id);
      g_assert_nonnull (entry);
      check_kept (entry);
      spool_fixture_assert_content (fixture.spool, entry->message, contents[i]);
      spool_fixture_record (&fixture, entry->message, 0, REROUTE_RECIPIENT_FAILED, NULL);
      spool_fixture_record (&fixture, entry->message, 2, REROUTE_RECIPIENT_DELETED, NULL);
      reroute_message_unref (kept[i]);
      g_bytes_unref (contents[i]);
    }
  pass_mail (&fixture, 200);
  g_assert_cmpuint (count_segments (&fixture), <=, 3);
  spool_fixture_clear (&fixture);
}

static void
committed_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_atomic_pointer_set ((gpointer *) user_data, reroute_message_ref (message));
}

/* A slow sender: the parts it has sent so far do not hold the journal up. */
static void
test_slow_sender (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, LARGE_OCTETS);
  const guint8 *octets = g_bytes_get_data (content, NULL);
  gsize half = LARGE_OCTETS / 2;
  gpointer answer = NULL;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  RerouteSpoolDraft *draft = reroute_spool_begin (fixture.spool);
  reroute_spool_draft_append (draft, octets, half);
  pass_mail (&fixture, MANY);
  g_assert_cmpuint (get_oldest (&fixture), >, 10);
  reroute_spool_draft_append (draft, octets + half, LARGE_OCTETS - half);
  reroute_spool_commit (fixture.spool, draft, spool_fixture_envelope (1), committed_cb, &answer);
  pass_mail (&fixture, 1);
  g_autoptr (RerouteMessage) message = g_atomic_pointer_get (&answer);
  g_assert_nonnull (message);
  spool_fixture_assert_content (fixture.spool, message, content);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  RerouteSpoolEntry *entry = spool_fixture_find (&fixture, message->id);
  spool_fixture_assert_content (fixture.spool, entry->message, content);
  spool_fixture_clear (&fixture);
}

/* What cannot be read is not copied, and its segment is kept for as long as the message is. */
static void
test_unreadable (void)
{
  SpoolFixture fixture;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  g_autoptr (GArray) records = spool_fixture_list_records (fixture.directory);
  const SpoolFixtureRecord *record = &g_array_index (records, SpoolFixtureRecord, records->len - 1);
  g_assert_cmpuint (record->id, ==, message->id);
  FILE *file = g_fopen (record->path, "r+b");
  g_assert_cmpint (fseek (file, (long) record->offset + 1000, SEEK_SET), ==, 0);
  g_assert_cmpuint (fwrite ("damage", 1, 6, file), ==, 6);
  g_assert_cmpint (fclose (file), ==, 0);

  g_autoptr (GError) error = NULL;
  reroute_spool_release_content (fixture.spool, message);
  g_assert_null (reroute_spool_load (fixture.spool, message, 0, &error));
  g_assert_nonnull (error);
  g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*is damaged in spool segment 1*");
  pass_mail (&fixture, MANY / 3);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (get_oldest (&fixture), ==, 1);
  spool_fixture_record (&fixture, message, 0, REROUTE_RECIPIENT_FAILED, "554 5.3.0 damaged");
  pass_mail (&fixture, 200);
  g_assert_cmpuint (get_oldest (&fixture), >, 1);
  g_assert_cmpuint (count_segments (&fixture), <=, 4);
  spool_fixture_clear (&fixture);
}

/* Until there are so many segments; the first of them holds something that stays. */
static void
pass_mail_until (SpoolFixture *fixture, guint n_segments)
{
  while (count_segments (fixture) < n_segments)
    pass_mail (fixture, 1);
}

/* One at least: on a slow machine it comes again.  Returns: what is fatal otherwise */
static GLogLevelFlags
expect_warnings (const char *pattern)
{
  g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, pattern);
  return g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
}

/* They have come. */
static void
end_warnings (void)
{
  g_test_assert_expected_messages ();
  spool_faults_refuse_opens (-1);
}

/* A segment that cannot be opened for a while is not damaged: it is copied when it can. */
static void
test_not_opened_now (void)
{
  SpoolFixture fixture;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  pass_mail_until (&fixture, 3);
  spool_faults_refuse_opens (O_RDONLY);
  GLogLevelFlags fatal = expect_warnings ("*is not copied now: *");
  pass_mail_until (&fixture, 5);
  end_warnings ();
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;
  while (count_segments (&fixture) > 4 && g_get_monotonic_time () < end_us)
    pass_mail (&fixture, 1);
  g_assert_cmpuint (count_segments (&fixture), <=, 4);
  g_assert_cmpuint (get_oldest (&fixture), >, 1);
  spool_fixture_assert_content (fixture.spool, message, content);
  spool_fixture_clear (&fixture);
  g_log_set_always_fatal (fatal);
}

/* A segment that cannot be taken back stays, with all behind it: else what was in it would be sent
   again after the next start. */
static void
test_not_taken_back_now (void)
{
  SpoolFixture fixture;
  g_autoptr (GPtrArray) messages =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_message_unref);
  guint n_done = 0;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  pass_mail (&fixture, 100);
  spool_faults_refuse_opens (O_RDWR);
  GLogLevelFlags fatal = expect_warnings ("*that is no longer needed: *");
  /* Of each message the verdict comes some later. */
  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (GBytes) content = spool_fixture_content (i, MESSAGE_OCTETS);
      g_ptr_array_add (messages, spool_fixture_commit (&fixture, 1, content, NULL));
      if (messages->len - n_done > 20)
        spool_fixture_record (
          &fixture, messages->pdata[n_done++], 0, REROUTE_RECIPIENT_SENT, "250 ok");
    }
  while (n_done < messages->len)
    spool_fixture_record (&fixture, messages->pdata[n_done++], 0, REROUTE_RECIPIENT_SENT, "250 ok");
  end_warnings ();
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;
  while (count_segments (&fixture) > 4 && g_get_monotonic_time () < end_us)
    pass_mail (&fixture, 1);
  g_assert_cmpuint (count_segments (&fixture), <=, 4);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 0);
  g_autoptr (GPtrArray) damaged = spool_fixture_list (fixture.directory, "damaged-");
  g_assert_cmpuint (damaged->len, ==, 0);
  spool_fixture_clear (&fixture);
  g_log_set_always_fatal (fatal);
}

static void
told_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_atomic_int_set ((gint *) user_data, error == NULL ? 1 : -1);
}

static void
refused_or_not_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
}

/* A verdict that could not be written waits, and the copy of its message with it: a copy behind it
   would say that the message still waits. */
static void
test_no_copy_before_a_kept_verdict (void)
{
  /* So that all comes at once; the batch with the verdict fails; the next one takes so long that
     copies may be made again. */
  static const gint waits_ms[] = { 300, -1, 1200 };
  const RerouteVerdict verdict = { 0, REROUTE_RECIPIENT_SENT, 0, 1, 0, "250 2.0.0 taken" };
  SpoolFixture fixture;
  gint told = 0;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (GBytes) content = spool_fixture_content (1, MESSAGE_OCTETS);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  guint64 id = message->id;
  pass_mail_until (&fixture, 3);
  pass_mail (&fixture, 10);
  spool_faults_script_syncs (waits_ms, G_N_ELEMENTS (waits_ms));
  for (guint i = 0; i < 66; i++)
    {
      RerouteSpoolDraft *draft = reroute_spool_begin (fixture.spool);

      if (i == 1)
        {
          g_usleep (100 * 1000);
          reroute_spool_record (fixture.spool, message, &verdict, 1, told_cb, &told);
        }
      reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), MESSAGE_OCTETS);
      reroute_spool_commit (
        fixture.spool, draft, spool_fixture_envelope (1), refused_or_not_cb, NULL);
    }
  while (g_atomic_int_get (&told) == 0)
    g_usleep (1000);
  g_assert_cmpint (told, ==, 1);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_null (spool_fixture_find (&fixture, id));
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  /* Nothing fails here: syncs cost no time, that is all. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  g_test_add_func ("/spool/compact/nothing-lives", test_nothing_lives);
  g_test_add_func ("/spool/compact/copied-forward", test_copied_forward);
  g_test_add_func ("/spool/compact/slow-sender", test_slow_sender);
  g_test_add_func ("/spool/compact/unreadable", test_unreadable);
  g_test_add_func ("/spool/compact/not-opened-now", test_not_opened_now);
  g_test_add_func ("/spool/compact/not-taken-back-now", test_not_taken_back_now);
  g_test_add_func ("/spool/compact/no-copy-before-a-kept-verdict",
                   test_no_copy_before_a_kept_verdict);
  return g_test_run ();
}
