/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * receive-fixture.c - a receiver on a worker of its own, and a client for it
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_S 10

/* --- the fixture --- */

static ReceiveFixture *
fixture_of (gpointer user_data)
{
  return user_data;
}

static void
accepted_cb (RerouteMessage *message, guint worker, gpointer user_data)
{
  g_async_queue_push (fixture_of (user_data)->accepted, reroute_message_ref (message));
}

static void
drained_cb (guint worker, gpointer user_data)
{
  g_async_queue_push (fixture_of (user_data)->drained, GUINT_TO_POINTER (1));
}

static void
read_cb (GPtrArray *entries, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_ptr_array_unref (entries);
}

void
receive_fixture_init_closed (ReceiveFixture *self, RerouteRuleset *rules)
{
  g_autoptr (GError) error = NULL;
  const char *const endpoints[] = { "127.0.0.1:0", NULL };
  g_autoptr (GPtrArray) none =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_listener_unref);

  *self = (ReceiveFixture){ 0 };
  self->directory = g_dir_make_tmp ("reroute-receive-XXXXXX", &error);
  g_assert_no_error (error);
  self->spool = reroute_spool_open (self->directory, 1024 * 1024, &error);
  g_assert_no_error (error);
  reroute_spool_start (self->spool, read_cb, NULL);
  self->listeners = reroute_listeners_update (none, NULL, endpoints, &error);
  g_assert_no_error (error);
  self->accepted = g_async_queue_new_full ((GDestroyNotify) reroute_message_unref);
  self->drained = g_async_queue_new ();
  self->admission = reroute_admission_new ();
  self->worker = reroute_worker_new (0);

  const RerouteReceiverConfig config = {
    .spool = self->spool,
    .admission = self->admission,
    .hostname = "relay.test",
    .accepted = accepted_cb,
    .drained = drained_cb,
    .user_data = self,
  };
  self->receiver = reroute_receiver_new (self->worker, &config);
  reroute_worker_start (self->worker);
  if (rules != NULL)
    receive_fixture_set_rules (self, rules);
}

void
receive_fixture_init (ReceiveFixture *self, RerouteRuleset *rules)
{
  receive_fixture_init_closed (self, rules);
  reroute_receiver_set_listeners (self->receiver, self->listeners);
  receive_fixture_sync (self);
}

static void
remove_directory (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

void
receive_fixture_await_drained (ReceiveFixture *self)
{
  g_assert_nonnull (g_async_queue_timeout_pop (self->drained, WAIT_S * G_USEC_PER_SEC));
  g_async_queue_push (self->drained, GUINT_TO_POINTER (1));
}

void
receive_fixture_clear (ReceiveFixture *self)
{
  reroute_receiver_drain (self->receiver, 1);
  receive_fixture_await_drained (self);
  reroute_worker_stop (self->worker);
  g_assert_cmpuint (reroute_admission_get_n_sessions (self->admission), ==, 0);
  reroute_receiver_free (self->receiver);
  reroute_worker_free (self->worker);
  g_async_queue_unref (self->accepted);
  g_async_queue_unref (self->drained);
  reroute_spool_close (self->spool);
  reroute_admission_free (self->admission);
  g_ptr_array_unref (self->listeners);
  remove_directory (self->directory);
  g_free (self->directory);
}

static void
sync_cb (RerouteWorker *worker, gpointer user_data)
{
  g_async_queue_push (user_data, GUINT_TO_POINTER (1));
}

void
receive_fixture_sync (ReceiveFixture *self)
{
  g_autoptr (GAsyncQueue) done = g_async_queue_new ();

  reroute_worker_post (self->worker, sync_cb, done);
  g_assert_nonnull (g_async_queue_timeout_pop (done, WAIT_S * G_USEC_PER_SEC));
}

void
receive_fixture_set_rules (ReceiveFixture *self, RerouteRuleset *rules)
{
  reroute_receiver_set_ruleset (self->receiver, rules);
  reroute_ruleset_unref (rules);
  receive_fixture_sync (self);
}

RerouteMessage *
receive_fixture_pop (ReceiveFixture *self)
{
  RerouteMessage *message = g_async_queue_timeout_pop (self->accepted, WAIT_S * G_USEC_PER_SEC);

  g_assert_nonnull (message);
  return message;
}

char *
receive_fixture_read (ReceiveFixture *self, RerouteMessage *message)
{
  g_autoptr (GError) error = NULL;
  char *content = g_malloc0 (message->content_octets + 1);
  gsize offset = 0;

  while (offset < message->content_octets)
    {
      g_autoptr (GBytes) octets = reroute_spool_load (self->spool, message, offset, &error);
      g_assert_no_error (error);
      memcpy (content + offset, g_bytes_get_data (octets, NULL), g_bytes_get_size (octets));
      offset += g_bytes_get_size (octets);
    }
  return content;
}

/* --- the client --- */

int
client_connect (guint16 port)
{
  const struct timeval wait = { .tv_sec = WAIT_S };
  struct sockaddr_in address = {
    .sin_family = AF_INET,
    .sin_port = g_htons (port),
    .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK),
  };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), ==, 0);
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), ==, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

