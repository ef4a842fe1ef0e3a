/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session.c - sessions over real sockets into a real spool
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RULES                                                                                      \
  "routing,test.com,subdomains,reroute,example.com,anyone,yes\n"                                   \
  "connections,fwd.test,subdomains,host,127.0.0.1:9,anyone,yes\n"

static RerouteRuleset *
rules (const char *settings)
{
  return sample_rules (RULES, settings);
}

/* Up to its content. */
static void
begin_message (int fd)
{
  client_talk (fd,
               "MAIL FROM:<anna@sender.test> -> 250\n"
               "RCPT TO:<user@test.com> -> 250\n"
               "DATA -> 354");
}

static void
test_accepts (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd,
               "MAIL FROM:<anna@sender.test> -> 250\n"
               "RCPT TO:<user@test.com> -> 250\n"
               "RCPT TO:<user@elsewhere.test> -> 550 5.7.1\n"
               "RCPT TO:<other@fwd.test> -> 250\n"
               "DATA -> 354");
  client_send (fd, "Subject: one\r\n\r\n..dots\r\nend\r\n.\r\n", -1);
  client_expect (fd, "250 2.0.0 Ok: queued as ");
  client_talk (fd, "QUIT -> 221");
  client_expect_end (fd);
  close (fd);

  g_autoptr (RerouteMessage) message = receive_fixture_pop (&fixture);
  const RerouteEnvelope *envelope = message->envelope;
  g_assert_cmpstr (envelope->reverse_path, ==, "anna@sender.test");
  g_assert_cmpstr (envelope->helo, ==, "client.test");
  g_assert_false (envelope->client_permitted);
  g_assert_cmpuint (envelope->recipients->len, ==, 2);
  const RerouteRecipient *first = reroute_envelope_get_recipient (envelope, 0);
  const RerouteRecipient *second = reroute_envelope_get_recipient (envelope, 1);
  g_assert_cmpstr (first->address->text, ==, "user@test.com");
  g_assert_cmpint (first->admitted_by.page, ==, REROUTE_PAGE_ROUTING);
  g_assert_cmpint (first->admitted_by.id, ==, 1);
  g_assert_cmpint (second->admitted_by.page, ==, REROUTE_PAGE_CONNECTIONS);
  g_assert_cmpint (second->admitted_by.id, ==, 2);

  g_autofree char *content = receive_fixture_read (&fixture, message);
  g_assert_true (g_str_has_prefix (content, "Received: from client.test "));
  g_assert_nonnull (strstr (content, "[127.0.0.1]"));
  g_assert_true (g_str_has_suffix (content, "\r\nSubject: one\r\n\r\n..dots\r\nend\r\n"));
  receive_fixture_clear (&fixture);
}

static void
test_pipelined (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  client_send (fd, "MAIL FROM:<>\r\nRCPT TO:<a@test.com>\r\nDATA\r\n", -1);
  client_expect (fd, "250 2.1.0");
  client_expect (fd, "250 2.1.5");
  client_expect (fd, "354");
  client_send (fd,
               "one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<b@nowhere.test>\r\nRSET\r\nNOOP\r\n"
               "QUIT\r\n",
               -1);
  client_expect (fd, "250 2.0.0 Ok: queued as ");
  client_expect (fd, "250 2.1.0");
  client_expect (fd, "550 5.7.1");
  client_expect (fd, "250");
  client_expect (fd, "250");
  client_expect (fd, "221");
  client_expect_end (fd);
  close (fd);
  g_autoptr (RerouteMessage) message = receive_fixture_pop (&fixture);
  g_assert_cmpstr (message->envelope->reverse_path, ==, "");
  receive_fixture_clear (&fixture);
}

/* What the rules say of a client that comes in is for those too that came before the rules. */
static void
test_without_rules (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, NULL);
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd,
               "MAIL FROM:<anna@sender.test> -> 250\n"
               "RCPT TO:<user@test.com> -> 451 4.3.0");
  receive_fixture_set_rules (&fixture, rules (""));
  client_expect (fd, "421 4.3.2");
  client_expect_end (fd);
  close (fd);
  fd = receive_fixture_greet (&fixture);
  client_talk (fd, "MAIL FROM:<anna@sender.test> -> 250");
  receive_fixture_set_rules (&fixture, rules (""));
  client_talk (fd, "RCPT TO:<user@test.com> -> 250");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Within a refused chunk nobody is sent away, and behind it the commands come in one piece. */
