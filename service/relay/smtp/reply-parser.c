/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reply-parser.c - the replies of a server
 *
 * Strict about codes, for everything hangs on them; a line that LF alone ends is taken, for
 * nothing does.
 *
 * Standards: RFC 5321 sections 4.2 and 4.5.3.1.5, RFC 2034 section 4.
 */

#include "config.h"

#include "service/relay/smtp/reply-parser.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/printable.h"

#include <string.h>

#define QUOTED_OCTETS 60 /* of a bad line, in an error */

void
reroute_reply_parser_init (RerouteReplyParser *self)
{
  *self = (RerouteReplyParser){ .text = g_string_new (NULL) };
  reroute_line_init (&self->line, REROUTE_LIMIT_REPLY_LINE_OCTETS);
}

void
reroute_reply_parser_clear (RerouteReplyParser *self)
{
  reroute_line_clear (&self->line);
  g_clear_pointer (&self->before, reroute_reply_free);
  g_string_free (g_steal_pointer (&self->text), TRUE);
}

static gboolean
fail (const GString *line, const char *why, GError **error)
{
  g_autofree char *shown = g_utf8_make_valid (line->str, (gssize) MIN (line->len, QUOTED_OCTETS));

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "reply line “%s” %s", shown, why);
  return FALSE;
}

static void
cover_controls (GString *line)
{
  if (reroute_is_printable_ascii (line->str, line->len))
    return;
  for (gsize i = 0; i < line->len; i++)
    if (line->str[i] == '\t')
      line->str[i] = ' ';
    else if (g_ascii_iscntrl (line->str[i]))
      line->str[i] = '?';
}

/* The length of "5.7.1" at the start of @text when it fits @code, else 0. */
static gsize
measure_status (const char *text, guint code)
{
  gsize subject = strspn (text, "0123456789");
  if (subject != 1 || (guint) (text[0] - '0') != code / 100 || text[1] != '.')
    return 0;
  subject = strspn (text + 2, "0123456789");
  if (subject == 0 || subject > 3 || text[2 + subject] != '.')
    return 0;
  gsize detail = strspn (text + 3 + subject, "0123456789");
  gsize length = 3 + subject + detail;
  if (detail == 0 || detail > 3 || (text[length] != ' ' && text[length] != '\0'))
    return 0;
  return length;
}

static void
add_text (RerouteReplyParser *self, const char *text)
{
  gsize n_status = measure_status (text, self->code);

  if (self->n_lines == 1 && n_status > 0)
    g_strlcpy (self->status, text, MIN (n_status + 1, sizeof self->status));
  if (n_status > 0 && strlen (self->status) == n_status &&
      strncmp (self->status, text, n_status) == 0)
    text += n_status + strspn (text + n_status, " ");

  gsize room = REROUTE_LIMIT_REPLY_TEXT_OCTETS - self->text->len;
  if (self->n_lines > 1 && room > 0)
    {
      g_string_append_c (self->text, '\n');
      room--;
    }
  g_string_append_len (self->text, text, (gssize) MIN (strlen (text), room));
}

/* Returns: FALSE with @error for a line that is no reply */
static gboolean
add_line (RerouteReplyParser *self, gboolean *last, GError **error)
{
  GString *line = self->line.text;

  cover_controls (line);
  if (line->len < 3 || strspn (line->str, "0123456789") != 3 || line->str[0] < '2' ||
      line->str[0] > '5')
    return fail (line, "does not start with a code", error);
  if (line->len > 3 && line->str[3] != ' ' && line->str[3] != '-')
    return fail (line, "has neither a blank nor “-” behind its code", error);
  guint code = (guint) (line->str[0] - '0') * 100 + (guint) (line->str[1] - '0') * 10 +
               (guint) (line->str[2] - '0');
  if (self->n_lines > 0 && code != self->code)
    return fail (line, "has another code than the line before", error);
  if (++self->n_lines > REROUTE_LIMIT_REPLY_LINES)
    return fail (line, "is one too many for a reply", error);
  self->code = code;
  *last = line->len == 3 || line->str[3] == ' ';
  add_text (self, line->len > 3 ? line->str + 4 : "");
  return TRUE;
}

/* The one before where it is the same again, as it is for each of many recipients. */
static RerouteReply *
make_reply (RerouteReplyParser *self)
{
  const RerouteReply *before = self->before;

  if (before == NULL || before->code != self->code ||
      !g_str_equal (before->text, self->text->str) || !g_str_equal (before->status, self->status))
    {
      g_clear_pointer (&self->before, reroute_reply_free);
      self->before = reroute_reply_new (self->code, self->status, self->text->str);
    }
  return reroute_reply_copy (self->before);
}

gboolean
reroute_reply_parser_feed (RerouteReplyParser *self,
                           const guint8 *octets,
                           gsize length,
                           gsize *taken,
                           RerouteReply **reply,
                           GError **error)
{
  gboolean last = FALSE;

  *reply = NULL;
  gboolean whole = reroute_line_feed (&self->line, octets, length, taken);
  if (self->line.overlong)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_PROTOCOL,
                   "reply line has over %d octets",
                   REROUTE_LIMIT_REPLY_LINE_OCTETS);
      return FALSE;
    }
  if (!whole)
    return TRUE;
  if (!add_line (self, &last, error))
    return FALSE;
  if (!last)
    return TRUE;
  *reply = make_reply (self);
  g_string_truncate (self->text, 0);
  self->status[0] = '\0';
  self->n_lines = self->code = 0;
  return TRUE;
}
