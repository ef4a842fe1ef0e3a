/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * opening.c - a spool is opened at once, and read by its writer before it writes
 *
 * A long journal takes seconds.  Who opens it sees only that it is there, ours, and of a format
 * that we know; messages can be received from then on, and are answered when the journal has been
 * read.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/spool-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/foresee.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SMALLEST_SEGMENT_OCTETS (64 * 1024)
#define IDS_A_SECOND                                                                               \
  4096 /* an empty spool starts its ids by the clock, so that they do not repeat */
#define FIRST_NUMBER_MASK ((G_GUINT64_CONSTANT (1) << 60) - 1)
/* How far the numbers skip at each opening: those of a torn tail are not used again. */
#define SKIP_MASK ((G_GUINT64_CONSTANT (1) << 32) - 1)
#define FORESEEN_ENTRIES 1024
#define FORESEEN_ENTRY_OCTETS (sizeof (RerouteSpoolEntry) + 2 * sizeof (RerouteVerdict) + 64)

/* Octets of the replies with their ends. */
static gsize
measure_replies (const RerouteEntry *entry)
{
  gsize octets = 0;

  for (guint i = 0; entry->statuses != NULL && i < entry->n_recipients; i++)
    if (entry->statuses[i].reply != NULL)
      octets += strlen (entry->statuses[i].reply) + 1;
  return octets;
}

/* One block of memory: a long queue has many. */
static RerouteSpoolEntry *
make_spool_entry (const RerouteEntry *entry)
{
  guint n = entry->n_recipients;
  RerouteSpoolEntry *self =
    g_malloc (sizeof *self + n * sizeof self->verdicts[0] + measure_replies (entry));
  char *text = (char *) &self->verdicts[n];

  self->message = reroute_message_ref (entry->message);
  self->n_verdicts = n;
  for (guint i = 0; i < n; i++)
    {
      RerouteVerdict *verdict = &self->verdicts[i];
      const RerouteRecipientStatus *status = entry->statuses != NULL ? &entry->statuses[i] : NULL;
      *verdict = (RerouteVerdict){ .recipient = i, .state = REROUTE_RECIPIENT_WAITING };
      if (status == NULL)
        continue;
      verdict->state = status->state;
      verdict->due_us = status->due_us;
      verdict->tries = status->tries;
      verdict->flags = status->flags;
      if (status->reply == NULL)
        continue;
      verdict->reply = text;
      text = g_stpcpy (text, status->reply) + 1;
    }
  return self;
}

void
reroute_spool_entry_free (RerouteSpoolEntry *self)
{
  if (self == NULL)
    return;
  reroute_message_unref (self->message);
  g_free (self);
}

static void
free_spool_entry (gpointer data)
{
  reroute_spool_entry_free (data);
}

static int
compare_spool_entries (gconstpointer a, gconstpointer b)
{
  const RerouteSpoolEntry *left = *(RerouteSpoolEntry *const *) a;
  const RerouteSpoolEntry *right = *(RerouteSpoolEntry *const *) b;
  return left->message->id < right->message->id ? -1 : left->message->id > right->message->id;
}

/* The entries go over to the segments' lists, which hold them from now on. */
static GPtrArray *
take_entries (RerouteScan *scan)
{
  GPtrArray *entries = g_ptr_array_new_full (g_hash_table_size (scan->entries), free_spool_entry);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, scan->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      if (entries->len % FORESEEN_ENTRIES == FORESEEN_ENTRIES - 1)
        reroute_foresee_memory (FORESEEN_ENTRIES * FORESEEN_ENTRY_OCTETS);
      g_ptr_array_add (entries, make_spool_entry (value));
      g_hash_table_iter_steal (&iter);
    }
  g_ptr_array_sort (entries, compare_spool_entries);
  return entries;
}

/* Whether its header says the format that is written, or is written with the first batch. */
static gboolean
has_our_format (const RerouteSegment *segment)
{
  return segment->version == REROUTE_SPOOL_VERSION || segment->used == REROUTE_SPOOL_BLOCK_OCTETS;
}

/* Whether the newest segment goes on: when it ends cleanly, or when there is no room for another.
 */
