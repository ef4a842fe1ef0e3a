/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-relay-abuse.c - the classic ways to make a relay send to where it should not
 *
 * Ours are test.com and the host relay.test itself; else.test is anybody's.  From a stranger every
 * row is refused with the code of its reason, whatever sender he claims to be; from a permitted
 * host none is interpreted: the recipient is kept as it came and goes where the domain behind its
 * last @ says, or is refused.
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
  "hostname=relay.test\npostmaster=p@test.com\nmax-error-rate=0\nmax-bad-commands=10000\n"         \
  "max-refused-recipients=10000\n"

typedef struct
{
  const char *name;
  const char *source;
  const char *path;
  const char *refusal;  /* how the reply to a stranger begins */
  const char *kept;     /* the recipient from a permitted host; NULL: refused from there, too */
  const char *next_hop; /* where that goes: the domain that DNS is asked for, or hosts */
} Row;

/* RFC 5321 section 4.2.3, RFC 3463, and which of them go together in RFC 5248. */
#define DENIED "550 5.7.1 "     /* delivery not authorised (RFC 5321 3.6.2, 7.9) */
#define ROUTED "553 5.1.3 "     /* a mailbox name that is not allowed */
#define MALFORMED "501 5.1.3 "  /* a parameter with a syntax error: the mailbox */
#define NO_COMMAND "500 5.5.2 " /* octets that stand in no command */

