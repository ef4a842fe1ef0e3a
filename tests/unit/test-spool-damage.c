/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-damage.c - a torn tail is cut off in silence, damage is set aside and said
 */

#include "config.h"

#include "common/error.h"
#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"
#include "tests/unit/stride.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_OCTETS (256 * 1024)
#define N_GROUPS 8
#define GROUP 5
#define LARGE_OCTETS (600 * 1024) /* two parts and a rest */
#define N_RECORDS_AT 16           /* in the payload of a batch record */
#define RESUME_AT 128             /* in a record, where another is put */

/* A journal with messages, several a batch, some verdicts and a large one, and a directory to spoil
 * a copy of it in. */
typedef struct
{
  SpoolFixture original, copy;
  guint64 ids[N_GROUPS * GROUP + 1];
  gsize octets[N_GROUPS * GROUP + 1];
  guint n;
  GArray *records;
  guint64 last_synced; /* what the last batch says */
} Journal;

typedef struct
{
  GMutex lock;
  GCond cond;
  guint n_waiting;
} Group;

static void
committed_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  Group *group = user_data;

  g_assert_no_error (error);
  g_mutex_lock (&group->lock);
  group->n_waiting--;
  g_cond_signal (&group->cond);
  g_mutex_unlock (&group->lock);
}

static void
commit_group (Journal *self)
{
  Group group = { .n_waiting = GROUP };

  g_mutex_init (&group.lock);
  g_cond_init (&group.cond);
  for (guint i = 0; i < GROUP; i++)
    {
      guint n = self->n++;
      RerouteSpoolDraft *draft = reroute_spool_begin (self->original.spool);
      self->ids[n] = reroute_spool_draft_get_id (draft);
      self->octets[n] = 50 + 613 * i;
      g_autoptr (GBytes) content = spool_fixture_content (n, self->octets[n]);
      reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), self->octets[n]);
      reroute_spool_commit (
        self->original.spool, draft, spool_fixture_envelope (1), committed_cb, &group);
    }
  g_mutex_lock (&group.lock);
  while (group.n_waiting > 0)
    g_cond_wait (&group.cond, &group.lock);
  g_mutex_unlock (&group.lock);
  g_mutex_clear (&group.lock);
  g_cond_clear (&group.cond);
}

static void
journal_init (Journal *self)
{
  *self = (Journal){ 0 };
  spool_fixture_init (&self->original, SEGMENT_OCTETS);
  spool_fixture_init (&self->copy, SEGMENT_OCTETS);
  spool_fixture_open (&self->original);
  for (guint i = 0; i < N_GROUPS; i++)
    {
      commit_group (self);
      if (i != N_GROUPS / 2)
        continue;
      self->octets[self->n] = LARGE_OCTETS;
      g_autoptr (GBytes) content = spool_fixture_content (self->n, LARGE_OCTETS);
      g_autoptr (RerouteMessage) message = spool_fixture_commit (&self->original, 1, content, NULL);
      spool_fixture_record (
        &self->original, message, 0, REROUTE_RECIPIENT_WAITING, "451 4.0.0 later");
      self->ids[self->n++] = message->id;
    }
  spool_fixture_close (&self->original);
  self->records = spool_fixture_list_records (self->original.directory);
  const SpoolFixtureRecord *last =
    &g_array_index (self->records, SpoolFixtureRecord, self->records->len - 1);
  g_assert_cmpuint (last->type, ==, REROUTE_RECORD_BATCH);
  self->last_synced =
    g_array_index (self->records, SpoolFixtureRecord, self->records->len - 2).sequence;
}

static void
journal_clear (Journal *self)
{
  g_array_unref (self->records);
  spool_fixture_clear (&self->original);
  spool_fixture_clear (&self->copy);
}

/* Takes a fresh copy; @path (of the original) as it is called there. */
static char *
take_copy (Journal *self, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  spool_fixture_copy_directory (self->original.directory, self->copy.directory);
  return g_build_filename (self->copy.directory, name, NULL);
}

