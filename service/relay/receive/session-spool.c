/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-spool.c - the way of a message into the spool, and back to its client
 *
 * What the spool's writer has to say comes back to the worker by a post; the session lives until
 * then.
 */

#include "config.h"

#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-milter.h"
#include "service/relay/receive/session-private.h"
#include "service/relay/smtp/trace-header.h"
#include "service/relay/track/accepted.h"

#include <string.h>

void
reroute_session_put_trace (RerouteSession *self, const RerouteEnvelope *envelope)
{
  RerouteSpool *spool = self->receiver->config.spool;
  g_autofree char *id = reroute_message_id_to_string (reroute_spool_draft_get_id (self->draft));
  const RerouteTraceSession session = { reroute_smtp_server_is_esmtp (self->machine),
                                        reroute_smtp_server_get_tls (self->machine),
                                        self->client.authenticated };
  g_autofree char *trace = reroute_trace_header_format (envelope,
                                                        self->receiver->hostname,
                                                        &session,
                                                        id,
                                                        reroute_spool_get_token (spool),
                                                        g_get_real_time ());
  reroute_spool_draft_append (self->draft, (const guint8 *) trace, strlen (trace));
}

static void
take_parts_saved_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (!self->closed)
    reroute_session_renew_deadline (self);
  if (self->milters != NULL)
    reroute_session_milters_resume (self->milters);
  reroute_session_advance (self);
  reroute_session_unref (self);
}

/* On the spool's writer. */
static void
parts_saved_cb (gpointer data, gpointer user_data)
{
  RerouteSession *self = user_data;

  reroute_session_ref (self);
  reroute_worker_post (self->receiver->worker, take_parts_saved_cb, self);
}

void
reroute_session_begin_draft (RerouteSession *self)
{
  self->draft = reroute_spool_begin (self->receiver->config.spool);
  reroute_spool_draft_set_resume (self->draft, parts_saved_cb, self);
}

static void
count_accepted (const RerouteSession *self, const RerouteMessage *message)
{
  RerouteTallies *tallies = reroute_worker_get_tallies (self->receiver->worker);

  reroute_tallies_add (tallies, REROUTE_TALLY_MESSAGES, 1);
  reroute_tallies_add (tallies, REROUTE_TALLY_RECIPIENTS, message->n_recipients);
  reroute_tallies_add (tallies, REROUTE_TALLY_OCTETS, message->content_octets);
}

/* Back on the worker.  A message that was committed is ours, whether the client hears it or not. */
static void
take_commit_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;
  g_autoptr (RerouteMessage) message = g_steal_pointer (&self->committed);
  g_autoptr (GError) error = g_steal_pointer (&self->commit_error);
  g_autoptr (RerouteReply) reply =
               reroute_session_log_commit (&self->client.ip, self->account, message, error);

  if (message != NULL)
    count_accepted (self, message);
  reroute_smtp_server_finish_data (self->machine, reply);
  reroute_session_advance (self);
  if (message != NULL)
    {
      reroute_track_accepted (receiver->config.tracker, message, self->account);
      receiver->config.accepted (
        message, reroute_worker_get_number (worker), receiver->config.user_data);
    }
  reroute_session_unref (self);
}

/* On the spool's writer. */
static void
committed_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (error == NULL)
    self->committed = reroute_message_ref (message);
  else
    self->commit_error = g_error_copy (error);
  reroute_worker_post (self->receiver->worker, take_commit_cb, self);
}

void
reroute_session_commit (RerouteSession *self, RerouteEnvelope *envelope)
{
  reroute_session_ref (self);
  reroute_spool_commit (
    self->receiver->config.spool, g_steal_pointer (&self->draft), envelope, committed_cb, self);
}
