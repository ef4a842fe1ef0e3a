/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection.c - one outgoing SMTP session over a socket
 *
 * Everything happens in pump(): it sends what the machine has to say and the content, then looks at
 * the machine's state.  A function of the handler is always its last step.  Where input or a
 * transaction gives it something to send, it runs as a flush of the worker.
 *
 * Standards: RFC 5321 sections 4.5.3.2 (time limits), 4.5.4.1.
 */

#include "config.h"

#include "service/relay/deliver/connection.h"

#include "service/relay/deliver/connection-private.h"
#include "service/relay/pace.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_OCTETS 16384
#define QUIT_TIMEOUT_US (5 * G_USEC_PER_SEC)

static gint64
setting_us (const RerouteConnection *self, RerouteSettingId id)
{
  return reroute_settings_get_number (self->settings, id) * G_USEC_PER_SEC;
}

static void
arm (RerouteConnection *self, RerouteSettingId id)
{
  reroute_worker_arm_timer (
    self->worker, &self->timer, reroute_worker_now_us (self->worker) + setting_us (self, id));
}

char *
reroute_connection_dup_label (const RerouteConnection *self)
{
  return reroute_endpoint_dup_label (&self->endpoint);
}

void
reroute_connection_free (RerouteConnection *self)
{
  reroute_worker_disarm_timer (self->worker, &self->timer);
  reroute_knock_stop (&self->knock);
  reroute_worker_forget_flush (self->worker, &self->flush);
  reroute_stream_end_tls (&self->stream);
  if (self->io.fd >= 0)
    {
      reroute_worker_remove_io (self->worker, &self->io);
      close (self->io.fd);
    }
  reroute_connection_forget_content (self);
  reroute_smtp_client_free (self->machine);
  reroute_settings_unref (self->settings);
  g_clear_pointer (&self->failure, reroute_reply_free);
  reroute_endpoint_clear (&self->endpoint);
  g_clear_pointer (&self->tls, reroute_tls_client_unref);
  g_clear_pointer (&self->certificate, reroute_client_certificate_unref);
  g_clear_pointer (&self->token_request, reroute_token_request_cancel);
  g_clear_pointer (&self->sasl, reroute_sasl_client_free);
  g_clear_pointer (&self->secret, reroute_secret_unref);
  g_free (self->session_key);
  g_free (self->tls_reason);
  g_free (self);
}

/* Tells the owner; @self may be gone afterwards.  Takes @reply. */
void
reroute_connection_fail (RerouteConnection *self, RerouteReply *reply)
{
  g_autoptr (RerouteReply) owned = reply;

  self->handler->failed (self, owned, self->user_data);
}

RerouteReply *
reroute_connection_trouble (const RerouteConnection *self, const char *status, const char *what)
{
  g_autofree char *label = reroute_connection_dup_label (self);
  g_autofree char *text = g_strdup_printf ("%s: %s", label, what);

  return reroute_reply_new (451, status, text);
}

/* A host of TLS 1.3 refuses our certificate, or that there is none, behind the handshake: its words
   are all there is to say why. */
static void
fail_lost (RerouteConnection *self, const char *why)
{
  const char *tls = reroute_stream_get_failure (&self->stream);
  g_autofree char *what = g_strdup_printf (
    "%s %s%s%s", why, reroute_smtp_client_phase (self->machine), *tls != '\0' ? ": " : "", tls);

  reroute_connection_fail (self, reroute_connection_trouble (self, "4.4.2", what));
}

static void
timed_out (RerouteTimer *timer)
{
  RerouteConnection *self =
    (RerouteConnection *) ((char *) timer - G_STRUCT_OFFSET (RerouteConnection, timer));

  if (self->failure != NULL)
    reroute_connection_fail (self, g_steal_pointer (&self->failure));
  else if (self->connecting)
    reroute_connection_fail (
      self, reroute_connection_trouble (self, "4.4.1", "no connection within the time limit"));
  else if (self->shaking)
    reroute_connection_fail_tls (self, "no handshake within the time limit");
  else
    fail_lost (self, "time limit reached");
}