/* Everything in a directory, with times, as one checksum. */
static char *
get_fingerprint (const char *directory)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GPtrArray) paths = spool_fixture_list (directory, "");

  for (guint i = 0; i < paths->len; i++)
    {
      const char *path = g_ptr_array_index (paths, i);
      g_autofree char *octets = NULL;
      gsize length;
      struct stat status;
      g_assert_cmpint (g_stat (path, &status), ==, 0);
      g_assert_true (g_file_get_contents (path, &octets, &length, NULL));
      g_checksum_update (checksum, (const guchar *) path, -1);
      g_checksum_update (checksum, (const guchar *) octets, (gssize) length);
      g_checksum_update (checksum, (const guchar *) &status.st_mtim, sizeof status.st_mtim);
      g_checksum_update (checksum, (const guchar *) &status.st_mode, sizeof status.st_mode);
    }
  return g_strdup (g_checksum_get_string (checksum));
}

/* Whether the copy is sound; asserts that looking changed nothing. */
static gboolean
verify_copy (Journal *self, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) report = g_string_new (NULL);
  g_autofree char *before = get_fingerprint (self->copy.directory);

  gboolean is_sound = reroute_spool_verify (self->copy.directory, report, &error);
  g_autofree char *after = get_fingerprint (self->copy.directory);
  g_assert_cmpstr (before, ==, after);
  g_assert_true (is_sound == (error == NULL));
  if (!is_sound)
    g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  if (expected != NULL)
    g_assert_nonnull (strstr (report->str, expected));
  g_assert_null (strstr (report->str, " in damaged-"));
  return is_sound;
}

/* All but the message @lost are there and whole.  @n: how many of them, from the first */
static void
check_messages (Journal *self, guint n, guint64 lost)
{
  guint n_found = 0;

  for (guint i = 0; i < n; i++)
    {
      RerouteSpoolEntry *entry = spool_fixture_find (&self->copy, self->ids[i]);
      g_assert_true ((entry == NULL) == (self->ids[i] == lost));
      if (entry == NULL)
        continue;
      g_autoptr (GBytes) content = spool_fixture_content (i, self->octets[i]);
      spool_fixture_assert_content (self->copy.spool, entry->message, content);
      n_found++;
    }
  g_assert_cmpuint (self->copy.entries->len, ==, n_found);
}

/* The messages whose closing record stands before @offset of the file that @path is a copy of. */
static guint
count_before (const Journal *self, const char *path, gsize offset)
{
  guint n = 0;

  for (guint i = 0; i < self->records->len; i++)
    {
      const SpoolFixtureRecord *record = &g_array_index (self->records, SpoolFixtureRecord, i);
      int order = strcmp (record->path, path);
      n += record->type == REROUTE_RECORD_MESSAGE &&
           (order < 0 || (order == 0 && record->offset + record->octets <= offset));
    }
  return n;
}

/* A file that ends at @offset, all later ones gone: as after a crash, but never acknowledged. */
static void
cut_at (Journal *self, const char *path, gsize offset)
{
  g_autofree char *copy = take_copy (self, path);
  g_autoptr (GPtrArray) paths = spool_fixture_list (self->copy.directory, "journal-");

  for (guint i = 0; i < paths->len; i++)
    if (strcmp (g_ptr_array_index (paths, i), copy) > 0)
      g_unlink (g_ptr_array_index (paths, i));
  g_assert_cmpint (truncate (copy, (off_t) offset), ==, 0);
  g_assert_true (verify_copy (self, NULL));
  spool_fixture_open (&self->copy);
  check_messages (self, count_before (self, path, offset), 0);
  /* It goes on: a new message is there after one more start. */
  g_autoptr (GBytes) content = spool_fixture_content (9999, 300);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&self->copy, 1, content, NULL);
  g_assert_nonnull (message);
  spool_fixture_close (&self->copy);
  g_assert_true (verify_copy (self, NULL));
  spool_fixture_open (&self->copy);
  g_assert_nonnull (spool_fixture_find (&self->copy, message->id));
  g_assert_cmpuint (self->copy.entries->len, ==, count_before (self, path, offset) + 1);
  spool_fixture_close (&self->copy);
}

