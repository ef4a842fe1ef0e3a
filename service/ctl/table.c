/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * table.c - rows of text in aligned columns
 *
 * Widths are counted in characters as a terminal shows them; wide ones count two.
 */

#include "config.h"

#include "service/ctl/table.h"

#include "service/ctl/output.h"

#include <stdarg.h>

#define COLUMN_GAP 2

struct _RerouteTable
{
  gsize n_columns;
  GPtrArray *rows; /* (element-type GStrv), the titles first */
};

RerouteTable *
reroute_table_new (const char *const *titles)
{
  RerouteTable *self = g_new0 (RerouteTable, 1);

  self->n_columns = g_strv_length ((char **) titles);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_ptr_array_add (self->rows, g_strdupv ((char **) titles));
  return self;
}

void
reroute_table_free (RerouteTable *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

void
reroute_table_add (RerouteTable *self, ...)
{
  char **row = g_new0 (char *, self->n_columns + 1);
  const char *cell;
  va_list cells;

  va_start (cells, self);
  cell = va_arg (cells, const char *);
  for (gsize i = 0; i < self->n_columns; i++)
    {
      row[i] = reroute_ctl_dup_plain (cell != NULL ? cell : "");
      if (cell != NULL)
        cell = va_arg (cells, const char *);
    }
  va_end (cells);
  g_ptr_array_add (self->rows, row);
}

static gsize
text_width (const char *text)
{
  gsize width = 0;

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);

      if (!g_unichar_iszerowidth (character))
        width += g_unichar_iswide (character) ? 2 : 1;
    }
  return width;
}

static void
print_row (RerouteTable *self, char **row, const gsize *widths)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (gsize i = 0; i < self->n_columns; i++)
    {
      g_string_append (line, row[i]);
      for (gsize n = text_width (row[i]); i + 1 < self->n_columns && n < widths[i] + COLUMN_GAP;
           n++)
        g_string_append_c (line, ' ');
    }
  g_print ("%s\n", g_strchomp (line->str));
}

void
reroute_table_print (RerouteTable *self)
{
  g_autofree gsize *widths = g_new0 (gsize, self->n_columns);

  if (self->rows->len < 2)
    return;
  for (guint r = 0; r < self->rows->len; r++)
    {
      char **row = self->rows->pdata[r];

      for (gsize i = 0; i < self->n_columns; i++)
        widths[i] = MAX (widths[i], text_width (row[i]));
    }
  for (guint r = 0; r < self->rows->len; r++)
    print_row (self, self->rows->pdata[r], widths);
}

char *
reroute_table_format_time (gint64 time_us)
{
  g_autoptr (GDateTime) time = NULL;

  if (time_us <= 0)
    return g_strdup ("");
  time = g_date_time_new_from_unix_local (time_us / G_USEC_PER_SEC);
  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup ("");
}
