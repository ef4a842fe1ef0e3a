/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * body.c - the content of a message, scanned as it arrives
 *
 * Two searches a line, by memchr(), and lines without anything to decide in a row; spans pass to
 * the sink uncopied.  An octet that may turn out to belong to the end of data is held back in the
 * state, never in a buffer: "." and CR at the start of a line, CR elsewhere.
 *
 * A dot behind a bare LF does not start a line for RFC 5321, so it is no stuffing: normalised, it
 * is doubled.  So is every dot that starts a line of a chunk.  A NUL that starts a line, alone or
 * behind its dot, could be dropped by a later host and leave an end of data.  No sequence of octets
 * but CR LF . CR LF makes ".", CR, LF at the start of a line in what passes.
 *
 * Standards: RFC 5321 sections 2.3.8, 4.1.1.4, 4.5.2 and 6.3; RFC 3030; RFC 5322 sections 2.1 and
 * 2.2; RFC 8689 section 3.
 */

#include "config.h"

#include "service/relay/smtp/body.h"

#include "common/limits.h"

#include <string.h>

/* Of a header field, what is kept to look at; our own Received line is shorter. */
#define FIELD_OCTETS 4096

/* Looked at in one step for octets over 127: the compiler makes wide registers of it. */
#define BLOCK_WORDS 8
#define BIT_8 0x80u
#define BIT_8_OF_EACH G_GUINT64_CONSTANT (0x8080808080808080)

enum
{
  LINE_START,  /* behind CR LF */
  LF_START,    /* behind a bare LF that became CR LF, or CR LF in a chunk */
  IN_LINE,     /* anywhere else */
  HELD_CR,     /* a CR in a line */
  HELD_DOT,    /* "." at the start of a line */
  HELD_DOT_CR, /* ".", CR at the start of a line */
  END_OF_DATA,
};

void
reroute_body_init (RerouteBody *self)
{
  *self = (RerouteBody){ .field = g_string_new (NULL) };
}

void
reroute_body_clear (RerouteBody *self)
{
  g_string_free (g_steal_pointer (&self->field), TRUE);
}

void
reroute_body_begin (RerouteBody *self, gboolean chunked)
{
  self->fault = REROUTE_BODY_SOUND;
  self->octets = 0;
  self->n_received = self->n_own_received = 0;
  self->tls_optional = FALSE;
  self->has_8bit = self->has_8bit_header = FALSE;
  self->chunked = chunked;
  self->state = chunked ? LF_START : LINE_START;
  self->in_header = TRUE;
  self->line_octets = self->header_octets = 0;
  g_string_truncate (self->field, 0);
}

static void
set_fault (RerouteBody *self, RerouteBodyFault fault)
{
  /* What stands alone outweighs the rest: it ends the session. */
  if (self->fault == REROUTE_BODY_SOUND || fault == REROUTE_BODY_BARE)
    self->fault = fault;
}

/* Whether an octet over 127 is among them. */
static gboolean
has_8bit (const guint8 *octets, gsize length)
{
  guint64 words[BLOCK_WORDS];
  guint8 rest = 0;

  for (; length >= sizeof words; octets += sizeof words, length -= sizeof words)
    {
      guint64 all = 0;
      memcpy (words, octets, sizeof words);
      for (guint i = 0; i < BLOCK_WORDS; i++)
        all |= words[i];
      if ((all & BIT_8_OF_EACH) != 0)
        return TRUE;
    }
  for (gsize i = 0; i < length; i++)
    rest |= octets[i];
  return (rest & BIT_8) != 0;
}

static void
put (RerouteBody *self, const guint8 *octets, gsize length)
{
  if (length == 0 || self->fault != REROUTE_BODY_SOUND)
    return;
  if (self->looks_for_8bit && !self->has_8bit)
    self->has_8bit = has_8bit (octets, length);
  self->sink (octets, length, self->sink_data);
}

static void
put_text (RerouteBody *self, const char *text)
{
  put (self, (const guint8 *) text, strlen (text));
}

/* Whether ".TOKEN" ends a word of the field. */
static gboolean
has_token (const char *field, const char *token)
{
  gsize length = strlen (token);

  for (const char *p = strstr (field, token); p != NULL; p = strstr (p + 1, token))
    if (p > field && p[-1] == '.' && !g_ascii_isalnum (p[length]))
      return TRUE;
  return FALSE;
}

static gboolean
is_header_field (const GString *field)
{
  gsize n = 0;

  while (n < field->len && g_ascii_isgraph (field->str[n]) && field->str[n] != ':')
    n++;
  gsize blanks = strspn (field->str + n, " \t");
  return n > 0 && field->str[n + blanks] == ':';
}