static void
test_torn_tail (void)
{
  Journal journal;
  GRand *random = g_rand_new_with_seed (42);

  journal_init (&journal);
  for (guint i = 0; i < journal.records->len; i += test_get_stride ())
    {
      const SpoolFixtureRecord *record = &g_array_index (journal.records, SpoolFixtureRecord, i);
      cut_at (&journal, record->path, record->offset);
      cut_at (&journal, record->path, record->offset + record->octets);
      cut_at (&journal,
              record->path,
              record->offset + (gsize) g_rand_int_range (random, 1, (gint) record->octets));
    }
  g_rand_free (random);
  journal_clear (&journal);
}

static void
flip_bit (const char *path, gsize offset, guint bit)
{
  FILE *file = g_fopen (path, "r+b");
  int octet;

  g_assert_nonnull (file);
  g_assert_cmpint (fseek (file, (long) offset, SEEK_SET), ==, 0);
  octet = fgetc (file);
  g_assert_cmpint (fseek (file, (long) offset, SEEK_SET), ==, 0);
  fputc (octet ^ (1 << bit), file);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* Opens the spoiled copy; @n_damages warnings, and as many files. */
static void
open_damaged (Journal *self, guint n_damages)
{
  for (guint i = 0; i < n_damages; i++)
    g_test_expect_message (
      "reroute-spool", G_LOG_LEVEL_WARNING, "the spool's segment * is damaged*");
  spool_fixture_open (&self->copy);
  g_test_assert_expected_messages ();
  g_autoptr (GPtrArray) kept = spool_fixture_list (self->copy.directory, "damaged-");
  g_assert_cmpuint (kept->len, ==, n_damages);
}

static void
spoil_record (Journal *self, const SpoolFixtureRecord *record, GRand *random)
{
  g_autofree char *copy = take_copy (self, record->path);
  gboolean is_known = record->sequence <= self->last_synced;
  gboolean is_lost = record->type == REROUTE_RECORD_MESSAGE || record->type == REROUTE_RECORD_PART;
  guint n_damages = is_known ? 1 : 0;

  /* The closing record of a content whose part is lost is of no use: it is kept as well. */
  n_damages += record->type == REROUTE_RECORD_PART;
  flip_bit (copy,
            record->offset + (gsize) g_rand_int_range (random, 0, (gint) record->octets),
            (guint) g_rand_int_range (random, 0, 8));
  g_assert_true (verify_copy (self, is_known ? "is damaged at octet" : NULL) == !is_known);
  open_damaged (self, n_damages);
  check_messages (self, self->n, is_lost ? record->id : 0);
  spool_fixture_close (&self->copy);
  /* Said once. */
  spool_fixture_open (&self->copy);
  check_messages (self, self->n, is_lost ? record->id : 0);
  spool_fixture_close (&self->copy);
}

static void
test_bit_flips (void)
{
  Journal journal;
  GRand *random = g_rand_new_with_seed (4711);

  journal_init (&journal);
  for (guint i = 0; i < journal.records->len; i += test_get_stride ())
    for (guint j = 0; j < 3; j++)
      spoil_record (&journal, &g_array_index (journal.records, SpoolFixtureRecord, i), random);
  g_rand_free (random);
  journal_clear (&journal);
}

/* A whole block that reads as zeros, as a write that the disk lost. */
static void
test_lost_blocks (void)
{
  static const guint8 zeros[REROUTE_SPOOL_BLOCK_OCTETS];
  Journal journal;

  journal_init (&journal);
  for (guint i = 1; i + 2 < journal.records->len; i++)
    {
      const SpoolFixtureRecord *record = &g_array_index (journal.records, SpoolFixtureRecord, i);
      if (record->type != REROUTE_RECORD_BATCH)
        continue;
      g_autofree char *copy = take_copy (&journal, record->path);
      FILE *file = g_fopen (copy, "r+b");
      g_assert_cmpint (fseek (file, (long) record->offset, SEEK_SET), ==, 0);
      g_assert_cmpuint (fwrite (zeros, 1, sizeof zeros, file), ==, sizeof zeros);
      fclose (file);
      g_assert_false (verify_copy (&journal, "records up to number"));
      g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*damaged*");
      if (i + 1 < journal.records->len && record[1].type == REROUTE_RECORD_PART)
        g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*parts of the content*");
      spool_fixture_open (&journal.copy);
      g_test_assert_expected_messages ();
      for (guint j = 0; j < journal.copy.entries->len; j++)
        g_assert_nonnull (g_ptr_array_index (journal.copy.entries, j));
      g_assert_cmpuint (journal.copy.entries->len + GROUP, >=, journal.n);
      spool_fixture_close (&journal.copy);
    }
  journal_clear (&journal);
}

/* The octets of files one after the other; (transfer full) */
static GBytes *
read_files (const GPtrArray *paths)
{
  GByteArray *all = g_byte_array_new ();

  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *octets = NULL;
      gsize length;
      g_assert_true (g_file_get_contents (paths->pdata[i], &octets, &length, NULL));
      g_byte_array_append (all, (const guint8 *) octets, (guint) length);
    }
  return g_byte_array_free_to_bytes (all);
}

