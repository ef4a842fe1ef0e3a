/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool.c - what goes into the spool comes out of it, also after a restart
 *
 * Standards: RFC 3720 appendix B.4 (CRC-32C).
 */

#include "config.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define SEGMENT_OCTETS (4 * 1024 * 1024)
#define PATIENCE_US (20 * G_USEC_PER_SEC)
#define N_VERDICTS 5000
#define OURS_AND_THE_INDEX 2 /* references */

static void
test_crc32c (void)
{
  guint8 octets[64] = { 0 };

  g_assert_cmphex (reroute_crc32c (0, octets, 32), ==, 0x8a9136aa);
  memset (octets, 0xff, 32);
  g_assert_cmphex (reroute_crc32c (0, octets, 32), ==, 0x62a8ab43);
  for (guint i = 0; i < sizeof octets; i++)
    octets[i] = (guint8) i;
  g_assert_cmphex (reroute_crc32c (0, octets, 32), ==, 0x46dd794e);
  g_assert_cmphex (reroute_crc32c (0, "123456789", 9), ==, 0xe3069283);
  /* In any pieces, and by either way. */
  for (guint cut = 0; cut <= sizeof octets; cut++)
    {
      guint32 crc = reroute_crc32c (0, octets, cut);
      crc = reroute_crc32c (crc, octets + cut, sizeof octets - cut);
      g_assert_cmphex (crc, ==, reroute_crc32c (0, octets, sizeof octets));
      crc = reroute_crc32c_by_table (0, octets, cut);
      g_assert_cmphex (crc, ==, reroute_crc32c (0, octets, cut));
    }
}

/* What is long goes through the instruction in streams side by side. */
static void
test_crc32c_of_much (void)
{
  guint8 octets[4000];
  g_autoptr (GRand) chance = g_rand_new_with_seed (3720);

  for (guint i = 0; i < sizeof octets; i++)
    octets[i] = (guint8) g_rand_int (chance);
  for (guint length = 0; length <= sizeof octets; length += 1 + length / 97)
    {
      guint32 start = g_rand_int (chance);
      const guint8 *from = octets + sizeof octets - length;
      g_assert_cmphex (
        reroute_crc32c (start, from, length), ==, reroute_crc32c_by_table (start, from, length));
    }
}

