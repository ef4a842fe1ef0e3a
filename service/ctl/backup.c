/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backup.c - reroutectl backup: the rules and their history in one file
 *
 * The file appears under its name when all of it is on the disk, or not at all.
 */

#include "config.h"

#include "service/ctl/backup-file.h"
#include "service/ctl/ctl.h"

#include "common/client/rules-copy.h"
#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Where a backup is written to. */
typedef struct
{
  const char *name; /* NULL: to the standard output */
  char *part;       /* (nullable): the name until it is whole */
  int fd;
  gboolean replaces; /* what has the name */
  GChecksum *sum;    /* of what was written */
} Target;

static gboolean
fail_target (Target *target, GError **error)
{
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_FAILED,
    _ ("cannot write “%s”: %s"), target->name != NULL ? target->name : "-", g_strerror (errno));
  return FALSE;
}

static gboolean
refuse_existing (Target *target, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_FAILED,
               /* Translators: the name of a file */
               _ ("“%s” is there already: name another file, or say --force to replace it"),
                  target->name);
  return FALSE;
}

static gboolean
open_output (Target *target, GError **error)
{
  target->fd = STDOUT_FILENO;
  if (!isatty (target->fd))
    return TRUE;
  g_set_error_literal (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_FAILED,
                       _ ("a backup is not for a terminal: name a file, or a command behind “|”"));
  return FALSE;
}

/* What a backup that broke off left under that name is used again: unless it is somebody else's, or
   another backup has given it its own name meanwhile. */
static gboolean
take_part (const Target *target)
{
  struct stat mine, named;

  if (flock (target->fd, LOCK_EX | LOCK_NB) != 0 || fstat (target->fd, &mine) != 0 ||
      lstat (target->part, &named) != 0)
    return FALSE;
  if (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev || mine.st_uid != geteuid ())
    {
      errno = EEXIST;
      return FALSE;
    }
  return fchmod (target->fd, 0600) == 0 && ftruncate (target->fd, 0) == 0;
}

