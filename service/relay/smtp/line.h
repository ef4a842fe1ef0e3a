/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteLine:
 *
 * Splits a stream of octets into lines of commands or replies.  A line that is too long is read to
 * its end and kept out of @text, so that no tail of it is ever taken for a line.
 */
typedef struct
{
  gsize limit;   /* octets, line end included */
  GString *text; /* the line without its end; holds no NUL-terminated promise about NULs inside */
  gboolean overlong; /* over the limit: the text is not the line */
  gboolean bare_lf;  /* ended by LF alone */
  gboolean bare_cr;  /* has a CR that no LF follows */
  /*< private >*/
  guint8 last;
  gboolean whole;
} RerouteLine;

void reroute_line_init (RerouteLine *self, gsize limit);
void reroute_line_clear (RerouteLine *self);

/**
 * reroute_line_feed:
 * @taken: (out): how many octets belong to the line
 *
 * Returns: whether the line is whole; the next feed begins another
 */
gboolean reroute_line_feed (RerouteLine *self, const guint8 *octets, gsize length, gsize *taken);

G_END_DECLS
