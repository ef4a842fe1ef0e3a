/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store-file.c - the file of a database, around what SQLite makes of it
 */

#include "config.h"

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
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_STORE_VERSION,
    "database “%s” %s; it is left as it is: put a good copy in its place, or name another "
    "with --database=FILE",
    path,
    why);
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
                   "cannot read database “%s”: %s",
                   path,
                   failure->message);
      return FALSE;
    }
  *empty = n == 0;
  if (n == 0 || (n == sizeof header && memcmp (header, "SQLite format 3", 16) == 0))
    return TRUE;
  reroute_store_file_refuse (error, path, foreign, "is not a database");
  return FALSE;
}

gboolean
reroute_store_file_check_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  const char *why = NULL;

  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    why = "does not exist: make it";
  else if (g_access (folder, W_OK | X_OK) != 0)
    why = "is not writable for this user: change its owner";
  if (why == NULL)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               "cannot write database “%s”: folder “%s” %s, or name another file with "
               "--database=FILE",
               path,
               folder,
               why);
  return FALSE;
}

/* One rulesd for a database: two would each believe that their generation is the newest.  Not on
   the database itself, whose locks SQLite loses when any descriptor of the process is closed. */
int
reroute_store_file_lock (const char *path, GError **error)
{
  g_autofree char *name = g_strconcat (path, "-lock", NULL);
  int fd = open (name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_STORE,
    "cannot lock database “%s” (%s): another reroute-rulesd has it open, or its folder is "
    "not writable",
    path,
    g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}
