/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-forged.c - records that say what is not so, with a checksum that agrees
 */

#include "config.h"

#include "common/limits.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"

#define SEGMENT_OCTETS (256 * 1024)
#define SMALL_OCTETS 300
#define LARGE_OCTETS (600 * 1024) /* two parts and a rest */
#define LARGE_REST_OCTETS (LARGE_OCTETS - 2 * REROUTE_LIMIT_PART_OCTETS)
#define CONTENT_OCTETS_AT 16 /* in the payload of a message record */
#define N_PASSING 5          /* messages */

/* A large message and a small one, whose records share a segment, closed. */
static void
make_two (SpoolFixture *fixture, guint64 ids[2])
{
  static const gsize octets[2] = { LARGE_OCTETS, SMALL_OCTETS };

  spool_fixture_init (fixture, SEGMENT_OCTETS);
  spool_fixture_open (fixture);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) content = spool_fixture_content (i, octets[i]);
      g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, NULL);
      ids[i] = message->id;
    }
  spool_fixture_close (fixture);
}

/* Forges the first record of @type that message @id has. */
static void
forge (const SpoolFixture *fixture, guint64 id, RerouteRecordType type, gsize at, guint32 value)
{
  g_autoptr (GArray) records = spool_fixture_list_records (fixture->directory);
  const SpoolFixtureRecord *record = (const SpoolFixtureRecord *) (void *) records->data;

  while (record->id != id || record->type != type)
    record++;
  g_assert_true (spool_fixture_forge (record->path, record, at, value));
}

/* Only the small message is there, whole; mail is taken, so that segments of parts are freed. */
static void
expect_the_small_one (SpoolFixture *fixture, guint64 id)
{
  g_autoptr (GBytes) content = spool_fixture_content (1, SMALL_OCTETS);

  g_assert_cmpuint (fixture->entries->len, ==, 1);
  RerouteSpoolEntry *entry = spool_fixture_find (fixture, id);
  g_assert_nonnull (entry);
  spool_fixture_assert_content (fixture->spool, entry->message, content);
  for (guint i = 0; i < N_PASSING; i++)
    {
      g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, NULL);
      spool_fixture_record (fixture, message, 0, REROUTE_RECIPIENT_SENT, "250 2.0.0 Ok");
    }
  spool_fixture_close (fixture);
}

/* A record says, with a checksum that agrees, that its end is the whole message: it stays away,
   also when its parts have been freed. */
static void
test_forged_size (void)
{
  SpoolFixture fixture;
  guint64 ids[2];

  make_two (&fixture, ids);
  forge (&fixture, ids[0], REROUTE_RECORD_MESSAGE, CONTENT_OCTETS_AT, LARGE_REST_OCTETS);
  for (guint i = 0; i < 2; i++)
    {
      if (i == 0)
        g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*parts of the content*");
      spool_fixture_open (&fixture);
      g_test_assert_expected_messages ();
      expect_the_small_one (&fixture, ids[1]);
    }
  spool_fixture_clear (&fixture);
}

/* A part calls itself one of a message that has none: that one is whole as it is. */
static void
test_foreign_part (void)
{
  SpoolFixture fixture;
  guint64 ids[2];

  make_two (&fixture, ids);
  forge (&fixture, ids[0], REROUTE_RECORD_PART, 0, (guint32) ids[1]);
  g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*parts of the content*");
  spool_fixture_open (&fixture);
  g_test_assert_expected_messages ();
  expect_the_small_one (&fixture, ids[1]);
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  /* Nothing fails here: syncs cost no time, that is all. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  g_test_add_func ("/spool/forged/size", test_forged_size);
  g_test_add_func ("/spool/forged/part", test_foreign_part);
  return g_test_run ();
}
