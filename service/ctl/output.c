/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output.c - what goes to the standard output
 */

#include "config.h"

#include "service/ctl/output.h"

/* LRE, RLE, PDF, LRO, RLO; LRI, RLI, FSI, PDI */
static gboolean
turns_direction (gunichar c)
{
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *
reroute_ctl_dup_plain (const char *text)
{
  g_autofree char *valid = NULL;
  g_autoptr (GString) plain = g_string_new (NULL);

  g_return_val_if_fail (text != NULL, NULL);

  valid = g_utf8_make_valid (text, -1);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      gboolean is_kept = c == '\n' || c == '\t' || !(g_unichar_iscntrl (c) || turns_direction (c));

      if (c != '\r')
        g_string_append_unichar (plain, is_kept ? c : '?');
    }
  return g_string_free (g_steal_pointer (&plain), FALSE);
}
