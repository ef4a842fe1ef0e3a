/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * line.c - lines of commands and replies
 *
 * The limit holds for the line with its end, however the octets arrive.
 *
 * Standards: RFC 5321 sections 2.3.8 and 4.5.3.1.4.
 */

#include "config.h"

#include "service/relay/smtp/line.h"

#include <string.h>

void
reroute_line_init (RerouteLine *self, gsize limit)
{
  *self = (RerouteLine){ .limit = limit, .text = g_string_sized_new (128), .whole = TRUE };
}

void
reroute_line_clear (RerouteLine *self)
{
  g_string_free (g_steal_pointer (&self->text), TRUE);
}

static void
begin (RerouteLine *self)
{
  g_string_truncate (self->text, 0);
  self->overlong = self->bare_lf = self->bare_cr = self->whole = FALSE;
  self->last = '\0';
}

static void
finish (RerouteLine *self, gboolean cr_before)
{
  self->whole = TRUE;
  self->bare_lf = !cr_before;
  if (self->overlong)
    {
      g_string_truncate (self->text, 0);
      return;
    }
  g_string_truncate (self->text, self->text->len - (cr_before ? 2 : 1));
  self->bare_cr = memchr (self->text->str, '\r', self->text->len) != NULL;
}

gboolean
reroute_line_feed (RerouteLine *self, const guint8 *octets, gsize length, gsize *taken)
{
  if (self->whole)
    begin (self);
  if (length == 0)
    {
      *taken = 0;
      return FALSE;
    }

  const guint8 *lf = memchr (octets, '\n', length);
  gsize n = lf != NULL ? (gsize) (lf - octets) + 1 : length;
  *taken = n;
  if (self->text->len + n > self->limit)
    self->overlong = TRUE;
  if (!self->overlong)
    g_string_append_len (self->text, (const char *) octets, (gssize) n);
  if (lf != NULL)
    {
      finish (self, (n > 1 ? octets[n - 2] : self->last) == '\r');
      return TRUE;
    }
  self->last = octets[n - 1];
  return FALSE;
}
