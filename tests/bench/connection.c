/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection.c - a connection of the source: sends without copying, takes replies apart
 */

#include "config.h"

#include "tests/bench/connection.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
load_connection_init (LoadConnection *self)
{
  self->stream = (RerouteStream){ .fd = -1 };
  self->before = g_string_new (NULL);
  self->after = g_string_new (NULL);
}

void
load_connection_clear (LoadConnection *self)
{
  load_connection_close (self);
  g_string_free (self->before, TRUE);
  g_string_free (self->after, TRUE);
}

/**
 * load_connection_open:
 * @self: a connection that is closed
 * @endpoint: where to
 * @epoll: descriptor that is to watch it
 * @data: of its events
 *
 * Returns: %FALSE when it is refused at once; later, a read says so
 */
gboolean
load_connection_open (LoadConnection *self, const LoadEndpoint *endpoint, int epoll, gpointer data)
{
  self->stream.fd = load_endpoint_connect (endpoint);
  if (self->stream.fd < 0)
    return FALSE;
  self->epoll = epoll;
  self->data = data;
  self->writing = FALSE;
  self->part = G_N_ELEMENTS (self->parts);
  self->n_line = 0;
  load_watch (epoll, EPOLL_CTL_ADD, self->stream.fd, EPOLLIN, data);
  return TRUE;
}

void
load_connection_close (LoadConnection *self)
{
  reroute_stream_clear (&self->stream);
  if (self->stream.fd >= 0)
    close (self->stream.fd);
  self->stream.fd = -1;
}

/* What is sent and read from here on is in TLS, once load_shake_hands() is done.
   Returns: %FALSE when it cannot be begun */
gboolean
load_connection_begin_tls (LoadConnection *self, RerouteTlsClient *client)
{
  g_autoptr (GError) error = NULL;

  if (reroute_tls_client_begin (client, &self->stream, NULL, "target", NULL, &error))
    return TRUE;
  g_printerr ("load: %s\n", error->message);
  return FALSE;
}

/* Passes over @sent octets of the parts. */
static void
advance (LoadConnection *self, gsize sent)
{
  for (; self->part < G_N_ELEMENTS (self->parts); self->part++)
    {
      struct iovec *part = self->parts + self->part;
      gsize done = MIN (sent, part->iov_len);

      part->iov_base = (char *) part->iov_base + done;
      part->iov_len -= done;
      sent -= done;
      if (part->iov_len > 0)
        return;
    }
}

/* Sends what is left; a connection that is lost then ends at its next read. */
void
load_connection_flush (LoadConnection *self)
{
  gboolean writing;

  while (self->part < G_N_ELEMENTS (self->parts))
    {
      gssize sent = reroute_stream_write_parts (
        &self->stream, self->parts + self->part, G_N_ELEMENTS (self->parts) - self->part);

      if (sent < 0 && errno == EAGAIN)
        break;
      if (sent < 0)
        {
          shutdown (self->stream.fd, SHUT_RDWR);
          self->part = G_N_ELEMENTS (self->parts);
          break;
        }
      advance (self, (gsize) sent);
    }
  writing = self->part < G_N_ELEMENTS (self->parts);
  if (writing != self->writing)
    load_watch (
      self->epoll, EPOLL_CTL_MOD, self->stream.fd, EPOLLIN | (writing ? EPOLLOUT : 0), self->data);
  self->writing = writing;
}

/* Sends @self->before, @octets at @lines, which stay until they are sent, and, when there are any
 * lines, @self->after.  What was sent before has been answered. */
void
load_connection_send (LoadConnection *self, const char *lines, gsize octets)
{
  self->parts[0] = (struct iovec){ self->before->str, self->before->len };
  self->parts[1] = (struct iovec){ (char *) lines, octets };
  self->parts[2] = (struct iovec){ self->after->str, lines != NULL ? self->after->len : 0 };
  self->part = 0;
  load_connection_flush (self);
}

/* Returns: whether @line is the last of a reply, whose code is in @code then */
static gboolean
read_code (const char *line, gsize octets, guint *code)
{
  *code = 0;
  for (gsize n = 0; n < 3 && n < octets && g_ascii_isdigit (line[n]); n++)
    *code = *code * 10 + (guint) (line[n] - '0');
  return octets <= 3 || line[3] != '-';
}

/* Puts @octets behind the incomplete line. */
static void
keep (LoadConnection *self, const char *data, gsize octets)
{
  gsize kept = MIN (octets, sizeof self->line - self->n_line);

  memcpy (self->line + self->n_line, data, kept);
  self->n_line += kept;
}

/**
 * load_connection_next_reply:
 * @self: an open connection
 * @data: (inout): what was read and is not used yet
 * @octets: (inout): its length
 * @code: (out): of a reply; 0 when it has none
 *
 * Returns: %FALSE when there is no other whole reply; what is left is kept
 */
gboolean
load_connection_next_reply (LoadConnection *self, const char **data, gsize *octets, guint *code)
{
  const char *end;
  gboolean whole = FALSE;

  while (!whole && (end = memchr (*data, '\n', *octets)) != NULL)
    {
      const char *line = *data;
      gsize length = (gsize) (end + 1 - line);

      *data += length;
      *octets -= length;
      if (self->n_line == 0)
        whole = read_code (line, length, code);
      else
        {
          keep (self, line, length);
          whole = read_code (self->line, self->n_line, code);
          self->n_line = 0;
        }
    }
  if (!whole)
    keep (self, *data, *octets);
  return whole;
}