/* What the field says; NULL: it is another one. */
static const char *
match_field (const GString *field, const char *name)
{
  gsize length = strlen (name);
  const char *value = field->str + length;

  if (g_ascii_strncasecmp (field->str, name, length) != 0)
    return NULL;
  value += strspn (value, " \t");
  return *value == ':' ? value + 1 : NULL;
}

static gboolean
says_no (const char *value)
{
  value += strspn (value, " \t");
  return g_ascii_strncasecmp (value, "no", 2) == 0 && value[2 + strspn (value + 2, " \t")] == '\0';
}

static void
finish_field (RerouteBody *self)
{
  const char *value;

  if (self->field->len == 0)
    return;
  if (!is_header_field (self->field))
    self->in_header = FALSE;
  else if (match_field (self->field, "Received") != NULL)
    {
      if (++self->n_received > REROUTE_LIMIT_RECEIVED_LINES)
        set_fault (self, REROUTE_BODY_HOPS);
      if (self->token != NULL && has_token (self->field->str, self->token) &&
          ++self->n_own_received > REROUTE_LIMIT_OWN_RECEIVED_LINES)
        set_fault (self, REROUTE_BODY_LOOP);
    }
  else if ((value = match_field (self->field, "TLS-Required")) != NULL && says_no (value))
    self->tls_optional = TRUE;
  g_string_truncate (self->field, 0);
}

/* Octets of a header line, without its end. */
static void
scan_header (RerouteBody *self, const guint8 *octets, gsize length)
{
  if (self->line_octets == 0 && octets[0] != ' ' && octets[0] != '\t')
    finish_field (self);
  if (!self->in_header)
    return;
  if (self->looks_for_8bit && !self->has_8bit_header)
    self->has_8bit_header = has_8bit (octets, length);
  self->header_octets += length;
  if (self->header_octets > REROUTE_LIMIT_HEADER_OCTETS)
    set_fault (self, REROUTE_BODY_HEADER_TOO_LARGE);
  gsize room = FIELD_OCTETS - self->field->len;
  g_string_append_len (self->field, (const char *) octets, (gssize) MIN (length, room));
}

/* Counts octets of a line, without its end. */
static void
scan (RerouteBody *self, const guint8 *octets, gsize length)
{
  if (length == 0)
    return;
  if (self->in_header)
    scan_header (self, octets, length);
  self->line_octets += length;
  self->octets += (gint64) length;
  if (self->line_octets > REROUTE_LIMIT_TEXT_LINE_OCTETS)
    set_fault (self, REROUTE_BODY_LINE_TOO_LONG);
}

/* @next_state: of content that is not chunked */
static void
start_line (RerouteBody *self, int next_state)
{
  self->line_octets = 0;
  self->state = (guint8) (self->chunked ? LF_START : next_state);
  if (self->max_octets > 0 && self->octets > self->max_octets)
    set_fault (self, REROUTE_BODY_TOO_LARGE);
}

/* Likewise */
static void
finish_line (RerouteBody *self, int next_state)
{
  if (self->in_header)
    {
      self->header_octets += 2;
      if (self->line_octets == 0)
        {
          finish_field (self);
          self->in_header = FALSE;
        }
    }
  self->octets += 2;
  start_line (self, next_state);
}

/* Whether there is nothing to decide about the octets up to @lf, which end a line. */
static gboolean
is_plain_line (const guint8 *octets, const guint8 *lf)
{
  gsize length = (gsize) (lf - octets);

  return length > 0 && length - 1 <= REROUTE_LIMIT_TEXT_LINE_OCTETS && lf[-1] == '\r' &&
         octets[0] != '.' && octets[0] != '\0' && memchr (octets, '\r', length - 1) == NULL;
}

/* At the start of a line behind the header: reads whole lines, as long as they are plain ones.
   Returns: how many octets */
static gsize
read_plain_lines (RerouteBody *self, const guint8 *octets, gsize length)
{
  const guint8 *start = octets, *lf;

  while ((lf = memchr (start, '\n', length - (gsize) (start - octets))) != NULL &&
         is_plain_line (start, lf))
    start = lf + 1;
  gsize n = (gsize) (start - octets);
  if (n == 0)
    return 0;
  self->octets += (gint64) n;
  start_line (self, LINE_START);
  return n;
}

/* Reads a line up to its end, or to a CR or LF that needs a decision: @stop is that octet, else 0.
   Returns: how many octets were read, @stop not counted */
static gsize
read_line (RerouteBody *self, const guint8 *octets, gsize length, guint8 *stop)
{
  const guint8 *lf = memchr (octets, '\n', length);
  gsize n_line = lf != NULL ? (gsize) (lf - octets) : length;
  const guint8 *cr = memchr (octets, '\r', n_line);
  gsize n = cr != NULL ? (gsize) (cr - octets) : n_line;

  scan (self, octets, n);
  *stop = n < length ? octets[n] : 0;
  if (cr == NULL || cr + 1 != lf)
    return n;
  *stop = 0;
  finish_line (self, LINE_START);
  return n + 2;
}

