/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-tls.c - the handshake of a session
 *
 * It begins when the reply to STARTTLS has left, or at once on a listener that is for TLS, and has
 * one time limit from its beginning to its end, that of a silent client at most.  What came in
 * clear text before it is gone.
 *
 * Standards: RFC 3207, RFC 8314 section 3.3.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-private.h"

#include "common/limits.h"

static void
count_handshake (const RerouteSession *self, gboolean done)
{
  RerouteTally tally = !done                                       ? REROUTE_TALLY_TLS_IN_FAILED
                       : reroute_stream_is_tls_1_3 (&self->stream) ? REROUTE_TALLY_TLS_IN_1_3
                                                                   : REROUTE_TALLY_TLS_IN_1_2;

  reroute_tallies_add (reroute_worker_get_tallies (self->receiver->worker), tally, 1);
}

void
reroute_session_shake_hands (RerouteSession *self)
{
  RerouteHandshake result = reroute_stream_shake_hands (&self->stream);

  if (result == REROUTE_HANDSHAKE_WAITS)
    reroute_worker_set_events (
      self->receiver->worker, &self->io, reroute_stream_get_wanted_events (&self->stream));
  else if (result == REROUTE_HANDSHAKE_FAILED)
    {
      count_handshake (self, FALSE);
      reroute_session_log_lost (
        &self->client.ip, reroute_stream_get_failure (&self->stream), "while beginning TLS");
      reroute_session_close (self);
    }
  else
    {
      g_autofree char *tls = reroute_stream_describe (&self->stream);
      self->shaking = FALSE;
      count_handshake (self, TRUE);
      reroute_smtp_server_set_tls (self->machine, tls);
      if (reroute_smtp_server_is_new (self->machine))
        reroute_session_greet (self);
      reroute_session_restart_deadline (self);
      reroute_session_advance (self);
    }
}

void
reroute_session_begin_tls (RerouteSession *self)
{
  g_autoptr (GError) error = NULL;

  if (!reroute_tls_server_begin (self->tls, &self->stream, &error))
    {
      reroute_session_log_lost (&self->client.ip, error->message, "while beginning TLS");
      reroute_session_close (self);
      return;
    }
  self->shaking = TRUE;
  reroute_session_set_deadline (
    self, MIN (REROUTE_LIMIT_TLS_HANDSHAKE_S * G_USEC_PER_SEC, self->receiver->idle_us));
  reroute_session_shake_hands (self);
}