static void
test_without_rules_in_a_chunk (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, NULL);
  int fd = receive_fixture_greet (&fixture);
  client_send (fd, "NOOP\r\nBDAT 6\r\nabc", -1);
  client_expect (fd, "250");
  receive_fixture_set_rules (&fixture, rules (""));
  receive_fixture_sync (&fixture);
  client_send (fd,
               "def"
               "MAIL FROM:<anna@sender.test>\r\n"
               "RCPT TO:<user@test.com>\r\n"
               "DATA\r\n",
               -1);
  client_expect (fd, "503");
  client_expect (fd, "250");
  client_expect (fd, "421 4.3.2");
  client_expect_end (fd);
  close (fd);
  receive_fixture_clear (&fixture);
}

static void
test_rules_change (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd, "MAIL FROM:<a@sender.test> -> 250\nRCPT TO:<user@test.com> -> 250");
  receive_fixture_set_rules (&fixture,
                             sample_rules ("routing,other.test,exact,relay,,anyone,yes\n", ""));
  client_talk (fd,
               "RCPT TO:<user@test.com> -> 550 5.7.1\n"
               "RCPT TO:<user@other.test> -> 250");
  close (fd);
  receive_fixture_clear (&fixture);
}

static void
test_early_talker (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  /* The worker does not accept while it is paused, so the octets are there first. */
  reroute_receiver_set_paused (fixture.receiver, TRUE);
  receive_fixture_sync (&fixture);
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_send (fd, "EHLO too.early\r\nMAIL FROM:<>\r\n", -1);
  reroute_receiver_set_paused (fixture.receiver, FALSE);
  client_expect (fd, "554 5.5.0");
  client_expect_end (fd);
  close (fd);
  receive_fixture_clear (&fixture);
}

static void
test_large (void)
{
  const gsize length = 3 * 1024 * 1024;
  ReceiveFixture fixture;
  g_autofree char *body = g_malloc (length);

  for (gsize i = 0; i < length; i += 64)
    {
      memset (body + i, 'a' + (i / 64) % 26, 62);
      memcpy (body + i + 62, "\r\n", 2);
    }
  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  begin_message (fd);
  client_send (fd, body, length);
  client_send (fd, ".\r\n", -1);
  client_expect (fd, "250 2.0.0 Ok: queued as ");
  close (fd);

  g_autoptr (RerouteMessage) message = receive_fixture_pop (&fixture);
  g_autofree char *content = receive_fixture_read (&fixture, message);
  g_assert_cmpuint (message->content_octets, >, length);
  g_assert_cmpmem (content + message->content_octets - length, length, body, length);
  receive_fixture_clear (&fixture);
}

/* Only the final dot makes a message. */
static void
test_lost_in_data (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  begin_message (fd);
  client_send (fd, "Subject: half\r\n\r\n", -1);
  close (fd);
  reroute_receiver_drain (fixture.receiver, 10 * G_USEC_PER_SEC);
  receive_fixture_await_drained (&fixture);
  g_assert_cmpint (g_async_queue_length (fixture.accepted), ==, 0);
  receive_fixture_clear (&fixture);
}

/* A committed message is ours though the client did not wait for its 250. */
static void
test_gone_after_dot (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  for (guint i = 0; i < 20; i++)
    {
      int fd = receive_fixture_greet (&fixture);
      begin_message (fd);
      client_send (fd, "body\r\n.\r\n", -1);
      close (fd);
      g_autoptr (RerouteMessage) message = receive_fixture_pop (&fixture);
      g_assert_cmpuint (message->envelope->recipients->len, ==, 1);
    }
  receive_fixture_clear (&fixture);
}

/* What a client sends before it shuts its side down is answered. */
static void
test_half_closed (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  begin_message (fd);
  client_send (fd, "body\r\n.\r\nQUIT\r\n", -1);
  g_assert_cmpint (shutdown (fd, SHUT_WR), ==, 0);
  client_expect (fd, "250 2.0.0 Ok: queued as ");
  client_expect (fd, "221");
  client_expect_end (fd);
  close (fd);
  g_autoptr (RerouteMessage) message G_GNUC_UNUSED = receive_fixture_pop (&fixture);
  receive_fixture_clear (&fixture);
}