/* --- receiving --- */

/* FALSE: @self is gone. */
static gboolean
take_input (RerouteConnection *self)
{
  g_autoptr (GError) error = NULL;
  guint8 octets[READ_OCTETS];
  gssize n = reroute_stream_read (&self->stream, octets, sizeof octets);
  guint64 n_replies = reroute_smtp_client_get_n_replies (self->machine);

  if (n < 0 && errno == EAGAIN)
    return TRUE;
  if (n <= 0)
    {
      fail_lost (self, "connection lost");
      return FALSE;
    }
  if (!reroute_smtp_client_feed (self->machine, octets, (gsize) n, &error))
    {
      reroute_connection_fail (self, reroute_connection_trouble (self, "4.5.0", error->message));
      return FALSE;
    }
  if (!self->idle && reroute_smtp_client_get_n_replies (self->machine) > n_replies)
    arm (self,
         reroute_smtp_client_may_have_delivered (self->machine) ? REROUTE_SETTING_DATA_TIMEOUT
                                                                : REROUTE_SETTING_COMMAND_TIMEOUT);
  return TRUE;
}

/* --- sending --- */

static RerouteSendResult
send_output (RerouteConnection *self)
{
  const guint8 *octets;
  gsize length;

  while ((octets = reroute_smtp_client_peek_output (self->machine, &length)) != NULL && length > 0)
    {
      gssize sent = reroute_stream_write (&self->stream, octets, length);

      if (sent < 0)
        return errno == EAGAIN ? REROUTE_SEND_BLOCKED : REROUTE_SEND_FAILED;
      reroute_smtp_client_sent (self->machine, (gsize) sent);
    }
  return REROUTE_SEND_ALL;
}

/* What a host says before it closes is still to be read when it takes no more.
   TRUE: look at the machine's state again; FALSE: @self is gone. */
static gboolean
hear_why (RerouteConnection *self)
{
  if (!take_input (self))
    return FALSE;
  if (reroute_smtp_client_get_state (self->machine) != REROUTE_SMTP_CLIENT_SEND_CONTENT)
    return TRUE;
  fail_lost (self, "connection lost");
  return FALSE;
}

/* The host has data-timeout for the content, or for a chunk of it, and as much longer as what it
   takes is worth (pace.h). */
static void
await_reader (RerouteConnection *self)
{
  gint64 now_us = reroute_worker_now_us (self->worker);
  gint64 limit_us = setting_us (self, REROUTE_SETTING_DATA_TIMEOUT);

  if (self->content_due_us == 0)
    self->content_due_us = now_us + limit_us;
  else
    self->content_due_us =
      reroute_pace_move_on (self->content_due_us, now_us, limit_us, self->content_passed);
  self->content_passed = 0;
  reroute_worker_arm_timer (self->worker, &self->timer, self->content_due_us);
  reroute_worker_set_events (self->worker, &self->io, EPOLLIN | EPOLLOUT);
}

/* TRUE: look at the machine's state again; FALSE: nothing more to do now, or @self is gone. */
static gboolean
pump_content (RerouteConnection *self)
{
  g_autoptr (GError) error = NULL;
  RerouteSendResult result = reroute_connection_send_content (self, &error);

  if (result == REROUTE_SEND_BLOCKED)
    {
      await_reader (self);
      return FALSE;
    }
  self->content_due_us = 0;
  arm (self, REROUTE_SETTING_DATA_TIMEOUT);
  if (result != REROUTE_SEND_FAILED)
    return TRUE;
  if (error == NULL)
    return hear_why (self);
  self->failed_here = TRUE;
  reroute_connection_fail (self, reroute_connection_trouble (self, "4.3.0", error->message));
  return FALSE;
}

static void
fail_closed (RerouteConnection *self)
{
  const RerouteReply *reply = reroute_smtp_client_get_session_reply (self->machine);

  reroute_connection_forget_token (self);
  if (reroute_smtp_client_lacks_tls (self->machine))
    reroute_connection_note_clear_text (self);
  if (reply != NULL)
    reroute_connection_fail (self, reroute_reply_copy (reply));
  else
    fail_lost (self, "session ended");
}

