/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-relay-abuse.c - the classic ways to make a relay send to where it should not
 *
 * Ours are test.com and the host relay.test itself; else.test is anybody's.  From a stranger every
 * row is refused, whatever sender he claims to be; from a permitted host none is interpreted: the
 * recipient is kept as it came, or refused.
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"

#include <string.h>
#include <unistd.h>

#define RULES                                                                                      \
  "routing,test.com,exact,relay,,anyone,yes\n"                                                     \
  "connections,fwd.test,subdomains,host,127.0.0.1:9,anyone,yes\n"                                  \
  "routing,ours.test,exact,relay,,permitted,yes\n"
#define SETTINGS                                                                                   \
  "hostname=relay.test\npostmaster=p@test.com\nmax-bad-commands=10000\nmax-refused-recipients="    \
  "10000\n"

typedef struct
{
  const char *name;
  const char *source;
  const char *path;
  const char *kept; /* the recipient from a permitted host; NULL: refused from there, too */
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "plain", "RFC 5321 3.6", "v@else.test", "v@else.test" },
  { "mixed-case", "RFC 5321 2.4", "V@eLsE.TeST", "V@eLsE.TeST" },
  { "trailing-dot", "Q228998", "v@else.test.", "v@else.test" },
  { "trailing-blank", "Q228998", "v@else.test ", "v@else.test" },
  { "ours-in-front", "Q164457", "v@test.com.else.test", "v@test.com.else.test" },
  { "ours-at-the-end", "Q164457", "v@nottest.com", "v@nottest.com" },
  { "subdomain-of-exact", "design 3", "v@sub.test.com", "v@sub.test.com" },
  { "permitted-only", "design 3", "v@ours.test", "v@ours.test" },
  { "percent", "unixwiz", "v%else.test@test.com", "v%else.test@test.com" },
  { "percent-twice", "unixwiz", "v%else.test%test.com@test.com", "v%else.test%test.com@test.com" },
  { "percent-hostname", "unixwiz", "v%else.test@relay.test", "v%else.test@relay.test" },
  { "percent-literal", "unixwiz", "v%else.test@[127.0.0.1]", "v%else.test@[127.0.0.1]" },
  { "percent-alone", "unixwiz", "v%else.test", NULL },
  { "percent-subdomain", "unixwiz", "v%else.test@a.fwd.test", "v%else.test@a.fwd.test" },
  { "bang", "unixwiz", "else.test!v@test.com", "else.test!v@test.com" },
  { "bang-path", "unixwiz", "test.com!else.test!v@test.com", "test.com!else.test!v@test.com" },
  { "bang-alone", "unixwiz", "else.test!v", NULL },
  { "bang-percent", "unixwiz", "else.test!v%else.test@test.com", "else.test!v%else.test@test.com" },
  { "bang-literal", "unixwiz", "else.test!v@[127.0.0.1]", "else.test!v@[127.0.0.1]" },
  { "route", "RFC 5321 C", "@test.com:v@else.test", "v@else.test" },
  { "route-hostname", "RFC 5321 C", "@relay.test:v@else.test", "v@else.test" },
  { "route-of-two", "RFC 5321 C", "@relay.test,@test.com:v@else.test", "v@else.test" },
  { "route-literal", "RFC 5321 C", "@[127.0.0.1]:v@else.test", "v@else.test" },
  { "route-percent", "RFC 5321 C", "@test.com:v%else.test@test.com", "v%else.test@test.com" },
  { "quoted-at", "Q304897", "\"v@else.test\"@test.com", "\"v@else.test\"@test.com" },
  { "quoted-percent", "Q304897", "\"v%else.test\"@test.com", "\"v%else.test\"@test.com" },
  { "quoted-bang", "Q304897", "\"else.test!v\"@test.com", "\"else.test!v\"@test.com" },
  { "quoted-alone", "Q304897", "\"v@else.test\"", NULL },
  { "quoted-literal", "Q304897", "\"v@else.test\"@[127.0.0.1]", "\"v@else.test\"@[127.0.0.1]" },
  { "quoted-escape", "Q304897", "\"v\\@else.test\"@test.com", "\"v\\@else.test\"@test.com" },
  { "two-ats", "RFC 5321 4.1.2", "v@else.test@test.com", NULL },
  { "two-ats-reversed", "RFC 5321 4.1.2", "v@test.com@else.test", NULL },
  { "encapsulated", "Q237927", "IMCEASMTP-v+40else+2Etest@test.com", "IMCEASMTP-v+40else+2Etest@test.com" },
  { "encapsulated-lower", "Q271575", "imceasmtp-v+40else+2Etest@test.com", "imceasmtp-v+40else+2Etest@test.com" },
  { "encapsulated-quoted", "Q264330", "\"IMCEASMTP-v else.test\"@test.com", "\"IMCEASMTP-v else.test\"@test.com" },
  { "encapsulated-at", "Q264330", "\"IMCEA v@else.test\"@test.com", "\"IMCEA v@else.test\"@test.com" },
  { "literal", "Q255695", "v@[192.0.2.1]", "v@[192.0.2.1]" },
  { "literal-own", "Q255695", "v@[127.0.0.1]", "v@[127.0.0.1]" },
  { "literal-ipv6", "RFC 5321 4.1.3", "v@[IPv6:2001:db8::1]", "v@[IPv6:2001:db8::1]" },
  { "address-without-brackets", "RFC 5321 4.1.3", "v@192.0.2.1", "v@192.0.2.1" },
  { "number", "RFC 5321 4.1.3", "v@3221225985", "v@3221225985" },
  { "no-domain", "RFC 5321 4.1.1.3", "v", NULL },
  { "empty-domain", "RFC 5321 4.1.2", "v@", NULL },
  { "empty-local-part", "RFC 5321 4.1.2", "@else.test", NULL },
  { "empty", "RFC 5321 4.1.1.3", "", NULL },
  { "localhost", "Q255695", "v@localhost", "v@localhost" },
  { "hostname", "Q255695", "v@relay.test", "v@relay.test" },
  { "postmaster-else", "Q242387", "postmaster@else.test", "postmaster@else.test" },
  { "postmaster-prefix", "Q245041", "postmaster1@relay.test", "postmaster1@relay.test" },
  { "comment", "RFC 5322 3.2.2", "v(test.com)@else.test", NULL },
  { "utf8-domain", "RFC 6531 3.3", "v@tеst.com", "v@tеst.com" },
  { "utf8-dot", "RFC 5895 2", "v@else。test", "v@else。test" },
  { "utf8-wide-at", "RFC 6531 3.3", "v＠else.test", NULL },
  { "utf8-wide-percent", "RFC 6531 3.3", "v％else.test@else.test", "v％else.test@else.test" },
  { "utf8-local", "RFC 6531 3.3", "ü@else.test", "ü@else.test" },
  { "utf8-not-utf8", "RFC 6531 3.3", "\xff@test.com", NULL },
  { "control", "RFC 5321 4.1.2", "v\x01@test.com", NULL },
  { "orcpt", "RFC 3461 4.2", "v@else.test> ORCPT=rfc822;v@test.com NOTIFY=NEVER", "v@else.test" },
  /* clang-format on */
};

