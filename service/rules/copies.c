/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * copies.c - copies of the database on their way out as backups, and in to be restored
 *
 * A copy that goes out loses its name as soon as it is made; one that comes in keeps it, for
 * SQLite opens it by its name.  Both leave room on the file system, on which mail may lie, too.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-copies"

#include "service/rules/copies.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/rules/row-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define READ_OCTETS 65536
#define SHA256_DIGITS 64

struct _RerouteCopy
{
  gatomicrefcount ref_count;
  RerouteCopies *copies;
  RerouteRulebook *rulebook;
  RerouteCopyKind kind;
  guint number;
  char *owner;
  guint watch;
  gboolean busy;
  GCancellable *cancellable;
  char *path;
  int fd; /* -1: none yet */

  guint64 n_outstanding; /* octets that the file may still grow by; of the main thread */

  guint64 n_octets; /* that shall arrive */
  char *sha256;     /* of them */
  guint64 n_arrived;
  GChecksum *sum; /* of what arrived */
  RerouteRestoration *restoration;
};

struct _RerouteCopies
{
  RerouteRulebook *rulebook;
  GHashTable *copies; /* (element-type uint RerouteCopy): by number */
  guint last;
};

/* --- one copy --- */

RerouteCopy *
reroute_copy_ref (RerouteCopy *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/* Also what SQLite may have beside it. */
static void
remove_files (const char *path)
{
  static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *name = g_strconcat (path, suffixes[i], NULL);

      g_unlink (name);
    }
}

void
reroute_copy_unref (RerouteCopy *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->restoration, reroute_restoration_unref);
  if (self->fd >= 0)
    close (self->fd);
  remove_files (self->path);
  g_free (self->path);
  g_free (self->owner);
  g_free (self->sha256);
  g_clear_pointer (&self->sum, g_checksum_free);
  g_object_unref (self->cancellable);
  g_free (self);
}

guint
reroute_copy_get_number (RerouteCopy *self)
{
  return self->number;
}

void
reroute_copy_set_busy (RerouteCopy *self, gboolean busy)
{
  self->busy = busy;
  /* A backup is taken in its first step. */
  if (!busy)
    self->n_outstanding = self->n_octets - self->n_arrived;
}

RerouteRestoration *
reroute_copy_get_restoration (RerouteCopy *self)
{
  return self->restoration;
}

/* --- all of them --- */

/* Out of the table: what is being done to it ends. */
static void
drop_copy (gpointer data)
{
  RerouteCopy *copy = data;

  g_bus_unwatch_name (copy->watch);
  g_cancellable_cancel (copy->cancellable);
  reroute_copy_unref (copy);
}

/* "rules.db-backup-1" of "rules.db". */
static char *
make_name (const char *base, RerouteCopyKind kind)
{
  return g_strdup_printf ("%s-%s-", base, kind == REROUTE_COPY_BACKUP ? "backup" : "restore");
}

static void
remove_left (const char *database)
{
  g_autofree char *folder = g_path_get_dirname (database);
  g_autofree char *base = g_path_get_basename (database);
  g_autofree char *backup = make_name (base, REROUTE_COPY_BACKUP);
  g_autofree char *restore = make_name (base, REROUTE_COPY_RESTORE);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (!g_str_has_prefix (name, backup) && !g_str_has_prefix (name, restore))
        continue;
      if (g_unlink (path) == 0)
        g_message ("removed “%s”, which was left behind", path);
    }
}

RerouteCopies *
reroute_copies_new (RerouteRulebook *rulebook)
{
  RerouteCopies *self = g_new0 (RerouteCopies, 1);

  self->rulebook = rulebook;
  self->copies = g_hash_table_new_full (NULL, NULL, NULL, drop_copy);
  remove_left (reroute_rulebook_get_path (rulebook));
  return self;
}

void
reroute_copies_free (RerouteCopies *self)
{
  g_hash_table_unref (self->copies);
  g_free (self);
}

void
reroute_copies_cancel (RerouteCopies *self)
{
  GHashTableIter iter;
  gpointer copy = NULL;

  g_hash_table_iter_init (&iter, self->copies);
  while (g_hash_table_iter_next (&iter, NULL, &copy))
    g_cancellable_cancel (((RerouteCopy *) copy)->cancellable);
}

static guint
count_copies (RerouteCopies *self, RerouteCopyKind kind)
{
  GHashTableIter iter;
  gpointer copy = NULL;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->copies);
  while (g_hash_table_iter_next (&iter, NULL, &copy))
    n += ((RerouteCopy *) copy)->kind == kind;
  return n;
}

static void
owner_left_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  RerouteCopy *copy = user_data;

  reroute_copies_end (copy->copies, copy);
}

