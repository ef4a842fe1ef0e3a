/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pattern.c - sentences of the services, put into the reader's language
 */

#include "config.h"

#include "gui/pattern.h"

#include <string.h>

char **
reroute_pattern_match (const char *pattern, const char *sentence)
{
  g_auto (GStrv) literals = g_strsplit (pattern, "%s", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *at = sentence;

  if (!g_str_has_prefix (at, literals[0]))
    return NULL;
  at += strlen (literals[0]);
  for (gsize i = 1; literals[i] != NULL; i++)
    {
      gboolean last = literals[i + 1] == NULL;
      const char *end = last && g_str_has_suffix (at, literals[i])
                          ? at + strlen (at) - strlen (literals[i])
                        : last ? NULL
                               : strstr (at, literals[i]);
      g_autofree char *argument = NULL;

      if (end == NULL)
        return NULL;
      argument = g_strndup (at, (gsize) (end - at));
      g_strv_builder_add (builder, argument);
      at = end + strlen (literals[i]);
    }
  return *at == '\0' ? g_strv_builder_end (builder) : NULL;
}

char *
reroute_pattern_fill (const char *pattern, char *const *arguments)
{
  g_auto (GStrv) literals = g_strsplit (pattern, "%s", -1);
  g_autoptr (GString) text = g_string_new (literals[0]);

  for (gsize i = 1; literals[i] != NULL && arguments[i - 1] != NULL; i++)
    {
      g_string_append (text, arguments[i - 1]);
      g_string_append (text, literals[i]);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