void
client_send (int fd, const char *octets, gssize length)
{
  gsize left = length < 0 ? strlen (octets) : (gsize) length;

  while (left > 0)
    {
      gssize n = send (fd, octets, left, MSG_NOSIGNAL);
      g_assert_cmpint (n, >, 0);
      octets += n;
      left -= n;
    }
}

static gboolean
read_line (int fd, GString *line)
{
  char c;

  g_string_truncate (line, 0);
  do
    {
      gssize n = recv (fd, &c, 1, 0);
      if (n <= 0)
        {
          g_test_message ("the connection ended behind “%s”: %s", line->str, g_strerror (errno));
          return FALSE;
        }
      g_string_append_c (line, c);
    }
  while (c != '\n');
  g_assert_true (g_str_has_suffix (line->str, "\r\n"));
  return TRUE;
}

char *
client_read_line (int fd)
{
  g_autoptr (GString) line = g_string_new (NULL);

  g_assert_true (read_line (fd, line));
  return g_strndup (line->str, line->len - 2);
}

void
client_expect (int fd, const char *start)
{
  g_autoptr (GString) line = g_string_new (NULL);

  do
    {
      g_assert_true (read_line (fd, line));
      g_test_message ("S: %.*s", (int) line->len - 2, line->str);
    }
  while (line->str[3] == '-');
  g_assert_true (g_str_has_prefix (line->str, start));
}

void
client_talk (int fd, const char *commands)
{
  g_auto (GStrv) lines = g_strsplit (commands, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) parts = g_strsplit (*line, " -> ", 2);
      g_autofree char *command = g_strconcat (parts[0], "\r\n", NULL);
      g_test_message ("C: %s", parts[0]);
      client_send (fd, command, -1);
      client_expect (fd, parts[1]);
    }
}

void
client_expect_end (int fd)
{
  char c;
  gssize n = recv (fd, &c, 1, 0);

  g_assert_true (n == 0 || (n < 0 && errno == ECONNRESET));
}

gboolean
client_wait (int fd, int wait_ms)
{
  GPollFD poll_fd = { .fd = fd, .events = G_IO_IN };

  return g_poll (&poll_fd, 1, wait_ms) > 0;
}

guint16
receive_fixture_get_port (const ReceiveFixture *self)
{
  return ((RerouteListener *) self->listeners->pdata[0])->port;
}

int
receive_fixture_greet (const ReceiveFixture *self)
{
  int fd = client_connect (receive_fixture_get_port (self));

  client_expect (fd, "220 relay.test ");
  client_talk (fd, "EHLO client.test -> 250");
  return fd;
}
