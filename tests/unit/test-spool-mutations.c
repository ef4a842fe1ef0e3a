/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-spool-mutations.c - a real journal, spoiled at random: start-up goes on, or says why not
 *
 * Bits, sectors, blocks, whole files, and records whose checksum is right although their fields are
 * not.  Nothing may end the process; what is read back is whole; the spool takes mail again.
 * REROUTE_TEST_SEED repeats a run; with REROUTE_TEST_LONG there are many more.
 */

#include "config.h"

#include "common/error.h"
#include "service/relay/spool/record.h"
#include "tests/unit/spool-faults.h"
#include "tests/unit/spool-fixture.h"
#include "tests/unit/spool-script.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT_OCTETS (64 * 1024)
#define N_ROUNDS 12
#define SHORT_TRIALS 60
#define LONG_TRIALS 20000
#define MUTATIONS_MAX 4
#define HUGE_OCTETS (G_GINT64_CONSTANT (1) << 43)

typedef struct
{
  SpoolScriptLog *log;
  SpoolFixture original, copy;
  GArray *records; /* of the original */
  GRand *random;
  gboolean checksums_lie;
} Spoiler;

static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  return (level & G_LOG_LEVEL_WARNING) == 0;
}

static void
ignore (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
}

static guint
draw (Spoiler *self, guint n)
{
  return (guint) g_rand_int_range (self->random, 0, (gint) n);
}

typedef struct
{
  char *path;
  guint8 *octets;
  gsize length;
} File;

static File
load_file (const char *path)
{
  File file = { g_strdup (path), NULL, 0 };
  char *octets;

  g_assert_true (g_file_get_contents (path, &octets, &file.length, NULL));
  file.octets = (guint8 *) octets;
  return file;
}

static void
save_file (File *file)
{
  FILE *stream = g_fopen (file->path, "wb");

  g_assert_nonnull (stream);
  g_assert_cmpuint (fwrite (file->octets, 1, file->length, stream), ==, file->length);
  g_assert_cmpint (fclose (stream), ==, 0);
  g_free (file->octets);
  g_free (file->path);
}

static File
load_any (Spoiler *self)
{
  g_autoptr (GPtrArray) paths = spool_fixture_list (self->copy.directory, "journal-");

  return load_file (g_ptr_array_index (paths, draw (self, paths->len)));
}

static void
flip_bits (Spoiler *self)
{
  File file = load_any (self);

  for (guint n = 1 + draw (self, 8); n > 0 && file.length > 0; n--)
    file.octets[draw (self, (guint) file.length)] ^= (guint8) (1u << draw (self, 8));
  save_file (&file);
}

/* A piece of a file becomes zeros, noise, or a piece from elsewhere. */
static void
overwrite_piece (Spoiler *self)
{
  File file = load_any (self);
  gsize piece = 512u << draw (self, 6);
  guint how = draw (self, 3);

  if (file.length >= 2 * piece)
    {
      gsize to = draw (self, (guint) (file.length / piece)) * piece;
      gsize from = draw (self, (guint) (file.length / piece)) * piece;
      for (gsize i = 0; how != 2 && i < piece; i++)
        file.octets[to + i] = how == 0 ? 0 : (guint8) draw (self, 256);
      if (how == 2)
        memmove (file.octets + to, file.octets + from, piece);
    }
  save_file (&file);
}

static void
cut_or_grow (Spoiler *self)
{
  File file = load_any (self);
  gsize old = file.length, length = draw (self, 2 * SEGMENT_OCTETS);

  file.octets = g_realloc (file.octets, length + 1);
  for (gsize i = old; i < length; i++)
    file.octets[i] = (guint8) draw (self, 256);
  file.length = length;
  save_file (&file);
}

/* Two segments change places, or one is there twice. */
static void
shuffle_segments (Spoiler *self)
{
  File one = load_any (self), other = load_any (self);
  gboolean is_same = g_str_equal (one.path, other.path);

  if (!is_same && draw (self, 2) == 0)
    {
      char *path = one.path;
      one.path = other.path;
      other.path = path;
    }
  else if (!is_same)
    {
      g_free (other.octets);
      other.octets = g_memdup2 (one.octets, one.length);
      other.length = one.length;
    }
  save_file (&one);
  save_file (&other);
}

static void
lose_segment (Spoiler *self)
{
  g_autoptr (GPtrArray) paths = spool_fixture_list (self->copy.directory, "journal-");

  if (paths->len > 1)
    g_assert_cmpint (g_unlink (g_ptr_array_index (paths, draw (self, paths->len))), ==, 0);
}

/* A field of a record is wrong and the checksum says it is right. */
static void
lie (Spoiler *self)
{
  static const guint32 values[] = { 0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };
  const SpoolFixtureRecord *record =
    &g_array_index (self->records, SpoolFixtureRecord, draw (self, self->records->len));
  g_autofree char *name = g_path_get_basename (record->path);
  g_autofree char *path = g_build_filename (self->copy.directory, name, NULL);

  gsize payload = record->octets - REROUTE_RECORD_HEADER_OCTETS;
  if (payload < sizeof values[0])
    return;
  guint32 value = values[draw (self, G_N_ELEMENTS (values))];
  gsize at = draw (self, (guint) MIN (payload - sizeof value + 1, 160));
  if (spool_fixture_forge (path, record, at, value))
    self->checksums_lie = TRUE;
}

static void
spoil (Spoiler *self)
{
  static void (*const mutations[]) (Spoiler * self) = {
    flip_bits, overwrite_piece, cut_or_grow, shuffle_segments, lose_segment, lie, lie,
  };

  spool_fixture_copy_directory (self->original.directory, self->copy.directory);
  self->checksums_lie = FALSE;
  for (guint n = 1 + draw (self, MUTATIONS_MAX); n > 0; n--)
    mutations[draw (self, G_N_ELEMENTS (mutations))](self);
}