/* The disk does not give back the last batch after the relay was killed: that is not unwritten.  It
   is told, nothing is written over it, and the file stays when nothing else in it is needed. */
static void
test_unreadable_block (gconstpointer restarts)
{
  Journal journal = { 0 };
  g_autoptr (GBytes) content = spool_fixture_content (1, 300);

  spool_fixture_init (&journal.original, SEGMENT_OCTETS);
  spool_fixture_init (&journal.copy, SEGMENT_OCTETS);
  spool_fixture_open (&journal.original);
  for (guint i = 0; i < 3; i++)
    reroute_message_unref (spool_fixture_commit (&journal.original, 1, content, NULL));
  spool_fixture_copy_directory (journal.original.directory, journal.copy.directory);
  journal.records = spool_fixture_list_records (journal.copy.directory);
  const SpoolFixtureRecord *last =
    &g_array_index (journal.records, SpoolFixtureRecord, journal.records->len - 1);
  g_autoptr (GPtrArray) paths = spool_fixture_list (journal.copy.directory, "journal-");
  g_autoptr (GBytes) before = read_files (paths);

  spool_faults_refuse_reads (
    last->path, last->offset / REROUTE_SPOOL_BLOCK_OCTETS * REROUTE_SPOOL_BLOCK_OCTETS);
  g_assert_false (verify_copy (&journal, "the disk does not give them back"));
  open_damaged (&journal, 1);
  g_assert_cmpuint (journal.copy.entries->len, ==, 2);
  g_assert_null (spool_fixture_find (&journal.copy, last->id));
  spool_faults_refuse_reads (NULL, 0);
  g_autoptr (GBytes) opened = read_files (paths);
  g_assert_true (g_bytes_equal (before, opened));
  if (restarts != NULL)
    {
      spool_fixture_close (&journal.copy);
      spool_fixture_open (&journal.copy);
    }
  for (guint i = 0; i < 2; i++)
    {
      const RerouteSpoolEntry *entry = g_ptr_array_index (journal.copy.entries, i);
      spool_fixture_record (&journal.copy, entry->message, 0, REROUTE_RECIPIENT_SENT, "250 ok");
    }
  spool_fixture_close (&journal.copy);
  /* The segment, and the empty file that notes the block. */
  g_autoptr (GPtrArray) kept = spool_fixture_list (journal.copy.directory, "damaged-");
  g_assert_cmpuint (kept->len, ==, 2);
  g_autoptr (GBytes) after = read_files (kept);
  g_assert_true (g_bytes_equal (before, after));
  journal_clear (&journal);
}