/* Whom the stranger claims to be. */
static const char *const senders[] = {
  "", "v@else.test", "admin@test.com", "postmaster@relay.test", "root@localhost", "admin@ours.test"
};

static int
begin (ReceiveFixture *fixture)
{
  int fd = client_connect (receive_fixture_get_port (fixture));

  client_expect (fd, "220 relay.test ");
  client_talk (fd, "EHLO test.com -> 250");
  return fd;
}

/* (transfer full): the reply */
static char *
say (int fd, const char *verb, const char *path, const char *parameters)
{
  g_autofree char *command = g_strdup_printf (
    "%s:<%s%s%s\r\n", verb, path, strchr (path, '>') != NULL ? "" : ">", parameters);

  client_send (fd, command, -1);
  return client_read_line (fd);
}

static void
test_stranger (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, SETTINGS));
  int fd = begin (&fixture);
  for (gsize j = 0; j < G_N_ELEMENTS (senders); j++)
    {
      g_autofree char *mail = say (fd, "MAIL FROM", senders[j], " SMTPUTF8");
      g_assert_true (g_str_has_prefix (mail, "250 "));
      for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
        {
          g_autofree char *reply = say (fd, "RCPT TO", rows[i].path, "");
          g_test_message ("%s from <%s>: %s", rows[i].name, senders[j], reply);
          g_assert_true (reply[0] == '5' && strstr (reply, " 5.") != NULL);
        }
      client_talk (fd, "DATA -> 554 5.5.1");
    }
  /* The same session, a recipient of ours. */
  client_talk (fd,
               "MAIL FROM:<> -> 250\nRCPT TO:<u@test.com> -> 250\nRCPT TO:<Postmaster> -> 250\n"
               "RCPT TO:<u@TEST.com.> -> 250\nRSET -> 250");
  close (fd);
  g_assert_cmpint (g_async_queue_length (fixture.accepted), ==, 0);
  receive_fixture_clear (&fixture);
}

static void
check_kept (ReceiveFixture *fixture, int fd, const Row *row)
{
  g_autofree char *mail = say (fd, "MAIL FROM", "a@client.test", " SMTPUTF8");
  g_autofree char *reply = say (fd, "RCPT TO", row->path, "");

  g_test_message ("%s: %s", row->name, reply);
  g_assert_true (g_str_has_prefix (mail, "250 "));
  if (row->kept == NULL)
    {
      g_assert_true (reply[0] == '5');
      client_talk (fd, "RSET -> 250");
      return;
    }
  g_assert_true (g_str_has_prefix (reply, "250 "));
  client_talk (fd, "DATA -> 354\n. -> 250");
  g_autoptr (RerouteMessage) message = receive_fixture_pop (fixture);
  g_assert_cmpuint (message->envelope->recipients->len, ==, 1);
  g_assert_cmpstr (
    reroute_envelope_get_recipient (message->envelope, 0)->address->text, ==, row->kept);
}

static void
test_permitted (void)
{
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, sample_rules (RULES, SETTINGS "permitted-hosts=127.0.0.1"));
  int fd = begin (&fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    check_kept (&fixture, fd, &rows[i]);
  close (fd);
  receive_fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/relay-abuse/stranger", test_stranger);
  g_test_add_func ("/relay-abuse/permitted", test_permitted);
  return g_test_run ();
}