static const SpoolScriptItem *
find_item (const SpoolScriptLog *log, guint64 id)
{
  for (guint i = 0; i < log->n_items; i++)
    if (log->items[i].id == id)
      return &log->items[i];
  return NULL;
}

/* What is there is one of the script's messages, octet for octet; or a checksum lied. */
static void
check_entry (Spoiler *self, const RerouteSpoolEntry *entry)
{
  const SpoolScriptItem *item = find_item (self->log, entry->message->id);

  g_assert_true (item != NULL || self->checksums_lie);
  if (!self->checksums_lie)
    {
      g_autoptr (GBytes) content = spool_fixture_content (item->seed, item->octets);
      spool_fixture_assert_content (self->copy.spool, entry->message, content);
      return;
    }
  for (gsize offset = 0; offset < MIN (entry->message->content_octets, 1u << 20);)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) loaded =
                   reroute_spool_load (self->copy.spool, entry->message, offset, &error);
      g_assert_true ((loaded == NULL) == (error != NULL));
      if (loaded == NULL)
        break;
      offset += g_bytes_get_size (loaded);
    }
}

/* Returns: how many messages the spoiled spool holds */
static guint
open_and_check (Spoiler *self)
{
  spool_fixture_open (&self->copy);
  for (guint i = 0; i < self->copy.entries->len; i++)
    check_entry (self, g_ptr_array_index (self->copy.entries, i));
  return self->copy.entries->len;
}

static void
try_once (Spoiler *self)
{
  g_autoptr (GString) report = g_string_new (NULL);
  g_autoptr (GBytes) content = spool_fixture_content (9999, 300);

  /* Nothing fails here: syncs cost no time, that is all.  Anew, or writes that were never synced
     would keep their descriptors. */
  spool_faults_arm (SPOOL_FAULT_POWER, 0, 0);
  spoil (self);
  reroute_spool_verify (self->copy.directory, report, NULL);
  guint n = open_and_check (self);
  spool_fixture_close (&self->copy);
  /* The same again: what is damaged does not spread. */
  g_assert_cmpuint (open_and_check (self), ==, n);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&self->copy, 1, content, NULL);
  g_assert_nonnull (message);
  spool_fixture_close (&self->copy);
  spool_fixture_open (&self->copy);
  RerouteSpoolEntry *entry = spool_fixture_find (&self->copy, message->id);
  g_assert_nonnull (entry);
  spool_fixture_assert_content (self->copy.spool, entry->message, content);
  g_assert_cmpuint (self->copy.entries->len, ==, n + 1);
  spool_fixture_close (&self->copy);
}

static void
test_mutations (void)
{
  const char *text = g_getenv ("REROUTE_TEST_SEED");
  guint32 seed = text != NULL ? (guint32) g_ascii_strtoull (text, NULL, 10) : g_random_int ();
  guint n_trials = g_getenv ("REROUTE_TEST_LONG") != NULL ? LONG_TRIALS : SHORT_TRIALS;
  Spoiler spoiler = { .log = spool_script_log_new () };

  g_test_log_set_fatal_handler (is_fatal, NULL);
  guint handler =
    g_log_set_handler ("reroute-spool", G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL, ignore, NULL);
  g_test_message ("REROUTE_TEST_SEED=%u", seed);
  spool_fixture_init (&spoiler.original, SEGMENT_OCTETS);
  spool_fixture_init (&spoiler.copy, SEGMENT_OCTETS);
  spool_script_run (spoiler.log, spoiler.original.directory, SEGMENT_OCTETS, seed, N_ROUNDS);
  spoiler.records = spool_fixture_list_records (spoiler.original.directory);
  spoiler.random = g_rand_new_with_seed (seed);
  for (guint i = 0; i < n_trials; i++)
    try_once (&spoiler);
  g_test_message ("%u spoiled journals", n_trials);
  g_rand_free (spoiler.random);
  g_array_unref (spoiler.records);
  spool_fixture_clear (&spoiler.original);
  spool_fixture_clear (&spoiler.copy);
  spool_script_log_free (spoiler.log);
  g_log_remove_handler ("reroute-spool", handler);
}

/* A file that has become larger than all memory: its own header says where it ends, and without
   that start-up is refused with a sentence, not with an abort. */
static void
test_huge_file (void)
{
  SpoolFixture fixture;
  g_autoptr (GError) error = NULL;

  spool_fixture_init (&fixture, SEGMENT_OCTETS);
  spool_fixture_open (&fixture);
  g_autoptr (GBytes) content = spool_fixture_content (1, 300);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (&fixture, 1, content, NULL);
  spool_fixture_close (&fixture);
  g_autoptr (GPtrArray) paths = spool_fixture_list (fixture.directory, "journal-");
  if (truncate (g_ptr_array_index (paths, 0), HUGE_OCTETS) != 0)
    g_test_skip ("the file system has no files of that size");
  else
    {
      spool_fixture_open (&fixture);
      g_assert_nonnull (spool_fixture_find (&fixture, message->id));
      spool_fixture_close (&fixture);
      FILE *file = g_fopen (g_ptr_array_index (paths, 0), "r+b");
      g_assert_cmpint (fputc ('X', file), ==, 'X');
      g_assert_cmpint (fclose (file), ==, 0);
      g_assert_null (reroute_spool_open (fixture.directory, SEGMENT_OCTETS, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
    }
  spool_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/mutations/random", test_mutations);
  g_test_add_func ("/spool/mutations/huge-file", test_huge_file);
  return g_test_run ();
}
