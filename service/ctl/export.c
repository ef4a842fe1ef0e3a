/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * export.c - reroutectl export: every row as CSV (RFC 4180)
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "service/ctl/rows.h"

#include "common/csv.h"
#include "common/error.h"

#include <glib/gi18n.h>

typedef struct
{
  FILE *out;
  GString *line;
  gboolean failed;
} Export;

static gboolean
write_row (RerouteRow *row, gpointer user_data)
{
  Export *export = user_data;

  g_string_truncate (export->line, 0);
  reroute_csv_append_row (export->line, row);
  export->failed =
    fwrite (export->line->str, 1, export->line->len, export->out) != export->line->len;
  return !export->failed;
}

static gboolean
write_pages (RerouteCtl *ctl, Export *export, GError **error)
{
  guint64 serial;

  reroute_csv_append_header (export->line);
  export->failed = fputs (export->line->str, export->out) == EOF;
  for (int page = 0; page < REROUTE_N_PAGES && !export->failed; page++)
    {
      if (!reroute_ctl_foreach_row (ctl, (ReroutePage) page, "", write_row, export, &serial, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
reroute_ctl_export (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  Export export = { stdout, line, FALSE };
  gboolean to_file;
  gboolean written;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 1, error))
    return FALSE;
  to_file = argc > 1 && !g_str_equal (argv[1], "-");
  if (to_file)
    export.out = fopen (argv[1], "we");
  if (export.out == NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_FAILED,
                   /* Translators: the name of a file; what the system says */
                   _ ("cannot write “%s”: %s"), argv[1], g_strerror (errno));
      return FALSE;
    }
  written = write_pages (ctl, &export, error);
  export.failed |= fflush (export.out) != 0;
  if (to_file)
    export.failed |= fclose (export.out) != 0;
  if (written && export.failed)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_FAILED,
                   _ ("cannot write all rows: %s"), g_strerror (errno));
      return FALSE;
    }
  return written;
}