static void
test_message_id (void)
{
  static const struct
  {
    const char *text;
    guint64 id; /* 0: refused */
  } rows[] = {
    { "1", 1 },
    { "1a2b3c4d", 0x1a2b3c4d },
    { "ffffffffffffffff", G_MAXUINT64 },
    { "", 0 },
    { "0", 0 },
    { "-1", 0 },
    { "+1", 0 },
    { " 1", 0 },
    { "1 ", 0 },
    { "0x1", 0 },
    { "1g", 0 },
    { "10000000000000000", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      guint64 id = 0;
      gboolean is_valid = reroute_message_id_from_string (rows[i].text, &id);
      g_assert_cmpint (is_valid, ==, rows[i].id != 0);
      g_assert_cmpuint (id, ==, rows[i].id);
      if (!is_valid)
        continue;
      g_autofree char *text = reroute_message_id_to_string (id);
      g_assert_cmpstr (text, ==, rows[i].text);
    }
}

/* wire-defaults.md, regression 5: NUL or line break in an envelope record. */
static void
test_envelope_refuses_line_breaks (void)
{
  static const char *const bad[] = { "a\nb", "a\rb", "a\r\nRCPT TO:<x@y>" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteEnvelope) envelope = spool_fixture_envelope (1);
      g_free (envelope->helo);
      envelope->helo = g_strdup (bad[i]);
      g_assert_null (reroute_envelope_encode (envelope, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
      g_clear_error (&error);
      g_free (envelope->reverse_path);
      envelope->reverse_path = g_steal_pointer (&envelope->helo);
      envelope->helo = g_strdup ("good");
      g_assert_null (reroute_envelope_encode (envelope, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
    }
}

/* The same octets on their way in: every text field with a bad octet in it, and every cut. */
static void
test_envelope_load_refuses (void)
{
  static const char *const texts[] = { "client.example.org", "sender@example.org", "user1@test" };
  static const char bad[] = { '\0', '\r', '\n' };
  g_autoptr (RerouteEnvelope) envelope = spool_fixture_envelope (2);
  g_autoptr (GByteArray) octets = reroute_envelope_encode (envelope, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    for (gsize j = 0; j < sizeof bad; j++)
      {
        g_autoptr (GError) error = NULL;
        guint8 *place = memmem (octets->data, octets->len, texts[i], strlen (texts[i]));
        g_assert_nonnull (place);
        guint8 kept = place[3];
        place[3] = (guint8) bad[j];
        g_assert_null (reroute_envelope_decode (octets->data, octets->len, &error));
        g_assert_nonnull (error);
        place[3] = kept;
      }
  guint n_good = 0;
  for (gsize length = 0; length <= octets->len; length++)
    {
      g_autoptr (RerouteEnvelope) loaded = reroute_envelope_decode (octets->data, length, NULL);
      n_good += loaded != NULL;
    }
  /* Whole, and cut exactly behind the first recipient. */
  g_assert_cmpuint (n_good, ==, 2);
}

static void
assert_envelope (const RerouteEnvelope *envelope, guint n)
{
  g_autofree char *ip = reroute_ip_to_string (&envelope->client_ip);

  g_assert_cmpstr (envelope->reverse_path, ==, "sender@example.org");
  g_assert_cmpstr (envelope->helo, ==, "client.example.org");
  g_assert_cmpstr (ip, ==, "192.0.2.1");
  g_assert_true (envelope->body_8bitmime);
  g_assert_false (envelope->smtputf8);
  g_assert_true (envelope->client_permitted);
  g_assert_cmpuint (envelope->recipients->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      const RerouteRecipient *recipient = reroute_envelope_get_recipient (envelope, i);
      g_autofree char *text = g_strdup_printf ("user%u@test.com", i);
      g_assert_cmpstr (recipient->address->text, ==, text);
      g_assert_cmpint (recipient->admitted_by.page, ==, REROUTE_PAGE_CONNECTIONS);
      g_assert_cmpint (recipient->admitted_by.id, ==, 100 + i);
    }
}

static const gsize sizes[] = {
  0,
  1,
  2048,
  REROUTE_LIMIT_PART_OCTETS - 1,
  REROUTE_LIMIT_PART_OCTETS,
  REROUTE_LIMIT_PART_OCTETS + 1,
  2 * REROUTE_LIMIT_PART_OCTETS,
  2 * REROUTE_LIMIT_PART_OCTETS + 1,
  5 * 1024 * 1024 + 17, /* over more than one segment */
};

static void
test_round_trip (void)
{
  SpoolFixture fixture;
  guint64 ids[G_N_ELEMENTS (sizes)];

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) content = spool_fixture_content (i, sizes[i]);
      g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, i + 1, content, NULL);
      g_assert_nonnull (message);
      ids[i] = message->id;
      g_autoptr (GBytes) kept = reroute_spool_get_content (fixture.spool, message);
      g_assert_true ((kept != NULL) == (sizes[i] <= REROUTE_LIMIT_PART_OCTETS));
      if (kept != NULL)
        g_assert_true (g_bytes_equal (kept, content));
      spool_fixture_assert_content (fixture.spool, message, content);
    }
  spool_fixture_close (&fixture);

  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, G_N_ELEMENTS (sizes));
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) content = spool_fixture_content (i, sizes[i]);
      RerouteSpoolEntry *entry = spool_fixture_find (&fixture, ids[i]);
      g_assert_nonnull (entry);
      assert_envelope (reroute_message_unpack (entry->message), i + 1);
      spool_fixture_assert_content (fixture.spool, entry->message, content);
      g_assert_cmpuint (entry->n_verdicts, ==, i + 1);
      const RerouteVerdict *verdict = &entry->verdicts[i];
      g_assert_cmpuint (verdict->recipient, ==, i);
      g_assert_cmpint (verdict->state, ==, REROUTE_RECIPIENT_WAITING);
      g_assert_cmpint (verdict->due_us, ==, 0);
      g_assert_cmpuint (verdict->tries, ==, 0);
      g_assert_null (verdict->reply);
    }
  spool_fixture_clear (&fixture);
}

