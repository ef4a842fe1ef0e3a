/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * summary-text.c - what changed in a generation, in the reader's language
 *
 * rulesd writes it in English and keeps it; what it wrote is held against patterns.
 */

#include "config.h"

#include "common/summary-text.h"

#include "common/pattern.h"

#include <glib/gi18n-lib.h>

/* What rulesd writes of several changes; the number stands in front. */
typedef struct
{
  const char *one;
  const char *many;
} Count;

static const Count counts[] = {
  { "%s entry added", "%s entries added" },
  { "%s entry changed", "%s entries changed" },
  { "%s entry removed", "%s entries removed" },
  { "%s setting", "%s settings" },
};

/* The translated pattern of counts[@index]. */
static const char *
get_plural (gsize index, gulong n)
{
  const char *const plurals[] = {
    g_dngettext (GETTEXT_PACKAGE, "%s entry added", "%s entries added", n),
    g_dngettext (GETTEXT_PACKAGE, "%s entry changed", "%s entries changed", n),
    g_dngettext (GETTEXT_PACKAGE, "%s entry removed", "%s entries removed", n),
    g_dngettext (GETTEXT_PACKAGE, "%s setting", "%s settings", n),
  };

  return plurals[index];
}

/* Of a single change. */
/* clang-format off */
static const char *const patterns[] = {
  /* Translators: the number of a generation of the rules */
  N_ ("Brought back generation %s"),
  /* Translators: the number of a generation of the rules, when the backup was taken */
  N_ ("Restored a backup of generation %s"),
  /* Translators: the key of a setting */
  N_ ("%s set to its default"),
  /* Translators: the key of a setting, its value */
  N_ ("%s set to %s"),
  /* Translators: a domain, perhaps with # in front */
  N_ ("Routing: %s added"),
  N_ ("Routing: %s changed"),
  N_ ("Routing: %s removed"),
  N_ ("E-Mail Domain: %s added"),
  N_ ("E-Mail Domain: %s changed"),
  N_ ("E-Mail Domain: %s removed"),
  /* Translators: an address */
  N_ ("Recipients: %s added"),
  N_ ("Recipients: %s changed"),
  N_ ("Recipients: %s removed"),
};
/* clang-format on */

/* NULL when @part is no count. */
static char *
dup_count (const char *part)
{
  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_auto (GStrv) arguments = reroute_pattern_match (counts[i].one, part);
      guint64 n = 0;

      if (arguments == NULL)
        arguments = reroute_pattern_match (counts[i].many, part);
      if (arguments != NULL &&
          g_ascii_string_to_unsigned (arguments[0], 10, 0, G_MAXUINT32, &n, NULL))
        return reroute_pattern_fill (get_plural (i, (gulong) n), arguments);
    }
  return NULL;
}

static char *
dup_counts (const char *summary)
{
  g_auto (GStrv) parts = g_strsplit (summary, ", ", -1);

  for (char **part = parts; *part != NULL; part++)
    {
      char *translated = dup_count (*part);

      if (translated == NULL)
        return NULL;
      g_free (*part);
      *part = translated;
    }
  return g_strjoinv (", ", parts);
}

char *
reroute_summary_dup_text (const char *summary)
{
  char *translated;

  g_return_val_if_fail (summary != NULL, NULL);

  translated = dup_counts (summary);
  for (gsize i = 0; translated == NULL && i < G_N_ELEMENTS (patterns); i++)
    {
      g_auto (GStrv) arguments = reroute_pattern_match (patterns[i], summary);

      if (arguments != NULL)
        translated = reroute_pattern_fill (_ (patterns[i]), arguments);
    }
  return translated != NULL ? translated : g_strdup (summary);
}