/* The record that opens each segment is spoiled: a later one tells what was synced, and nothing
   but those records is missing. */
static void
test_first_batches (void)
{
  Journal journal;

  journal_init (&journal);
  for (guint i = 0; i < journal.records->len; i++)
    {
      const SpoolFixtureRecord *record = &g_array_index (journal.records, SpoolFixtureRecord, i);
      if (record->type != REROUTE_RECORD_BATCH || record->offset != REROUTE_SPOOL_BLOCK_OCTETS)
        continue;
      g_assert_true (spool_fixture_forge (record->path, record, N_RECORDS_AT, 0));
      g_test_expect_message (
        "reroute-spool", G_LOG_LEVEL_WARNING, "*records up to number*are lost*");
    }
  g_autofree char *copy G_GNUC_UNUSED =
    take_copy (&journal, g_array_index (journal.records, SpoolFixtureRecord, 0).path);
  spool_fixture_open (&journal.copy);
  g_test_assert_expected_messages ();
  check_messages (&journal, journal.n, 0);
  journal_clear (&journal);
}

/* The last record of the file of @record that fits into it. */
static const SpoolFixtureRecord *
find_small_one (const Journal *journal, const SpoolFixtureRecord *record)
{
  const SpoolFixtureRecord *found = NULL;

  for (guint i = 0; i < journal->records->len; i++)
    {
      const SpoolFixtureRecord *other = &g_array_index (journal->records, SpoolFixtureRecord, i);
      if (g_str_equal (other->path, record->path) && other->octets * 2 < record->octets &&
          other->type == REROUTE_RECORD_MESSAGE && other->offset > record->offset)
        found = other;
    }
  return found;
}

/* A later record also stands in the middle of an earlier one, as a disk leaves it that wrote to a
   wrong place: what lies between their numbers is not lost for that. */
