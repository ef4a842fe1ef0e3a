/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.c - one SMTP session of a client: socket, time limits, and the way into the spool
 *
 * A turn reads once, feeds the machine, and sends all replies at once.  Reading stops while a
 * commit is awaited, while the spool is behind with parts of the message, and while the client does
 * not read its replies; epoll is told of it only when input comes in the meantime.  Under
 * back-pressure the worker looks at no session.
 *
 * A client moves its time limit on by making progress: replies it caused and took whole, and octets
 * of content, each by its share of a second.  An octet now and then is none.
 *
 * Standards: RFC 5321 sections 3.8, 4.5.3.2 and 6.1.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session.h"

#include "service/relay/receive/session-log.h"

#include "common/limits.h"
#include "service/relay/smtp/server.h"
#include "service/relay/smtp/trace-header.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_US (2 * G_USEC_PER_SEC) /* for a client that still sends to read our last reply */

struct _RerouteSession
{
  RerouteIo io;
  RerouteTimer timer;
  GList link; /* in the receiver's sessions */
  gatomicrefcount ref_count;
  RerouteReceiver *receiver;
  RerouteSmtpServer *machine;
  RerouteClient client;
  gboolean permitted; /* by the generation that decided last */
  RerouteSpoolDraft *draft;

  GByteArray *pending; /* input that waits for the reply to the end of data; NULL: none */
  gsize pending_taken;
  gint64 deadline_us;
  gboolean in_content; /* its time limit runs */
  gboolean closed;     /* the socket is gone */
  gboolean eof;        /* the client has said all it will say */
  gboolean blocked;    /* the client does not read its replies */
  gboolean quit;       /* the client asked for the end */
  gboolean lingering;  /* the last reply is sent */

  /* Set by the spool's writer, read after the post. */
  RerouteMessage *committed;
  GError *commit_error;
};

/* --- life --- */

static void
unref_session (RerouteSession *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  RerouteReceiver *receiver = self->receiver;
  reroute_smtp_server_free (self->machine);
  g_clear_pointer (&self->pending, g_byte_array_unref);
  reroute_receiver_forget_session (receiver, &self->link);
  g_free (self);
}

/* The socket is gone; what was received in part is dropped, a pending commit goes on. */
static void
close_session (RerouteSession *self)
{
  if (self->closed)
    return;
  self->closed = TRUE;
  reroute_worker_remove_io (self->receiver->worker, &self->io);
  reroute_worker_disarm_timer (self->receiver->worker, &self->timer);
  close (self->io.fd);
  g_clear_pointer (&self->draft, reroute_spool_draft_discard);
  reroute_admission_leave (self->receiver->config.admission, &self->client.ip);
  unref_session (self);
}

static void
lose (RerouteSession *self, const char *why)
{
  if (!reroute_smtp_server_is_idle (self->machine))
    reroute_session_log_lost (&self->client.ip, why, reroute_smtp_server_phase (self->machine));
  close_session (self);
}

/* --- what may happen now --- */

static gboolean
is_spool_behind (const RerouteSession *self)
{
  return self->draft != NULL &&
         reroute_spool_draft_get_unsaved (self->draft) > REROUTE_LIMIT_PARTS_UNSAVED;
}

/* Whether the machine may be fed, back-pressure aside. */
static gboolean
may_feed (const RerouteSession *self)
{
  return !self->blocked && !reroute_smtp_server_awaits_finish (self->machine) &&
         !is_spool_behind (self);
}

static gboolean
may_read (const RerouteSession *self)
{
  return !self->eof && self->pending == NULL && (self->lingering || may_feed (self));
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
}

static void
set_deadline (RerouteSession *self, gint64 wait_us)
{
  RerouteWorker *worker = self->receiver->worker;

  self->deadline_us = reroute_worker_now_us (worker) + wait_us;
  /* A later deadline is seen to when the timer is due. */
  if (self->timer.due_us == 0 || self->timer.due_us > self->deadline_us)
    reroute_worker_arm_timer (worker, &self->timer, self->deadline_us);
}

static void
restart_deadline (RerouteSession *self)
{
  self->in_content = reroute_smtp_server_in_data (self->machine);
  set_deadline (self, self->in_content ? self->receiver->data_us : self->receiver->idle_us);
}

/* Within a content its octets count, not the replies to its chunks. */
static void
renew_deadline (RerouteSession *self)
{
  if (!self->in_content || !reroute_smtp_server_in_data (self->machine))
    restart_deadline (self);
}

