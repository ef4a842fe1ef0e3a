/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sink-session.c - what the sink answers, and the comparison of every octet with what the source
 * has made
 *
 * Content is compared while it comes in and looked through for its end only once it differs, so
 * that a whole message costs one memcmp().  What comes by BDAT is gathered first, and stuffed anew.
 *
 * Standards: RFC 5321, RFC 2920 (pipelining), RFC 3030 (BDAT), RFC 3207 (STARTTLS).
 */

#include "config.h"

#include "tests/bench/sink-private.h"

#include <string.h>

#define HEAD_MAX_OCTETS (64 * 1024)
#define DOT ".\r\n"

static void
reply (LoadSink *self, const char *text)
{
  g_string_append (self->replies, text);
}

static void
reset (LoadSinkConnection *connection)
{
  connection->in_mail = FALSE;
  connection->accepted = 0;
  g_array_set_size (connection->recipients, 0);
  g_string_truncate (connection->chunks, 0);
}

/* Content, its end included, is complete. */
static void
take_message (LoadSink *self, LoadSinkConnection *connection)
{
  gint64 now_ns = load_now_ns ();

  for (guint n = 0; n < connection->recipients->len; n++)
    {
      const LoadSinkRecipient *recipient =
        &g_array_index (connection->recipients, LoadSinkRecipient, n);

      /* Content that nobody knows counts for those whose envelope it came in. */
      if (connection->number != LOAD_NONE && recipient->number != connection->number)
        self->figures.wrong_recipients++;
      else
        load_ledger_arrive (self->ledger, recipient->number, recipient->recipient, now_ns);
    }
  reset (connection);
  connection->state = LOAD_SINK_STATE_COMMAND;
  reply (self, "250 2.0.0 taken\r\n");
}

static gsize
consume_head (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets)
{
  const char *end = memmem (data, octets, "\r\n\r\n", 4);
  g_autoptr (GString) head = NULL;

  if (end == NULL && octets < HEAD_MAX_OCTETS && memmem (data, octets, "\r\n" DOT, 5) == NULL &&
      (octets < strlen (DOT) || memcmp (data, DOT, strlen (DOT)) != 0))
    return 0;
  head = g_string_new_len (data, end != NULL ? end + 4 - data : 0);
  connection->number = LOAD_NONE;
  memcpy (connection->last, "\0\0\r\n", 4);
  if (!load_shape_read_head (self->shape, head, &connection->number) ||
      connection->number >= self->ledger->messages)
    {
      /* Without recipients of ours it is no message of ours. */
      if (connection->recipients->len > 0)
        self->figures.wrong_content++;
      else
        self->figures.foreign++;
      connection->number = LOAD_NONE;
      connection->state = LOAD_SINK_STATE_SKIP;
      return 0;
    }
  g_string_truncate (connection->tail, 0);
  load_shape_append_tail (self->shape, connection->number, connection->tail);
  g_string_append (connection->tail, DOT);
  connection->position = 0;
  connection->state = LOAD_SINK_STATE_BODY;
  return head->len;
}

static void
remember_last (LoadSinkConnection *connection, const char *data, gsize octets)
{
  gsize kept = MIN (octets, sizeof connection->last);

  memmove (connection->last, connection->last + kept, sizeof connection->last - kept);
  memcpy (connection->last + sizeof connection->last - kept, data + octets - kept, kept);
}

static gsize
consume_body (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets)
{
  const char *lines = load_shape_lines (self->shape, connection->number);
  gsize n_lines = self->shape->lines_octets, end = n_lines + connection->tail->len;
  gsize done = 0;
  gboolean same = TRUE;

  if (connection->position < n_lines)
    {
      done = MIN (octets, n_lines - connection->position);
      same = memcmp (data, lines + connection->position, done) == 0;
    }
  if (same && done < octets)
    {
      gsize at = connection->position + done - n_lines;
      gsize rest = MIN (octets - done, connection->tail->len - at);

      same = memcmp (data + done, connection->tail->str + at, rest) == 0;
      done += rest;
    }
  if (!same)
    {
      self->figures.wrong_content++;
      connection->state = LOAD_SINK_STATE_SKIP;
      return 0;
    }
  remember_last (connection, data, done);
  connection->position += done;
  if (connection->position == end)
    take_message (self, connection);
  return done;
}

/* Up to CR LF . CR LF, of which any part may have come before. */
static gsize
consume_skipped (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets)
{
  for (gsize n = 0; n < octets; n++)
    {
      if (data[n] == '\n' && memcmp (connection->last, "\r\n.\r", 4) == 0)
        {
          take_message (self, connection);
          return n + 1;
        }
      memmove (connection->last, connection->last + 1, 3);
      connection->last[3] = data[n];
    }
  return octets;
}

static void
run_mail (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  reset (connection);
  connection->in_mail = self->mode != LOAD_SINK_DEFER;
  self->figures.deferred += !connection->in_mail;
  reply (self, connection->in_mail ? "250 2.1.0 ok\r\n" : "451 4.3.0 later\r\n");
}