static void
test_misplaced_record (void)
{
  Journal journal;
  guint i = 0;

  journal_init (&journal);
  const SpoolFixtureRecord *record = (const SpoolFixtureRecord *) (void *) journal.records->data;
  while (record->type != REROUTE_RECORD_MESSAGE || record->octets < REROUTE_SPOOL_BLOCK_OCTETS / 2)
    record = &g_array_index (journal.records, SpoolFixtureRecord, ++i);
  const SpoolFixtureRecord *other = find_small_one (&journal, record);
  g_assert_nonnull (other);
  g_autofree char *copy = take_copy (&journal, record->path);
  g_autofree char *octets = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (copy, &octets, &length, NULL));
  memcpy (octets + record->offset + RESUME_AT, octets + other->offset, other->octets);
  g_assert_true (
    g_file_set_contents_full (copy, octets, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  for (guint start = 0; start < 2; start++)
    {
      if (start == 0)
        g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*records up to number*");
      spool_fixture_open (&journal.copy);
      g_test_assert_expected_messages ();
      check_messages (&journal, journal.n, record->id);
      spool_fixture_close (&journal.copy);
    }
  journal_clear (&journal);
}

static void
test_missing_segment (void)
{
  Journal journal;

  journal_init (&journal);
  g_autoptr (GPtrArray) paths = spool_fixture_list (journal.original.directory, "journal-");
  g_assert_cmpuint (paths->len, >=, 3);
  g_autofree char *copy = take_copy (&journal, g_ptr_array_index (paths, 1));
  g_assert_cmpint (g_unlink (copy), ==, 0);
  g_assert_false (verify_copy (&journal, "are lost"));
  g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*records up to number*are lost*");
  g_test_expect_message ("reroute-spool", G_LOG_LEVEL_WARNING, "*parts of the content*are lost*");
  spool_fixture_open (&journal.copy);
  g_test_assert_expected_messages ();
  g_assert_nonnull (spool_fixture_find (&journal.copy, journal.ids[0]));
  g_assert_nonnull (spool_fixture_find (&journal.copy, journal.ids[journal.n - 1]));
  journal_clear (&journal);
}

/* With the checksum that belongs to it. */
static void
set_format (const char *path, guint32 format)
{
  guint8 block[REROUTE_SPOOL_BLOCK_OCTETS];
  FILE *file = g_fopen (path, "r+b");

  g_assert_cmpuint (fread (block, 1, sizeof block, file), ==, sizeof block);
  block[8] = (guint8) format;
  memset (block + 12, 0, 4);
  guint32 crc = GUINT32_TO_LE (reroute_crc32c (0, block, 40));
  memcpy (block + 12, &crc, sizeof crc);
  rewind (file);
  g_assert_cmpuint (fwrite (block, 1, sizeof block, file), ==, sizeof block);
  fclose (file);
}

static void
test_newer_format (void)
{
  Journal journal;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) report = g_string_new (NULL);
  g_autofree char *wanted = g_strdup_printf ("format %u,", REROUTE_SPOOL_VERSION + 1);

  journal_init (&journal);
  const SpoolFixtureRecord *first = &g_array_index (journal.records, SpoolFixtureRecord, 0);
  g_autofree char *copy = take_copy (&journal, first->path);
  set_format (copy, REROUTE_SPOOL_VERSION + 1);

  g_autofree char *before = get_fingerprint (journal.copy.directory);
  g_assert_null (reroute_spool_open (journal.copy.directory, SEGMENT_OCTETS, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_assert_nonnull (strstr (error->message, wanted));
  g_clear_error (&error);
  g_assert_false (reroute_spool_verify (journal.copy.directory, report, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_autofree char *after = get_fingerprint (journal.copy.directory);
  g_assert_cmpstr (before, ==, after);
  journal_clear (&journal);
}

/* A spool that an older version left behind is taken over whole.  Nothing is added to its files:
   the older version would read them, and not what is new in them. */
static void
test_older_format (void)
{
  Journal journal;

  journal_init (&journal);
  const SpoolFixtureRecord *first = &g_array_index (journal.records, SpoolFixtureRecord, 0);
  g_autofree char *copy G_GNUC_UNUSED = take_copy (&journal, first->path);
  g_autoptr (GPtrArray) paths = spool_fixture_list (journal.copy.directory, "journal-");
  for (guint i = 0; i < paths->len; i++)
    set_format (paths->pdata[i], REROUTE_SPOOL_OLDEST_VERSION);
  g_autoptr (GBytes) before = read_files (paths);
  spool_fixture_open (&journal.copy);
  check_messages (&journal, journal.n, 0);
  g_autoptr (GBytes) content = spool_fixture_content (9999, 300);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&journal.copy, 1, content, NULL);
  g_assert_nonnull (message);
  spool_fixture_close (&journal.copy);
  g_autoptr (GBytes) after = read_files (paths);
  g_assert_true (g_bytes_equal (before, after));
  spool_fixture_open (&journal.copy);
  g_assert_cmpuint (journal.copy.entries->len, ==, journal.n + 1);
  g_assert_nonnull (spool_fixture_find (&journal.copy, message->id));
  journal_clear (&journal);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  /* Nothing fails here: syncs cost no time, that is all. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  g_test_add_func ("/spool/damage/torn-tail", test_torn_tail);
  g_test_add_func ("/spool/damage/bit-flips", test_bit_flips);
  g_test_add_func ("/spool/damage/lost-blocks", test_lost_blocks);
  g_test_add_data_func ("/spool/damage/unreadable-block", NULL, test_unreadable_block);
  g_test_add_data_func ("/spool/damage/unreadable-for-a-life", "restarts", test_unreadable_block);
  g_test_add_func ("/spool/damage/first-batches", test_first_batches);
  g_test_add_func ("/spool/damage/misplaced-record", test_misplaced_record);
  g_test_add_func ("/spool/damage/missing-segment", test_missing_segment);
  g_test_add_func ("/spool/damage/newer-format", test_newer_format);
  g_test_add_func ("/spool/damage/older-format", test_older_format);
  return g_test_run ();
}