static void
rest (RerouteConnection *self, void (*func) (RerouteConnection *, gpointer))
{
  reroute_worker_set_events (self->worker, &self->io, EPOLLIN);
  reroute_worker_disarm_timer (self->worker, &self->timer);
  reroute_connection_forget_content (self); /* of a transaction whose recipients were all refused */
  self->idle = TRUE;
  func (self, self->user_data);
}

/* One step by the machine's state; TRUE: go on. */
static gboolean
pump_state (RerouteConnection *self)
{
  switch (reroute_smtp_client_get_state (self->machine))
    {
    case REROUTE_SMTP_CLIENT_SEND_CONTENT:
      return pump_content (self);
    case REROUTE_SMTP_CLIENT_START_TLS:
      reroute_connection_begin_tls (self);
      return FALSE;
    case REROUTE_SMTP_CLIENT_START_AUTH:
      return reroute_connection_begin_auth (self);
    case REROUTE_SMTP_CLIENT_AUTH_CHALLENGE:
      return reroute_connection_answer_challenge (self);
    case REROUTE_SMTP_CLIENT_READY:
      if (!self->idle && reroute_connection_end_auth (self))
        {
          reroute_connection_note_clear_text (self);
          reroute_connection_count_session (self);
          self->was_ready = TRUE;
          rest (self, self->handler->ready);
        }
      return FALSE;
    case REROUTE_SMTP_CLIENT_DONE:
      if (!self->idle)
        rest (self, self->handler->done);
      return FALSE;
    case REROUTE_SMTP_CLIENT_CLOSED:
      fail_closed (self);
      return FALSE;
    case REROUTE_SMTP_CLIENT_WORKING:
    default:
      reroute_worker_set_events (self->worker, &self->io, EPOLLIN);
      return FALSE;
    }
}

static gboolean
has_output (RerouteConnection *self)
{
  gsize length;

  return reroute_smtp_client_get_state (self->machine) == REROUTE_SMTP_CLIENT_SEND_CONTENT ||
         (reroute_smtp_client_peek_output (self->machine, &length) != NULL && length > 0);
}

static gboolean
has_chunk (const RerouteConnection *self)
{
  return reroute_smtp_client_get_state (self->machine) == REROUTE_SMTP_CLIENT_SEND_CONTENT &&
         reroute_smtp_client_goes_by_chunks (self->machine);
}

void
reroute_connection_pump (RerouteConnection *self)
{
  RerouteSendResult result;

  do
    {
      /* The command of a chunk leaves with the chunk. */
      result = has_chunk (self) ? REROUTE_SEND_ALL : send_output (self);
      if (result == REROUTE_SEND_FAILED)
        {
          fail_lost (self, "connection lost");
          return;
        }
      if (result == REROUTE_SEND_BLOCKED)
        {
          reroute_worker_set_events (self->worker, &self->io, EPOLLIN | EPOLLOUT);
          return;
        }
    }
  while (pump_state (self));
}

/* --- the socket --- */

static gboolean
finish_connecting (RerouteConnection *self)
{
  int socket_error = 0;
  socklen_t length = sizeof socket_error;

  if (getsockopt (self->io.fd, SOL_SOCKET, SO_ERROR, &socket_error, &length) < 0)
    socket_error = errno;
  if (socket_error != 0)
    {
      reroute_connection_fail (
        self, reroute_connection_trouble (self, "4.4.1", g_strerror (socket_error)));
      return FALSE;
    }
  self->connecting = FALSE;
  arm (self, REROUTE_SETTING_COMMAND_TIMEOUT);
  return TRUE;
}

