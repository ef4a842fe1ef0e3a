/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool-fixture.c - a spool to test, and short ways to use it
 */

#include "config.h"

#include "tests/unit/spool-fixture.h"

#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/record.h"
#include "service/relay/spool/segment.h"

#include <glib/gstdio.h>
#include <string.h>

void
spool_fixture_init (SpoolFixture *self, gsize segment_octets)
{
  *self = (SpoolFixture){ .segment_octets = segment_octets };
  /* Below the test's own isolated directories. */
  g_assert_cmpint (g_mkdir_with_parents (g_get_user_data_dir (), 0700), ==, 0);
  self->directory = g_build_filename (g_get_user_data_dir (), "spool-XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (self->directory));
}

static void
read_cb (GPtrArray *entries, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_async_queue_push (user_data, entries);
}

RerouteSpool *
spool_fixture_open_directory (const char *directory, gsize segment_octets, GPtrArray **entries)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncQueue) answers = g_async_queue_new ();

  RerouteSpool *spool = reroute_spool_open (directory, segment_octets, &error);
  g_assert_no_error (error);
  reroute_spool_start (spool, read_cb, answers);
  *entries = g_async_queue_pop (answers);
  return spool;
}

void
spool_fixture_open (SpoolFixture *self)
{
  g_assert_null (self->spool);
  self->spool =
    spool_fixture_open_directory (self->directory, self->segment_octets, &self->entries);
}

void
spool_fixture_close (SpoolFixture *self)
{
  g_clear_pointer (&self->spool, reroute_spool_close);
  g_clear_pointer (&self->entries, g_ptr_array_unref);
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
spool_fixture_list (const char *directory, const char *prefix)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (paths, g_build_filename (directory, name, NULL));
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}

void
spool_fixture_remove_directory (const char *directory)
{
  g_autoptr (GPtrArray) paths = spool_fixture_list (directory, "");

  for (guint i = 0; i < paths->len; i++)
    g_unlink (g_ptr_array_index (paths, i));
  g_rmdir (directory);
}

