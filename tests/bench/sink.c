/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sink.c - takes messages, and compares every octet with what the source has made
 *
 * A thread with an epoll descriptor.  Content is compared while it comes in and looked through for
 * its end only once it differs, so that a whole message costs one memcmp().  Offers no CHUNKING.
 *
 * Standards: RFC 5321, RFC 2920 (pipelining).
 */

#include "config.h"

#include "tests/bench/sink.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define READ_OCTETS (256 * 1024)
#define HEAD_MAX_OCTETS (64 * 1024)
#define EVENTS 256
#define DOT ".\r\n"

typedef enum
{
  STATE_COMMAND,
  STATE_HEAD, /* of the content */
  STATE_BODY, /* as expected so far */
  STATE_SKIP, /* content that is not as expected, up to its end */
} State;

typedef struct
{
  guint32 number;
  guint recipient;
} Recipient;

typedef struct _Connection Connection;

struct _Connection
{
  int fd;
  State state;
  gboolean writing;   /* replies wait for the client to read */
  gboolean closing;   /* when they have been sent */
  GByteArray *carry;  /* what came in and is not complete */
  GByteArray *unsent; /* replies */
  gboolean in_mail;   /* a transaction is under way */
  guint accepted;     /* recipients in it, those too that were not expected */
  GArray *recipients; /* Recipient: the expected ones */
  guint32 number;     /* of the message whose content comes in, or LOAD_NONE */
  gsize position;     /* in its body */
  GString *tail;      /* its last line and the final dot */
  char last[4];       /* octets of the content that came in last */
  Connection *previous;
  Connection *next;
};

struct _LoadSink
{
  LoadEndpoint endpoint;
  const LoadShape *shape;
  LoadLedger *ledger;
  LoadSinkFigures figures;
  GThread *thread;
  int epoll;
  int wake;
  int listener; /* or -1 */
  Connection *connections;
  GString *replies; /* to what one read brought */
  char *buffer;
  LoadSinkMode mode;
  gboolean stop;

  /* An order to the thread */
  GMutex mutex;
  GCond cond;
  gboolean ordered;
  gboolean wanted_stop;
  LoadSinkMode wanted;
  GError *error;
};

static void
close_connection (LoadSink *self, Connection *connection)
{
  if (connection->previous != NULL)
    connection->previous->next = connection->next;
  else
    self->connections = connection->next;
  if (connection->next != NULL)
    connection->next->previous = connection->previous;
  close (connection->fd);
  g_byte_array_unref (connection->carry);
  g_byte_array_unref (connection->unsent);
  g_array_unref (connection->recipients);
  g_string_free (connection->tail, TRUE);
  g_free (connection);
  self->figures.open--;
}

static void
reply (LoadSink *self, const char *text)
{
  g_string_append (self->replies, text);
}

static void
reset (Connection *connection)
{
  connection->in_mail = FALSE;
  connection->accepted = 0;
  g_array_set_size (connection->recipients, 0);
}

/* Content, its end included, is complete. */
static void
take_message (LoadSink *self, Connection *connection)
{
  gint64 now_ns = load_now_ns ();

  for (guint n = 0; n < connection->recipients->len; n++)
    {
      const Recipient *recipient = &g_array_index (connection->recipients, Recipient, n);

      /* Content that nobody knows counts for those whose envelope it came in. */
      if (connection->number != LOAD_NONE && recipient->number != connection->number)
        self->figures.wrong_recipients++;
      else
        load_ledger_arrive (self->ledger, recipient->number, recipient->recipient, now_ns);
    }
  reset (connection);
  connection->state = STATE_COMMAND;
  reply (self, "250 2.0.0 taken\r\n");
}

static gsize
consume_head (LoadSink *self, Connection *connection, const char *data, gsize octets)
{
  const char *end = memmem (data, octets, "\r\n\r\n", 4);
  g_autoptr (GString) head = NULL;

  if (end == NULL && octets < HEAD_MAX_OCTETS && memmem (data, octets, "\r\n" DOT, 5) == NULL &&
      (octets < strlen (DOT) || memcmp (data, DOT, strlen (DOT)) != 0))
    return 0;
  head = g_string_new_len (data, end != NULL ? end + 4 - data : 0);
  connection->number = LOAD_NONE;
  memcpy (connection->last, "\0\0\r\n", 4);
  if (!load_shape_read_head (self->shape, head, &connection->number) ||
      connection->number >= self->ledger->messages)
    {
      /* Without recipients of ours it is no message of ours. */
      if (connection->recipients->len > 0)
        self->figures.wrong_content++;
      else
        self->figures.foreign++;
      connection->number = LOAD_NONE;
      connection->state = STATE_SKIP;
      return 0;
    }
  g_string_truncate (connection->tail, 0);
  load_shape_append_tail (self->shape, connection->number, connection->tail);
  g_string_append (connection->tail, DOT);
  connection->position = 0;
  connection->state = STATE_BODY;
  return head->len;
}

