/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gnutls/gnutls.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <glib.h>

G_BEGIN_DECLS

/* What a TLS connection of ours speaks, both ways (wire-defaults.md: TLS 1.2 or newer). */
#define REROUTE_TLS_VERSIONS "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

typedef struct _RerouteTls RerouteTls;

/**
 * RerouteStream:
 *
 * Octets over a non-blocking descriptor, in clear text or in TLS; embedded in its owner, who also
 * owns the descriptor.  In clear text a call is one system call and nothing else.
 */
typedef struct
{
  int fd;
  RerouteTls *tls; /* NULL: clear text */
} RerouteStream;

typedef enum
{
  REROUTE_HANDSHAKE_DONE,
  REROUTE_HANDSHAKE_WAITS, /* for what reroute_stream_get_wanted_events() says */
  REROUTE_HANDSHAKE_FAILED,
} RerouteHandshake;

/**
 * reroute_stream_begin_tls:
 * @session: (transfer full): made with GNUTLS_NONBLOCK and GNUTLS_NO_SIGNAL, its credentials set
 * @owner: (nullable): what @session borrows, such as its credentials
 * @release: (nullable): called with @owner when the stream needs it no more
 *
 * From here on all octets are TLS; reroute_stream_shake_hands() comes first.
 */
void reroute_stream_begin_tls (RerouteStream *self,
                               gnutls_session_t session,
                               gpointer owner,
                               GDestroyNotify release);
/* A step of the handshake, when the descriptor is ready. */
RerouteHandshake reroute_stream_shake_hands (RerouteStream *self);
guint32 reroute_stream_get_wanted_events (const RerouteStream *self); /* EPOLLIN or EPOLLOUT */
/* Why TLS failed, one line; (transfer none), "" when it did not. */
const char *reroute_stream_get_failure (const RerouteStream *self);
/* "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"; (transfer full) */
char *reroute_stream_describe (const RerouteStream *self);
gboolean reroute_stream_is_tls_1_3 (const RerouteStream *self);          /* in TLS: or else 1.2 */
gnutls_session_t reroute_stream_get_session (const RerouteStream *self); /* NULL in clear text */
/* Whether reading gives something that no epoll will announce. */
gboolean reroute_stream_has_input (const RerouteStream *self);

/* Says that nothing more is sent, and leaves TLS: what still comes is of no interest. */
void reroute_stream_end_tls (RerouteStream *self);
void reroute_stream_clear (RerouteStream *self); /* does not close the descriptor */

gssize reroute_stream_read_tls (RerouteStream *self, gpointer octets, gsize length);
gssize reroute_stream_write_tls (RerouteStream *self, const struct iovec *parts, gsize n_parts);

/* As recv(): the number of octets, 0 at the end, -1 with errno; EPROTO: TLS failed. */
static inline gssize
reroute_stream_read (RerouteStream *self, gpointer octets, gsize length)
{
  if (G_LIKELY (self->tls == NULL))
    return recv (self->fd, octets, length, 0);
  return reroute_stream_read_tls (self, octets, length);
}

/* As sendmsg().  Where it says EAGAIN the same octets must be offered again, more may follow them.
 */
static inline gssize
reroute_stream_write_parts (RerouteStream *self, struct iovec *parts, gsize n_parts)
{
  const struct msghdr header = { .msg_iov = parts, .msg_iovlen = n_parts };

  if (G_LIKELY (self->tls == NULL))
    return sendmsg (self->fd, &header, MSG_NOSIGNAL);
  return reroute_stream_write_tls (self, parts, n_parts);
}

/* As send(), and as reroute_stream_write_parts(). */
static inline gssize
reroute_stream_write (RerouteStream *self, gconstpointer octets, gsize length)
{
  const struct iovec part = { (gpointer) octets, length };

  if (G_LIKELY (self->tls == NULL))
    return send (self->fd, octets, length, MSG_NOSIGNAL);
  return reroute_stream_write_tls (self, &part, 1);
}

G_END_DECLS
