/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows-words.c - what a list of rows says of itself
 */

#include "config.h"

#include "gui/rows-words.h"

#include "gui/row-text.h"

#include <glib/gi18n.h>

const char *
reroute_rows_get_name (ReroutePage page)
{
  const char *const names[] = {
    [REROUTE_PAGE_ROUTING] = _ ("Routing table"),
                                [REROUTE_PAGE_CONNECTIONS] = _ ("E-mail domains"),
                                                                [REROUTE_PAGE_RECIPIENTS] =
                                                                  _ ("Recipients"),
                                                                };

  return names[page];
}

const char *
reroute_rows_get_search_hint (ReroutePage page)
{
  const char *const hints[] = {
    [REROUTE_PAGE_ROUTING] = _ ("Search domains and comments"),
                                [REROUTE_PAGE_CONNECTIONS] = _ ("Search domains and hosts"),
                                  [REROUTE_PAGE_RECIPIENTS] = _ ("Search addresses and comments"),
                                  };

  return hints[page];
}

const char *
reroute_rows_get_empty_title (ReroutePage page)
{
  return page == REROUTE_PAGE_RECIPIENTS ? _ ("No addresses yet") : _ ("No entries yet");
}

char *
reroute_rows_dup_empty_text (ReroutePage page, const char *word)
{
  const char *const texts[] = {
    [REROUTE_PAGE_ROUTING] = _ ("Mail for every domain goes where the Connections page says. Add an entry to accept a "
                        "domain here or to send its mail to another one."),
      [REROUTE_PAGE_CONNECTIONS] = _ ("Mail for every domain goes where the Connections page says. Add an entry to send the "
                        "mail for one domain to a host of its own."),
        [REROUTE_PAGE_RECIPIENTS] = _ ("While the list is empty, everybody but the postmaster is refused. Add the addresses that exist, or import them."),
        };

  if (word[0] != '\0')
    return g_strdup_printf (_ ("No entry contains “%s”."), word);
  return g_strdup (texts[page]);
}

char *
reroute_rows_dup_count (ReroutePage page, guint n)
{
  const char *pattern = page == REROUTE_PAGE_RECIPIENTS
                          /* Translators: the length of a list of recipients. */
                          ? g_dngettext (GETTEXT_PACKAGE, "%'u address", "%'u addresses", n)
                          /* Translators: the length of a list. */
                          : g_dngettext (GETTEXT_PACKAGE, "%'u entry", "%'u entries", n);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return g_strdup_printf (pattern, n);
#pragma GCC diagnostic pop
}

char *
reroute_rows_dup_text (ReroutePage page, GPtrArray *rows)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < rows->len; i++)
    {
      g_autofree char *domain = reroute_row_dup_cell (rows->pdata[i], REROUTE_COLUMN_DOMAIN);
      g_autofree char *target = reroute_row_dup_cell (rows->pdata[i], REROUTE_COLUMN_TARGET);

      if (page == REROUTE_PAGE_RECIPIENTS)
        g_string_append_printf (text, "%s\n", domain);
      else
        g_string_append_printf (text, "%s\t%s\n", domain, target);
    }
  return g_string_free (text, FALSE);
}
