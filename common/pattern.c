/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pattern.c - sentences of the services, put into the reader's language
 *
 * A place is "%s", or "%2$s" where a language has another order.
 */

#include "config.h"

#include "common/pattern.h"

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

/* The argument that the place at *@at asks for; *@at moves behind it.  NULL: it is no place. */
static const char *
take_place (const char **at, guint *next, char *const *arguments, guint n)
{
  const char *p = *at + 1;
  guint index = *next;

  if (g_ascii_isdigit (p[0]) && p[1] == '$')
    {
      index = (guint) (p[0] - '1');
      p += 2;
    }
  if (*p != 's' || index >= n)
    return NULL;
  *next = index + 1;
  *at = p + 1;
  return arguments[index];
}

char *
reroute_pattern_fill (const char *pattern, char *const *arguments)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint n = g_strv_length ((char **) arguments);
  guint next = 0;

  for (const char *at = pattern; *at != '\0';)
    {
      const char *argument = *at == '%' ? take_place (&at, &next, arguments, n) : NULL;

      if (argument != NULL)
        g_string_append (text, argument);
      else
        g_string_append_c (text, *at++);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