static void
remember_last (Connection *connection, const char *data, gsize octets)
{
  gsize kept = MIN (octets, sizeof connection->last);

  memmove (connection->last, connection->last + kept, sizeof connection->last - kept);
  memcpy (connection->last + sizeof connection->last - kept, data + octets - kept, kept);
}

static gsize
consume_body (LoadSink *self, Connection *connection, const char *data, gsize octets)
{
  const char *lines = load_shape_lines (self->shape, connection->number);
  gsize n_lines = self->shape->lines_octets, end = n_lines + connection->tail->len;
  gsize done = 0;
  gboolean same = TRUE;

  if (connection->position < n_lines)
    {
      done = MIN (octets, n_lines - connection->position);
      same = memcmp (data, lines + connection->position, done) == 0;
    }
  if (same && done < octets)
    {
      gsize at = connection->position + done - n_lines;
      gsize rest = MIN (octets - done, connection->tail->len - at);

      same = memcmp (data + done, connection->tail->str + at, rest) == 0;
      done += rest;
    }
  if (!same)
    {
      self->figures.wrong_content++;
      connection->state = STATE_SKIP;
      return 0;
    }
  remember_last (connection, data, done);
  connection->position += done;
  if (connection->position == end)
    take_message (self, connection);
  return done;
}

/* Up to CR LF . CR LF, of which any part may have come before. */
static gsize
consume_skipped (LoadSink *self, Connection *connection, const char *data, gsize octets)
{
  for (gsize n = 0; n < octets; n++)
    {
      if (data[n] == '\n' && memcmp (connection->last, "\r\n.\r", 4) == 0)
        {
          take_message (self, connection);
          return n + 1;
        }
      memmove (connection->last, connection->last + 1, 3);
      connection->last[3] = data[n];
    }
  return octets;
}

static void
run_mail (LoadSink *self, Connection *connection, const char *line, gsize octets)
{
  reset (connection);
  connection->in_mail = self->mode != LOAD_SINK_DEFER;
  self->figures.deferred += !connection->in_mail;
  reply (self, connection->in_mail ? "250 2.1.0 ok\r\n" : "451 4.3.0 later\r\n");
}

static void
run_rcpt (LoadSink *self, Connection *connection, const char *line, gsize octets)
{
  const char *begin = memchr (line, '<', octets);
  const char *end = memchr (line, '>', octets);
  gsize length = begin != NULL && end > begin ? (gsize) (end - begin - 1) : 0;
  Recipient recipient;

  if (!connection->in_mail)
    {
      reply (self, "503 5.5.1 MAIL first\r\n");
      return;
    }
  if (load_shape_read_recipient (
        self->shape, begin + 1, length, &recipient.number, &recipient.recipient) &&
      recipient.number < self->ledger->messages)
    g_array_append_val (connection->recipients, recipient);
  else if (length != strlen (self->shape->reverse_path) ||
           memcmp (begin + 1, self->shape->reverse_path, length) != 0)
    self->figures.wrong_recipients++;
  connection->accepted++;
  reply (self, "250 2.1.5 ok\r\n");
}

static void
run_data (LoadSink *self, Connection *connection, const char *line, gsize octets)
{
  if (connection->accepted == 0)
    {
      reply (self, "503 5.5.1 RCPT first\r\n");
      return;
    }
  connection->state = STATE_HEAD;
  reply (self, "354 go on\r\n");
}

static void
run_ehlo (LoadSink *self, Connection *connection, const char *line, gsize octets)
{
  reply (self,
         "250-sink.test\r\n250-PIPELINING\r\n250-SIZE 2147483648\r\n250-8BITMIME\r\n"
         "250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n");
}

static void
run_reset (LoadSink *self, Connection *connection, const char *line, gsize octets)
{
  reset (connection);
  reply (self, "250 2.0.0 ok\r\n");
}