/* Never further than the whole wait for content; the timer finds the later deadline. */
static void
credit_content (RerouteSession *self, gsize octets)
{
  gint64 latest_us = reroute_worker_now_us (self->receiver->worker) + self->receiver->data_us;
  gint64 credit_us = (gint64) octets * (G_USEC_PER_SEC / REROUTE_LIMIT_CONTENT_OCTETS_PER_S);

  self->deadline_us = MIN (self->deadline_us + credit_us, MAX (latest_us, self->deadline_us));
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

      gssize n = send (self->io.fd, octets, length, MSG_NOSIGNAL);
      if (n > 0)
        {
          reroute_smtp_server_sent (self->machine, n);
          if ((gsize) n == length)
            renew_deadline (self);
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

/* Whether the last reply to be sent is the one to QUIT. */
static gboolean
answers_quit (RerouteSession *self)
{
  gsize length;
  const char *octets = (const char *) reroute_smtp_server_peek_output (self->machine, &length);
  const char *line = length > 0 ? memrchr (octets, '\n', length - 1) : NULL;

  line = line != NULL ? line + 1 : octets;
  return octets + length - line > 4 && memcmp (line, "221 ", 4) == 0;
}

/* All is said.  What a client that did not ask for the end still sends is read and dropped for a
   while: closing a socket with unread input can take our last reply away from it. */
static void
hang_up (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;
  gssize n = self->eof ? 0 : recv (self->io.fd, receiver->buffer, sizeof receiver->buffer, 0);

  if (n == 0 || (n < 0 && (errno != EAGAIN || self->quit)))
    {
      close_session (self);
      return;
    }
  shutdown (self->io.fd, SHUT_WR);
  self->lingering = TRUE;
  set_deadline (self, LINGER_US);
  update_events (self);
}

static void
feed_pending (RerouteSession *self)
{
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

static void
leave_when_stopping (RerouteSession *self)
{
  if (!self->receiver->draining || reroute_smtp_server_in_data (self->machine) ||
      reroute_smtp_server_awaits_finish (self->machine))
    return;
  g_autoptr (RerouteReply) reply =
               reroute_reply_new (421, "4.3.2", "This host is stopping, try again later");
  reroute_smtp_server_close (self->machine, reply);
}

/* After anything happened: feeds what waits, sends what there is to say, and sees what is next. */
static void
advance (RerouteSession *self)
{
  if (self->closed || self->lingering)
    return;
  if (self->pending != NULL && !self->receiver->paused && may_feed (self))
    feed_pending (self);
  leave_when_stopping (self);
  if (reroute_smtp_server_wants_close (self->machine) && answers_quit (self))
    self->quit = TRUE;
  if (!send_output (self))
    return;
  if (!self->blocked && reroute_smtp_server_wants_close (self->machine))
    hang_up (self);
  else if (self->eof && may_feed (self) && self->pending == NULL)
    lose (self, "connection closed by the client");
  else
    update_events (self);
}

static void
take_input (RerouteSession *self, const guint8 *octets, gsize length)
{
  gboolean was_in_data = reroute_smtp_server_in_data (self->machine);
  gsize taken = reroute_smtp_server_feed (self->machine, octets, length);

  if (taken < length)
    put_pending (self, octets + taken, length - taken);
  if (was_in_data && reroute_smtp_server_in_data (self->machine))
    credit_content (self, taken);
  advance (self);
}

static void
read_input (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;

  if (receiver->paused) /* since this turn began */
    return;
  if (!may_read (self))
    {
      reroute_worker_set_events (receiver->worker, &self->io, self->io.events & ~(guint32) EPOLLIN);
      return;
    }

  gssize n = recv (self->io.fd, receiver->buffer, sizeof receiver->buffer, 0);
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
      advance (self);
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
  if (events & EPOLLOUT)
    advance (self);
  else
    read_input (self);
}

static void
time_limit_cb (RerouteTimer *timer)
{
  RerouteSession *self =
    (RerouteSession *) ((char *) timer - G_STRUCT_OFFSET (RerouteSession, timer));

  timer->due_us = 0;
  if (reroute_worker_now_us (self->receiver->worker) < self->deadline_us)
    reroute_worker_arm_timer (self->receiver->worker, timer, self->deadline_us);
  else if (self->lingering || self->blocked)
    lose (self, "time limit");
  else if (self->receiver->paused || !may_feed (self)) /* it is we who keep the client waiting */
    restart_deadline (self);
  else
    {
      g_autoptr (RerouteReply) reply = reroute_reply_new (
        421, "4.4.2", "Nothing came for too long, closing the connection");
      reroute_session_log_lost (
        &self->client.ip, "time limit", reroute_smtp_server_phase (self->machine));
      reroute_smtp_server_close (self->machine, reply);
      advance (self);
    }
}

/* --- what the machine asks for --- */

static RerouteReply *
count (RerouteSession *self, RerouteSettingId rate)
{
  RerouteReceiver *receiver = self->receiver;

  return reroute_admission_count (receiver->config.admission,
                                  receiver->ruleset,
                                  &self->client,
                                  rate,
                                  reroute_worker_now_us (receiver->worker));
}

/* Any sender may try: admission goes by the recipient. */
static RerouteReply *
mail_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  return count (user_data, REROUTE_SETTING_MAX_MESSAGE_RATE);
}

static RerouteReply *
rcpt_cb (RerouteSmtpServer *machine,
         const RerouteAddress *recipient,
         RerouteRowRef *admitted_by,
         gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteRuleset *ruleset = self->receiver->ruleset;
  RerouteReply *refusal = count (self, REROUTE_SETTING_MAX_RECIPIENT_RATE);

  if (refusal == NULL)
    refusal = reroute_admission_rcpt (ruleset, &self->client, recipient, admitted_by);
  self->permitted = ruleset != NULL && reroute_ruleset_permits (ruleset, &self->client);
  if (refusal != NULL)
    reroute_session_log_refused (&self->client.ip, recipient, refusal);
  return refusal;
}

static void
take_parts_saved_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (!self->closed)
    renew_deadline (self);
  advance (self);
  unref_session (self);
}

/* On the spool's writer. */
static void
parts_saved_cb (gpointer data, gpointer user_data)
{
  RerouteSession *self = user_data;

  g_atomic_ref_count_inc (&self->ref_count);
  reroute_worker_post (self->receiver->worker, take_parts_saved_cb, self);
}

static RerouteReply *
data_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteSpool *spool = self->receiver->config.spool;

  g_assert (self->draft == NULL);
  self->draft = reroute_spool_begin (spool);
  reroute_spool_draft_set_resume (self->draft, parts_saved_cb, self);

  g_autofree char *id = reroute_message_id_to_string (reroute_spool_draft_get_id (self->draft));
  g_autofree char *trace = reroute_trace_header_format (envelope,
                                                        self->receiver->hostname,
                                                        reroute_smtp_server_is_esmtp (machine),
                                                        id,
                                                        reroute_spool_get_token (spool),
                                                        g_get_real_time ());
  reroute_spool_draft_append (self->draft, (const guint8 *) trace, strlen (trace));
  return NULL;
}