static void
run_rcpt (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  const char *begin = memchr (line, '<', octets);
  const char *end = memchr (line, '>', octets);
  gsize length = begin != NULL && end > begin ? (gsize) (end - begin - 1) : 0;
  LoadSinkRecipient recipient;

  if (!connection->in_mail)
    {
      reply (self, "503 5.5.1 MAIL first\r\n");
      return;
    }
  if (load_shape_read_recipient (
        self->shape, begin + 1, length, &recipient.number, &recipient.recipient) &&
      recipient.number < self->ledger->messages)
    g_array_append_val (connection->recipients, recipient);
  else if (length != strlen (self->shape->reverse_path) ||
           memcmp (begin + 1, self->shape->reverse_path, length) != 0)
    self->figures.wrong_recipients++;
  connection->accepted++;
  reply (self, "250 2.1.5 ok\r\n");
}

static void
run_data (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  if (connection->accepted == 0)
    {
      reply (self, "503 5.5.1 RCPT first\r\n");
      return;
    }
  connection->state = LOAD_SINK_STATE_HEAD;
  reply (self, "354 go on\r\n");
}

static void
run_bdat (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  connection->chunk_left = (gsize) g_ascii_strtoull (line + strlen ("BDAT "), NULL, 10);
  connection->last_chunk = memmem (line, octets, " LAST", 5) != NULL;
  connection->state = LOAD_SINK_STATE_CHUNK;
}

/* As it would have come behind DATA. */
static GString *
stuff (const GString *chunks)
{
  GString *wire = g_string_sized_new (chunks->len + 64);
  const char *from = chunks->str;
  const char *end = from + chunks->len;

  for (const char *lf; (lf = memmem (from, (gsize) (end - from), "\n.", 2)) != NULL; from = lf + 1)
    {
      g_string_append_len (wire, from, lf + 1 - from);
      g_string_append_c (wire, '.');
    }
  g_string_append_len (wire, from, end - from);
  g_string_append (wire, DOT);
  return wire;
}

static gsize
consume_chunk (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets)
{
  gsize used = MIN (octets, connection->chunk_left);

  g_string_append_len (connection->chunks, data, (gssize) used);
  connection->chunk_left -= used;
  if (connection->chunk_left > 0)
    return used;
  connection->state = LOAD_SINK_STATE_COMMAND;
  if (connection->accepted == 0)
    reply (self, "503 5.5.1 RCPT first\r\n");
  else if (!connection->last_chunk)
    reply (self, "250 2.0.0 and then\r\n");
  else
    {
      g_autoptr (GString) wire = stuff (connection->chunks);
      connection->state = LOAD_SINK_STATE_HEAD;
      load_sink_consume (self, connection, wire->str, wire->len);
    }
  return used;
}

static void
run_ehlo (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  reply (self,
         "250-sink.test\r\n250-PIPELINING\r\n250-SIZE 2147483648\r\n250-8BITMIME\r\n"
         "250-SMTPUTF8\r\n");
  if (self->tls != NULL && connection->stream.tls == NULL)
    reply (self, "250-STARTTLS\r\n");
  if (self->chunking)
    reply (self, "250-CHUNKING\r\n");
  reply (self, "250 ENHANCEDSTATUSCODES\r\n");
}

static void
run_starttls (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  connection->starting = self->tls != NULL && connection->stream.tls == NULL;
  reply (self, connection->starting ? "220 2.0.0 go on\r\n" : "503 5.5.1 not now\r\n");
}

static void
run_reset (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  reset (connection);
  reply (self, "250 2.0.0 ok\r\n");
}

static void
run_quit (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets)
{
  connection->closing = TRUE;
  reply (self, "221 2.0.0 bye\r\n");
}

static const struct
{
  const char *verb;
  void (*run) (LoadSink *self, LoadSinkConnection *connection, const char *line, gsize octets);
} commands[] = {
  { "RCPT", run_rcpt },         { "MAIL", run_mail },  { "DATA", run_data },  { "EHLO", run_ehlo },
  { "HELO", run_ehlo },         { "RSET", run_reset }, { "NOOP", run_reset }, { "QUIT", run_quit },
  { "STARTTLS", run_starttls }, { "BDAT", run_bdat },
};

static gsize
consume_command (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets)
{
  const char *end = memchr (data, '\n', octets);

  if (end == NULL)
    return 0;
  for (gsize n = 0; n < G_N_ELEMENTS (commands); n++)
    {
      gsize length = strlen (commands[n].verb);

      if (end - data < (gssize) length || g_ascii_strncasecmp (data, commands[n].verb, length) != 0)
        continue;
      commands[n].run (self, connection, data, end - data);
      return end + 1 - data;
    }
  reply (self, "500 5.5.2 not known here\r\n");
  return end + 1 - data;
}

gsize
load_sink_consume (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets)
{
  static gsize (*const consumers[]) (LoadSink *, LoadSinkConnection *, const char *, gsize) = {
    [LOAD_SINK_STATE_COMMAND] = consume_command, [LOAD_SINK_STATE_HEAD] = consume_head,
    [LOAD_SINK_STATE_BODY] = consume_body,       [LOAD_SINK_STATE_SKIP] = consume_skipped,
    [LOAD_SINK_STATE_CHUNK] = consume_chunk,
  };
  gsize used = 0;

  while (used < octets && !connection->starting)
    {
      LoadSinkState before = connection->state;
      gsize now = consumers[before](self, connection, data + used, octets - used);

      if (now == 0 && connection->state == before)
        break;
      used += now;
    }
  return used;
}
