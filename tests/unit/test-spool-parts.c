/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-parts.c - parts of large messages: what is in memory of them, and for how long
 */

#include "config.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"

#include <glib/gstdio.h>

#define SEGMENT_OCTETS (4 * 1024 * 1024)
#define PART_OCTETS ((gsize) REROUTE_LIMIT_PART_OCTETS)
#define LEAST_OCTETS ((gsize) REROUTE_LIMIT_PART_LEAST_OCTETS)
#define WAIT_S 30
#define N_TOO_MANY (REROUTE_LIMIT_MEMORY_PARTS_OCTETS / REROUTE_LIMIT_PART_OCTETS + 2)

/* Zeros over what the parts of @id hold. */
static void
damage_parts (const SpoolFixture *fixture, guint64 id)
{
  static const guint8 zeros[64];
  g_autoptr (GArray) records = spool_fixture_list_records (fixture->directory);

  for (guint i = 0; i < records->len; i++)
    {
      const SpoolFixtureRecord *record = &g_array_index (records, SpoolFixtureRecord, i);
      if (record->id != id || record->type != REROUTE_RECORD_PART)
        continue;
      FILE *file = g_fopen (record->path, "r+b");
      g_assert_cmpint (fseek (file, (long) (record->offset + record->octets / 2), SEEK_SET), ==, 0);
      g_assert_cmpuint (fwrite (zeros, 1, sizeof zeros, file), ==, sizeof zeros);
      g_assert_cmpint (fclose (file), ==, 0);
    }
}

/* A part is read from memory once, then from the journal; so is what was released, or waits. */
static void
test_parts_in_memory (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, 2 * PART_OCTETS + 100);
  const guint8 *octets = g_bytes_get_data (content, NULL);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
      damage_parts (&fixture, message->id);
      if (i == 1)
        reroute_spool_release_content (fixture.spool, message);
      else if (i == 2)
        spool_fixture_record (&fixture, message, 0, REROUTE_RECIPIENT_WAITING, "451 4.0.0 later");
      for (guint reading = i > 0; reading < 2; reading++)
        for (gsize offset = 10; offset < 2 * PART_OCTETS; offset += PART_OCTETS)
          {
            g_autoptr (GError) error = NULL;
            g_autoptr (GBytes) loaded = reroute_spool_load (fixture.spool, message, offset, &error);
            if (reading == 1)
              g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
            else
              g_assert_cmpmem (g_bytes_get_data (loaded, NULL),
                               g_bytes_get_size (loaded),
                               octets + offset,
                               PART_OCTETS - 10);
          }
      /* What stands in the message's own record was never damaged. */
      g_autoptr (GBytes) rest = reroute_spool_load (fixture.spool, message, 2 * PART_OCTETS, NULL);
      g_assert_cmpuint (g_bytes_get_size (rest), ==, 100);
    }
  spool_fixture_clear (&fixture);
}

/* Whether @message, whose parts are damaged on the disk, has the one at @offset in memory. */
static gboolean
is_in_memory (const SpoolFixture *fixture, RerouteMessage *message, gsize offset)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) loaded = reroute_spool_load (fixture->spool, message, offset, &error);

  g_assert_true ((loaded == NULL) == (error != NULL));
  return loaded != NULL;
}

/* No more than the limit, and the room is there again once a message is done. */
static void
test_limit (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, (N_TOO_MANY + 1) * PART_OCTETS);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
      damage_parts (&fixture, message->id);
      g_assert_true (is_in_memory (&fixture, message, 0));
      g_assert_false (is_in_memory (&fixture, message, (N_TOO_MANY - 1) * PART_OCTETS));
      spool_fixture_record (&fixture, message, 0, REROUTE_RECIPIENT_SENT, "250 2.0.0 Ok");
    }
  spool_fixture_clear (&fixture);
}

static gsize
get_held (const SpoolFixture *fixture)
{
  RerouteSpoolFigures figures;

  reroute_spool_get_figures (fixture->spool, &figures);
  return figures.held;
}

/* As a session does: no further while the spool is behind. */
static void
append_slowly (RerouteSpoolDraft *draft, GBytes *content)
{
  gsize length;
  const guint8 *octets = g_bytes_get_data (content, &length);

  for (gsize n; length > 0; octets += n, length -= n)
    {
      n = MIN (LEAST_OCTETS, length);
      reroute_spool_draft_append (draft, octets, n);
      while (reroute_spool_draft_is_behind (draft))
        g_thread_yield ();
    }
}

