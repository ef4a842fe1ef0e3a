/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where content in wire form stands, between two pieces of it; all zero at its beginning. */
typedef struct
{
  enum
  {
    REROUTE_DOTS_LINE_START,
    REROUTE_DOTS_IN_LINE,
    REROUTE_DOTS_BEHIND_CR,
  } at;
} RerouteDots;

/* Octets of the next piece that dot-stuffing has added. */
gsize reroute_dots_count (RerouteDots *self, const guint8 *octets, gsize length);

/* The next piece without them; the same octets where there are none.  @piece: (transfer full)
   Returns: (transfer full) */
GBytes *reroute_dots_remove (RerouteDots *self, GBytes *piece);

G_END_DECLS
