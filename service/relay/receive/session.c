/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.c - one SMTP session of a client: its socket and its turns
 *
 * A turn reads once, feeds the machine, and sends all replies at once, behind the events of the
 * worker's turn: what goes to many clients in a row wakes a process that holds them once, not for
 * each.  Reading stops while a commit is awaited, while the spool is behind with parts of the
 * message, and while the client does not read its replies; epoll is told of it only when input
 * comes in the meantime.  Under back-pressure the worker looks at no session.
 *
 * Standards: RFC 5321 sections 3.8 and 6.1.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session.h"

#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-milter.h"
#include "service/relay/receive/session-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_US (2 * G_USEC_PER_SEC) /* for a client that still sends to read our last reply */

/* --- life --- */

RerouteSession *
reroute_session_ref (RerouteSession *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_session_unref (RerouteSession *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  RerouteReceiver *receiver = self->receiver;
  reroute_smtp_server_free (self->machine);
  g_clear_pointer (&self->tls, reroute_tls_server_unref);
  g_clear_pointer (&self->sasl, reroute_sasl_server_free);
  g_free (self->account);
  g_free (self->mechanism);
  g_clear_pointer (&self->accounts, reroute_accounts_unref);
  g_clear_pointer (&self->farewell, reroute_reply_free);
  g_clear_pointer (&self->pending, g_byte_array_unref);
  reroute_receiver_forget_session (receiver, &self->link);
  g_free (self);
}

/* Input that was read already announces itself by no event: the end of the pause has to. */
static void
join_unfed (RerouteSession *self)
{
  if (self->unfed_link.data != NULL)
    return;
  self->unfed_link.data = self;
  g_queue_push_tail_link (&self->receiver->unfed, &self->unfed_link);
}

static void
leave_unfed (RerouteSession *self)
{
  if (self->unfed_link.data == NULL)
    return;
  self->unfed_link.data = NULL;
  g_queue_unlink (&self->receiver->unfed, &self->unfed_link);
}

void
reroute_session_close (RerouteSession *self)
{
  if (self->closed)
    return;
  self->closed = TRUE;
  reroute_worker_remove_io (self->receiver->worker, &self->io);
  reroute_worker_disarm_timer (self->receiver->worker, &self->timer);
  reroute_worker_forget_flush (self->receiver->worker, &self->flush);
  leave_unfed (self);
  reroute_stream_clear (&self->stream);
  close (self->io.fd);
  g_clear_pointer (&self->milters, reroute_session_milters_free);
  g_clear_pointer (&self->draft, reroute_spool_draft_discard);
  reroute_admission_leave (self->receiver->config.admission, &self->client.ip);
  reroute_session_unref (self);
}

static void
lose (RerouteSession *self, const char *why)
{
  if (!reroute_smtp_server_is_idle (self->machine))
    reroute_session_log_lost (&self->client.ip, why, reroute_smtp_server_phase (self->machine));
  reroute_session_close (self);
}

/* --- what may happen now --- */

static gboolean
is_spool_behind (const RerouteSession *self)
{
  return self->draft != NULL && reroute_spool_draft_is_behind (self->draft);
}

/* Whether the machine may be fed, back-pressure aside. */
static gboolean
may_feed (const RerouteSession *self)
{
  return !self->blocked && !self->shaking && !reroute_smtp_server_awaits_finish (self->machine) &&
         !is_spool_behind (self);
}

static gboolean
may_read (const RerouteSession *self)
{
  return !self->eof && self->pending == NULL && (self->lingering || may_feed (self));
}

static void read_input (RerouteSession *self);

static void
read_again_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (!self->closed && may_read (self))
    read_input (self);
  reroute_session_unref (self);
}