static void
read_bare_lf (RerouteBody *self)
{
  if (!self->normalize)
    {
      set_fault (self, REROUTE_BODY_BARE);
      return;
    }
  put_text (self, "\r\n");
  finish_line (self, LF_START);
}

/* Decides about a held CR by what follows.  Returns: whether @octet was taken */
static gboolean
decide_cr (RerouteBody *self, guint8 octet)
{
  if (octet == '\n')
    {
      put_text (self, "\r\n");
      finish_line (self, LINE_START);
      return TRUE;
    }
  if (!self->normalize)
    {
      set_fault (self, REROUTE_BODY_BARE);
      return TRUE;
    }
  if (octet == '\r')
    return TRUE; /* of several, the last may still be a line end */
  put_text (self, " ");
  scan (self, (const guint8 *) " ", 1);
  self->state = IN_LINE;
  return FALSE;
}

/* A held dot that is content after all: doubled. */
static void
keep_dot (RerouteBody *self)
{
  put_text (self, "..");
  scan (self, (const guint8 *) ".", 1);
}

/* A NUL that starts a line.  Returns: TRUE, it was taken */
static gboolean
read_nul (RerouteBody *self)
{
  if (!self->normalize)
    {
      set_fault (self, REROUTE_BODY_BARE);
      return TRUE;
    }
  put_text (self, " ");
  scan (self, (const guint8 *) " ", 1);
  self->state = IN_LINE;
  return TRUE;
}

static gboolean
decide_dot (RerouteBody *self, guint8 octet)
{
  if (octet == '\r')
    {
      self->state = HELD_DOT_CR;
      return TRUE;
    }
  if (octet == '\n')
    {
      if (self->normalize)
        keep_dot (self);
      read_bare_lf (self);
      return TRUE;
    }
  put_text (self, "."); /* stuffed: the line goes on */
  self->state = IN_LINE;
  return octet == '\0' && read_nul (self);
}

static gboolean
decide_dot_cr (RerouteBody *self, guint8 octet)
{
  if (octet == '\n')
    {
      finish_field (self);
      self->state = END_OF_DATA;
      return TRUE;
    }
  if (!self->normalize)
    {
      set_fault (self, REROUTE_BODY_BARE);
      return TRUE;
    }
  keep_dot (self);
  self->state = HELD_CR;
  return FALSE;
}

/* Decides about what is held and what starts a line.  Returns: whether @octet was taken */
static gboolean
decide (RerouteBody *self, guint8 octet)
{
  if (octet == '\0' && self->state <= LF_START)
    return read_nul (self);
  switch (self->state)
    {
    case HELD_CR:
      return decide_cr (self, octet);
    case HELD_DOT:
      return decide_dot (self, octet);
    case HELD_DOT_CR:
      return decide_dot_cr (self, octet);
    case LF_START:
      if (octet == '.')
        put_text (self, ".");
      break;
    default: /* LINE_START */
      if (octet == '.')
        {
          self->state = HELD_DOT;
          return TRUE;
        }
    }
  self->state = IN_LINE;
  return FALSE;
}

gboolean
reroute_body_feed (RerouteBody *self, const guint8 *octets, gsize length, gsize *taken)
{
  gsize i = 0;
  gsize from = 0; /* what is read from here on is sound and not put yet */

  while (i < length && self->state != END_OF_DATA && self->fault != REROUTE_BODY_BARE)
    if (self->state == IN_LINE ||
        (self->state <= LF_START && octets[i] != '.' && octets[i] != '\0'))
      {
        guint8 stop;
        gsize n = self->state <= LF_START && !self->in_header
                    ? read_plain_lines (self, octets + i, length - i)
                    : 0;
        i += n;
        if (n > 0)
          continue;
        self->state = IN_LINE;
        i += read_line (self, octets + i, length - i, &stop);
        if (stop == 0)
          continue;
        put (self, octets + from, i - from);
        if (stop == '\n')
          read_bare_lf (self);
        else
          self->state = HELD_CR;
        from = ++i;
      }
    else
      {
        put (self, octets + from, i - from);
        if (decide (self, octets[i]))
          i++;
        from = i;
      }
  put (self, octets + from, i - from);
  *taken = i;
  return self->state == END_OF_DATA;
}

void
reroute_body_finish (RerouteBody *self)
{
  g_return_if_fail (self != NULL && self->chunked);

  if (self->state == HELD_CR && !self->normalize)
    set_fault (self, REROUTE_BODY_BARE);
  else if (self->state == HELD_CR || self->state == IN_LINE)
    {
      put_text (self, "\r\n");
      finish_line (self, LINE_START);
    }
  finish_field (self);
  self->state = END_OF_DATA;
}