void
spool_fixture_copy_directory (const char *from, const char *to)
{
  g_autoptr (GPtrArray) old = spool_fixture_list (to, "");
  g_autoptr (GPtrArray) paths = spool_fixture_list (from, "");

  for (guint i = 0; i < old->len; i++)
    g_unlink (g_ptr_array_index (old, i));
  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *name = g_path_get_basename (g_ptr_array_index (paths, i));
      g_autofree char *path = g_build_filename (to, name, NULL);
      g_autofree char *octets = NULL;
      gsize length;
      g_assert_true (g_file_get_contents (g_ptr_array_index (paths, i), &octets, &length, NULL));
      g_assert_true (g_file_set_contents_full (
        path, octets, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
}

static void
clear_record (gpointer data)
{
  SpoolFixtureRecord *record = data;

  g_free (record->path);
}

static guint64
get_serial (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return g_ascii_strtoull (name + strlen (REROUTE_SEGMENT_PREFIX), NULL, 16);
}

static void
list_file (GArray *records, const char *path)
{
  g_autofree char *file = NULL;
  guint64 serial = get_serial (path);
  gsize length, offset = REROUTE_SPOOL_BLOCK_OCTETS;

  g_assert_true (g_file_get_contents (path, &file, &length, NULL));
  while (offset < length)
    {
      const guint8 *octets = (const guint8 *) file + offset;
      RerouteRecordHeader header;
      if (!reroute_record_header_decode (&header, octets, length - offset, serial))
        {
          offset += REROUTE_RECORD_ALIGNMENT;
          continue;
        }
      guint64 id = 0;
      memcpy (&id, octets + REROUTE_RECORD_HEADER_OCTETS, sizeof id);
      SpoolFixtureRecord record = {
        .path = g_strdup (path),
        .offset = offset,
        .octets = REROUTE_RECORD_HEADER_OCTETS + header.length,
        .type = header.type,
        .sequence = header.sequence,
        .id = header.type == REROUTE_RECORD_BATCH ? 0 : GUINT64_FROM_LE (id),
      };
      g_array_append_val (records, record);
      offset += reroute_record_octets (header.length);
    }
}

GArray *
spool_fixture_list_records (const char *directory)
{
  GArray *records = g_array_new (FALSE, FALSE, sizeof (SpoolFixtureRecord));
  g_autoptr (GPtrArray) paths = spool_fixture_list (directory, "journal-");

  g_array_set_clear_func (records, clear_record);
  for (guint i = 0; i < paths->len; i++)
    list_file (records, g_ptr_array_index (paths, i));
  return records;
}

gboolean
spool_fixture_forge (const char *path, const SpoolFixtureRecord *record, gsize at, guint32 value)
{
  g_autofree char *file = NULL;
  gsize length, n_payload = record->octets - REROUTE_RECORD_HEADER_OCTETS;

  if (!g_file_get_contents (path, &file, &length, NULL) ||
      record->offset + record->octets > length || at + sizeof value > n_payload)
    return FALSE;
  guint8 *octets = (guint8 *) file + record->offset;
  guint8 *payload = octets + REROUTE_RECORD_HEADER_OCTETS;
  RerouteRecordHeader header = {
    .length = (guint32) n_payload,
    .type = record->type,
    .sequence = record->sequence,
    .serial = get_serial (path),
  };
  value = GUINT32_TO_LE (value);
  memcpy (payload + at, &value, sizeof value);
  reroute_record_header_encode (&header, reroute_crc32c (0, payload, n_payload), octets);
  return g_file_set_contents_full (
    path, file, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

void
spool_fixture_clear (SpoolFixture *self)
{
  spool_fixture_close (self);
  spool_fixture_remove_directory (self->directory);
  g_clear_pointer (&self->directory, g_free);
}

RerouteEnvelope *
spool_fixture_envelope (guint n)
{
  RerouteEnvelope *envelope = reroute_envelope_new ();

  g_free (envelope->reverse_path);
  envelope->reverse_path = g_strdup ("sender@example.org");
  g_free (envelope->helo);
  envelope->helo = g_strdup ("client.example.org");
  envelope->body_8bitmime = TRUE;
  envelope->client_permitted = TRUE;
  g_assert_true (reroute_ip_parse ("192.0.2.1", &envelope->client_ip));
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("user%u@test.com", i);
      g_autoptr (RerouteAddress) address = reroute_address_parse (text, FALSE, NULL);
      RerouteRowRef row = { REROUTE_PAGE_CONNECTIONS, 100 + i };
      reroute_envelope_add_recipient (envelope, address, row);
    }
  return envelope;
}

GBytes *
spool_fixture_content (guint64 seed, gsize length)
{
  guint8 *octets = g_malloc (MAX (length, 1));
  guint64 state = seed * 2654435761u + 1;

  for (gsize i = 0; i < length; i++)
    {
      state = state * G_GUINT64_CONSTANT (6364136223846793005) + 1442695040888963407u;
      octets[i] = (guint8) (state >> 56);
    }
  return g_bytes_new_take (octets, length);
}

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean is_done;
  RerouteMessage *message;
  GError *error;
} Answer;

static void
answer_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  Answer *answer = user_data;

  g_mutex_lock (&answer->lock);
  if (error != NULL)
    answer->error = g_error_copy (error);
  else
    answer->message = reroute_message_ref (message);
  answer->is_done = TRUE;
  g_cond_signal (&answer->cond);
  g_mutex_unlock (&answer->lock);
}

static void
wait_for_answer (Answer *answer)
{
  gint64 end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  g_mutex_lock (&answer->lock);
  while (!answer->is_done)
    g_assert_true (g_cond_wait_until (&answer->cond, &answer->lock, end_us));
  g_mutex_unlock (&answer->lock);
  g_mutex_clear (&answer->lock);
  g_cond_clear (&answer->cond);
}

RerouteMessage *
spool_fixture_commit (SpoolFixture *self, guint n_recipients, GBytes *content, GError **error)
{
  Answer answer = { 0 };
  RerouteSpoolDraft *draft = reroute_spool_begin (self->spool);
  gsize length;
  const guint8 *octets = g_bytes_get_data (content, &length);

  g_mutex_init (&answer.lock);
  g_cond_init (&answer.cond);
  /* In uneven pieces, as a session does. */
  for (gsize offset = 0; offset < length; offset += MIN (40961, length - offset))
    reroute_spool_draft_append (draft, octets + offset, MIN (40961, length - offset));
  reroute_spool_commit (
    self->spool, draft, spool_fixture_envelope (n_recipients), answer_cb, &answer);
  wait_for_answer (&answer);
  if (answer.error != NULL)
    g_propagate_error (error, answer.error);
  return answer.message;
}

void
spool_fixture_record (SpoolFixture *self,
                      RerouteMessage *message,
                      guint recipient,
                      RerouteRecipientState state,
                      const char *reply)
{
  Answer answer = { 0 };
  RerouteVerdict verdict = { recipient, state, 1234567890123456, 3, 1, reply };

  g_mutex_init (&answer.lock);
  g_cond_init (&answer.cond);
  reroute_spool_record (self->spool, message, &verdict, 1, answer_cb, &answer);
  wait_for_answer (&answer);
  g_assert_no_error (answer.error);
  reroute_message_unref (answer.message);
}

RerouteSpoolEntry *
spool_fixture_find (SpoolFixture *self, guint64 id)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      RerouteSpoolEntry *entry = g_ptr_array_index (self->entries, i);
      if (entry->message->id == id)
        return entry;
    }
  return NULL;
}

void
spool_fixture_assert_content (RerouteSpool *spool, RerouteMessage *message, GBytes *content)
{
  gsize length, offset = 0;
  const guint8 *octets = g_bytes_get_data (content, &length);

  reroute_spool_release_content (spool, message);
  g_assert_null (reroute_spool_get_content (spool, message));
  g_assert_cmpuint (message->content_octets, ==, length);
  while (offset < length)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) loaded = reroute_spool_load (spool, message, offset, &error);
      g_assert_no_error (error);
      gsize n = g_bytes_get_size (loaded);
      g_assert_cmpuint (n, >, 0);
      g_assert_cmpuint (offset + n, <=, length);
      g_assert_cmpmem (g_bytes_get_data (loaded, NULL), n, octets + offset, n);
      offset += n;
    }
}