/* Of drafts that hold all that they may and a little more. */
static GPtrArray *
make_crowd (SpoolFixture *fixture)
{
  const guint n_drafts = REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS / PART_OCTETS + 2;
  g_autoptr (GBytes) beginning = spool_fixture_content (1, PART_OCTETS - 1);
  GPtrArray *drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_spool_draft_discard);

  for (guint i = 0; i < n_drafts; i++)
    {
      g_ptr_array_add (drafts, reroute_spool_begin (fixture->spool));
      append_slowly (drafts->pdata[i], beginning);
    }
  g_assert_cmpuint (get_held (fixture), >, REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS);
  return drafts;
}

static void
resume_cb (gpointer draft, gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

/* Whoever waits for a part that cannot be written is told to go on, and refused at the end; what
   was taken before is there, and the next one is taken when there is room. */
static void
test_crowd_on_a_full_disk (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (2, 2 * PART_OCTETS);
  g_autoptr (GError) error = NULL;
  gint n_resumed = 0;

  spool_fixture_init (&fixture, REROUTE_LIMIT_SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (GPtrArray) drafts = make_crowd (&fixture);
  g_autoptr (RerouteMessage) before = spool_fixture_commit (&fixture, 1, content, NULL);
  spool_faults_arm (SPOOL_FAULT_FULL, 1, 0);
  RerouteSpoolDraft *draft = reroute_spool_begin (fixture.spool);
  reroute_spool_draft_set_resume (draft, resume_cb, &n_resumed);
  /* Without a look at whether it is behind, so that it surely is, or has failed by then. */
  reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  gboolean waits = reroute_spool_draft_is_behind (draft);
  gint64 end_us = g_get_monotonic_time () + WAIT_S * G_USEC_PER_SEC;
  while (!reroute_spool_draft_has_failed (draft) || (waits && g_atomic_int_get (&n_resumed) == 0))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end_us);
      g_thread_yield ();
    }
  g_assert_false (reroute_spool_draft_is_behind (draft));
  g_ptr_array_add (drafts, draft);
  g_assert_null (spool_fixture_commit (&fixture, 1, content, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);

  spool_faults_disarm ();
  g_ptr_array_set_size (drafts, 0);
  g_autoptr (RerouteMessage) after = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_nonnull (after);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 2);
  spool_fixture_assert_content (
    fixture.spool, spool_fixture_find (&fixture, before->id)->message, content);
  spool_fixture_assert_content (
    fixture.spool, spool_fixture_find (&fixture, after->id)->message, content);
  spool_fixture_clear (&fixture);
}

/* Hundreds of senders begin a large message and say no more: what they hold is bounded, and one
   that goes on is taken, in small parts. */
static void
test_crowd (void)
{
  SpoolFixture fixture;
  const guint n_drafts = 2 * REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS / PART_OCTETS;
  g_autoptr (GBytes) beginning = spool_fixture_content (1, PART_OCTETS - 1);
  g_autoptr (GBytes) content = spool_fixture_content (2, 2 * PART_OCTETS + 100);
  g_autoptr (GPtrArray) drafts =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_spool_draft_discard);

  spool_fixture_init (&fixture, REROUTE_LIMIT_SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  for (guint i = 0; i < n_drafts; i++)
    {
      g_ptr_array_add (drafts, reroute_spool_begin (fixture.spool));
      append_slowly (drafts->pdata[i], beginning);
      g_assert_cmpuint (get_held (&fixture),
                        <=,
                        REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS + PART_OCTETS + i * 2 * LEAST_OCTETS);
    }
  g_assert_cmpuint (get_held (&fixture), >, REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS);

  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  reroute_spool_release_content (fixture.spool, message);
  spool_fixture_assert_content (fixture.spool, message, content);
  g_autoptr (GBytes) part = reroute_spool_load (fixture.spool, message, 0, NULL);
  g_assert_cmpuint (g_bytes_get_size (part), ==, LEAST_OCTETS);

  g_ptr_array_set_size (drafts, 0);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (get_held (&fixture), ==, 0);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  RerouteSpoolEntry *entry = spool_fixture_find (&fixture, message->id);
  spool_fixture_assert_content (fixture.spool, entry->message, content);
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/parts/in-memory", test_parts_in_memory);
  g_test_add_func ("/spool/parts/limit", test_limit);
  g_test_add_func ("/spool/parts/crowd", test_crowd);
  g_test_add_func ("/spool/parts/crowd-on-a-full-disk", test_crowd_on_a_full_disk);
  return g_test_run ();
}