static gboolean
open_part (Target *target, GError **error)
{
  gboolean exists = g_file_test (target->name, G_FILE_TEST_EXISTS);

  if (exists && !target->replaces)
    return refuse_existing (target, error);
  if (exists && !g_file_test (target->name, G_FILE_TEST_IS_REGULAR))
    {
      /* A device would lose its name to the backup. */
      errno = EEXIST;
      return fail_target (target, error);
    }
  target->part = g_strconcat (target->name, ".part", NULL);
  target->fd = open (target->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
  if (target->fd >= 0 && take_part (target))
    return TRUE;
  fail_target (target, error);
  g_clear_pointer (&target->part, g_free);
  return FALSE;
}

static gboolean
open_target (Target *target, GError **error)
{
  return target->name == NULL ? open_output (target, error) : open_part (target, error);
}

static gboolean
write_octets (Target *target, gconstpointer data, gsize n_octets, GError **error)
{
  const char *octets = data;

  for (gsize done = 0; done < n_octets;)
    {
      gssize n = write (target->fd, octets + done, n_octets - done);

      if (n < 0)
        return fail_target (target, error);
      done += (gsize) n;
    }
  g_checksum_update (target->sum, data, (gssize) n_octets);
  return TRUE;
}

/* Not every file system can keep a name from being replaced at once. */
static int
rename_part (Target *target)
{
  int result = renameat2 (
    AT_FDCWD, target->part, AT_FDCWD, target->name, target->replaces ? 0 : RENAME_NOREPLACE);

  if (result != 0 && errno == EINVAL)
    result = rename (target->part, target->name);
  return result;
}

/* The new name is on the disk, too. */
static gboolean
sync_folder (const char *name)
{
  g_autofree char *folder = g_path_get_dirname (name);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = fd >= 0 && fsync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return synced;
}

static gboolean
finish_target (Target *target, GError **error)
{
  g_autofree char *trailer = reroute_backup_dup_trailer (target->sum);

  for (const char *p = trailer; *p != '\0';)
    {
      gssize n = write (target->fd, p, strlen (p));

      if (n < 0)
        return fail_target (target, error);
      p += n;
    }
  if (target->name == NULL)
    return TRUE;
  if (fsync (target->fd) != 0)
    return fail_target (target, error);
  if (rename_part (target) != 0)
    return errno == EEXIST ? refuse_existing (target, error) : fail_target (target, error);
  g_clear_pointer (&target->part, g_free);
  return sync_folder (target->name) || fail_target (target, error);
}

static void
clear_target (Target *target)
{
  if (target->part != NULL)
    g_unlink (target->part);
  if (target->name != NULL && target->fd >= 0)
    close (target->fd);
  g_free (target->part);
  g_clear_pointer (&target->sum, g_checksum_free);
}

static RerouteBackup *
begin (RerouteCtl *ctl, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_backup_begin_async (ctl->rules, NULL, reroute_ctl_wait_cb, &result);
  return reroute_rules_client_backup_begin_finish (ctl->rules, reroute_ctl_wait (&result), error);
}

static gboolean
write_header (Target *target, const RerouteBackup *backup, GError **error)
{
  const RerouteBackupHeader header = {
    .host = backup->host,
    .serial = backup->serial,
    .taken_us = g_get_real_time (),
    .n_octets = backup->n_octets,
  };
  g_autofree char *text = reroute_backup_header_to_text (&header);

  return write_octets (target, text, strlen (text), error);
}

static gboolean
check_fetched (const RerouteBackup *backup, guint64 n_octets, GChecksum *sum, GError **error)
{
  if (n_octets == backup->n_octets && g_str_equal (g_checksum_get_string (sum), backup->sha256))
    return TRUE;
  g_set_error_literal (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_PROTOCOL,
                       _ ("the backup did not arrive as it was taken: try again"));
  return FALSE;
}

static gboolean
fetch (RerouteCtl *ctl, const RerouteBackup *backup, Target *target, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint64 offset = 0;
  gsize n = 1;

  while (n > 0 && offset <= backup->n_octets)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GBytes) octets = NULL;
      gconstpointer data = NULL;

      reroute_rules_client_backup_read_async (
        ctl->rules, backup->number, offset, NULL, reroute_ctl_wait_cb, &result);
      octets =
        reroute_rules_client_backup_read_finish (ctl->rules, reroute_ctl_wait (&result), error);
      if (octets == NULL)
        return FALSE;
      data = g_bytes_get_data (octets, &n);
      g_checksum_update (sum, data, (gssize) n);
      if (!write_octets (target, data, n, error))
        return FALSE;
      offset += n;
    }
  return check_fetched (backup, offset, sum, error);
}

static guint
count_rows (const RerouteBackup *backup)
{
  guint n = 0;

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    n += backup->n_rows[page];
  return n;
}

/* The standard output may have the backup. */
static void
report (RerouteCtl *ctl, const RerouteBackup *backup, const Target *target)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, backup->serial);
  guint n_rows = count_rows (backup);

  if (target->name == NULL)
    return;
  if (!ctl->json)
    {
      g_autofree char *line = g_strdup_printf (
        /* Translators: the number of a generation, the name of a machine, a number, a file */
        ngettext ("generation %s of %s, %'u row, is in “%s”",
                  "generation %s of %s, %'u rows, is in “%s”",
                  n_rows),
        serial,
        backup->host,
        n_rows,
        target->name);

      g_print ("%s\n", line);
      return;
    }
  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "file", target->name);
  reroute_ctl_add_string (builder, "host", backup->host);
  reroute_ctl_add_int (builder, "serial", (gint64) backup->serial);
  reroute_ctl_add_int (builder, "rows", n_rows);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

gboolean
reroute_ctl_backup (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  Target target = { .fd = -1 };
  const GOptionEntry entries[] = {
    { "force", 0, 0, G_OPTION_ARG_NONE, &target.replaces, NULL, NULL },
    { NULL },
  };
  g_autoptr (RerouteBackup) backup = NULL;
  gboolean done = FALSE;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error))
    return FALSE;
  target.name = g_str_equal (argv[1], "-") ? NULL : argv[1];
  target.sum = g_checksum_new (G_CHECKSUM_SHA256);
  if (open_target (&target, error))
    backup = begin (ctl, error);
  if (backup != NULL)
    {
      done = write_header (&target, backup, error) && fetch (ctl, backup, &target, error) &&
             finish_target (&target, error);
      reroute_rules_client_backup_end (ctl->rules, backup->number);
    }
  if (done)
    report (ctl, backup, &target);
  clear_target (&target);
  return done;
}
