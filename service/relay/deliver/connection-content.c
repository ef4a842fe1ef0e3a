/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection-content.c - the content of a message on its way out: behind DATA as it is stored, or
 * by BDAT without its stuffed dots
 *
 * Pieces come from the spool as they lie there.  A chunk holds as many of them as make
 * REROUTE_LIMIT_CHUNK_OCTETS: all but the first are counted before, and read again when they go.
 *
 * Standards: RFC 5321 section 4.5.2, RFC 3030 section 2.
 */

#include "config.h"

#include "service/relay/deliver/connection-private.h"

#include "common/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

static const char end_of_data[] = ".\r\n";

void
reroute_connection_forget_content (RerouteConnection *self)
{
  g_clear_pointer (&self->head, g_bytes_unref);
  g_clear_pointer (&self->piece, g_bytes_unref);
  g_clear_pointer (&self->message, reroute_message_unref);
}

void
reroute_connection_set_content (RerouteConnection *self,
                                RerouteSpool *spool,
                                RerouteMessage *message)
{
  self->spool = spool;
  self->message = message != NULL ? reroute_message_ref (message) : NULL;
  self->content_begun = FALSE;
  self->content_passed = 0;
  self->content_due_us = 0;
}

void
reroute_connection_find_head (RerouteConnection *self, RerouteSmtpTransaction *transaction)
{
  /* When it cannot be read, the content cannot be either, and that is told in its time. */
  g_autoptr (GBytes) piece = reroute_spool_load (self->spool, self->message, 0, NULL);
  gsize length;

  if (piece == NULL)
    return;
  const guint8 *octets = g_bytes_get_data (piece, &length);
  transaction->head = octets;
  transaction->head_octets = reroute_smtp_client_find_head (octets, length);
  self->head = g_steal_pointer (&piece);
}

static void
begin_content (RerouteConnection *self)
{
  self->content_begun = TRUE;
  self->offset = reroute_smtp_client_get_head_sent (self->machine);
  self->piece_sent = 0;
  self->dot_sent = 0;
  self->dots = (RerouteDots){ 0 };
}

static GBytes *
load (RerouteConnection *self, gsize *offset, GError **error)
{
  GBytes *piece = reroute_spool_load (self->spool, self->message, *offset, error);

  if (piece != NULL)
    *offset += g_bytes_get_size (piece);
  return piece;
}

/* The next octets of the content; none behind its end.  Returns: FALSE with @error */
static gboolean
find_content (RerouteConnection *self, const guint8 **octets, gsize *length, GError **error)
{
  gboolean by_chunks = reroute_smtp_client_goes_by_chunks (self->machine);

  if (self->piece != NULL && self->piece_sent == g_bytes_get_size (self->piece))
    g_clear_pointer (&self->piece, g_bytes_unref);
  while (self->piece == NULL && self->offset < self->message->content_octets)
    {
      GBytes *piece = load (self, &self->offset, error);

      if (piece == NULL)
        return FALSE;
      self->piece = by_chunks ? reroute_dots_remove (&self->dots, piece) : piece;
      self->piece_sent = 0;
      if (g_bytes_get_size (self->piece) == 0)
        g_clear_pointer (&self->piece, g_bytes_unref);
    }
  *length = 0;
  if (self->piece == NULL)
    return TRUE;
  *octets = g_bytes_get_data (self->piece, length);
  *octets += self->piece_sent;
  *length -= self->piece_sent;
  return TRUE;
}

/* Content and final dot. */
static RerouteSendResult
send_by_data (RerouteConnection *self, GError **error)
{
  while (self->dot_sent < strlen (end_of_data))
    {
      const guint8 *octets = NULL;
      gsize length = 0;
      struct iovec parts[2];
      gboolean last;
      gssize sent;

      if (!find_content (self, &octets, &length, error))
        return REROUTE_SEND_FAILED;
      last = self->offset == self->message->content_octets;
      parts[0] = (struct iovec){ (gpointer) octets, length };
      parts[1] = (struct iovec){ (gpointer) (end_of_data + self->dot_sent),
                                 strlen (end_of_data) - self->dot_sent };
      sent = reroute_stream_write_parts (&self->stream, parts, last ? 2 : 1);
      if (sent < 0)
        return errno == EAGAIN ? REROUTE_SEND_BLOCKED : REROUTE_SEND_FAILED;
      self->content_passed += (gsize) sent;
      self->piece_sent += MIN ((gsize) sent, length);
      self->dot_sent += (gsize) sent - MIN ((gsize) sent, length);
    }
  reroute_connection_forget_content (self);
  reroute_smtp_client_content_sent (self->machine);
  return REROUTE_SEND_ALL;
}

/* Tells the machine of the next chunk.  Returns: FALSE with @error */
static gboolean
begin_chunk (RerouteConnection *self, GError **error)
{
  gsize total = self->message->content_octets;
  const guint8 *octets;
  gsize length;

  if (!find_content (self, &octets, &length, error))
    return FALSE;
  gsize offset = self->offset;
  RerouteDots dots = self->dots;
  while (offset < total && length < REROUTE_LIMIT_CHUNK_OCTETS)
    {
      g_autoptr (GBytes) piece = load (self, &offset, error);
      gsize n;

      if (piece == NULL)
        return FALSE;
      octets = g_bytes_get_data (piece, &n);
      length += n - reroute_dots_count (&dots, octets, n);
    }
  reroute_smtp_client_put_chunk (self->machine, length, offset == total);
  return TRUE;
}

/* A chunk, behind its command. */
static RerouteSendResult
send_by_chunks (RerouteConnection *self, GError **error)
{
  gsize left = reroute_smtp_client_get_chunk_left (self->machine);

  if (left == 0 && !begin_chunk (self, error))
    return REROUTE_SEND_FAILED;
  while ((left = reroute_smtp_client_get_chunk_left (self->machine)) > 0)
    {
      const guint8 *octets = NULL;
      gsize length = 0;
      gsize n_output;
      struct iovec parts[2];
      gssize sent;

      if (!find_content (self, &octets, &length, error))
        return REROUTE_SEND_FAILED;
      parts[0].iov_base = (gpointer) reroute_smtp_client_peek_output (self->machine, &n_output);
      parts[0].iov_len = n_output;
      parts[1] = (struct iovec){ (gpointer) octets, MIN (length, left) };
      sent = reroute_stream_write_parts (&self->stream, parts, 2);
      if (sent < 0)
        return errno == EAGAIN ? REROUTE_SEND_BLOCKED : REROUTE_SEND_FAILED;
      gsize of_output = MIN ((gsize) sent, n_output);
      reroute_smtp_client_sent (self->machine, of_output);
      self->content_passed += (gsize) sent - of_output;
      self->piece_sent += (gsize) sent - of_output;
      reroute_smtp_client_chunk_sent (self->machine, (gsize) sent - of_output);
    }
  if (reroute_smtp_client_may_have_delivered (self->machine))
    reroute_connection_forget_content (self);
  return REROUTE_SEND_ALL;
}

RerouteSendResult
reroute_connection_send_content (RerouteConnection *self, GError **error)
{
  if (!self->content_begun)
    begin_content (self);
  return reroute_smtp_client_goes_by_chunks (self->machine) ? send_by_chunks (self, error)
                                                            : send_by_data (self, error);
}
