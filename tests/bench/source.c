/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * source.c - hands messages in over many sessions
 *
 * A thread with an epoll descriptor.  Any session takes the next message that is to be sent; MAIL,
 * RCPT and DATA go together, and, when asked for, with the content of the message before.  In the
 * steady state a message costs one recv() and one sendmsg().
 *
 * Standards: RFC 5321, RFC 2920 (pipelining), which the server has to offer.
 */

#include "config.h"

#include "tests/bench/source.h"

#include "tests/bench/connection.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define READ_OCTETS (64 * 1024)
#define EVENTS 256
#define UNGREETED_MAX                                                                              \
  512 /* connections under way: the kernel drops those over its backlog for a second */
#define CODE_CLOSING 421
#define EHLO "EHLO source.test\r\n"

/* What the next reply answers. */
typedef enum
{
  STAGE_GREETING,
  STAGE_EHLO,
  STAGE_STARTTLS,
  STAGE_HANDSHAKE, /* no reply: TLS begins */
  STAGE_IDLE,      /* nothing: there is no message to send */
  STAGE_MAIL,
  STAGE_RCPT,
  STAGE_DATA,
  STAGE_DOT,
  STAGE_RSET,
  STAGE_QUIT,
} Stage;

typedef struct
{
  LoadConnection connection;
  Stage stage;
  gboolean greeted; /* once */
  guint32 number;   /* of the message under way, or LOAD_NONE */
  guint32 ahead;    /* of the one whose envelope has gone with it, or LOAD_NONE */
  guint taken;      /* messages of this connection, those under way too */
  guint recipient;  /* the next to be answered */
  guint promised;   /* recipients that were accepted */
  guint refusal;    /* first code that refused something of this message; 0: none */
  gint64 resume_ns; /* when to connect anew */
} Session;

typedef struct
{
  guint32 number;
  gint64 due_ns;
} Again;

struct _LoadSource
{
  LoadEndpoint endpoint;
  LoadPlan plan;
  const LoadShape *shape;
  LoadLedger *ledger;
  LoadSourceFigures figures;
  GThread *thread;
  int epoll;
  int wake;
  char *buffer;
  gint64 now_ns; /* when the present event was seen */
  guint32 next;  /* number that was never tried */
  GQueue again;  /* Again: to be tried again, the first in front */
  Session *sessions;
  GQueue idle;    /* sessions without a message */
  GQueue waiting; /* sessions without a connection, the first to resume in front */
  guint ungreeted;
  guint greeted;
};

/* Returns: when there is a message to send; G_MAXINT64: not as things stand */
static gint64
due_ns (LoadSource *self)
{
  const Again *again = g_queue_peek_head (&self->again);
  gint64 due = again != NULL ? again->due_ns : G_MAXINT64;

  if (self->next >= self->ledger->messages)
    return due;
  if (self->plan.rate <= 0)
    return 0;
  return MIN (due, self->figures.begun_ns + (gint64) ((double) self->next / self->plan.rate * 1e9));
}

/* Returns: the number of a message that may be sent now, or %LOAD_NONE */
static guint32
take_number (LoadSource *self)
{
  Again *again = g_queue_peek_head (&self->again);

  if (again != NULL && again->due_ns <= self->now_ns)
    {
      guint32 number = again->number;

      g_free (g_queue_pop_head (&self->again));
      return number;
    }
  if (self->next >= self->ledger->messages || due_ns (self) > self->now_ns)
    return LOAD_NONE;
  return self->next++;
}

static gint64
later_ns (LoadSource *self)
{
  return self->now_ns + self->plan.wait_ms * G_GINT64_CONSTANT (1000000);
}

/* A message that never was the server's: at once when it was not tried, else after a while. */
static void
give_back (LoadSource *self, guint32 number, gint64 due)
{
  Again *again;

  if (number == LOAD_NONE)
    return;
  again = g_new (Again, 1);
  *again = (Again){ number, due };
  if (due <= self->now_ns)
    g_queue_push_head (&self->again, again);
  else
    g_queue_push_tail (&self->again, again);
}

/* Starts a connection when its turn has come: all who wait wait equally long. */
static void
wait_to_connect (LoadSource *self, Session *session, gint64 resume_ns)
{
  session->resume_ns = resume_ns;
  if (resume_ns <= self->now_ns)
    g_queue_push_head (&self->waiting, session);
  else
    g_queue_push_tail (&self->waiting, session);
}

static void
disconnect (LoadSource *self, Session *session, gint64 resume_ns)
{
  if (session->stage == STAGE_IDLE)
    g_queue_remove (&self->idle, session);
  if (session->stage == STAGE_GREETING)
    self->ungreeted--;
  else
    self->greeted--;
  load_connection_close (&session->connection);
  wait_to_connect (self, session, resume_ns);
}