static RerouteCopy *
add_copy (RerouteCopies *self, RerouteCopyKind kind, GDBusConnection *connection, const char *owner)
{
  RerouteCopy *copy = g_new0 (RerouteCopy, 1);
  g_autofree char *name = make_name (reroute_rulebook_get_path (self->rulebook), kind);

  do
    self->last++;
  while (self->last == 0 || g_hash_table_contains (self->copies, GUINT_TO_POINTER (self->last)));
  g_atomic_ref_count_init (&copy->ref_count);
  copy->copies = self;
  copy->rulebook = self->rulebook;
  copy->kind = kind;
  copy->number = self->last;
  copy->owner = g_strdup (owner);
  copy->cancellable = g_cancellable_new ();
  copy->path = g_strdup_printf ("%s%u", name, copy->number);
  copy->fd = -1;
  copy->watch = g_bus_watch_name_on_connection (
    connection, owner, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, owner_left_cb, copy, NULL);
  g_hash_table_insert (self->copies, GUINT_TO_POINTER (copy->number), copy);
  return reroute_copy_ref (copy);
}

/* What the copies under way have still to write. */
static guint64
count_outstanding (RerouteCopies *self)
{
  GHashTableIter iter;
  gpointer copy = NULL;
  guint64 n_octets = 0;

  g_hash_table_iter_init (&iter, self->copies);
  while (g_hash_table_iter_next (&iter, NULL, &copy))
    n_octets += ((RerouteCopy *) copy)->n_outstanding;
  return n_octets;
}

/* Mail may lie on the same file system. */
static gboolean
check_room (RerouteCopies *self, guint64 n_octets, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (reroute_rulebook_get_path (self->rulebook));
  guint64 n_kept = REROUTE_LIMIT_COPY_SPARE_OCTETS + count_outstanding (self);
  struct statvfs status;
  guint64 n_free = 0;

  if (statvfs (folder, &status) != 0)
    return TRUE;
  n_free = (guint64) status.f_bavail * status.f_frsize;
  if (n_octets <= n_free && n_free - n_octets >= n_kept)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_TOO_LARGE,
               "there is no room for a copy of %" G_GUINT64_FORMAT
               " octets in “%s” on the server, where %" G_GUINT64_FORMAT
               " are free and %" G_GUINT64_FORMAT
               " are kept, for mail and for copies under way: make room there",
               n_octets,
               folder,
               n_free,
               n_kept);
  return FALSE;
}

RerouteCopy *
reroute_copies_begin_backup (RerouteCopies *self,
                             GDBusConnection *connection,
                             const char *owner,
                             GError **error)
{
  GStatBuf status = { 0 };
  RerouteCopy *copy = NULL;

  if (count_copies (self, REROUTE_COPY_BACKUP) >= REROUTE_LIMIT_COPIES)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_TOO_LARGE,
                   "%d backups are being taken already: wait until one of them has ended",
                   REROUTE_LIMIT_COPIES);
      return NULL;
    }
  if (g_stat (reroute_rulebook_get_path (self->rulebook), &status) == 0 &&
      !check_room (self, (guint64) status.st_size, error))
    return NULL;
  copy = add_copy (self, REROUTE_COPY_BACKUP, connection, owner);
  copy->n_outstanding = (guint64) status.st_size;
  return copy;
}

static gboolean
check_offer (RerouteCopies *self, guint64 n_octets, const char *sha256, GError **error)
{
  if (count_copies (self, REROUTE_COPY_RESTORE) > 0)
    g_set_error_literal (error,
                         REROUTE_ERROR,
                         REROUTE_ERROR_TOO_LARGE,
                         "another backup is being restored: wait until that has ended");
  else if (n_octets == 0 || n_octets > REROUTE_LIMIT_COPY_OCTETS)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_TOO_LARGE,
                 "a backup of %" G_GUINT64_FORMAT
                 " octets cannot be restored: wanted 1 to %" G_GINT64_FORMAT,
                 n_octets,
                 REROUTE_LIMIT_COPY_OCTETS);
  else if (strlen (sha256) != SHA256_DIGITS || strspn (sha256, "0123456789abcdef") != SHA256_DIGITS)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_VALUE,
                 "“%s” is not a SHA-256: wanted %d hexadecimal digits",
                 sha256,
                 SHA256_DIGITS);
  else
    return check_room (self, n_octets, error);
  return FALSE;
}

static gboolean
fail_file (RerouteCopy *self, const char *doing, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               "cannot %s the copy “%s” on the server: %s",
               doing,
               self->path,
               g_strerror (errno));
  return FALSE;
}

RerouteCopy *
reroute_copies_begin_restore (RerouteCopies *self,
                              GDBusConnection *connection,
                              const char *owner,
                              guint64 n_octets,
                              const char *sha256,
                              GError **error)
{
  RerouteCopy *copy = NULL;

  if (!check_offer (self, n_octets, sha256, error))
    return NULL;
  copy = add_copy (self, REROUTE_COPY_RESTORE, connection, owner);
  copy->n_octets = copy->n_outstanding = n_octets;
  copy->sha256 = g_strdup (sha256);
  copy->sum = g_checksum_new (G_CHECKSUM_SHA256);
  copy->fd = open (copy->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (copy->fd >= 0)
    return copy;
  fail_file (copy, "make", error);
  reroute_copies_end (self, copy);
  reroute_copy_unref (copy);
  return NULL;
}

RerouteCopy *
reroute_copies_find (
  RerouteCopies *self, const char *owner, RerouteCopyKind kind, guint number, GError **error)
{
  RerouteCopy *copy = g_hash_table_lookup (self->copies, GUINT_TO_POINTER (number));

  if (copy != NULL && copy->kind == kind && !copy->busy && g_str_equal (copy->owner, owner))
    return reroute_copy_ref (copy);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_EDIT,
               "copy %u is not open for this caller, or is being worked on: begin a new one",
               number);
  return NULL;
}

