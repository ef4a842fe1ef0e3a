/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * transcript.c - SMTP conversations as text files
 */

#include "config.h"

#include "tests/unit/transcript.h"

#include <string.h>

static void
clear_step (gpointer data)
{
  TranscriptStep *step = data;

  g_free (step->text);
}

static void
unescape (const char *text, GString *octets)
{
  for (; *text != '\0'; text++)
    {
      if (*text != '\\')
        {
          g_string_append_c (octets, *text);
          continue;
        }
      text++;
      if (*text == 'x')
        {
          g_assert_true (g_ascii_isxdigit (text[1]) && g_ascii_isxdigit (text[2]));
          g_string_append_c (
            octets, (char) (g_ascii_xdigit_value (text[1]) * 16 + g_ascii_xdigit_value (text[2])));
          text += 2;
        }
      else if (*text == 'r')
        g_string_append_c (octets, '\r');
      else if (*text == 'n')
        g_string_append_c (octets, '\n');
      else
        g_string_append_c (octets, *text);
    }
}

static void
add_line (Transcript *self, const char *line, guint number)
{
  g_autoptr (GString) octets = g_string_new (NULL);
  char kind = line[0];

  if (line[1] != (kind == '!' ? ' ' : ':'))
    g_error ("%s:%u: no transcript line: %s", self->name, number, line);
  const char *text = line + (kind == '!' || line[2] == '\0' ? 2 : 3);
  if (strchr ("CcSs", kind) == NULL)
    g_string_append (octets, text);
  else
    unescape (text, octets);
  if (kind == 'C' || kind == 'S')
    g_string_append (octets, "\r\n");

  char joined = strchr ("CcSs", kind) != NULL ? g_ascii_toupper (kind) : kind;
  TranscriptStep *last = self->steps->len > 0
                           ? &g_array_index (self->steps, TranscriptStep, self->steps->len - 1)
                           : NULL;
  if (last != NULL && last->kind == joined && (joined == 'C' || joined == 'S'))
    {
      last->text = g_realloc (last->text, last->length + octets->len + 1);
      memcpy (last->text + last->length, octets->str, octets->len + 1);
      last->length += octets->len;
      return;
    }
  TranscriptStep step = { joined, g_memdup2 (octets->str, octets->len + 1), octets->len, number };
  g_array_append_val (self->steps, step);
}

Transcript *
transcript_load (const char *path)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  Transcript *self = g_new0 (Transcript, 1);

  self->name = g_path_get_basename (path);
  self->steps = g_array_new (FALSE, FALSE, sizeof (TranscriptStep));
  g_array_set_clear_func (self->steps, clear_step);
  g_file_get_contents (path, &contents, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) lines = g_strsplit (contents, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '#' && lines[i][0] != '\0')
      add_line (self, lines[i], i + 1);
  return self;
}

void
transcript_free (Transcript *self)
{
  g_array_unref (self->steps);
  g_free (self->name);
  g_free (self);
}

const char *
transcript_get_option (const Transcript *self, const char *name)
{
  gsize length = strlen (name);

  for (guint i = 0; i < self->steps->len; i++)
    {
      const TranscriptStep *step = &g_array_index (self->steps, TranscriptStep, i);
      if (step->kind == '!' && strncmp (step->text, name, length) == 0 &&
          (step->text[length] == '\0' || step->text[length] == ' '))
        return step->text + length + strspn (step->text + length, " ");
    }
  return NULL;
}

gboolean
transcript_has_option (const Transcript *self, const char *name)
{
  return transcript_get_option (self, name) != NULL;
}

gsize
transcript_count_octets (const Transcript *self, char kind)
{
  gsize n = 0;

  for (guint i = 0; i < self->steps->len; i++)
    {
      const TranscriptStep *step = &g_array_index (self->steps, TranscriptStep, i);
      if (step->kind == kind)
        n += step->length;
    }
  return n;
}