/* Sends the text of the connection, with the lines of @number unless it is %LOAD_NONE. */
static void
send_text (LoadSource *self, Session *session, guint32 number)
{
  const char *lines = number != LOAD_NONE ? load_shape_lines (self->shape, number) : NULL;

  load_connection_send (&session->connection, lines, lines != NULL ? self->shape->lines_octets : 0);
}

static void
send_command (LoadSource *self, Session *session, const char *text, Stage stage)
{
  g_string_assign (session->connection.before, text);
  session->stage = stage;
  send_text (self, session, LOAD_NONE);
}

static void
begin_message (LoadSource *self, Session *session, guint32 number)
{
  session->number = number;
  session->stage = STAGE_MAIL;
  session->recipient = session->promised = session->refusal = 0;
}

static gboolean
used_up (LoadSource *self, Session *session)
{
  return self->plan.per_connection > 0 && session->taken >= self->plan.per_connection;
}

/* The session has nothing under way: the next message, or QUIT, or nothing to do. */
static void
go_on (LoadSource *self, Session *session)
{
  guint32 number;

  session->number = LOAD_NONE;
  if (used_up (self, session))
    {
      send_command (self, session, "QUIT\r\n", STAGE_QUIT);
      return;
    }
  number = take_number (self);
  if (number == LOAD_NONE)
    {
      session->stage = STAGE_IDLE;
      g_queue_push_tail (&self->idle, session);
      return;
    }
  session->taken++;
  self->ledger->begun_ns[number] = self->now_ns;
  begin_message (self, session, number);
  g_string_truncate (session->connection.before, 0);
  load_shape_append_envelope (self->shape, number, session->connection.before);
  send_text (self, session, LOAD_NONE);
}

static void
send_content (LoadSource *self, Session *session)
{
  g_string_truncate (session->connection.before, 0);
  load_shape_append_head (self->shape, session->number, session->connection.before);
  g_string_truncate (session->connection.after, 0);
  load_shape_append_tail (self->shape, session->number, session->connection.after);
  g_string_append (session->connection.after, ".\r\n");
  if (self->plan.ahead && used_up (self, session))
    g_string_append (session->connection.after, "QUIT\r\n");
  else if (self->plan.ahead && (session->ahead = take_number (self)) != LOAD_NONE)
    {
      session->taken++;
      self->ledger->begun_ns[session->ahead] = self->now_ns;
      load_shape_append_envelope (self->shape, session->ahead, session->connection.after);
    }
  session->stage = STAGE_DOT;
  send_text (self, session, session->number);
}

/* The message under way was not taken: tried again later, or over. */
static void
refuse (LoadSource *self, Session *session, guint code)
{
  guint digit = code / 100 < G_N_ELEMENTS (self->figures.refused) ? code / 100 : 0;

  self->figures.refused[digit]++;
  self->figures.last_code = code;
  if (self->plan.retry && digit == 4)
    give_back (self, session->number, later_ns (self));
  else
    load_ledger_fail (self->ledger, session->number, LOAD_OUTCOME_REFUSED);
  session->number = LOAD_NONE;
}

/* The connection is gone: what was under way is tried again, or over. */
static void
lose (LoadSource *self, Session *session)
{
  gboolean uncertain = session->stage == STAGE_DOT;

  if (session->stage == STAGE_GREETING)
    self->figures.refused_connections++;
  else if (session->stage != STAGE_QUIT)
    self->figures.lost_connections++;
  if (session->number != LOAD_NONE && uncertain)
    self->ledger->uncertain[session->number] = TRUE;
  if (session->number != LOAD_NONE && uncertain && !self->plan.retry)
    load_ledger_fail (self->ledger, session->number, LOAD_OUTCOME_BROKEN);
  else
    give_back (self, session->number, later_ns (self));
  give_back (self, session->ahead, self->now_ns);
  session->number = session->ahead = LOAD_NONE;
  disconnect (self, session, later_ns (self));
}

static void
shake_hands (LoadSource *self, Session *session)
{
  RerouteHandshake result = load_shake_hands (self->epoll, &session->connection.stream, session);

  if (result == REROUTE_HANDSHAKE_DONE)
    send_command (self, session, EHLO, STAGE_EHLO);
  else if (result == REROUTE_HANDSHAKE_FAILED)
    lose (self, session);
}