static gboolean
may_continue (RerouteSpool *self)
{
  if (self->scan->tail == REROUTE_SCAN_TAIL_OLD)
    self->spare = reroute_spare_create (
      self->dir_fd,
      self->segment_octets,
      MAX (SMALLEST_SEGMENT_OCTETS,
           reroute_spool_get_least_segment (self, REROUTE_SPOOL_BLOCK_OCTETS)),
      NULL);
  return self->scan->tail != REROUTE_SCAN_TAIL_TORN && self->spare == NULL;
}

static void
continue_segment (RerouteSpool *self, gboolean goes_on)
{
  RerouteSegment *newest =
    self->segments->len > 0 ? g_ptr_array_index (self->segments, self->segments->len - 1) : NULL;
  char name[REROUTE_SEGMENT_NAME_OCTETS];

  if (newest == NULL)
    return;
  self->last_serial = newest->serial;
  if (!goes_on || !has_our_format (newest) ||
      newest->used + REROUTE_SPOOL_BLOCK_OCTETS > newest->size)
    return;
  reroute_segment_name (newest->serial, name);
  newest->fd = openat (self->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

static void
raise_ids (RerouteSpool *self, guint64 ids)
{
  guint64 now = __atomic_load_n (&self->next_id, __ATOMIC_RELAXED);

  while (now < ids && !__atomic_compare_exchange_n (
                        &self->next_id, &now, ids, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

/* Reserves ids before a message with one of them is written.  A full disk is no reason not to
   start: what is queued can be delivered. */
static void
write_first_mark (RerouteSpool *self)
{
  RerouteJobs jobs = { NULL, NULL };

  reroute_jobs_push (&jobs, reroute_job_new (REROUTE_JOB_MARK));
  reroute_spool_write_jobs (self, &jobs);
}

/* Reads what self->scan has looked at.  Returns: (transfer full): %NULL with @error */
static GPtrArray *
read_journal (RerouteSpool *self, GError **error)
{
  RerouteScan *scan = self->scan;

  if (!reroute_scan_run (scan, error))
    {
      g_prefix_error (error, "cannot read the spool “%s”: ", self->path);
      return NULL;
    }
  GPtrArray *entries = take_entries (scan);
  gboolean goes_on = may_continue (self);
  g_mutex_lock (&self->lock);
  g_ptr_array_unref (self->segments);
  self->segments = g_steal_pointer (&scan->segments);
  self->n_messages = entries->len;
  continue_segment (self, goes_on);
  g_mutex_unlock (&self->lock);
  self->last_synced = scan->last;
  if (self->last_synced == 0)
    self->last_synced = 1 + (reroute_spool_random () & FIRST_NUMBER_MASK);
  self->next_sequence = self->last_synced + 1 + (reroute_spool_random () & SKIP_MASK);
  if (scan->last != 0)
    raise_ids (self, scan->ids);
  REROUTE_FAULT_POINT ("journal-read");
  write_first_mark (self);
  return entries;
}

gboolean
reroute_spool_read (RerouteSpool *self)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *entries = g_steal_pointer (&self->entries);

  if (entries == NULL)
    entries = read_journal (self, &error);
  reroute_scan_free (g_steal_pointer (&self->scan));
  gboolean is_read = entries != NULL;
  self->read (entries, error, self->read_data);
  g_mutex_lock (&self->queue_lock);
  self->is_told = TRUE;
  g_cond_broadcast (&self->told);
  g_mutex_unlock (&self->queue_lock);
  return is_read;
}

/* Ids that nobody got before.  When the newest segment does not tell, all is read. */
static gboolean
choose_ids (RerouteSpool *self, GError **error)
{
  guint64 ids = reroute_scan_bound_ids (self->scan);
  guint64 first_id = (guint64) (g_get_real_time () / G_USEC_PER_SEC) * IDS_A_SECOND;

  self->next_id = ids != 0 ? ids : first_id;
  self->reserved_ids = G_MAXUINT64; /* until the first batch says how many */
  if (ids != 0 || self->scan->segments->len == 0)
    return TRUE;
  self->entries = read_journal (self, error);
  return self->entries != NULL;
}

static RerouteSpool *
new_spool (const char *directory, gsize segment_octets)
{
  RerouteSpool *self = g_new0 (RerouteSpool, 1);

  self->dir_fd = -1;
  self->path = g_strdup (directory);
  self->segment_octets = segment_octets != 0 ? segment_octets : REROUTE_LIMIT_SEGMENT_OCTETS;
  self->segment_octets = MAX (self->segment_octets, SMALLEST_SEGMENT_OCTETS);
  self->segment_octets -= self->segment_octets % REROUTE_SPOOL_BLOCK_OCTETS;
  self->writable = TRUE;
  self->segments = g_ptr_array_new ();
  self->batch = g_ptr_array_new ();
  g_mutex_init (&self->queue_lock);
  g_cond_init (&self->queue_cond);
  g_cond_init (&self->told);
  g_mutex_init (&self->lock);
  return self;
}

RerouteSpool *
reroute_spool_open (const char *directory, gsize segment_octets, GError **error)
{
  g_return_val_if_fail (directory != NULL, NULL);

  /* A file over RLIMIT_FSIZE must be a failed write (452), not the end of the process. */
  signal (SIGXFSZ, SIG_IGN);
  g_autoptr (RerouteSpool) self = new_spool (directory, segment_octets);
  self->dir_fd = reroute_spool_directory_open (directory, error);
  if (self->dir_fd < 0)
    return NULL;
  self->scan = reroute_scan_new (self->dir_fd, TRUE);
  self->scan->is_stopped = &self->stops_reading;
  self->scan->n_moves = &self->n_moves;
  if (!reroute_spool_directory_lock (self->dir_fd, directory, error) ||
      (self->token = reroute_spool_directory_get_token (self->dir_fd, error)) == NULL ||
      !reroute_scan_look (self->scan, error) || !choose_ids (self, error))
    {
      g_prefix_error (error, "cannot open the spool “%s”: ", directory);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
reroute_spool_start (RerouteSpool *self, RerouteSpoolReadFunc func, gpointer user_data)
{
  g_return_if_fail (self != NULL && func != NULL && self->thread == NULL);

  self->read = func;
  self->read_data = user_data;
  self->thread = g_thread_new ("spool", reroute_spool_writer_run, self);
}

void
reroute_spool_stop_reading (RerouteSpool *self)
{
  g_return_if_fail (self != NULL);

  g_atomic_int_set (&self->stops_reading, TRUE);
  g_mutex_lock (&self->queue_lock);
  while (self->thread != NULL && !self->is_told)
    g_cond_wait (&self->told, &self->queue_lock);
  g_mutex_unlock (&self->queue_lock);
}

static void
free_index (RerouteSpool *self)
{
  for (guint i = 0; i < self->segments->len; i++)
    {
      RerouteSegment *segment = g_ptr_array_index (self->segments, i);
      while (segment->first != NULL)
        reroute_entry_free (segment->first);
    }
  g_ptr_array_unref (self->segments);
}

void
reroute_spool_close (RerouteSpool *self)
{
  g_return_if_fail (self != NULL);

  g_atomic_int_set (&self->stops_reading, TRUE);
  g_mutex_lock (&self->queue_lock);
  self->closing = TRUE;
  g_cond_signal (&self->queue_cond);
  g_mutex_unlock (&self->queue_lock);
  if (self->thread != NULL)
    g_thread_join (self->thread);

  reroute_jobs_free (&self->done);
  g_clear_pointer (&self->entries, g_ptr_array_unref);
  free_index (self);
  g_clear_pointer (&self->scan, reroute_scan_free);
  g_ptr_array_unref (self->batch);
  g_clear_pointer (&self->spare, reroute_spare_free);
  g_clear_error (&self->no_room);
  g_mutex_clear (&self->queue_lock);
  g_cond_clear (&self->queue_cond);
  g_cond_clear (&self->told);
  g_mutex_clear (&self->lock);
  if (self->dir_fd >= 0)
    close (self->dir_fd);
  g_free (self->path);
  g_free (self->token);
  g_free (self);
}