static void
content_cb (RerouteSmtpServer *machine, const guint8 *octets, gsize length, gpointer user_data)
{
  RerouteSession *self = user_data;

  reroute_spool_draft_append (self->draft, octets, length);
}

static void
abort_data_cb (RerouteSmtpServer *machine, gpointer user_data)
{
  RerouteSession *self = user_data;

  g_clear_pointer (&self->draft, reroute_spool_draft_discard);
}

/* Back on the worker.  A message that was committed is ours, whether the client hears it or not. */
static void
take_commit_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;
  g_autoptr (RerouteMessage) message = g_steal_pointer (&self->committed);
  g_autoptr (GError) error = g_steal_pointer (&self->commit_error);
  g_autoptr (RerouteReply) reply = reroute_session_log_commit (&self->client.ip, message, error);

  reroute_smtp_server_finish_data (self->machine, reply);
  advance (self);
  if (message != NULL)
    receiver->config.accepted (
      message, reroute_worker_get_number (worker), receiver->config.user_data);
  unref_session (self);
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

static void
end_of_data_cb (RerouteSmtpServer *machine, RerouteEnvelope *envelope, gpointer user_data)
{
  RerouteSession *self = user_data;

  envelope->client_permitted = self->permitted;
  g_atomic_ref_count_inc (&self->ref_count);
  reroute_spool_commit (
    self->receiver->config.spool, g_steal_pointer (&self->draft), envelope, committed_cb, self);
}

static const RerouteSmtpServerHandler handler = {
  .mail = mail_cb,
  .rcpt = rcpt_cb,
  .data = data_cb,
  .content = content_cb,
  .end_of_data = end_of_data_cb,
  .abort_data = abort_data_cb,
};

/* --- the receiver's side --- */

static RerouteSmtpServer *
make_machine (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;
  RerouteSmtpServerConfig config = receiver->session_config;

  config.client_ip = self->client.ip;
  config.client_permitted = self->permitted;
  RerouteSmtpServer *machine = reroute_smtp_server_new (&config, &handler, self);
  reroute_smtp_server_set_token (machine, reroute_spool_get_token (receiver->config.spool));
  return machine;
}

void
reroute_session_start (RerouteReceiver *receiver, int fd, const RerouteIp *ip)
{
  g_return_if_fail (receiver != NULL && fd >= 0 && ip != NULL);

  RerouteSession *self = g_new0 (RerouteSession, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->io = (RerouteIo){ .fd = fd, .events = EPOLLIN, .yields = TRUE, .func = ready_cb };
  self->timer.func = time_limit_cb;
  self->link.data = self;
  self->receiver = receiver;
  self->client.ip = *ip;
  self->permitted =
    receiver->ruleset != NULL && reroute_ruleset_permits (receiver->ruleset, &self->client);
  self->machine = make_machine (self);
  g_queue_push_tail_link (&receiver->sessions, &self->link);
  reroute_worker_add_io (receiver->worker, &self->io);

  /* Who speaks before the greeting does not wait for replies (wire-defaults: early talkers). */
  gssize n = recv (fd, receiver->buffer, sizeof receiver->buffer, 0);
  if (n > 0)
    reroute_smtp_server_feed (self->machine, receiver->buffer, n);
  else
    reroute_smtp_server_greet (self->machine, NULL);
  renew_deadline (self);
  advance (self);
}

void
reroute_session_resume (RerouteSession *self)
{
  if (self->closed)
    return;
  if (self->pending != NULL)
    advance (self);
  else
    restart_deadline (self);
}

void
reroute_session_drain (RerouteSession *self)
{
  advance (self);
}

void
reroute_session_abandon (RerouteSession *self)
{
  lose (self, "this host is stopping");
}