static void
answer_greeting (LoadSource *self, Session *session, guint code)
{
  if (code != 220)
    {
      self->figures.refused_connections++;
      disconnect (self, session, later_ns (self));
      return;
    }
  self->ungreeted--;
  self->greeted++;
  session->greeted = TRUE;
  self->figures.connections++;
  self->figures.most = MAX (self->figures.most, self->greeted);
  send_command (self, session, EHLO, STAGE_EHLO);
}

static void
answer_ehlo (LoadSource *self, Session *session, guint code)
{
  if (self->plan.tls != NULL && session->connection.stream.tls == NULL)
    send_command (self, session, "STARTTLS\r\n", STAGE_STARTTLS);
  else
    go_on (self, session);
}

static void
answer_starttls (LoadSource *self, Session *session, guint code)
{
  if (code == 220 && load_connection_begin_tls (&session->connection, self->plan.tls))
    {
      session->stage = STAGE_HANDSHAKE;
      shake_hands (self, session);
    }
  else
    lose (self, session);
}

static void
answer_ready (LoadSource *self, Session *session, guint code)
{
  go_on (self, session);
}

static void
answer_mail (LoadSource *self, Session *session, guint code)
{
  if (code != 250)
    session->refusal = code;
  session->stage = STAGE_RCPT;
}

static void
answer_rcpt (LoadSource *self, Session *session, guint code)
{
  gsize pair = (gsize) session->number * self->shape->recipients + session->recipient++;

  self->ledger->promised[pair] = code == 250;
  if (code == 250)
    session->promised++;
  else if (session->refusal == 0)
    session->refusal = code;
  if (session->recipient == self->shape->recipients)
    session->stage = STAGE_DATA;
}

static void
answer_data (LoadSource *self, Session *session, guint code)
{
  if (code == 354 && session->promised > 0)
    send_content (self, session);
  else if (code == 354)
    send_command (self, session, ".\r\n", STAGE_DOT);
  else
    {
      refuse (self, session, session->refusal != 0 ? session->refusal : code);
      send_command (self, session, "RSET\r\n", STAGE_RSET);
    }
}

static void
answer_dot (LoadSource *self, Session *session, guint code)
{
  if (code == 250 && session->promised > 0)
    {
      self->figures.refused_recipients += self->shape->recipients - session->promised;
      load_ledger_accept (self->ledger, session->number, self->now_ns);
    }
  else
    refuse (self, session, session->refusal != 0 ? session->refusal : code);
  session->number = LOAD_NONE;
  if (session->ahead != LOAD_NONE)
    {
      begin_message (self, session, session->ahead);
      session->ahead = LOAD_NONE;
    }
  else if (self->plan.ahead && used_up (self, session))
    session->stage = STAGE_QUIT;
  else
    go_on (self, session);
}

static void
answer_quit (LoadSource *self, Session *session, guint code)
{
  disconnect (self, session, self->now_ns);
}

static void (*const answers[]) (LoadSource *self, Session *session, guint code) = {
  [STAGE_GREETING] = answer_greeting, [STAGE_EHLO] = answer_ehlo,
  [STAGE_STARTTLS] = answer_starttls, [STAGE_MAIL] = answer_mail,
  [STAGE_RCPT] = answer_rcpt,         [STAGE_DATA] = answer_data,
  [STAGE_DOT] = answer_dot,           [STAGE_RSET] = answer_ready,
  [STAGE_QUIT] = answer_quit,
};

/* 421 at any place: the server closes. */
static void
close_down (LoadSource *self, Session *session)
{
  if (session->number != LOAD_NONE)
    refuse (self, session, CODE_CLOSING);
  give_back (self, session->ahead, self->now_ns);
  session->ahead = LOAD_NONE;
  disconnect (self, session, later_ns (self));
}

static void
answer (LoadSource *self, Session *session, guint code)
{
  if (session->stage == STAGE_IDLE || (code == CODE_CLOSING && session->stage != STAGE_GREETING))
    close_down (self, session);
  else
    answers[session->stage](self, session, code);
}

/* Reads once, and takes every whole reply in it. */
static void
read_replies (LoadSource *self, Session *session)
{
  gssize got = reroute_stream_read (&session->connection.stream, self->buffer, READ_OCTETS);
  const char *data = self->buffer;
  gsize octets = (gsize) MAX (got, 0);
  guint code;

  if (got == 0 || (got < 0 && errno != EAGAIN))
    lose (self, session);
  while (session->connection.stream.fd >= 0 &&
         load_connection_next_reply (&session->connection, &data, &octets, &code))
    answer (self, session, code);
}

static void
serve (LoadSource *self, Session *session, guint32 events)
{
  if (session->stage == STAGE_HANDSHAKE)
    {
      shake_hands (self, session);
      return;
    }
  if ((events & EPOLLOUT) != 0)
    load_connection_flush (&session->connection);
  if ((events & ~(guint32) EPOLLOUT) == 0)
    return;
  do
    read_replies (self, session);
  while (session->stage != STAGE_HANDSHAKE &&
         reroute_stream_has_input (&session->connection.stream));
}