/* --- the door --- */

typedef struct
{
  const char *name;
  const char *settings;
  guint n_before; /* sessions that are open */
  const char *greeting;
} DoorRow;

static const DoorRow door_rows[] = {
  /* clang-format off */
  { "open",             "",                                                        0, "220 " },
  { "forbidden",        "forbidden-hosts=127.0.0.0/8",                             0, "554 5.7.1" },
  { "none",             "transfer-mode=none",                                      0, "421 4.3.2" },
  { "inbound",          "transfer-mode=inbound",                                   0, "220 " },
  { "outbound",         "transfer-mode=outbound",                                  0, "421 4.3.2" },
  { "outbound-ours",    "transfer-mode=outbound\npermitted-hosts=127.0.0.1",       0, "220 " },
  { "under-most",       "max-inbound-connections=3",                               2, "220 " },
  { "most",             "max-inbound-connections=2",                               2, "421 4.3.2" },
  { "most-of-client",   "max-connections-per-client=2",                            2, "421 4.7.0" },
  /* clang-format on */
};

static void
test_door (gconstpointer data)
{
  const DoorRow *row = data;
  ReceiveFixture fixture;
  int before[4];

  receive_fixture_init (&fixture, rules (row->settings));
  for (guint i = 0; i < row->n_before; i++)
    before[i] = receive_fixture_greet (&fixture);
  int fd = client_connect (receive_fixture_get_port (&fixture));
  client_expect (fd, row->greeting);
  if (!g_str_has_prefix (row->greeting, "220"))
    client_expect_end (fd);
  close (fd);

  /* Who leaves makes room. */
  if (row->n_before > 0)
    {
      client_talk (before[0], "QUIT -> 221");
      client_expect_end (before[0]);
      close (receive_fixture_greet (&fixture));
    }
  for (guint i = 0; i < row->n_before; i++)
    close (before[i]);
  receive_fixture_clear (&fixture);
}

/* A host that is forbidden meanwhile says no more, but for the message that is under way. */
static void
test_forbidden_meanwhile (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int idle = receive_fixture_greet (&fixture);
  int sending = receive_fixture_greet (&fixture);
  begin_message (sending);
  receive_fixture_set_rules (&fixture, rules ("forbidden-hosts=127.0.0.0/8"));
  receive_fixture_sync (&fixture);
  client_expect (idle, "421 4.7.1 access denied");
  client_expect_end (idle);
  client_send (sending, "body\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<user@test.com>\r\n", -1);
  client_expect (sending, "250 2.0.0 Ok: queued as ");
  client_expect (sending, "250 2.1.0");
  client_expect (sending, "421 4.7.1 access denied");
  client_expect_end (sending);
  close (idle);
  close (sending);
  g_autoptr (RerouteMessage) message G_GNUC_UNUSED = receive_fixture_pop (&fixture);
  receive_fixture_clear (&fixture);
}

/* A message in chunks is under way between two of them, too. */
static void
test_forbidden_between_chunks (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  client_talk (fd,
               "MAIL FROM:<anna@sender.test> -> 250\n"
               "RCPT TO:<user@test.com> -> 250");
  client_send (fd, "BDAT 6\r\nhalf\r\n", -1);
  client_expect (fd, "250");
  receive_fixture_set_rules (&fixture, rules ("forbidden-hosts=127.0.0.0/8"));
  receive_fixture_sync (&fixture);
  client_send (fd, "BDAT 6 LAST\r\nrest\r\n", -1);
  client_expect (fd, "250 2.0.0 Ok: queued as ");
  client_expect (fd, "421 4.7.1 access denied");
  client_expect_end (fd);
  close (fd);
  g_autoptr (RerouteMessage) message G_GNUC_UNUSED = receive_fixture_pop (&fixture);
  receive_fixture_clear (&fixture);
}

/* --- time --- */

static void
test_idle (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules ("idle-timeout=1s"));
  int fd = receive_fixture_greet (&fixture);
  client_expect (fd, "421 4.4.2");
  client_expect_end (fd);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* Octets that complete no command are no progress. */
