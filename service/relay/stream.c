/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stream.c - TLS over a non-blocking descriptor, by GnuTLS
 *
 * GnuTLS asks for the five octets of a record's head and then for its body.  Here it gets them from
 * a buffer that one recv() filled; a recv() that came back short has emptied the socket, and epoll
 * tells when there is more.  The buffer lives while there is something in it.
 *
 * A peer that closes without saying so in TLS has closed: SMTP tells itself what is whole.
 * Renegotiation is refused.
 *
 * Standards: RFC 8446, RFC 5246; RFC 3207 (STARTTLS).
 */

#include "config.h"

#include "service/relay/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define RECORD_OCTETS 16384 /* RFC 8446 5.1 */
#define INPUT_OCTETS 32768  /* read from the socket at a time */

struct _RerouteTls
{
  gnutls_session_t session;
  int fd;
  gpointer owner;
  GDestroyNotify release;

  guint8 *input; /* from the socket, for GnuTLS; NULL: nothing */
  gsize input_length;
  gsize input_taken;
  gboolean drained; /* the socket had no more in this turn */

  gboolean unsent; /* GnuTLS holds a record that the socket did not take */
  gboolean eof;
  gboolean end_told; /* the owner knows of the end, or of the failure */
  char *failure;
};

/* --- the socket's side --- */

/* Returns: as recv() */
static gssize
fill_input (RerouteTls *self)
{
  gssize n;

  if (self->drained)
    {
      errno = EAGAIN;
      return -1;
    }
  if (self->input == NULL)
    self->input = g_malloc (INPUT_OCTETS);
  n = recv (self->fd, self->input, INPUT_OCTETS, 0);
  self->drained = n < INPUT_OCTETS;
  self->input_taken = 0;
  self->input_length = n > 0 ? (gsize) n : 0;
  return n;
}

static ssize_t
pull_cb (gnutls_transport_ptr_t data, void *octets, size_t length)
{
  RerouteTls *self = data;
  gssize n;

  if (self->input_taken == self->input_length)
    {
      n = fill_input (self);
      if (n < 0)
        gnutls_transport_set_errno (self->session, errno);
      if (n <= 0)
        return n;
    }
  length = MIN (length, self->input_length - self->input_taken);
  memcpy (octets, self->input + self->input_taken, length);
  self->input_taken += length;
  return (ssize_t) length;
}

static int
pull_timeout_cb (gnutls_transport_ptr_t data, unsigned int wait_ms)
{
  RerouteTls *self = data;

  return self->input_taken < self->input_length;
}

static void
release_input (RerouteTls *self)
{
  if (self->input_taken < self->input_length)
    return;
  g_clear_pointer (&self->input, g_free);
  self->input_length = self->input_taken = 0;
}

/* --- failures --- */

static void
note_failure (RerouteTls *self, int code)
{
  const char *what = gnutls_strerror (code);

  if (self->failure != NULL)
    return;
  if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_WARNING_ALERT_RECEIVED)
    self->failure = g_strdup_printf ("the peer says: %s",
                                     gnutls_alert_get_name (gnutls_alert_get (self->session)));
  else if (code == GNUTLS_E_PREMATURE_TERMINATION || code == GNUTLS_E_PULL_ERROR ||
           code == GNUTLS_E_PUSH_ERROR)
    self->failure = g_strdup ("the peer closed the connection");
  else
    self->failure = g_strdup (what != NULL ? what : "unknown error");
}

/* --- public --- */

void
reroute_stream_begin_tls (RerouteStream *self,
                          gnutls_session_t session,
                          gpointer owner,
                          GDestroyNotify release)
{
  g_return_if_fail (self != NULL && self->tls == NULL);

  RerouteTls *tls = g_new0 (RerouteTls, 1);
  tls->session = session;
  tls->fd = self->fd;
  tls->owner = owner;
  tls->release = release;
  gnutls_transport_set_ptr2 (session, tls, GINT_TO_POINTER (self->fd));
  gnutls_transport_set_pull_function (session, pull_cb);
  gnutls_transport_set_pull_timeout_function (session, pull_timeout_cb);
  self->tls = tls;
}

RerouteHandshake
reroute_stream_shake_hands (RerouteStream *self)
{
  g_return_val_if_fail (self != NULL && self->tls != NULL, REROUTE_HANDSHAKE_FAILED);

  RerouteTls *tls = self->tls;
  int code;

  tls->drained = FALSE;
  do
    code = gnutls_handshake (tls->session);
  while (code == GNUTLS_E_INTERRUPTED);
  release_input (tls);
  if (code == GNUTLS_E_SUCCESS)
    return REROUTE_HANDSHAKE_DONE;
  if (code == GNUTLS_E_AGAIN)
    return REROUTE_HANDSHAKE_WAITS;
  note_failure (tls, code);
  /* The peer learns why, if its socket takes it. */
  gnutls_alert_send_appropriate (tls->session, code);
  return REROUTE_HANDSHAKE_FAILED;
}