void
reroute_copies_end (RerouteCopies *self, RerouteCopy *copy)
{
  if (g_hash_table_lookup (self->copies, GUINT_TO_POINTER (copy->number)) == copy)
    g_hash_table_remove (self->copies, GUINT_TO_POINTER (copy->number));
}

/* --- out --- */

static gboolean
count_rows (RerouteStore *store, RerouteCopyFacts *facts, GError **error)
{
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    if (!reroute_row_store_count (store, page, &facts->n_rows[page], error))
      return FALSE;
  return reroute_row_store_get_state (store, &facts->serial, NULL, error);
}

static gboolean
sum_file (RerouteCopy *self, RerouteCopyFacts *facts, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *block = g_malloc (READ_OCTETS);
  gssize n = 0;

  while ((n = read (self->fd, block, READ_OCTETS)) > 0)
    {
      if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
        return FALSE;
      g_checksum_update (sum, block, n);
      facts->n_octets += (guint64) n;
    }
  if (n < 0)
    return fail_file (self, "read", error);
  g_strlcpy (facts->sha256, g_checksum_get_string (sum), sizeof facts->sha256);
  if (facts->n_octets <= REROUTE_LIMIT_COPY_OCTETS)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_TOO_LARGE,
               "the rules and their history take %" G_GUINT64_FORMAT
               " octets, of which no backup can be taken: “reroutectl export” writes the rows",
               facts->n_octets);
  return FALSE;
}

gboolean
reroute_copy_take (RerouteCopy *self, RerouteCopyFacts *facts, GError **error)
{
  g_autoptr (RerouteStore) store = NULL;

  *facts = (RerouteCopyFacts){ .n_octets = 0 };
  if (!reroute_rulebook_copy (self->rulebook, self->path, self->cancellable, error))
    return FALSE;
  store = reroute_store_open (self->path, REROUTE_STORE_EXAMINE, self->cancellable, error);
  if (store == NULL || !count_rows (store, facts, error))
    return FALSE;
  g_clear_pointer (&store, reroute_store_close);
  self->fd = open (self->path, O_RDONLY | O_CLOEXEC);
  if (self->fd < 0)
    return fail_file (self, "read", error);
  g_unlink (self->path);
  return sum_file (self, facts, error);
}

GBytes *
reroute_copy_read (RerouteCopy *self, guint64 offset, guint count, GError **error)
{
  g_autofree guchar *block = NULL;
  gssize n = 0;

  if (offset > G_MAXINT64)
    return g_bytes_new (NULL, 0);
  block = g_malloc (count);
  n = pread (self->fd, block, count, (off_t) offset);
  if (n >= 0)
    return g_bytes_new_take (g_steal_pointer (&block), (gsize) n);
  fail_file (self, "read", error);
  return NULL;
}

/* --- in --- */

gboolean
reroute_copy_write (RerouteCopy *self, guint64 offset, GBytes *octets, GError **error)
{
  gsize size = 0;
  const guchar *data = g_bytes_get_data (octets, &size);

  if (self->restoration != NULL || size == 0 || offset != self->n_arrived ||
      size > self->n_octets - offset)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "%" G_GSIZE_FORMAT " octets at %" G_GUINT64_FORMAT
                   " do not belong there: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                   " have arrived",
                   size,
                   offset,
                   self->n_arrived,
                   self->n_octets);
      return FALSE;
    }
  for (gsize done = 0; done < size;)
    {
      gssize n = pwrite (self->fd, data + done, size - done, (off_t) (offset + done));
      if (n < 0)
        return fail_file (self, "write", error);
      done += (gsize) n;
    }
  g_checksum_update (self->sum, data, (gssize) size);
  self->n_arrived += size;
  return TRUE;
}

static gboolean
check_arrived (RerouteCopy *self, GError **error)
{
  if (self->n_arrived == self->n_octets &&
      g_str_equal (g_checksum_get_string (self->sum), self->sha256))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "the backup has not arrived as it was sent (%" G_GUINT64_FORMAT
               " of %" G_GUINT64_FORMAT " octets): nothing was changed, send it again",
               self->n_arrived,
               self->n_octets);
  return FALSE;
}

RerouteRestoration *
reroute_copy_examine (RerouteCopy *self, GError **error)
{
  RerouteStore *reader = NULL;

  if (self->restoration != NULL)
    return self->restoration;
  if (!check_arrived (self, error))
    return NULL;
  reader = reroute_rulebook_borrow_reader (self->rulebook, error);
  if (reader == NULL)
    return NULL;
  self->restoration = reroute_restoration_open (self->path, reader, self->cancellable, error);
  reroute_rulebook_return_reader (self->rulebook, reader);
  return self->restoration;
}