static void
run_quit (LoadSink *self, Connection *connection, const char *line, gsize octets)
{
  connection->closing = TRUE;
  reply (self, "221 2.0.0 bye\r\n");
}

static const struct
{
  const char *verb;
  void (*run) (LoadSink *self, Connection *connection, const char *line, gsize octets);
} commands[] = {
  { "RCPT", run_rcpt }, { "MAIL", run_mail },  { "DATA", run_data },  { "EHLO", run_ehlo },
  { "HELO", run_ehlo }, { "RSET", run_reset }, { "NOOP", run_reset }, { "QUIT", run_quit },
};

static gsize
consume_command (LoadSink *self, Connection *connection, const char *data, gsize octets)
{
  const char *end = memchr (data, '\n', octets);

  if (end == NULL)
    return 0;
  for (gsize n = 0; n < G_N_ELEMENTS (commands); n++)
    {
      if (end - data < 4 || g_ascii_strncasecmp (data, commands[n].verb, 4) != 0)
        continue;
      commands[n].run (self, connection, data, end - data);
      return end + 1 - data;
    }
  reply (self, "500 5.5.2 not known here\r\n");
  return end + 1 - data;
}

/* Returns: how many octets were used; the rest wants more behind it. */
static gsize
consume (LoadSink *self, Connection *connection, const char *data, gsize octets)
{
  static gsize (*const consumers[]) (LoadSink *, Connection *, const char *, gsize) = {
    [STATE_COMMAND] = consume_command,
    [STATE_HEAD] = consume_head,
    [STATE_BODY] = consume_body,
    [STATE_SKIP] = consume_skipped,
  };
  gsize used = 0;

  while (used < octets)
    {
      State before = connection->state;
      gsize now = consumers[before](self, connection, data + used, octets - used);

      if (now == 0 && connection->state == before)
        break;
      used += now;
    }
  return used;
}

/* Returns: %FALSE when the connection is over and closed */
static gboolean
send_replies (LoadSink *self, Connection *connection)
{
  const void *data = self->replies->str;
  gsize octets = self->replies->len;
  gssize sent;

  if (connection->unsent->len > 0)
    {
      g_byte_array_append (connection->unsent, data, octets);
      data = connection->unsent->data;
      octets = connection->unsent->len;
    }
  sent = octets > 0 ? send (connection->fd, data, octets, MSG_NOSIGNAL) : 0;
  if ((sent < 0 && errno != EAGAIN) || (sent == (gssize) octets && connection->closing))
    {
      g_string_truncate (self->replies, 0);
      close_connection (self, connection);
      return FALSE;
    }
  sent = MAX (sent, 0);
  if (connection->unsent->len > 0)
    g_byte_array_remove_range (connection->unsent, 0, sent);
  else
    g_byte_array_append (connection->unsent, (const guint8 *) data + sent, octets - sent);
  g_string_truncate (self->replies, 0);
  if (connection->writing != (connection->unsent->len > 0))
    {
      connection->writing = !connection->writing;
      load_watch (self->epoll,
                  EPOLL_CTL_MOD,
                  connection->fd,
                  EPOLLIN | (connection->writing ? EPOLLOUT : 0),
                  connection);
    }
  return TRUE;
}

static void
serve (LoadSink *self, Connection *connection)
{
  gssize got = recv (connection->fd, self->buffer, READ_OCTETS, 0);
  const char *data = self->buffer;
  gsize octets = (gsize) got, used;

  if (got < 0 && errno == EAGAIN)
    {
      send_replies (self, connection);
      return;
    }
  if (got <= 0)
    {
      close_connection (self, connection);
      return;
    }
  if (connection->carry->len > 0)
    {
      g_byte_array_append (connection->carry, (const guint8 *) self->buffer, octets);
      data = (const char *) connection->carry->data;
      octets = connection->carry->len;
    }
  used = consume (self, connection, data, octets);
  if (connection->carry->len > 0)
    g_byte_array_remove_range (connection->carry, 0, used);
  else if (used < octets)
    g_byte_array_append (connection->carry, (const guint8 *) data + used, octets - used);
  send_replies (self, connection);
}