guint32
reroute_stream_get_wanted_events (const RerouteStream *self)
{
  return gnutls_record_get_direction (self->tls->session) == 1 ? EPOLLOUT : EPOLLIN;
}

const char *
reroute_stream_get_failure (const RerouteStream *self)
{
  return self->tls != NULL && self->tls->failure != NULL ? self->tls->failure : "";
}

char *
reroute_stream_describe (const RerouteStream *self)
{
  g_return_val_if_fail (self != NULL && self->tls != NULL, NULL);

  const char *version = gnutls_protocol_get_name (gnutls_protocol_get_version (self->tls->session));
  const char *cipher = gnutls_ciphersuite_get (self->tls->session);

  if (version != NULL && g_str_has_prefix (version, "TLS"))
    version += strlen ("TLS");
  return g_strdup_printf (
    "TLSv%s with cipher %s", version != NULL ? version : "?", cipher != NULL ? cipher : "unknown");
}

gboolean
reroute_stream_is_tls_1_3 (const RerouteStream *self)
{
  g_return_val_if_fail (self != NULL && self->tls != NULL, FALSE);

  return gnutls_protocol_get_version (self->tls->session) == GNUTLS_TLS1_3;
}

gnutls_session_t
reroute_stream_get_session (const RerouteStream *self)
{
  return self->tls != NULL ? self->tls->session : NULL;
}

gboolean
reroute_stream_has_input (const RerouteStream *self)
{
  const RerouteTls *tls = self->tls;

  if (tls == NULL)
    return FALSE;
  return ((tls->eof || tls->failure != NULL) && !tls->end_told) ||
         tls->input_taken < tls->input_length || gnutls_record_check_pending (tls->session) > 0;
}

gssize
reroute_stream_read_tls (RerouteStream *self, gpointer octets, gsize length)
{
  RerouteTls *tls = self->tls;
  gsize filled = 0;
  ssize_t n = 0;

  tls->drained = FALSE;
  while (filled < length && !tls->eof && tls->failure == NULL)
    {
      n = gnutls_record_recv (tls->session, (guint8 *) octets + filled, length - filled);
      if (n > 0)
        filled += (gsize) n;
      else if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
        tls->eof = TRUE;
      else if (n == GNUTLS_E_AGAIN)
        break;
      else if (n != GNUTLS_E_INTERRUPTED)
        note_failure (tls, (int) n);
    }
  release_input (tls);
  if (filled > 0)
    return (gssize) filled;
  tls->end_told = n != GNUTLS_E_AGAIN;
  if (tls->eof)
    return 0;
  errno = tls->failure != NULL ? EPROTO : EAGAIN;
  return -1;
}

/* What fits into one record: the first part where it stands, or several of them side by side. */
static gsize
gather (const struct iovec *parts, gsize n_parts, guint8 *record)
{
  gsize length = 0;

  for (gsize i = 0; i < n_parts && length < RECORD_OCTETS; i++)
    {
      gsize n = MIN (parts[i].iov_len, RECORD_OCTETS - length);

      if (n > 0) /* an empty part may be nowhere */
        memcpy (record + length, parts[i].iov_base, n);
      length += n;
    }
  return length;
}

gssize
reroute_stream_write_tls (RerouteStream *self, const struct iovec *parts, gsize n_parts)
{
  RerouteTls *tls = self->tls;
  guint8 record[RECORD_OCTETS];
  const void *octets = n_parts > 0 ? parts[0].iov_base : NULL;
  gsize length = n_parts > 0 ? MIN (parts[0].iov_len, RECORD_OCTETS) : 0;
  ssize_t n;

  if (tls->unsent) /* these very octets are in it */
    {
      octets = NULL;
      length = 0;
    }
  else if (n_parts > 1 && length < RECORD_OCTETS)
    {
      length = gather (parts, n_parts, record);
      octets = record;
    }
  do
    n = gnutls_record_send (tls->session, octets, length);
  while (n == GNUTLS_E_INTERRUPTED);
  tls->unsent = n == GNUTLS_E_AGAIN;
  if (n >= 0)
    return (gssize) n;
  if (!tls->unsent)
    note_failure (tls, (int) n);
  errno = tls->unsent ? EAGAIN : EPROTO;
  return -1;
}

void
reroute_stream_clear (RerouteStream *self)
{
  g_return_if_fail (self != NULL);

  RerouteTls *tls = g_steal_pointer (&self->tls);
  if (tls == NULL)
    return;
  gnutls_deinit (tls->session);
  if (tls->release != NULL)
    tls->release (tls->owner);
  g_free (tls->input);
  g_free (tls->failure);
  g_free (tls);
}

void
reroute_stream_end_tls (RerouteStream *self)
{
  g_return_if_fail (self != NULL);

  if (self->tls != NULL && self->tls->failure == NULL && !self->tls->unsent)
    gnutls_bye (self->tls->session, GNUTLS_SHUT_WR);
  reroute_stream_clear (self);
}