static const Row rows[] = {
  /* clang-format off */
  { "plain", "RFC 5321 3.6", "v@else.test", DENIED, "v@else.test", "else.test" },
  { "mixed-case", "RFC 5321 2.4", "V@eLsE.TeST", DENIED, "V@eLsE.TeST", "else.test" },
  { "trailing-dot", "Q228998", "v@else.test.", DENIED, "v@else.test", "else.test" },
  { "trailing-blank", "Q228998", "v@else.test ", DENIED, "v@else.test", "else.test" },
  { "ours-in-front", "Q164457", "v@test.com.else.test", DENIED, "v@test.com.else.test", "test.com.else.test" },
  { "ours-at-the-end", "Q164457", "v@nottest.com", DENIED, "v@nottest.com", "nottest.com" },
  { "subdomain-of-exact", "design 3", "v@sub.test.com", DENIED, "v@sub.test.com", "sub.test.com" },
  { "permitted-only", "design 3", "v@ours.test", DENIED, "v@ours.test", "ours.test" },
  { "percent", "unixwiz", "v%else.test@test.com", ROUTED, "v%else.test@test.com", "test.com" },
  { "percent-twice", "unixwiz", "v%else.test%test.com@test.com", ROUTED, "v%else.test%test.com@test.com", "test.com" },
  { "percent-hostname", "unixwiz", "v%else.test@relay.test", ROUTED, "v%else.test@relay.test", "relay.test" },
  { "percent-literal", "unixwiz", "v%else.test@[127.0.0.1]", ROUTED, "v%else.test@[127.0.0.1]", "[127.0.0.1]" },
  { "percent-alone", "unixwiz", "v%else.test", MALFORMED, NULL, NULL },
  { "percent-subdomain", "unixwiz", "v%else.test@a.fwd.test", ROUTED, "v%else.test@a.fwd.test", "127.0.0.1:9" },
  { "bang", "unixwiz", "else.test!v@test.com", ROUTED, "else.test!v@test.com", "test.com" },
  { "bang-path", "unixwiz", "test.com!else.test!v@test.com", ROUTED, "test.com!else.test!v@test.com", "test.com" },
  { "bang-alone", "unixwiz", "else.test!v", MALFORMED, NULL, NULL },
  { "bang-percent", "unixwiz", "else.test!v%else.test@test.com", ROUTED, "else.test!v%else.test@test.com", "test.com" },
  { "bang-literal", "unixwiz", "else.test!v@[127.0.0.1]", ROUTED, "else.test!v@[127.0.0.1]", "[127.0.0.1]" },
  { "route", "RFC 5321 C", "@test.com:v@else.test", DENIED, "v@else.test", "else.test" },
  { "route-hostname", "RFC 5321 C", "@relay.test:v@else.test", DENIED, "v@else.test", "else.test" },
  { "route-of-two", "RFC 5321 C", "@relay.test,@test.com:v@else.test", DENIED, "v@else.test", "else.test" },
  { "route-literal", "RFC 5321 C", "@[127.0.0.1]:v@else.test", DENIED, "v@else.test", "else.test" },
  { "route-percent", "RFC 5321 C", "@test.com:v%else.test@test.com", ROUTED, "v%else.test@test.com", "test.com" },
  { "quoted-at", "Q304897", "\"v@else.test\"@test.com", ROUTED, "\"v@else.test\"@test.com", "test.com" },
  { "quoted-percent", "Q304897", "\"v%else.test\"@test.com", ROUTED, "\"v%else.test\"@test.com", "test.com" },
  { "quoted-bang", "Q304897", "\"else.test!v\"@test.com", ROUTED, "\"else.test!v\"@test.com", "test.com" },
  { "quoted-alone", "Q304897", "\"v@else.test\"", MALFORMED, NULL, NULL },
  { "quoted-literal", "Q304897", "\"v@else.test\"@[127.0.0.1]", ROUTED, "\"v@else.test\"@[127.0.0.1]", "[127.0.0.1]" },
  { "quoted-escape", "Q304897", "\"v\\@else.test\"@test.com", ROUTED, "\"v\\@else.test\"@test.com", "test.com" },
  { "quoted-escaped-percent", "Q304897", "\"v\\%else.test\"@test.com", ROUTED, "\"v\\%else.test\"@test.com", "test.com" },
  { "quoted-escaped-bang", "Q304897", "\"else.test\\!v\"@test.com", ROUTED, "\"else.test\\!v\"@test.com", "test.com" },
  { "two-ats", "RFC 5321 4.1.2", "v@else.test@test.com", MALFORMED, NULL, NULL },
  { "two-ats-reversed", "RFC 5321 4.1.2", "v@test.com@else.test", MALFORMED, NULL, NULL },
  { "encapsulated", "Q237927", "IMCEASMTP-v+40else+2Etest@test.com", ROUTED, "IMCEASMTP-v+40else+2Etest@test.com", "test.com" },
  { "encapsulated-lower", "Q271575", "imceasmtp-v+40else+2Etest@test.com", ROUTED, "imceasmtp-v+40else+2Etest@test.com", "test.com" },
  { "encapsulated-quoted", "Q264330", "\"IMCEASMTP-v else.test\"@test.com", ROUTED, "\"IMCEASMTP-v else.test\"@test.com", "test.com" },
  { "encapsulated-escape", "RFC 5321 4.1.2", "\"\\IMCEASMTP-v+40else.test\"@test.com", ROUTED, "\"\\IMCEASMTP-v+40else.test\"@test.com", "test.com" },
  { "encapsulated-at", "Q264330", "\"IMCEA v@else.test\"@test.com", ROUTED, "\"IMCEA v@else.test\"@test.com", "test.com" },
  { "literal", "Q255695", "v@[192.0.2.1]", DENIED, "v@[192.0.2.1]", "[192.0.2.1]" },
  { "literal-own", "Q255695", "v@[127.0.0.1]", DENIED, "v@[127.0.0.1]", "[127.0.0.1]" },
  { "literal-ipv6", "RFC 5321 4.1.3", "v@[IPv6:2001:db8::1]", DENIED, "v@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
  { "address-without-brackets", "RFC 5321 4.1.3", "v@192.0.2.1", DENIED, "v@192.0.2.1", "[192.0.2.1]" },
  { "number", "RFC 5321 4.1.3", "v@3221225985", DENIED, "v@3221225985", "3221225985" },
  { "no-domain", "RFC 5321 4.1.1.3", "v", MALFORMED, NULL, NULL },
  { "empty-domain", "RFC 5321 4.1.2", "v@", MALFORMED, NULL, NULL },
  { "empty-local-part", "RFC 5321 4.1.2", "@else.test", MALFORMED, NULL, NULL },
  { "empty", "RFC 5321 4.1.1.3", "", MALFORMED, NULL, NULL },
  { "localhost", "Q255695", "v@localhost", DENIED, "v@localhost", "localhost" },
  { "hostname", "Q255695", "v@relay.test", DENIED, "v@relay.test", "relay.test" },
  { "postmaster-else", "Q242387", "postmaster@else.test", DENIED, "postmaster@else.test", "else.test" },
  { "postmaster-prefix", "Q245041", "postmaster1@relay.test", DENIED, "postmaster1@relay.test", "relay.test" },
  { "comment", "RFC 5322 3.2.2", "v(test.com)@else.test", MALFORMED, NULL, NULL },
  { "utf8-domain", "RFC 6531 3.3", "v@tеst.com", DENIED, "v@tеst.com", "xn--tst-rdd.com" },
  { "utf8-dot", "RFC 5895 2", "v@else。test", DENIED, "v@else。test", "else.test" },
  { "utf8-wide-at", "RFC 6531 3.3", "v＠else.test", MALFORMED, NULL, NULL },
  { "utf8-wide-percent", "RFC 6531 3.3", "v％else.test@else.test", DENIED, "v％else.test@else.test", "else.test" },
  { "utf8-local", "RFC 6531 3.3", "ü@else.test", DENIED, "ü@else.test", "else.test" },
  { "utf8-not-utf8", "RFC 6531 3.3", "\xff@test.com", NO_COMMAND, NULL, NULL },
  { "control", "RFC 5321 4.1.2", "v\x01@test.com", NO_COMMAND, NULL, NULL },
  { "orcpt", "RFC 3461 4.2", "v@else.test> ORCPT=rfc822;v@test.com NOTIFY=NEVER", DENIED, "v@else.test", "else.test" },
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
          g_assert_true (g_str_has_prefix (reply, rows[i].refusal));
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

/* As the queue decides it: for the domain behind the last @, and nothing in front of it. */
static void
check_next_hop (const RerouteRuleset *rules, const RerouteAddress *address, const Row *row)
{
  g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, address, NULL, NULL);

  g_assert_cmpuint (decision->reply_code, ==, 250);
  g_assert_cmpstr (decision->rcpt_out, ==, row->kept);
  g_autofree char *next_hop = decision->hosts != NULL ? reroute_hosts_to_string (decision->hosts)
                                                      : g_strdup (decision->dns_domain);
  g_assert_cmpstr (next_hop, ==, row->next_hop);
}

static void
check_kept (ReceiveFixture *fixture, const RerouteRuleset *rules, int fd, const Row *row)
{
  g_autofree char *mail = say (fd, "MAIL FROM", "a@client.test", " SMTPUTF8");
  g_autofree char *reply = say (fd, "RCPT TO", row->path, "");

  g_test_message ("%s: %s", row->name, reply);
  g_assert_true (g_str_has_prefix (mail, "250 "));
  if (row->kept == NULL)
    {
      g_assert_true (g_str_has_prefix (reply, row->refusal));
      client_talk (fd, "RSET -> 250");
      return;
    }
  g_assert_true (g_str_has_prefix (reply, "250 "));
  client_talk (fd, "DATA -> 354\n. -> 250");
  g_autoptr (RerouteMessage) message = receive_fixture_pop (fixture);
  g_assert_cmpuint (message->envelope->recipients->len, ==, 1);
  const RerouteAddress *address = reroute_envelope_get_recipient (message->envelope, 0)->address;
  g_assert_cmpstr (address->text, ==, row->kept);
  check_next_hop (rules, address, row);
}

static void
test_permitted (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules (RULES, SETTINGS "permitted-hosts=127.0.0.1");
  ReceiveFixture fixture;

  receive_fixture_init (&fixture, reroute_ruleset_ref (rules));
  int fd = begin (&fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    check_kept (&fixture, rules, fd, &rows[i]);
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
