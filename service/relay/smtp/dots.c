/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dots.c - content in wire form without its stuffed dots
 *
 * The dot behind CR LF, in pieces cut anywhere.  Wire form has no other line end (body.c), and each
 * dot at the start of a line is a stuffed one.
 *
 * Standards: RFC 5321 section 4.5.2.
 */

#include "config.h"

#include "service/relay/smtp/dots.h"

#include <string.h>

/* The next stuffed dot of @octets from @from on, @length when there is none. */
static gsize
find_dot (RerouteDots *self, const guint8 *octets, gsize length, gsize from)
{
  for (gsize i = from; i < length;)
    {
      const guint8 *cr;

      if (self->at == REROUTE_DOTS_LINE_START && octets[i] == '.')
        {
          self->at = REROUTE_DOTS_IN_LINE;
          return i;
        }
      if (self->at == REROUTE_DOTS_BEHIND_CR && octets[i] == '\n')
        {
          self->at = REROUTE_DOTS_LINE_START;
          i++;
          continue;
        }
      cr = memchr (octets + i, '\r', length - i);
      self->at = cr != NULL ? REROUTE_DOTS_BEHIND_CR : REROUTE_DOTS_IN_LINE;
      i = cr != NULL ? (gsize) (cr - octets) + 1 : length;
    }
  return length;
}

gsize
reroute_dots_count (RerouteDots *self, const guint8 *octets, gsize length)
{
  g_return_val_if_fail (self != NULL && (octets != NULL || length == 0), 0);

  gsize n = 0;

  for (gsize i = 0; (i = find_dot (self, octets, length, i)) < length; i++)
    n++;
  return n;
}

GBytes *
reroute_dots_remove (RerouteDots *self, GBytes *piece)
{
  g_return_val_if_fail (self != NULL && piece != NULL, NULL);

  gsize length;
  const guint8 *octets = g_bytes_get_data (piece, &length);
  gsize dot = find_dot (self, octets, length, 0);
  gsize from = 0;
  GByteArray *kept;

  if (dot == length)
    return piece;
  kept = g_byte_array_sized_new ((guint) length);
  while (dot < length)
    {
      g_byte_array_append (kept, octets + from, (guint) (dot - from));
      from = dot + 1;
      dot = find_dot (self, octets, length, from);
    }
  g_byte_array_append (kept, octets + from, (guint) (length - from));
  g_bytes_unref (piece);
  return g_byte_array_free_to_bytes (kept);
}
