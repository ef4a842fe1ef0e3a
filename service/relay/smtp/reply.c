/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reply.c - a reply of either side, as a value, as a line of text and as it is sent
 *
 * Standards: RFC 5321 sections 4.2, 4.5.3.1.5 and 4.5.3.1.10, RFC 2034, RFC 3463.
 */

#include "config.h"

#include "service/relay/smtp/reply.h"

#include "common/printable.h"

#include <string.h>

/* What is left of RFC 5321's 512 octets after "550-", "5.123.123 " and CR LF. */
#define TEXT_OCTETS 490
#define CODE_DIGITS 3

RerouteReply *
reroute_reply_new (guint code, const char *status, const char *text)
{
  g_return_val_if_fail (code >= 200 && code <= 599, NULL);

  RerouteReply *self = g_new0 (RerouteReply, 1);
  self->n_holders = 1;
  self->code = code;
  if (status != NULL)
    g_strlcpy (self->status, status, sizeof self->status);
  self->text = g_strdup (text != NULL ? text : "");
  return self;
}

RerouteReply *
reroute_reply_copy (const RerouteReply *self)
{
  RerouteReply *shared = (RerouteReply *) self;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->n_holders == 0)
    return reroute_reply_new (self->code, self->status, self->text);
  g_atomic_int_inc (&shared->n_holders);
  return shared;
}

void
reroute_reply_free (RerouteReply *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->n_holders))
    return;
  g_free (self->text);
  g_free (self);
}

gboolean
reroute_reply_is_too_many (const RerouteReply *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->status[0] != '\0')
    return g_str_equal (self->status + 1, ".5.3");
  return self->code == 452 || self->code == 552;
}

static void
put_code (const RerouteReply *self, char code[CODE_DIGITS])
{
  code[0] = (char) ('0' + self->code / 100);
  code[1] = (char) ('0' + self->code / 10 % 10);
  code[2] = (char) ('0' + self->code % 10);
}

char *
reroute_reply_to_string (const RerouteReply *self)
{
  char code[CODE_DIGITS + 1] = { 0 };

  g_return_val_if_fail (self != NULL, NULL);

  put_code (self, code);
  char *line = g_strconcat (code,
                            self->status[0] != '\0' ? " " : "",
                            self->status,
                            self->text[0] != '\0' ? " " : "",
                            self->text,
                            NULL);
  if (reroute_is_printable_ascii (line, strlen (line)))
    return line;
  for (char *c = line; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = *c == '\n' ? ' ' : '?';
  if (g_utf8_validate (line, -1, NULL))
    return line;
  for (char *c = line; *c != '\0'; c++)
    if ((guchar) *c >= 0x80)
      *c = '?';
  return line;
}

static void
cover_unprintable (char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isprint (text[i]))
      text[i] = '?';
}

static void
append_line (const RerouteReply *self, const char *text, gsize length, gboolean last, GString *wire)
{
  gsize n_status = strlen (self->status);
  gsize n_text = MIN (length, TEXT_OCTETS);
  gsize start = wire->len;
  char *at;

  g_string_set_size (wire, start + CODE_DIGITS + 1 + n_status + (n_status > 0) + n_text + 2);
  at = wire->str + start;
  put_code (self, at);
  at += CODE_DIGITS;
  *at++ = last ? ' ' : '-';
  memcpy (at, self->status, n_status);
  at += n_status;
  if (n_status > 0)
    *at++ = ' ';
  memcpy (at, text, n_text);
  if (!reroute_is_printable_ascii (at, n_text))
    cover_unprintable (at, n_text);
  memcpy (at + n_text, "\r\n", 2);
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