/* EPOLLIN comes back here; it is taken away where input came too early. */
static void
update_events (RerouteSession *self)
{
  guint32 events = self->io.events & EPOLLIN;

  if (may_read (self))
    events |= EPOLLIN;
  if (self->blocked)
    events |= EPOLLOUT;
  if (events != self->io.events)
    reroute_worker_set_events (self->receiver->worker, &self->io, events);
  if (reroute_stream_has_input (&self->stream) && may_read (self))
    {
      reroute_session_ref (self);
      reroute_worker_defer (self->receiver->worker, read_again_cb, self);
    }
}

/* --- a turn --- */

/* Returns: FALSE when the session is closed */
static gboolean
send_output (RerouteSession *self)
{
  for (;;)
    {
      gsize length;
      const guint8 *octets = reroute_smtp_server_peek_output (self->machine, &length);
      self->blocked = FALSE;
      if (length == 0)
        return TRUE;

      gssize n = reroute_stream_write (&self->stream, octets, length);
      if (n > 0)
        {
          reroute_smtp_server_sent (self->machine, n);
          if ((gsize) n == length)
            reroute_session_renew_deadline (self);
        }
      else if (errno == EAGAIN)
        {
          self->blocked = TRUE;
          return TRUE;
        }
      else if (errno != EINTR)
        {
          lose (self, "connection lost");
          return FALSE;
        }
    }
}

/* All is said.  What a client that did not ask for the end still sends is read and dropped for a
   while: closing a socket with unread input can take our last reply away from it. */
static void
hang_up (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;
  gssize n;

  reroute_stream_end_tls (&self->stream);
  n =
    self->eof ? 0 : reroute_stream_read (&self->stream, receiver->buffer, sizeof receiver->buffer);
  if (n == 0 || (n < 0 && (errno != EAGAIN || reroute_smtp_server_has_quit (self->machine))))
    {
      reroute_session_close (self);
      return;
    }
  shutdown (self->io.fd, SHUT_WR);
  self->lingering = TRUE;
  reroute_worker_arm_timer (
    receiver->worker, &self->timer, reroute_worker_now_us (receiver->worker) + LINGER_US);
  update_events (self);
}

/* What was read and had to wait, if it need not any longer. */
static void
feed_pending (RerouteSession *self)
{
  if (self->pending != NULL && self->receiver->paused)
    join_unfed (self);
  if (self->pending == NULL || self->receiver->paused || !may_feed (self))
    return;

  gsize taken = reroute_smtp_server_feed (self->machine,
                                          self->pending->data + self->pending_taken,
                                          self->pending->len - self->pending_taken);

  self->pending_taken += taken;
  if (self->pending_taken == self->pending->len)
    g_clear_pointer (&self->pending, g_byte_array_unref);
}

static void
put_pending (RerouteSession *self, const guint8 *octets, gsize length)
{
  self->pending = g_byte_array_sized_new (length);
  self->pending_taken = 0;
  g_byte_array_append (self->pending, octets, length);
}

/* (transfer full) (nullable): why the session is to end */
static RerouteReply *
new_farewell (const RerouteSession *self)
{
  if (self->put_off)
    return reroute_admission_new_put_off ();
  if (self->receiver->draining)
    return reroute_reply_new (421, "4.3.2", "This host is stopping, try again later");
  return self->farewell != NULL ? reroute_reply_copy (self->farewell) : NULL;
}

/* Not within a message. */
static void
leave_when_told (RerouteSession *self)
{
  if (reroute_smtp_server_in_data (self->machine) ||
      reroute_smtp_server_awaits_finish (self->machine))
    return;
  g_autoptr (RerouteReply) reply = new_farewell (self);
  if (reply != NULL)
    reroute_smtp_server_close (self->machine, reply);
}

/* Sends what there is to say, and sees what is next. */
static void
conclude (RerouteSession *self)
{
  if (self->lingering || self->shaking || !send_output (self))
    return;
  if (!self->blocked && reroute_smtp_server_wants_close (self->machine))
    hang_up (self);
  else if (!self->blocked && reroute_smtp_server_wants_tls (self->machine))
    reroute_session_begin_tls (self);
  else if (self->eof && may_feed (self) && self->pending == NULL)
    lose (self, "connection closed by the client");
  else if (self->pending != NULL && !self->receiver->paused && may_feed (self))
    reroute_session_advance (self); /* the client made room for its replies meanwhile */
  else
    {
      if (self->pending != NULL && self->receiver->paused)
        join_unfed (self); /* likewise */
      update_events (self);
    }
}

