/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* How many octets the byte order mark takes that @text of UTF-8 begins with, as programs on Windows
   write one; 0: there is none.
   @length: in octets */
static inline gsize
reroute_get_byte_order_mark_octets (const char *text, gsize length)
{
  const char mark[] = { '\xef', '\xbb', '\xbf' };

  return length >= sizeof mark && memcmp (text, mark, sizeof mark) == 0 ? sizeof mark : 0;
}

G_END_DECLS
