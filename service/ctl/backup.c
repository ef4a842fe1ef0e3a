/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backup.c - reroutectl backup: the rules and their history in one file
 */

#include "config.h"

#include "service/ctl/backup-file.h"
#include "service/ctl/ctl.h"
#include "service/ctl/out-file.h"

#include "common/client/rules-copy.h"
#include "common/error.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Where a backup is written to. */
typedef struct
{
  RerouteOutFile file;
  GChecksum *sum; /* of what was written */
} Target;

static gboolean
open_target (Target *target, GError **error)
{
  if (target->file.name != NULL || !isatty (STDOUT_FILENO))
    return reroute_out_file_open (&target->file, error);
  g_set_error_literal (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_FAILED,
                       _ ("a backup is not for a terminal: name a file, or a command behind “|”"));
  return FALSE;
}

static gboolean
write_octets (Target *target, gconstpointer data, gsize n_octets, GError **error)
{
  g_checksum_update (target->sum, data, (gssize) n_octets);
  return reroute_out_file_write (&target->file, data, n_octets, error);
}

static gboolean
finish_target (Target *target, GError **error)
{
  g_autofree char *trailer = reroute_backup_dup_trailer (target->sum);

  return reroute_out_file_write (&target->file, trailer, strlen (trailer), error) &&
         reroute_out_file_finish (&target->file, error);
}

static void
clear_target (Target *target)
{
  reroute_out_file_close (&target->file);
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

  if (target->file.name == NULL)
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
        target->file.name);

      g_print ("%s\n", line);
      return;
    }
  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "file", target->file.name);
  reroute_ctl_add_string (builder, "host", backup->host);
  reroute_ctl_add_int (builder, "serial", (gint64) backup->serial);
  reroute_ctl_add_int (builder, "rows", n_rows);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

gboolean
reroute_ctl_backup (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  Target target = { .file = { .secret = TRUE, .fd = -1 } };
  const GOptionEntry entries[] = {
    { "force", 0, 0, G_OPTION_ARG_NONE, &target.file.replaces, NULL, NULL },
    { NULL },
  };
  g_autoptr (RerouteBackup) backup = NULL;
  gboolean done = FALSE;

  ctl->last_is_file = TRUE;
  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error))
    return FALSE;
  target.file.name = g_str_equal (argv[1], "-") ? NULL : argv[1];
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
