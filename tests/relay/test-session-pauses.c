/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session-pauses.c - sessions while the relay looks at none of them, and behind that
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-certificate.h"
#include "tests/unit/sample-rules.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000
#define PATIENCE_US (20 * G_USEC_PER_SEC)
#define ROUNDS 100
#define EHLO "EHLO client.test\r\n"
#define MESSAGE "MAIL FROM:<>\r\nRCPT TO:<a@test.com>\r\nBDAT 5 LAST\r\none\r\n"
#define NOT_DONE "502 5.5.1 This host does not do that\r\n" /* EXPN */
#define HELPS 9000             /* whose replies are a fraction of what a socket holds */
#define MORE_THAN_A_READ 13000 /* of them */
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

/* What clients have sent so far is read: a turn looks at them behind what was posted, and the first
   one behind a pause does not yet. */
static void
let_read (ReceiveFixture *fixture)
{
  for (guint turn = 0; turn < 3; turn++)
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

/* Of a proxy that was let in before the pause. */
static void
test_proxy_header (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, rules ("proxy-hosts=127.0.0.1"));
  int fd = client_connect (receive_fixture_get_port (&fixture));
  let_read (&fixture);
  begin_pause (&fixture);
  client_send (fd, "PROXY TCP4 192.0.2.1 192.0.2.2 1025 25\r\n", -1);
  let_read (&fixture);
  g_assert_false (client_wait (fd, 0));
  end_pause (&fixture);
  client_expect (fd, "220 relay.test ");
  client_talk (fd, "QUIT -> 221");
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

static void
append_helps (GString *input, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append (input, "HELP\r\n");
}

/* --- TLS --- */

static RerouteTlsServer *
make_tls_server (const ReceiveFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->directory, "relay.pem", NULL);
  const char *const certificates[] = { path, NULL };
  const char *const keys[] = { NULL };
  gnutls_x509_privkey_t key = sample_key_new ();
  g_autofree char *certificate = sample_certificate_new (key, -1, 1);
  g_autofree char *pem = sample_key_export (key, NULL);
  g_autofree char *both = g_strconcat (certificate, pem, NULL);

  gnutls_x509_privkey_deinit (key);
  g_file_set_contents_full (path, both, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
  RerouteTlsServer *server = reroute_tls_server_new (certificates, keys, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  return server;
}

typedef struct
{
  gnutls_certificate_credentials_t credentials;
  gnutls_session_t session;
  GString *said; /* to the client, and not expected yet */
} TlsClient;

static void
tls_client_init (TlsClient *self, int fd)
{
  g_assert_cmpint (gnutls_certificate_allocate_credentials (&self->credentials), ==, 0);
  g_assert_cmpint (gnutls_init (&self->session, GNUTLS_CLIENT), ==, 0);
  g_assert_cmpint (gnutls_set_default_priority (self->session), ==, 0);
  g_assert_cmpint (
    gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, self->credentials), ==, 0);
  gnutls_transport_set_int (self->session, fd);
  self->said = g_string_new (NULL);
  client_talk (fd, "STARTTLS -> 220");
  g_assert_cmpint (gnutls_handshake (self->session), ==, 0);
}

static void
tls_client_clear (TlsClient *self)
{
  gnutls_deinit (self->session);
  gnutls_certificate_free_credentials (self->credentials);
  g_string_free (self->said, TRUE);
}

static void
tls_client_send (TlsClient *self, const char *text)
{
  gssize n;

  for (gsize left = strlen (text); left > 0; text += n, left -= (gsize) n)
    {
      n = gnutls_record_send (self->session, text, left);
      g_assert_cmpint (n, >, 0);
    }
}

static void
tls_client_expect (TlsClient *self, const char *text)
{
  char octets[1024];
  const char *found;

  while ((found = strstr (self->said->str, text)) == NULL)
    {
      gssize n = gnutls_record_recv (self->session, octets, sizeof octets);
      if (n == GNUTLS_E_AGAIN) /* it was a ticket */
        g_assert_true (client_wait (gnutls_transport_get_int (self->session), WAIT_MS));
      else
        g_assert_cmpint (n, >, 0);
      g_string_append_len (self->said, octets, MAX (n, 0));
    }
  g_string_erase (self->said, 0, found - self->said->str + (gssize) strlen (text));
}

/* More than one read takes: the rest of it waits in the session, and what TLS has taken out of the
   socket behind that announces itself by no event, either. */
static void
test_in_tls (void)
{
  ReceiveFixture fixture;
  TlsClient client;
  g_autoptr (GString) input = g_string_new (MESSAGE);

  append_helps (input, MORE_THAN_A_READ);
  g_string_append (input, "EXPN all\r\n");
  receive_fixture_init (&fixture, rules ("max-junk-commands=1000000"));
  g_autoptr (RerouteTlsServer) server = make_tls_server (&fixture);
  reroute_receiver_set_tls (fixture.receiver, server);
  receive_fixture_sync (&fixture);
  int fd = receive_fixture_greet (&fixture);
  tls_client_init (&client, fd);
  tls_client_send (&client, EHLO);
  tls_client_expect (&client, "\r\n250 ");
  begin_pause (&fixture);
  tls_client_send (&client, input->str);
  end_pause (&fixture);
  let_read (&fixture);
  begin_pause (&fixture);
  reroute_message_unref (receive_fixture_pop (&fixture));
  let_read (&fixture);
  end_pause (&fixture);
  tls_client_expect (&client, "250 2.0.0 Ok: queued as ");
  tls_client_expect (&client, NOT_DONE);
  tls_client_clear (&client);
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
  append_helps (input, HELPS);
  g_string_append (input, MESSAGE "EXPN all\r\n");
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
  read_replies (fd, NOT_DONE, n);
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

  receive_fixture_init (&fixture, rules ("idle-timeout=4s"));
  int fd = receive_fixture_greet (&fixture);
  begin_pause (&fixture);
  g_usleep (5 * G_USEC_PER_SEC);
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
  receive_fixture_await_drained (&fixture);
  close (fd);
  receive_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/pauses/paused", test_paused);
  g_test_add_func ("/pauses/closed-door", test_closed_door);
  g_test_add_func ("/pauses/proxy-header", test_proxy_header);
  g_test_add_func ("/pauses/pipelined", test_pipelined);
  g_test_add_func ("/pauses/in-tls", test_in_tls);
  g_test_add_func ("/pauses/unread-replies", test_unread_replies);
  g_test_add_func ("/pauses/silent", test_silent);
  g_test_add_func ("/pauses/drain", test_drain);
  return g_test_run ();
}
