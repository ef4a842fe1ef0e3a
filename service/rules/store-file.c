/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store-file.c - the file of a database, around what SQLite makes of it
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-store-file"

#include "service/rules/store-file.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HEADER_OCTETS 100

gboolean
reroute_store_file_has_log (const char *path)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  GStatBuf status;

  return g_stat (log, &status) == 0 && status.st_size > 0;
}

void
reroute_store_file_refuse (GError **error, const char *path, gboolean foreign, const char *why)
{
  if (foreign)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_STORE_VERSION,
                   "the backup %s: nothing was changed, restore another one",
                   why);
      return;
    }
  g_autofree char *log =
    reroute_store_file_has_log (path)
      ? g_strdup_printf (
          "; move its log “%s-wal” away with it, which spoils any other file of that name", path)
      : g_strdup ("");
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_STORE_VERSION,
    "database “%s” %s; it is left as it is: put a good copy in its place, or move it away and "
    "restore a backup (reroutectl restore), or name another with --database=FILE%s",
    path,
    why,
    log);
}

/* SQLite takes a file shorter than its header for a new database, and writes over it. */
gboolean
reroute_store_file_check_header (const char *path,
                                 gboolean foreign,
                                 gboolean *empty,
                                 GError **error)
{
  char header[HEADER_OCTETS];
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, &failure);
  gsize n = 0;

  if (stream == NULL ||
      !g_input_stream_read_all (G_INPUT_STREAM (stream), header, sizeof header, &n, NULL, &failure))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_STORE,
                   "cannot read database “%s”: %s%s",
                   path,
                   failure->message,
                   g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)
                     ? ": change its owner, or the user of the unit (User=)"
                     : "");
      return FALSE;
    }
  *empty = n == 0;
  if (n == 0 || (n == sizeof header && memcmp (header, "SQLite format 3", 16) == 0))
    return TRUE;
  reroute_store_file_refuse (error, path, foreign, "is not a database");
  return FALSE;
}

gboolean
reroute_store_file_identify (const char *path, RerouteStoreFileId *id, GError **error)
{
  GStatBuf status;

  if (g_stat (path, &status) == 0)
    {
      *id = (RerouteStoreFileId){ .device = status.st_dev, .inode = status.st_ino };
      return TRUE;
    }
  if (errno == ENOENT)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_STORE,
                 "database “%s” is gone while reroute-rulesd runs: put it back, or restart "
                 "reroute-rulesd, which makes an empty one",
                 path);
  else
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_STORE,
                 "cannot look for database “%s”: %s",
                 path,
                 g_strerror (errno));
  return FALSE;
}

gboolean
reroute_store_file_check_same (const char *path, const RerouteStoreFileId *opened, GError **error)
{
  RerouteStoreFileId now;

  if (!reroute_store_file_identify (path, &now, error))
    return FALSE;
  if (now.device == opened->device && now.inode == opened->inode)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               "another file has taken the place of database “%s” while reroute-rulesd runs: "
               "restart reroute-rulesd",
               path);
  return FALSE;
}

/* Why nothing can be written there, and what to do; @error_number: of the attempt.  A unit that was
   changed gives another user, or leaves the folder out of what may be written. */
static const char *
explain_write (int error_number)
{
  switch (error_number)
    {
    case EROFS:
      return "is read-only for this process: let its unit write there (StateDirectory= or "
             "ReadWritePaths=)";
    case ENOSPC:
    case EDQUOT:
      return "has no room: make room on its file system";
    case EACCES:
    case EPERM:
      return "is not writable for this user: change its owner, or the user of the unit (User=)";
    default:
      return NULL;
    }
}

static gboolean
fail_folder (const char *path, int error_number, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  const char *why = explain_write (error_number);

  if (error_number == ENOENT || error_number == ENOTDIR)
    why = "does not exist: make it";
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               "cannot write database “%s”: folder “%s” %s, or name another file with "
               "--database=FILE",
               path,
               folder,
               why != NULL ? why : g_strerror (error_number));
  return FALSE;
}

gboolean
reroute_store_file_check_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return g_access (folder, W_OK | X_OK) == 0 || fail_folder (path, errno, error);
}

/* One rulesd for a database: two would each believe that their generation is the newest.  Not on
   the database itself, whose locks SQLite loses when any descriptor of the process is closed. */
int
reroute_store_file_lock (const char *path, GError **error)
{
  g_autofree char *name = g_strconcat (path, "-lock", NULL);
  int fd = open (name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  if (fd < 0)
    {
      fail_folder (path, errno, error);
      return -1;
    }
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               "cannot lock database “%s” (%s): another reroute-rulesd has it open, end that first",
               path,
               g_strerror (errno));
  close (fd);
  return -1;
}

static char *
find_name_away (const char *log)
{
  char *name = g_strconcat (log, ".away", NULL);

  for (guint n = 2; g_file_test (name, G_FILE_TEST_EXISTS); n++)
    {
      g_free (name);
      name = g_strdup_printf ("%s.away-%u", log, n);
    }
  return name;
}

gboolean
reroute_store_file_put_log_away (const char *path, GError **error)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  g_autofree char *away = NULL;
  GStatBuf status;
  gboolean done = FALSE;
  int lock = -1;

  if (!reroute_store_file_has_log (path) ||
      (g_stat (path, &status) == 0 ? status.st_size > 0 : errno != ENOENT))
    return TRUE;
  lock = reroute_store_file_lock (path, error);
  if (lock < 0)
    return FALSE;
  away = find_name_away (log);
  done = g_rename (log, away) == 0;
  if (done)
    g_message (
      "the log “%s” belongs to a database that is not there any more: it is kept as “%s”; "
      "beside that database, under its name and “-wal”, it brings back what was saved last",
      log,
      away);
  else
    g_set_error (
      error,
      REROUTE_ERROR,
      REROUTE_ERROR_STORE,
      "cannot move the log “%s” of a database that is not there any more: %s; move it away",
      log,
      g_strerror (errno));
  close (lock);
  return done;
}