static void
flush_cb (RerouteFlush *flush)
{
  conclude ((RerouteSession *) ((char *) flush - G_STRUCT_OFFSET (RerouteSession, flush)));
}

void
reroute_session_advance (RerouteSession *self)
{
  if (self->closed || self->lingering || self->shaking)
    return;
  /* What has to be sent before anything else is fed may go by now. */
  if (self->blocked && !send_output (self))
    return;
  feed_pending (self);
  leave_when_told (self);
  reroute_worker_flush_later (self->receiver->worker, &self->flush);
}

static void
take_input (RerouteSession *self, const guint8 *octets, gsize length)
{
  gboolean was_in_data = reroute_smtp_server_in_data (self->machine);
  gsize taken = reroute_smtp_server_feed (self->machine, octets, length);

  if (taken < length)
    put_pending (self, octets + taken, length - taken);
  if (was_in_data && reroute_smtp_server_in_data (self->machine))
    reroute_session_credit_content (self, taken);
  reroute_session_advance (self);
}

static void
read_input (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;

  if (reroute_flush_is_pending (&self->flush)) /* its turn is not over */
    return;
  if (receiver->paused) /* since this turn began */
    {
      if (reroute_stream_has_input (&self->stream))
        join_unfed (self);
      return;
    }
  if (!may_read (self))
    {
      reroute_worker_set_events (receiver->worker, &self->io, self->io.events & ~(guint32) EPOLLIN);
      return;
    }

  gssize n = reroute_stream_read (&self->stream, receiver->buffer, sizeof receiver->buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n < 0 || (n == 0 && self->lingering))
    lose (self, "connection lost");
  else if (self->lingering)
    return;
  else if (n > 0)
    take_input (self, receiver->buffer, n);
  else
    {
      self->eof = TRUE;
      reroute_worker_set_events (receiver->worker, &self->io, self->io.events & ~(guint32) EPOLLIN);
      reroute_session_advance (self);
    }
}

static void
ready_cb (RerouteIo *io, guint32 events)
{
  RerouteSession *self = (RerouteSession *) io;

  if (events & (EPOLLERR | EPOLLHUP))
    {
      lose (self, "connection lost");
      return;
    }
  if (self->shaking)
    reroute_session_shake_hands (self);
  else if (events & EPOLLOUT)
    reroute_session_advance (self);
  else
    read_input (self);
}

static void
time_limit_cb (RerouteTimer *timer)
{
  RerouteSession *self =
    (RerouteSession *) ((char *) timer - G_STRUCT_OFFSET (RerouteSession, timer));

  timer->due_us = 0;
  if (self->lingering)
    lose (self, "time limit");
  else if (reroute_receiver_wait_on (self->receiver, timer, self->deadline_us))
    return;
  else if (self->blocked || self->shaking)
    lose (self, "time limit");
  else if (!may_feed (self)) /* it is we who keep the client waiting */
    reroute_session_restart_deadline (self);
  else
    {
      g_autoptr (RerouteReply) reply = reroute_reply_new (
        421, "4.4.2", "Nothing came for too long, closing the connection");
      reroute_session_log_lost (
        &self->client.ip, "time limit", reroute_smtp_server_phase (self->machine));
      reroute_smtp_server_close (self->machine, reply);
      reroute_session_advance (self);
    }
}

/* --- the receiver's side --- */

/* Who speaks while it waits is an early talker too. */
void
reroute_session_greet (RerouteSession *self)
{
  if (self->milters == NULL || !reroute_session_milters_ask_client (self->milters))
    reroute_smtp_server_greet (self->machine, NULL);
}