static void
test_verdicts (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, 2000);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (RerouteMessage) one = spool_fixture_commit (&fixture, 3, content, NULL);
  g_autoptr (RerouteMessage) two = spool_fixture_commit (&fixture, 1, content, NULL);
  spool_fixture_record (&fixture, one, 0, REROUTE_RECIPIENT_SENT, "250 2.0.0 ok");
  spool_fixture_record (&fixture, one, 1, REROUTE_RECIPIENT_WAITING, "451 4.7.1 later\r\nQUIT");
  spool_fixture_record (&fixture, one, 2, REROUTE_RECIPIENT_HELD, NULL);
  spool_fixture_record (&fixture, two, 0, REROUTE_RECIPIENT_SENT, "250 ok");
  spool_fixture_close (&fixture);

  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  RerouteSpoolEntry *entry = spool_fixture_find (&fixture, one->id);
  g_assert_nonnull (entry);
  const RerouteVerdict *verdicts = entry->verdicts;
  g_assert_cmpint (verdicts[0].state, ==, REROUTE_RECIPIENT_SENT);
  g_assert_cmpstr (verdicts[0].reply, ==, "250 2.0.0 ok");
  g_assert_cmpint (verdicts[1].state, ==, REROUTE_RECIPIENT_WAITING);
  g_assert_cmpint (verdicts[1].due_us, ==, 1234567890123456);
  g_assert_cmpuint (verdicts[1].tries, ==, 3);
  g_assert_cmpuint (verdicts[1].flags, ==, 1);
  g_assert_cmpstr (verdicts[1].reply, ==, "451 4.7.1 later  QUIT");
  g_assert_cmpint (verdicts[2].state, ==, REROUTE_RECIPIENT_HELD);
  g_assert_null (verdicts[2].reply);

  /* What is final stays final; the rest ends it. */
  spool_fixture_record (&fixture, entry->message, 0, REROUTE_RECIPIENT_WAITING, "451 no");
  spool_fixture_record (&fixture, entry->message, 1, REROUTE_RECIPIENT_FAILED, "550 no");
  RerouteSpoolFigures figures;
  reroute_spool_get_figures (fixture.spool, &figures);
  g_assert_cmpuint (figures.messages, ==, 1);
  spool_fixture_record (&fixture, entry->message, 2, REROUTE_RECIPIENT_DELETED, NULL);
  reroute_spool_get_figures (fixture.spool, &figures);
  g_assert_cmpuint (figures.messages, ==, 0);
  g_autoptr (GError) error = NULL;
  reroute_spool_release_content (fixture.spool, entry->message);
  g_assert_null (reroute_spool_load (fixture.spool, entry->message, 0, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 0);
  spool_fixture_clear (&fixture);
}

static void
test_refused_envelope (void)
{
  SpoolFixture fixture;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = spool_fixture_content (1, 10);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_assert_null (spool_fixture_commit (&fixture, 0, content, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 0);
  spool_fixture_clear (&fixture);
}

static void
test_discard (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, 3 * REROUTE_LIMIT_PART_OCTETS);
  g_autoptr (GBytes) small = spool_fixture_content (2, 10);

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  RerouteSpoolDraft *draft = reroute_spool_begin (fixture.spool);
  reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  reroute_spool_draft_discard (draft);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, small, NULL);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  g_assert_nonnull (spool_fixture_find (&fixture, message->id));
  spool_fixture_clear (&fixture);
}