static void
socket_ready (RerouteIo *io, guint32 events)
{
  RerouteConnection *self =
    (RerouteConnection *) ((char *) io - G_STRUCT_OFFSET (RerouteConnection, io));

  if (self->connecting && !finish_connecting (self))
    return;
  if (self->shaking)
    {
      reroute_connection_shake_hands (self);
      return;
    }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    do
      {
        if (!take_input (self))
          return;
      }
    while (reroute_stream_has_input (&self->stream));
  if (has_output (self))
    reroute_worker_flush_later (self->worker, &self->flush);
  else
    reroute_connection_pump (self);
}

static void
flush_cb (RerouteFlush *flush)
{
  reroute_connection_pump (
    (RerouteConnection *) ((char *) flush - G_STRUCT_OFFSET (RerouteConnection, flush)));
}

RerouteConnection *
reroute_connection_new (RerouteWorker *worker,
                        const RerouteConnectionConfig *config,
                        const RerouteConnectionHandler *handler,
                        gpointer user_data)
{
  RerouteConnection *self = g_new0 (RerouteConnection, 1);
  int failure;

  self->worker = worker;
  self->endpoint = reroute_endpoint_copy (config->endpoint);
  self->requires_tls = config->requires_tls;
  self->settings = reroute_settings_ref (config->settings);
  self->machine = reroute_smtp_client_new (config->hostname);
  if (config->endpoint->lmtp)
    reroute_smtp_client_set_lmtp (self->machine);
  reroute_connection_set_tls (self, config);
  reroute_connection_set_secret (self, config->secret, config->tokens);
  self->handler = handler;
  self->user_data = user_data;
  self->connecting = TRUE;
  self->io.fd = -1;
  self->io.func = socket_ready;
  self->timer.func = timed_out;
  self->flush.func = flush_cb;

  failure = reroute_connection_begin (self);
  if (failure == 0)
    {
      arm (self, REROUTE_SETTING_CONNECT_TIMEOUT);
    }
  else
    {
      self->failure = reroute_connection_trouble (self, "4.4.1", g_strerror (failure));
      reroute_worker_arm_timer (worker, &self->timer, reroute_worker_now_us (worker));
    }
  return self;
}

void
reroute_connection_send (RerouteConnection *self,
                         RerouteSpool *spool,
                         RerouteMessage *message,
                         const RerouteSmtpTransaction *transaction,
                         RerouteSettings *settings)
{
  RerouteSmtpTransaction begun = *transaction;

  reroute_settings_unref (self->settings);
  self->settings = reroute_settings_ref (settings);
  self->idle = FALSE;
  reroute_connection_set_content (self, spool, message);
  if (begun.chunks && reroute_smtp_client_wants_head (self->machine))
    reroute_connection_find_head (self, &begun);
  reroute_smtp_client_begin (self->machine, &begun);
  arm (self, REROUTE_SETTING_COMMAND_TIMEOUT);
  reroute_worker_flush_later (self->worker, &self->flush);
}

void
reroute_connection_quit (RerouteConnection *self)
{
  if (self->connecting)
    {
      reroute_connection_fail (self, reroute_connection_trouble (self, "4.4.1", "given up"));
      return;
    }
  self->idle = TRUE;
  reroute_connection_forget_content (self);
  reroute_smtp_client_quit (self->machine);
  reroute_worker_arm_timer (
    self->worker, &self->timer, reroute_worker_now_us (self->worker) + QUIT_TIMEOUT_US);
  reroute_connection_pump (self);
}

RerouteSmtpClient *
reroute_connection_get_machine (RerouteConnection *self)
{
  return self->machine;
}

gboolean
reroute_connection_failed_here (const RerouteConnection *self)
{
  return self->failed_here;
}

gboolean
reroute_connection_was_ready (const RerouteConnection *self)
{
  return self->was_ready;
}

gboolean
reroute_connection_was_denied (const RerouteConnection *self)
{
  return reroute_smtp_client_is_greeted (self->machine) &&
         (!self->was_ready || self->secret != NULL || self->certificate != NULL);
}

gboolean
reroute_connection_has_sent_content (const RerouteConnection *self)
{
  return self->content_begun;
}

const RerouteEndpoint *
reroute_connection_get_endpoint (const RerouteConnection *self)
{
  return &self->endpoint;
}