void
reroute_session_start (
  RerouteReceiver *receiver, int fd, const RerouteIp *ip, const RerouteIp *proxy, gboolean in_tls)
{
  g_return_if_fail (receiver != NULL && fd >= 0 && ip != NULL);

  RerouteSession *self = g_new0 (RerouteSession, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->io = (RerouteIo){ .fd = fd, .events = EPOLLIN, .yields = TRUE, .func = ready_cb };
  self->stream.fd = fd;
  self->tls = receiver->tls != NULL ? reroute_tls_server_ref (receiver->tls) : NULL;
  self->timer.func = time_limit_cb;
  self->flush.func = flush_cb;
  self->link.data = self;
  self->receiver = receiver;
  self->host = self->client.ip = *ip;
  self->has_proxy = proxy != NULL;
  if (proxy != NULL)
    self->proxy = *proxy;
  self->permitted =
    receiver->ruleset != NULL && reroute_ruleset_permits (receiver->ruleset, &self->client);
  self->milters = reroute_session_milters_new (self);
  self->machine = reroute_session_make_machine (self);
  reroute_tallies_add (reroute_worker_get_tallies (receiver->worker), REROUTE_TALLY_SESSIONS, 1);
  g_queue_push_tail_link (&receiver->sessions, &self->link);
  reroute_worker_add_io (receiver->worker, &self->io);
  if (in_tls)
    {
      reroute_session_begin_tls (self);
      return;
    }

  /* Who speaks before the greeting does not wait for replies (wire-defaults: early talkers). */
  gssize n = recv (fd, receiver->buffer, sizeof receiver->buffer, 0);
  if (n > 0)
    {
      reroute_admission_note_refused (receiver->config.admission, REROUTE_REFUSED_EARLY);
      reroute_smtp_server_feed (self->machine, receiver->buffer, n);
    }
  else
    reroute_session_greet (self);
  reroute_session_renew_deadline (self);
  reroute_session_advance (self);
}

void
reroute_session_resume (RerouteSession *self)
{
  leave_unfed (self);
  reroute_session_advance (self);
}

void
reroute_session_dismiss (RerouteSession *self, RerouteReply *reply)
{
  if (self->closed || self->farewell != NULL)
    {
      reroute_reply_free (reply);
      return;
    }
  self->farewell = reply;
  reroute_session_log_dismissed (&self->client.ip, self->account, reply);
  reroute_session_advance (self);
}

void
reroute_session_outdate (RerouteSession *self)
{
  reroute_session_dismiss (
    self,
    reroute_reply_new (421, "4.3.2", "The rules of this host have been loaded, connect again"));
}

/* Whether who has said whose session it is, or may say it, is not trusted with it any more. */
static gboolean
is_distrusted (const RerouteSession *self, const RerouteSettings *settings)
{
  return (self->has_proxy &&
          !reroute_settings_contains (settings, REROUTE_SETTING_PROXY_HOSTS, &self->proxy)) ||
         (self->may_xclient &&
          !reroute_settings_contains (settings, REROUTE_SETTING_XCLIENT_HOSTS, &self->host));
}

void
reroute_session_follow_settings (RerouteSession *self)
{
  const RerouteSettings *settings = self->receiver->settings;

  reroute_smtp_server_set_limits (self->machine, &self->receiver->session_config);
  if (reroute_settings_contains (settings, REROUTE_SETTING_FORBIDDEN_HOSTS, &self->host) ||
      reroute_settings_contains (settings, REROUTE_SETTING_FORBIDDEN_HOSTS, &self->client.ip))
    reroute_session_dismiss (self, reroute_reply_new (421, "4.7.1", "access denied"));
  else if (is_distrusted (self, settings))
    reroute_session_dismiss (
      self, reroute_reply_new (421, "4.3.2", "The rules of this host have changed, connect again"));
}

void
reroute_session_drain (RerouteSession *self)
{
  if (self->shaking)
    lose (self, "this host is stopping");
  else
    reroute_session_advance (self);
}

void
reroute_session_abandon (RerouteSession *self)
{
  lose (self, "this host is stopping");
}