static void
test_unfinished_command (void)
{
  ReceiveFixture fixture;
  gint64 begun_us = g_get_monotonic_time ();
  gboolean ended;

  receive_fixture_init (&fixture, rules ("idle-timeout=1s"));
  int fd = receive_fixture_greet (&fixture);
  while (!(ended = client_wait (fd, 20)) &&
         g_get_monotonic_time () - begun_us < 10 * G_USEC_PER_SEC)
    client_send (fd, "N", 1);
  g_assert_true (ended);
  client_expect (fd, "421 4.4.2");
  close (fd);
  receive_fixture_clear (&fixture);
}

/* --- the end --- */

static void
test_drain (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int idle = receive_fixture_greet (&fixture);
  int busy = receive_fixture_greet (&fixture);
  begin_message (busy);
  reroute_receiver_drain (fixture.receiver, 10 * G_USEC_PER_SEC);
  client_expect (idle, "421 4.3.2");
  client_expect_end (idle);
  client_send (busy, "body\r\n.\r\n", -1);
  client_expect (busy, "250 2.0.0 Ok: queued as ");
  client_expect (busy, "421 4.3.2");
  client_expect_end (busy);
  close (idle);
  close (busy);
  g_autoptr (RerouteMessage) message G_GNUC_UNUSED = receive_fixture_pop (&fixture);
  receive_fixture_await_drained (&fixture);
  receive_fixture_clear (&fixture);
}

/* A message that does not come to its end does not hold the relay for ever. */
static void
test_drain_grace (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules (""));
  int fd = receive_fixture_greet (&fixture);
  begin_message (fd);
  reroute_receiver_drain (fixture.receiver, 1000);
  receive_fixture_await_drained (&fixture);
  close (fd);
  receive_fixture_clear (&fixture);
}

/* --- sockets --- */

static void
test_move (void)
{
  ReceiveFixture fixture;
  g_autoptr (GError) error = NULL;

  receive_fixture_init (&fixture, rules (""));
  guint16 port = receive_fixture_get_port (&fixture);
  g_autofree char *everywhere = g_strdup_printf ("0.0.0.0:%u", port);
  g_autofree char *taken = g_strdup_printf ("127.0.0.1:%u", port);
  const char *const endpoints[] = { everywhere, NULL };
  GPtrArray *moved = reroute_listeners_update (fixture.listeners, NULL, endpoints, &error);
  g_assert_no_error (error);
  g_ptr_array_unref (fixture.listeners);
  fixture.listeners = moved;
  reroute_receiver_set_listeners (fixture.receiver, moved);
  receive_fixture_sync (&fixture);
  close (receive_fixture_greet (&fixture));

  /* A socket of another program: what was open stays open. */
  g_assert_null (reroute_listener_open (taken, &error));
  g_assert_nonnull (strstr (error->message, taken));
  g_clear_error (&error);
  const char *const bad[] = { "127.0.0.1:0", "192.0.2.1:2525", NULL };
  g_assert_null (reroute_listeners_update (fixture.listeners, NULL, bad, &error));
  g_assert_nonnull (strstr (error->message, "192.0.2.1:2525"));
  close (receive_fixture_greet (&fixture));
  receive_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/session/accepts", test_accepts);
  g_test_add_func ("/session/pipelined", test_pipelined);
  g_test_add_func ("/session/without-rules", test_without_rules);
  g_test_add_func ("/session/without-rules-in-a-chunk", test_without_rules_in_a_chunk);
  g_test_add_func ("/session/rules-change", test_rules_change);
  g_test_add_func ("/session/early-talker", test_early_talker);
  g_test_add_func ("/session/large", test_large);
  g_test_add_func ("/session/lost-in-data", test_lost_in_data);
  g_test_add_func ("/session/gone-after-dot", test_gone_after_dot);
  g_test_add_func ("/session/half-closed", test_half_closed);
  for (gsize i = 0; i < G_N_ELEMENTS (door_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/session/door/", door_rows[i].name, NULL);
      g_test_add_data_func (path, &door_rows[i], test_door);
    }
  g_test_add_func ("/session/door/forbidden-meanwhile", test_forbidden_meanwhile);
  g_test_add_func ("/session/door/forbidden-between-chunks", test_forbidden_between_chunks);
  g_test_add_func ("/session/idle", test_idle);
  g_test_add_func ("/session/unfinished-command", test_unfinished_command);
  g_test_add_func ("/session/drain", test_drain);
  g_test_add_func ("/session/drain-grace", test_drain_grace);
  g_test_add_func ("/session/move", test_move);
  return g_test_run ();
}
