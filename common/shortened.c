/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * shortened.c - texts of other programs, no longer than anybody reads
 */

#include "config.h"

#include "common/shortened.h"

#include <string.h>

char *
reroute_dup_shortened (const char *text, gsize most)
{
  g_autofree char *beginning = NULL;

  g_return_val_if_fail (text != NULL, NULL);

  if (strnlen (text, most + 1) <= most)
    return g_strdup (text);
  while (most > 0 && ((guchar) text[most] & 0xC0) == 0x80)
    most--;
  beginning = g_strndup (text, most);
  return g_strconcat (beginning, "\342\200\246", NULL);
}
