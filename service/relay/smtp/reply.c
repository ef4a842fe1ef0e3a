/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reply.c - a reply of either side, as a value, as a line of text and as it is sent
 *
 * Standards: RFC 5321 sections 4.2 and 4.5.3.1.5, RFC 2034, RFC 3463.
 */

#include "config.h"

#include "service/relay/smtp/reply.h"

#include <string.h>

/* What is left of RFC 5321's 512 octets after "550-", "5.123.123 " and CR LF. */
#define TEXT_OCTETS 490

RerouteReply *
reroute_reply_new (guint code, const char *status, const char *text)
{
  g_return_val_if_fail (code >= 200 && code <= 599, NULL);

  RerouteReply *self = g_new0 (RerouteReply, 1);
  self->code = code;
  if (status != NULL)
    g_strlcpy (self->status, status, sizeof self->status);
  self->text = g_strdup (text != NULL ? text : "");
  return self;
}

RerouteReply *
reroute_reply_copy (const RerouteReply *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return reroute_reply_new (self->code, self->status, self->text);
}

void
reroute_reply_free (RerouteReply *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->text);
  g_free (self);
}

static void
append_code (const RerouteReply *self, GString *line)
{
  const char code[] = { (char) ('0' + self->code / 100),
                        (char) ('0' + self->code / 10 % 10),
                        (char) ('0' + self->code % 10) };

  g_string_append_len (line, code, sizeof code);
}

char *
reroute_reply_to_string (const RerouteReply *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  GString *line = g_string_sized_new (64);
  append_code (self, line);
  if (self->status[0] != '\0')
    {
      g_string_append_c (line, ' ');
      g_string_append (line, self->status);
    }
  if (self->text[0] != '\0')
    {
      g_string_append_c (line, ' ');
      g_string_append (line, self->text);
    }
  for (gsize i = 0; i < line->len; i++)
    if (line->str[i] == '\n')
      line->str[i] = ' ';
    else if (g_ascii_iscntrl (line->str[i]))
      line->str[i] = '?';
  if (!g_utf8_validate_len (line->str, line->len, NULL))
    for (gsize i = 0; i < line->len; i++)
      if ((guchar) line->str[i] >= 0x80)
        line->str[i] = '?';
  return g_string_free (line, FALSE);
}

static void
append_line (const RerouteReply *self, const char *text, gsize length, gboolean last, GString *wire)
{
  append_code (self, wire);
  g_string_append_c (wire, last ? ' ' : '-');
  if (self->status[0] != '\0')
    {
      g_string_append (wire, self->status);
      g_string_append_c (wire, ' ');
    }
  gsize start = wire->len;
  g_string_append_len (wire, text, (gssize) MIN (length, TEXT_OCTETS));
  for (gsize i = start; i < wire->len; i++)
    if (!g_ascii_isprint (wire->str[i]))
      wire->str[i] = '?';
  g_string_append_len (wire, "\r\n", 2);
}

void
reroute_reply_append (const RerouteReply *self, GString *wire)
{
  g_return_if_fail (self != NULL && wire != NULL);

  const char *text = self->text;
  for (const char *end = strchr (text, '\n'); end != NULL; end = strchr (text, '\n'))
    {
      append_line (self, text, (gsize) (end - text), FALSE, wire);
      text = end + 1;
    }
  append_line (self, text, strlen (text), TRUE, wire);
}
