/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * export.c - reroutectl export: every row as CSV (RFC 4180)
 */

#include "config.h"

#include "service/ctl/out-file.h"
#include "service/ctl/rows.h"

#include "common/csv.h"

#define BLOCK_OCTETS 65536

typedef struct
{
  RerouteOutFile file;
  GString *text; /* that is not yet written */
  GError *error; /* (nullable): of writing */
} Export;

static gboolean
flush (Export *export)
{
  gboolean written =
    reroute_out_file_write (&export->file, export->text->str, export->text->len, &export->error);

  g_string_truncate (export->text, 0);
  return written;
}

static gboolean
write_row (RerouteRow *row, gpointer user_data)
{
  Export *export = user_data;

  if (export->error != NULL)
    return FALSE;
  reroute_csv_append_row (export->text, row);
  return export->text->len < BLOCK_OCTETS || flush (export);
}

static gboolean
write_rows (RerouteCtl *ctl, Export *export, GError **error)
{
  reroute_csv_append_header (export->text);
  if (!reroute_ctl_foreach_row_of_all (ctl, write_row, export, error))
    return FALSE;
  if (export->error == NULL && flush (export))
    return reroute_out_file_finish (&export->file, error);
  g_propagate_error (error, g_steal_pointer (&export->error));
  return FALSE;
}

gboolean
reroute_ctl_export (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Export export = { { .replaces = TRUE, .fd = -1 }, text, NULL };
  gboolean written = FALSE;

  ctl->last_is_file = TRUE;
  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 1, error))
    return FALSE;
  if (argc > 1 && !g_str_equal (argv[1], "-"))
    export.file.name = argv[1];
  written = reroute_out_file_open (&export.file, error) && write_rows (ctl, &export, error);
  reroute_out_file_close (&export.file);
  g_clear_error (&export.error);
  return written;
}