static void
resume_cb (gpointer draft, gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

/* A sender that is faster than the disk is paused, and told when to go on. */
static void
test_resume (void)
{
  SpoolFixture fixture;
  g_autoptr (GBytes) content = spool_fixture_content (1, 8 * REROUTE_LIMIT_PART_OCTETS);
  gint n_resumed = 0;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  RerouteSpoolDraft *draft = reroute_spool_begin (fixture.spool);
  reroute_spool_draft_set_resume (draft, resume_cb, &n_resumed);
  gboolean was_over = FALSE;
  while (!was_over)
    {
      reroute_spool_draft_append (
        draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
      was_over = reroute_spool_draft_is_behind (draft);
    }
  gint64 end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  while (g_atomic_int_get (&n_resumed) == 0 && g_get_monotonic_time () < end_us)
    g_thread_yield ();
  g_assert_cmpint (g_atomic_int_get (&n_resumed), >, 0);
  g_assert_false (reroute_spool_draft_has_failed (draft));
  reroute_spool_draft_discard (draft);
  spool_fixture_clear (&fixture);
}

/* Ids never repeat, also those of drafts that came to nothing. */
static void
test_ids (void)
{
  SpoolFixture fixture;
  guint64 last = 0;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  for (guint i = 0; i < 5; i++)
    {
      spool_fixture_open (&fixture);
      for (guint j = 0; j < 3; j++)
        {
          RerouteSpoolDraft *draft = reroute_spool_begin (fixture.spool);
          g_assert_cmpuint (reroute_spool_draft_get_id (draft), >, last);
          last = reroute_spool_draft_get_id (draft);
          reroute_spool_draft_discard (draft);
        }
      spool_fixture_close (&fixture);
    }
  spool_fixture_clear (&fixture);
}

/* What was asked of the writer holds a message no longer than that, though nobody asks for more. */
static void
test_idle (void)
{
  const RerouteVerdict verdict = { 0, REROUTE_RECIPIENT_WAITING, 1234567890123456, 1, 0, "450 No" };
  SpoolFixture fixture;
  g_autoptr (GBytes) content = g_bytes_new_static ("one\r\n", 5);
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  g_assert_nonnull (message);
  for (guint i = 0; i < N_VERDICTS; i++)
    reroute_spool_record (fixture.spool, message, &verdict, 1, NULL, NULL);
  while (!g_atomic_ref_count_compare (&message->ref_count, OURS_AND_THE_INDEX) &&
         g_get_monotonic_time () < end_us)
    g_usleep (1000);
  g_assert_true (g_atomic_ref_count_compare (&message->ref_count, OURS_AND_THE_INDEX));
  spool_fixture_clear (&fixture);
}

static void
test_token (void)
{
  SpoolFixture fixture;
  struct stat status;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autofree char *token = g_strdup (reroute_spool_get_token (fixture.spool));
  g_autofree char *path = g_build_filename (fixture.directory, "token", NULL);
  g_assert_cmpuint (strlen (token), ==, 16);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  spool_fixture_close (&fixture);
  spool_fixture_open (&fixture);
  g_assert_cmpstr (reroute_spool_get_token (fixture.spool), ==, token);
  spool_fixture_clear (&fixture);
}

static void
assert_open_fails (const char *directory, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_spool_open (directory, SEGMENT_OCTETS, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_directory (void)
{
  SpoolFixture fixture;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  g_autofree char *missing = g_build_filename (fixture.directory, "missing", NULL);
  g_autofree char *file = g_build_filename (fixture.directory, "file", NULL);
  g_autofree char *open_to_all = g_build_filename (fixture.directory, "open", NULL);
  g_autofree char *below = g_build_filename (open_to_all, "below", NULL);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));

  spool_fixture_open (&fixture);
  assert_open_fails (fixture.directory, "in use by another relay");
  spool_fixture_close (&fixture);
  assert_open_fails (missing, "does not exist");
  assert_open_fails (file, "is not a directory");
  g_assert_cmpint (g_chmod (fixture.directory, 0770), ==, 0);
  assert_open_fails (fixture.directory, "writable by its owner alone");
  g_assert_cmpint (g_chmod (fixture.directory, 0500), ==, 0);
  if (g_access (fixture.directory, W_OK) != 0)
    assert_open_fails (fixture.directory, "is not writable");
  g_assert_cmpint (g_chmod (fixture.directory, 0700), ==, 0);

  g_assert_cmpint (g_mkdir (open_to_all, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (below, 0700), ==, 0);
  g_assert_cmpint (g_chmod (open_to_all, 0707), ==, 0);
  assert_open_fails (below, "where everyone may write");
  g_rmdir (below);
  g_rmdir (open_to_all);
  spool_fixture_clear (&fixture);
}

#define N_THREADS 8
#define N_COMMITS 200

typedef struct
{
  SpoolFixture *fixture;
  guint number;
  GArray *ids;
} Committer;

static gpointer
commit_many (gpointer data)
{
  Committer *self = data;

  for (guint i = 0; i < N_COMMITS; i++)
    {
      g_autoptr (GBytes) content =
                   spool_fixture_content (self->number * N_COMMITS + i, 100 + 37 * i);
      g_autoptr (RerouteMessage) message =
                   spool_fixture_commit (self->fixture, 1 + i % 3, content, NULL);
      g_assert_nonnull (message);
      g_array_append_val (self->ids, message->id);
    }
  return NULL;
}

static void
test_threads (void)
{
  SpoolFixture fixture;
  Committer committers[N_THREADS];
  GThread *threads[N_THREADS];
  RerouteSpoolFigures figures;

  spool_fixture_init (&fixture, 1024 * 1024);
  spool_fixture_open (&fixture);
  for (guint i = 0; i < N_THREADS; i++)
    {
      committers[i] = (Committer){ &fixture, i, g_array_new (FALSE, FALSE, sizeof (guint64)) };
      threads[i] = g_thread_new ("committer", commit_many, &committers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  reroute_spool_get_figures (fixture.spool, &figures);
  g_assert_true (figures.writable);
  g_assert_cmpuint (figures.commits, ==, N_THREADS * N_COMMITS);
  g_assert_cmpuint (figures.messages, ==, N_THREADS * N_COMMITS);
  g_assert_cmpuint (figures.octets, >=, 1024 * 1024);
  g_assert_cmpuint (figures.syncs, >, 0);
  g_assert_cmpuint (figures.syncs, <=, N_THREADS * N_COMMITS + 1);
  spool_fixture_close (&fixture);

  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, N_THREADS * N_COMMITS);
  for (guint i = 0; i < N_THREADS; i++)
    {
      for (guint j = 0; j < N_COMMITS; j += 17)
        {
          g_autoptr (GBytes) content = spool_fixture_content (i * N_COMMITS + j, 100 + 37 * j);
          RerouteSpoolEntry *entry =
            spool_fixture_find (&fixture, g_array_index (committers[i].ids, guint64, j));
          g_assert_nonnull (entry);
          spool_fixture_assert_content (fixture.spool, entry->message, content);
        }
      g_array_unref (committers[i].ids);
    }
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/crc32c", test_crc32c);
  g_test_add_func ("/spool/crc32c-of-much", test_crc32c_of_much);
  g_test_add_func ("/spool/message-id", test_message_id);
  g_test_add_func ("/spool/envelope-refuses-line-breaks", test_envelope_refuses_line_breaks);
  g_test_add_func ("/spool/envelope-load-refuses", test_envelope_load_refuses);
  g_test_add_func ("/spool/round-trip", test_round_trip);
  g_test_add_func ("/spool/verdicts", test_verdicts);
  g_test_add_func ("/spool/refused-envelope", test_refused_envelope);
  g_test_add_func ("/spool/discard", test_discard);
  g_test_add_func ("/spool/resume", test_resume);
  g_test_add_func ("/spool/ids", test_ids);
  g_test_add_func ("/spool/idle", test_idle);
  g_test_add_func ("/spool/token", test_token);
  g_test_add_func ("/spool/directory", test_directory);
  g_test_add_func ("/spool/threads", test_threads);
  return g_test_run ();
}
