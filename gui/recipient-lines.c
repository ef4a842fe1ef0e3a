/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipient-lines.c - addresses for a list of recipients, as they are typed, pasted and imported
 */

#include "config.h"

#include "gui/recipient-lines.h"

#include "common/byte-order-mark.h"
#include "common/recipient.h"

#include <glib/gi18n.h>
#include <string.h>

#define SHOWN_MOST 60 /* characters of a line that are said again */

static void
take_line (
  RerouteRecipientLines *self, GHashTable *seen, const char *line, guint number, const char *domain)
{
  g_autoptr (RerouteRow) row = reroute_recipient_parse_line (line, domain, NULL);

  if (row == NULL)
    {
      if (self->n_wrong++ > 0)
        return;
      self->wrong_line = number;
      self->wrong_text = g_strdup (line);
      return;
    }
  if (!g_hash_table_add (seen, row->domain))
    return;
  g_ptr_array_add (self->rows, g_steal_pointer (&row));
}

RerouteRecipientLines *
reroute_recipient_lines_parse (const char *text, const char *domain)
{
  RerouteRecipientLines *self = g_new0 (RerouteRecipientLines, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  self->rows = g_ptr_array_new_with_free_func (reroute_row_unref);
  text += reroute_get_byte_order_mark_octets (text, strlen (text));
  for (guint number = 1; *text != '\0'; number++)
    {
      gsize n_octets = strcspn (text, "\n");
      g_autofree char *line = g_strstrip (g_strndup (text, n_octets));

      text += text[n_octets] == '\n' ? n_octets + 1 : n_octets;
      if (*line != '\0' && *line != '#')
        take_line (self, seen, line, number, domain);
    }
  return self;
}

void
reroute_recipient_lines_free (RerouteRecipientLines *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self->wrong_text);
  g_free (self);
}

char *
reroute_recipient_lines_dup_problem (const RerouteRecipientLines *self, const char *domain)
{
  g_autofree char *shown = NULL;
  g_autofree char *cut = NULL;

  if (self->n_wrong == 0)
    return NULL;
  cut =
    g_utf8_substring (self->wrong_text, 0, MIN (SHOWN_MOST, g_utf8_strlen (self->wrong_text, -1)));
  shown = g_strconcat (cut, strlen (cut) < strlen (self->wrong_text) ? "…" : "", NULL);
  if (self->n_wrong == 1)
    /* Translators: the number of a line, what stands in it, and twice a domain. */
    return g_strdup_printf (_ ("Line %u: “%s” is no address of “%s” or a domain below it. Write “user@%s”, or “user” alone."),
                               self->wrong_line,
                               shown,
                               domain,
                               domain);
  return g_strdup_printf (
    g_dngettext (GETTEXT_PACKAGE,
                 /* Translators: a line's number, its text, twice a domain, how many more. */
                 "Line %u: “%s” is no address of “%s” or a domain below it. Write “user@%s”, or "
                 "“user” alone. %'u more line is wrong.",
                 "Line %u: “%s” is no address of “%s” or a domain below it. Write “user@%s”, or "
                 "“user” alone. %'u more lines are wrong.",
                 self->n_wrong - 1),
    self->wrong_line,
    shown,
    domain,
    domain,
    self->n_wrong - 1);
}
