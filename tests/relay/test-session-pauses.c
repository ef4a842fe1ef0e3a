/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session-pauses.c - sessions while the relay looks at none of them, and behind that
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)
#define ROUNDS 100
#define HELPS 9000 /* whose replies are a fraction of what a socket holds */
#define READS_MOST 200
#define READ_OCTETS 65536
#define STALL_US (3 * G_USEC_PER_SEC) /* then the relay waits for its client */

static RerouteRuleset *
rules (const char *settings)
{
  return sample_rules ("routing,test.com,subdomains,reroute,example.com,anyone,yes\n", settings);
}

static void
begin_pause (ReceiveFixture *fixture)
{
  reroute_receiver_set_paused (fixture->receiver, TRUE);
  receive_fixture_sync (fixture);
}

static void
end_pause (ReceiveFixture *fixture)
{
  reroute_receiver_set_paused (fixture->receiver, FALSE);
}

/* What clients have sent so far is read: a turn looks at them behind what was posted. */
static void
let_read (ReceiveFixture *fixture)
{
  receive_fixture_sync (fixture);
  receive_fixture_sync (fixture);
}

static void
test_paused (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  begin_pause (&fixture);
  client_send (fd, "NOOP\r\n", -1);
  let_read (&fixture);
  g_assert_false (client_wait (fd, 0));
  end_pause (&fixture);
  client_expect (fd, "250");
  client_talk (fd, "QUIT -> 221");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* A pause that began before there was a door holds behind it. */
static void
test_closed_door (void)
{
  ReceiveFixture fixture;

  receive_fixture_init_closed (&fixture, rules (""));
  begin_pause (&fixture);
  reroute_receiver_set_listeners (fixture.receiver, fixture.listeners);
  int fd = client_connect (receive_fixture_get_port (&fixture));
  let_read (&fixture);
  g_assert_false (client_wait (fd, 0));
  end_pause (&fixture);
  client_expect (fd, "220 relay.test ");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* What was read behind a message's end waits for its commit, and then for the end of a pause. */
static void
test_pipelined (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  for (guint round = 0; round < ROUNDS; round++)
    {
      RerouteMessage *message = NULL;

      client_talk (fd, "MAIL FROM:<> -> 250\nRCPT TO:<a@test.com> -> 250\nDATA -> 354");
      client_send (fd, "one\r\n.\r\nNOOP\r\nRSET\r\n", -1);
      if (round % 2 > 0)
        let_read (&fixture);
      begin_pause (&fixture);
      if (round % 2 > 0)
        message = receive_fixture_pop (&fixture);
      end_pause (&fixture);
      client_expect (fd, "250 2.0.0 Ok: queued as ");
      client_expect (fd, "250");
      client_expect (fd, "250");
      if (message == NULL)
        message = receive_fixture_pop (&fixture);
      reroute_message_unref (message);
    }
  close (fd);
  receive_fixture_clear (&fixture);
}

/* --- replies that are not read --- */

static guint
count (const char *text, const char *what)
{
  guint n = 0;

  for (const char *p = strstr (text, what); p != NULL; p = strstr (p + 1, what))
    n++;
  return n;
}

/* Reads until @reply has come so many times, the last time as the last words. */
static void
read_replies (int fd, const char *reply, guint n)
{
  g_autoptr (GString) said = g_string_new (NULL);
  g_autofree char *octets = g_malloc (READ_OCTETS);

  while (!g_str_has_suffix (said->str, reply) || count (said->str, reply) < n)
    {
      gssize got = recv (fd, octets, READ_OCTETS, 0);
      g_assert_cmpint (got, >, 0);
      g_string_append_len (said, octets, got);
    }
  g_assert_cmpuint (count (said->str, "250 2.0.0 Ok: queued as "), ==, n);
}

/* Each time a message comes, in one read with what stands before and behind it, until the replies
   find no room; the client that reads them then gets all. */
static void
test_unread_replies (void)
{
  ReceiveFixture fixture;
  g_autoptr (GString) input = g_string_new (NULL);
  RerouteMessage *message;
  gboolean taken;
  guint n = 0;

  receive_fixture_init (&fixture, rules ("max-junk-commands=1000000"));
  int fd = receive_fixture_greet (&fixture);
  for (guint i = 0; i < HELPS; i++)
    g_string_append (input, "HELP\r\n");
  g_string_append (input,
                   "MAIL FROM:<>\r\nRCPT TO:<a@test.com>\r\nBDAT 5 LAST\r\none\r\nEXPN all\r\n");
  do
    {
      g_assert_cmpuint (n++, <, READS_MOST);
      begin_pause (&fixture);
      client_send (fd, input->str, (gssize) input->len);
      end_pause (&fixture);
      message = g_async_queue_timeout_pop (fixture.accepted, STALL_US);
      taken = message != NULL;
      g_clear_pointer (&message, reroute_message_unref);
    }
  while (taken);
  read_replies (fd, "502 5.5.1 This host does not do that\r\n", n);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* --- time --- */

/* A pause is no silence of the client's, but what he is silent between pauses adds up. */
static void
test_silent (void)
{
  ReceiveFixture fixture;
  gint64 begun_us = g_get_monotonic_time ();
  gboolean ended;

  receive_fixture_init (&fixture, rules ("idle-timeout=2s"));
  int fd = receive_fixture_greet (&fixture);
  begin_pause (&fixture);
  g_usleep (3 * G_USEC_PER_SEC);
  g_assert_false (client_wait (fd, 0));
  end_pause (&fixture);
  client_talk (fd, "NOOP -> 250");
  while (!(ended = client_wait (fd, 20)) && g_get_monotonic_time () - begun_us < PATIENCE_US)
    {
      begin_pause (&fixture);
      end_pause (&fixture);
    }
  g_assert_true (ended);
  client_expect (fd, "421 4.4.2");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* A client that does not hang up when it is told of the end holds a stop for a moment only. */
static void
test_drain (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  begin_pause (&fixture);
  reroute_receiver_drain (fixture.receiver, G_TIME_SPAN_HOUR);
  client_expect (fd, "421 4.3.2");
  g_assert_nonnull (g_async_queue_timeout_pop (fixture.drained, PATIENCE_US));
  g_async_queue_push (fixture.drained, GUINT_TO_POINTER (1));
  close (fd);
  receive_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/pauses/paused", test_paused);
  g_test_add_func ("/pauses/closed-door", test_closed_door);
  g_test_add_func ("/pauses/pipelined", test_pipelined);
  g_test_add_func ("/pauses/unread-replies", test_unread_replies);
  g_test_add_func ("/pauses/silent", test_silent);
  g_test_add_func ("/pauses/drain", test_drain);
  return g_test_run ();
}
