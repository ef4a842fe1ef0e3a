/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Whether all of @text is printable ASCII, blanks among it; eight octets a step.
   @length: in octets */
static inline gboolean
reroute_is_printable_ascii (const char *text, gsize length)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);
  const guint64 tops = ones * 0x80;
  gsize i = 0;

  for (; i + sizeof ones <= length; i += sizeof ones)
    {
      guint64 octets;

      /* The top bit of an octet gets set by one below 0x20, by 0x7f and by one beyond ASCII; a
         carry into a neighbour comes from one of those alone. */
      memcpy (&octets, text + i, sizeof octets);
      if (((octets | (octets - ones * 0x20) | (octets + ones)) & tops) != 0)
        return FALSE;
    }
  for (; i < length; i++)
    if ((guchar) text[i] < 0x20 || (guchar) text[i] >= 0x7f)
      return FALSE;
  return TRUE;
}

G_END_DECLS