static void
connect_session (LoadSource *self, Session *session)
{
  if (!load_connection_open (&session->connection, &self->endpoint, self->epoll, session))
    {
      self->figures.refused_connections++;
      wait_to_connect (self, session, later_ns (self));
      return;
    }
  session->stage = STAGE_GREETING;
  session->number = session->ahead = LOAD_NONE;
  session->taken = 0;
  self->ungreeted++;
}

/* Returns: whether one more connection makes sense now */
static gboolean
wanted (LoadSource *self, const Session *session)
{
  return self->ungreeted < UNGREETED_MAX && (!session->greeted || due_ns (self) != G_MAXINT64);
}

/* Connects sessions whose turn has come, and gives idle ones something to do. */
static void
press_on (LoadSource *self)
{
  Session *session;

  self->now_ns = load_now_ns ();
  while ((session = g_queue_peek_head (&self->waiting)) != NULL &&
         session->resume_ns <= self->now_ns && wanted (self, session))
    {
      g_queue_pop_head (&self->waiting);
      connect_session (self, session);
    }
  while (self->idle.length > 0 && due_ns (self) <= self->now_ns)
    go_on (self, g_queue_pop_head (&self->idle));
}

/* When press_on() has something to do that no event announces. */
static gint64
next_turn_ns (LoadSource *self)
{
  Session *session = g_queue_peek_head (&self->waiting);
  gint64 turn_ns = G_MAXINT64;

  if (session != NULL && wanted (self, session))
    turn_ns = session->resume_ns;
  if (self->idle.length > 0)
    turn_ns = MIN (turn_ns, due_ns (self));
  return turn_ns;
}

static gpointer
run (gpointer data)
{
  LoadSource *self = data;
  struct epoll_event events[EVENTS];
  gboolean stopped = FALSE;
  struct rusage usage;

  self->figures.begun_ns = load_now_ns ();
  for (guint n = 0; n < self->plan.sessions; n++)
    wait_to_connect (self, self->sessions + n, self->figures.begun_ns);
  while (!stopped)
    {
      int count;

      press_on (self);
      count = load_wait (self->epoll, events, EVENTS, next_turn_ns (self));
      self->now_ns = load_now_ns ();
      for (int n = 0; n < count; n++)
        if (events[n].data.ptr == &self->wake)
          stopped = TRUE;
        else
          serve (self, events[n].data.ptr, events[n].events);
    }
  getrusage (RUSAGE_THREAD, &usage);
  self->figures.cpu_s = (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return NULL;
}

/* A source and its thread, which begins at once. @shape and @ledger stay until load_source_stop().
 */
LoadSource *
load_source_new (const LoadEndpoint *endpoint,
                 const LoadPlan *plan,
                 const LoadShape *shape,
                 LoadLedger *ledger)
{
  LoadSource *self = g_new0 (LoadSource, 1);

  self->endpoint = *endpoint;
  self->plan = *plan;
  self->shape = shape;
  self->ledger = ledger;
  self->buffer = g_malloc (READ_OCTETS);
  self->sessions = g_new0 (Session, plan->sessions);
  for (guint n = 0; n < plan->sessions; n++)
    load_connection_init (&self->sessions[n].connection);
  g_queue_init (&self->again);
  g_queue_init (&self->idle);
  g_queue_init (&self->waiting);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC);
  load_watch (self->epoll, EPOLL_CTL_ADD, self->wake, EPOLLIN, &self->wake);
  self->thread = g_thread_new ("source", run, self);
  return self;
}

/* Ends and frees it; sessions that are idle say QUIT, the others break off. */
LoadSourceFigures
load_source_stop (LoadSource *self)
{
  LoadSourceFigures figures;
  guint64 one = 1;

  if (write (self->wake, &one, sizeof one) < 0)
    g_error ("eventfd: %s", g_strerror (errno));
  g_thread_join (self->thread);
  figures = self->figures;
  for (guint n = 0; n < self->plan.sessions; n++)
    {
      Session *session = self->sessions + n;

      if (session->stage == STAGE_IDLE && session->connection.stream.fd >= 0)
        send_command (self, session, "QUIT\r\n", STAGE_QUIT);
      load_connection_clear (&session->connection);
    }
  g_queue_clear_full (&self->again, g_free);
  g_free (self->buffer);
  g_free (self->sessions);
  close (self->epoll);
  close (self->wake);
  g_free (self);
  return figures;
}