static void
accept_all (LoadSink *self)
{
  int fd;

  while ((fd = accept4 (self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    {
      Connection *connection = g_new0 (Connection, 1);

      connection->fd = fd;
      connection->carry = g_byte_array_new ();
      connection->unsent = g_byte_array_new ();
      connection->recipients = g_array_new (FALSE, FALSE, sizeof (Recipient));
      connection->tail = g_string_new (NULL);
      connection->next = self->connections;
      if (connection->next != NULL)
        connection->next->previous = connection;
      self->connections = connection;
      self->figures.connections++;
      self->figures.open++;
      self->figures.most = MAX (self->figures.most, self->figures.open);
      load_watch (self->epoll, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
      connection->closing = self->mode == LOAD_SINK_REFUSE;
      self->figures.refused += connection->closing;
      reply (self, connection->closing ? "421 4.3.2 not now\r\n" : "220 sink.test ESMTP\r\n");
      send_replies (self, connection);
    }
}

/* Does what another thread has asked for. */
static void
obey (LoadSink *self)
{
  guint64 count;

  if (read (self->wake, &count, sizeof count) < 0)
    return;
  g_mutex_lock (&self->mutex);
  self->mode = self->wanted;
  self->stop = self->wanted_stop;
  if ((self->stop || self->mode == LOAD_SINK_CLOSED) && self->listener >= 0)
    {
      close (self->listener);
      self->listener = -1;
    }
  if (self->stop || self->mode == LOAD_SINK_CLOSED)
    while (self->connections != NULL)
      close_connection (self, self->connections);
  else if (self->listener < 0)
    {
      self->listener = load_endpoint_listen (&self->endpoint, &self->error);
      if (self->listener >= 0)
        load_watch (self->epoll, EPOLL_CTL_ADD, self->listener, EPOLLIN, &self->listener);
    }
  self->ordered = FALSE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* What was read of @events belongs to connections that obey() may have closed: it comes last. */
static void
dispatch (LoadSink *self, const struct epoll_event *events, int count)
{
  gboolean woken = FALSE;

  for (int n = 0; n < count; n++)
    {
      gpointer data = events[n].data.ptr;

      if (data == &self->wake)
        woken = TRUE;
      else if (data == &self->listener)
        accept_all (self);
      else
        serve (self, data);
    }
  if (woken)
    obey (self);
}

static gpointer
run (gpointer data)
{
  LoadSink *self = data;
  struct epoll_event events[EVENTS];
  struct rusage usage;

  while (!self->stop)
    dispatch (self, events, load_wait (self->epoll, events, EVENTS, G_MAXINT64));
  getrusage (RUSAGE_THREAD, &usage);
  self->figures.cpu_s = (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return NULL;
}

/* Hands an order to the thread and waits until it is done. */
static gboolean
order (LoadSink *self, LoadSinkMode mode, gboolean stop, GError **error)
{
  guint64 one = 1;
  GError *failure;

  g_mutex_lock (&self->mutex);
  self->wanted = mode;
  self->wanted_stop = stop;
  self->ordered = TRUE;
  if (write (self->wake, &one, sizeof one) < 0)
    g_error ("eventfd: %s", g_strerror (errno));
  while (self->ordered)
    g_cond_wait (&self->cond, &self->mutex);
  failure = g_steal_pointer (&self->error);
  g_mutex_unlock (&self->mutex);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

/* A sink, closed as yet, and its thread. @shape and @ledger stay until load_sink_stop(). */
LoadSink *
load_sink_new (const LoadEndpoint *endpoint, const LoadShape *shape, LoadLedger *ledger)
{
  LoadSink *self = g_new0 (LoadSink, 1);

  self->endpoint = *endpoint;
  self->shape = shape;
  self->ledger = ledger;
  self->mode = LOAD_SINK_CLOSED;
  self->listener = -1;
  self->replies = g_string_new (NULL);
  self->buffer = g_malloc (READ_OCTETS);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  load_watch (self->epoll, EPOLL_CTL_ADD, self->wake, EPOLLIN, &self->wake);
  self->thread = g_thread_new ("sink", run, self);
  return self;
}

/* Returns: %FALSE when its port is not to be had; then it stays closed */
gboolean
load_sink_set_mode (LoadSink *self, LoadSinkMode mode, GError **error)
{
  return order (self, mode, FALSE, error);
}

/* Ends and frees it. */
LoadSinkFigures
load_sink_stop (LoadSink *self)
{
  LoadSinkFigures figures;

  order (self, LOAD_SINK_CLOSED, TRUE, NULL);
  g_thread_join (self->thread);
  figures = self->figures;
  close (self->epoll);
  close (self->wake);
  g_string_free (self->replies, TRUE);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_free (self->buffer);
  g_free (self);
  return figures;
}
