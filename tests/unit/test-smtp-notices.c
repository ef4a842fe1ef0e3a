/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-smtp-notices.c - what we write ourselves: the Received line and delivery status
 * notifications
 */

#include "config.h"

#include "service/relay/smtp/date.h"
#include "service/relay/smtp/dsn-text.h"
#include "service/relay/smtp/dsn.h"
#include "service/relay/smtp/trace-header.h"

#include <string.h>
#include <time.h>

#define MONDAY_US (G_GINT64_CONSTANT (1795473125) * G_USEC_PER_SEC) /* 23 Nov 2026 22:32:05 UTC */

static void
set_zone (const char *zone)
{
  g_setenv ("TZ", zone, TRUE);
  tzset ();
}

static void
test_date (void)
{
  static const struct
  {
    const char *zone;
    gint64 time_us;
    const char *date;
  } rows[] = {
    { "UTC0", MONDAY_US, "Mon, 23 Nov 2026 22:32:05 +0000" },
    { "CET-1", MONDAY_US, "Mon, 23 Nov 2026 23:32:05 +0100" },
    { "IST-5:30", MONDAY_US, "Tue, 24 Nov 2026 04:02:05 +0530" },
    { "NST3:30", MONDAY_US, "Mon, 23 Nov 2026 19:02:05 -0330" },
    { "UTC0", 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      set_zone (rows[i].zone);
      g_autofree char *date = reroute_date_format (rows[i].time_us);
      g_assert_cmpstr (date, ==, rows[i].date);
    }
  set_zone ("UTC0");
}

static void
add_recipient (RerouteEnvelope *envelope, const char *text)
{
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, TRUE, NULL);

  g_assert_nonnull (address);
  reroute_envelope_add_recipient (envelope, address, (RerouteRowRef){ 0 });
}

static void
test_trace_header (void)
{
  static const struct
  {
    const char *name;
    const char *source;
    const char *helo;
    const char *ip;
    gboolean esmtp;
    gboolean smtputf8;
    const char *tls;
    const char *recipient;
    const char *second;
    const char *header;
    gboolean authenticated;
  } rows[] = {
    /* clang-format off */
    { "one", "RFC 5321 4.4", "client.test", "192.0.2.1", TRUE, FALSE, NULL, "b@test.com", NULL,
      "Received: from client.test ([192.0.2.1])\r\n\tby mx.test with ESMTP id 1a.t0k3n\r\n"
      "\tfor <b@test.com>;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "several", "RFC 5321 7.6", "[192.0.2.1]", "2001:db8::1", FALSE, FALSE, NULL, "b@test.com", "c@test.com",
      "Received: from [192.0.2.1] ([IPv6:2001:db8::1])\r\n\tby mx.test with SMTP id 1a.t0k3n;\r\n"
      "\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "harmless", "RFC 5321 4.4", "a(b)\"c;\\<d>", "192.0.2.1", TRUE, FALSE, NULL, "postmaster", NULL,
      "Received: from a?b??c???d? ([192.0.2.1])\r\n\tby mx.test with ESMTP id 1a.t0k3n\r\n"
      "\tfor <postmaster>;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "utf8", "RFC 6531 4.3", "", "192.0.2.1", TRUE, TRUE, NULL, "ü@test.com", NULL,
      "Received: from unknown ([192.0.2.1])\r\n\tby mx.test with UTF8SMTP id 1a.t0k3n;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "utf8-domain", "RFC 6531 4.3", "c.test", "192.0.2.1", TRUE, TRUE, NULL, "B@MÜNCHEN.example", NULL,
      "Received: from c.test ([192.0.2.1])\r\n\tby mx.test with UTF8SMTP id 1a.t0k3n\r\n\tfor <B@xn--mnchen-3ya.example>;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "tls", "RFC 3848", "client.test", "192.0.2.1", TRUE, FALSE, "TLSv1.3 with cipher X", "b@test.com", NULL,
      "Received: from client.test ([192.0.2.1])\r\n\t(using TLSv1.3 with cipher X)\r\n"
      "\tby mx.test with ESMTPS id 1a.t0k3n\r\n"
      "\tfor <b@test.com>;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "tls-utf8", "RFC 6531 4.3", "c.test", "192.0.2.1", TRUE, TRUE, "TLSv1.2 with cipher Y", "b@test.com", "c@test.com",
      "Received: from c.test ([192.0.2.1])\r\n\t(using TLSv1.2 with cipher Y)\r\n"
      "\tby mx.test with UTF8SMTPS id 1a.t0k3n;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n" },
    { "auth", "RFC 3848", "client.test", "192.0.2.1", TRUE, FALSE, "TLSv1.3 with cipher X", "b@test.com", "c@test.com",
      "Received: from client.test ([192.0.2.1])\r\n\t(using TLSv1.3 with cipher X)\r\n"
      "\tby mx.test with ESMTPSA id 1a.t0k3n;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n", TRUE },
    { "auth-utf8", "RFC 6531 4.3", "c.test", "192.0.2.1", TRUE, TRUE, "TLSv1.2 with cipher Y", "b@test.com", "c@test.com",
      "Received: from c.test ([192.0.2.1])\r\n\t(using TLSv1.2 with cipher Y)\r\n"
      "\tby mx.test with UTF8SMTPSA id 1a.t0k3n;\r\n\tMon, 23 Nov 2026 22:32:05 +0000\r\n", TRUE },
    /* clang-format on */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const RerouteTraceSession session = { rows[i].esmtp, rows[i].tls, rows[i].authenticated };
      g_autoptr (RerouteEnvelope) envelope = reroute_envelope_new ();
      g_test_message ("%s", rows[i].name);
      g_free (envelope->helo);
      envelope->helo = g_strdup (rows[i].helo);
      envelope->smtputf8 = rows[i].smtputf8;
      g_assert_true (reroute_ip_parse (rows[i].ip, &envelope->client_ip));
      add_recipient (envelope, rows[i].recipient);
      if (rows[i].second != NULL)
        add_recipient (envelope, rows[i].second);
      g_autofree char *header =
        reroute_trace_header_format (envelope, "mx.test", &session, "1a", "t0k3n", MONDAY_US);
      g_assert_cmpstr (header, ==, rows[i].header);
    }
}

static void
test_hide_hosts (void)
{
  static const struct
  {
    const char *said;
    const char *recipient;
    const char *shown;
  } rows[] = {
    { "550 5.1.1 no such user", "a@test.com", "550 5.1.1 no such user" },
    { "550 mx.inside.example: a@inside.example unknown",
      "a@test.com",
      "550 (host) a@(host) unknown" },
    { "550 <a@Test.COM>: unknown at test.com.",
      "a@test.com",
      "550 <a@Test.COM>: unknown at test.com." },
    { "421 host[192.0.2.1] and [2001:db8::1] said",
      "a@test.com",
      "421 host[(host)] and [(host)] said" },
    { "550 line\n\x01two \xc3\xa9", "a@test.com", "550 line ?two ??" },
    { "550 john.doe@x.example", "john.doe@test.com", "550 john.doe@(host)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *shown = reroute_dsn_hide_hosts (rows[i].said, rows[i].recipient);
      g_assert_cmpstr (shown, ==, rows[i].shown);
    }
}

/* Every line within 998 octets of ASCII, ends in CR LF, and none is a lone dot. */
static void
assert_wire_form (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  guint n = g_strv_length (lines);

  g_assert_true (g_str_is_ascii (text));
  g_assert_cmpstr (lines[n - 1], ==, "");
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpuint (strlen (lines[i]), <=, 998);
      g_assert_null (strpbrk (lines[i], "\r\n"));
      g_assert_cmpstr (lines[i], !=, ".");
    }
}

static void
assert_contains (const char *text, const char *wanted)
{
  if (strstr (text, wanted) == NULL)
    g_error ("“%s” is not in “%s”", wanted, text);
}

static char *
format (const RerouteDsnRequest *request)
{
  g_autoptr (GBytes) bytes = reroute_dsn_format (request);
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  char *text = g_strndup (data, length);

  assert_wire_form (text);
  return text;
}

static void
test_failed (void)
{
  static const char headers[] = "Received: from x\r\n\tby y\r\nSubject: hello\r\n.dot: 1\r\n\r\n";
  const RerouteDsnRecipient recipients[] = {
    { .recipient = "b@test.com",
      .status = "5.1.1",
      .diagnostic = "550 5.1.1 no b@inside.example here" },
    { .recipient = "c@test.com", .status = "4.4.1" },
  };
  const RerouteDsnRequest request = {
    .kind = REROUTE_DSN_FAILED,
    .hostname = "mx.test",
    .queue_id = "1a",
    .reverse_path = "a@client.test",
    .arrived_us = MONDAY_US,
    .recipients = recipients,
    .n_recipients = 2,
    .headers = (const guint8 *) headers,
    .headers_length = strlen (headers),
    .now_us = MONDAY_US + 1,
  };
  g_autofree char *text = format (&request);

  assert_contains (text, "From: Mail Delivery System <MAILER-DAEMON@mx.test>\r\n");
  assert_contains (text, "To: a@client.test\r\n");
  assert_contains (text, "Auto-Submitted: auto-replied\r\n");
  assert_contains (text, "MIME-Version: 1.0\r\n");
  assert_contains (text, "Date: Mon, 23 Nov 2026 22:32:05 +0000\r\n");
  assert_contains (text, "\r\nMessage-Id: <1a.");
  assert_contains (text, "Content-Type: multipart/report; boundary=");
  assert_contains (text, "\treport-type=delivery-status\r\n");
  assert_contains (text, "Content-Type: text/plain; charset=utf-8\r\n");
  assert_contains (text, "\r\n  <b@test.com>\r\n\r\n    There is no such address.\r\n");
  assert_contains (text, "550 5.1.1 no b@(host) here\r\n");
  assert_contains (text, "Content-Type: message/delivery-status\r\n");
  assert_contains (text,
                   "\r\nReporting-MTA: dns; mx.test\r\n"
                   "Arrival-Date: Mon, 23 Nov 2026 22:32:05 +0000\r\n"
                   "\r\n"
                   "Final-Recipient: rfc822; b@test.com\r\n"
                   "Action: failed\r\n"
                   "Status: 5.1.1\r\n"
                   "Diagnostic-Code: smtp;\r\n"
                   "    550 5.1.1 no b@(host) here\r\n"
                   "\r\n"
                   "Final-Recipient: rfc822; c@test.com\r\n"
                   "Action: failed\r\n"
                   "Status: 4.4.1\r\n");
  assert_contains (text, "Content-Type: text/rfc822-headers\r\n");
  assert_contains (text,
                   "\r\n\r\nReceived: from x\r\n\tby y\r\nSubject: hello\r\n..dot: 1\r\n\r\n--");
  g_assert_null (strstr (text, "inside.example"));
}

static void
test_delayed_beyond_ascii (void)
{
  static const char headers[] = "Subject: gr\xc3\xbc\xc3\x9f\r\nX: \xff\r\n";
  const RerouteDsnRecipient recipient = {
    .recipient = "ü@test.com",
    .status = "5.0.0",
    .diagnostic = "451 4.4.1 no answer",
    .will_retry_until_us = MONDAY_US + 86400 * (gint64) G_USEC_PER_SEC,
  };
  const RerouteDsnRequest request = {
    .kind = REROUTE_DSN_DELAYED,
    .hostname = "mx.test",
    .queue_id = "1a",
    .reverse_path = "é@client.test",
    .arrived_us = MONDAY_US,
    .recipients = &recipient,
    .n_recipients = 1,
    .headers = (const guint8 *) headers,
    .headers_length = strlen (headers),
    .now_us = MONDAY_US,
  };
  g_autofree char *text = format (&request);

  assert_contains (text, "\r\nTo: =?");
  assert_contains (text, "It is tried again until Tue, 24 Nov 2026 22:32:05");
  assert_contains (text, "\r\n  <=C3=BC@test.com>\r\n");
  assert_contains (text,
                   "Final-Recipient: utf-8; \\x{FC}@test.com\r\n"
                   "Action: delayed\r\n"
                   "Status: 4.0.0\r\n"
                   "Diagnostic-Code: smtp;\r\n"
                   "    451 4.4.1 no answer\r\n"
                   "Will-Retry-Until: Tue, 24 Nov 2026 22:32:05 +0000\r\n");
  assert_contains (text, "Subject: gr=C3=BC=C3=9F\r\nX: =FF\r\n");
}

/* Nothing that a remote host says or a sender wrote makes a line of its own or breaks the form. */
static void
test_hostile (void)
{
  g_autofree char *word = g_strnfill (3000, 'x');
  g_autofree char *headers = g_strconcat ("Subject: ", word, "\r\nX: y\r\n", NULL);
  g_autofree char *said = g_strconcat ("550 a\r\nStatus: 2.0.0\r\n\r\n.\r\n", word, NULL);
  const RerouteDsnRecipient recipient = { .recipient = "b@test.com",
                                          .status = "",
                                          .diagnostic = said };
  const RerouteDsnRequest request = {
    .kind = REROUTE_DSN_FAILED,
    .hostname = "mx.test",
    .queue_id = "1a",
    .reverse_path = "\"a b\"@client.test",
    .recipients = &recipient,
    .n_recipients = 1,
    .headers = (const guint8 *) headers,
    .headers_length = strlen (headers),
  };
  g_autofree char *text = format (&request);

  assert_contains (text, "To: \"a b\"@client.test\r\n");
  assert_contains (text, "Status: 5.0.0\r\nDiagnostic-Code: smtp;\r\n    550 a");
  g_assert_null (strstr (text, "\nStatus: 2.0.0"));
}

/* What was asked for at MAIL and RCPT stands in the report; the whole message where it may. */
static void
test_asked_for (void)
{
  static const char content[] = "Subject: hello\r\n\r\n.body\r\n";
  static const char beyond_ascii[] = "Subject: hello\r\n\r\nb\xc3\xb6"
                                     "dy\r\n";
  const RerouteDsnRecipient recipient = { .recipient = "b@test.com",
                                          .status = "5.1.1",
                                          .original = "rfc822;b+2Bx@test.com" };
  RerouteDsnRequest request = {
    .kind = REROUTE_DSN_FAILED,
    .hostname = "mx.test",
    .queue_id = "1a",
    .reverse_path = "a@client.test",
    .envelope_id = "QQ+3D314+0D+0A",
    .recipients = &recipient,
    .n_recipients = 1,
    .headers = (const guint8 *) content,
    .headers_length = strlen ("Subject: hello\r\n"),
    .content = (const guint8 *) content,
    .content_length = strlen (content),
  };
  g_autofree char *whole = format (&request);
  request.content = (const guint8 *) beyond_ascii;
  request.content_length = strlen (beyond_ascii);
  g_autofree char *headers = format (&request);

  assert_contains (whole, "\r\nOriginal-Envelope-Id: QQ=314??\r\nReporting-MTA: dns; mx.test\r\n");
  assert_contains (whole,
                   "\r\nOriginal-Recipient: rfc822; b+x@test.com\r\n"
                   "Final-Recipient: rfc822; b@test.com\r\n");
  assert_contains (whole, "Content-Type: message/rfc822\r\n");
  assert_contains (whole, "\r\n\r\nSubject: hello\r\n\r\n..body\r\n\r\n--");
  assert_contains (headers, "Content-Type: text/rfc822-headers\r\n");
  assert_contains (headers, "\r\n\r\nSubject: hello\r\n\r\n--");
}

static void
test_relayed (void)
{
  static const char headers[] = "Subject: hello\r\n";
  const RerouteDsnRecipient recipient = { .recipient = "b@test.com",
                                          .status = "2.1.5",
                                          .original = "utf-8;\xc3\xbc\\x{2B}@test.com",
                                          .diagnostic = "250 2.1.5 mx.inside.example took it" };
  const RerouteDsnRequest request = {
    .kind = REROUTE_DSN_RELAYED,
    .hostname = "mx.test",
    .queue_id = "1a",
    .reverse_path = "a@client.test",
    .recipients = &recipient,
    .n_recipients = 1,
    .headers = (const guint8 *) headers,
    .headers_length = strlen (headers),
  };
  g_autofree char *text = format (&request);

  assert_contains (text, "\r\nSubject: Your message was passed on\r\n");
  assert_contains (text, "does not tell when it is delivered");
  assert_contains (text,
                   "Original-Recipient: utf-8; \\x{FC}\\x{2B}@test.com\r\n"
                   "Final-Recipient: rfc822; b@test.com\r\n"
                   "Action: relayed\r\n"
                   "Status: 2.1.5\r\n"
                   "Diagnostic-Code: smtp;\r\n"
                   "    250 2.1.5 (host) took it\r\n");
}

static void
test_who_wants_what (void)
{
  static const struct
  {
    const char *reverse_path;
    RerouteNotify notify;
    RerouteNotify wanted;
  } rows[] = {
    { "a@client.test", 0, REROUTE_NOTIFY_FAILURE | REROUTE_NOTIFY_DELAY },
    { "a@client.test", REROUTE_NOTIFY_NEVER, REROUTE_NOTIFY_NEVER },
    { "a@client.test", REROUTE_NOTIFY_SUCCESS, REROUTE_NOTIFY_SUCCESS },
    { "a@client.test", REROUTE_NOTIFY_DELAY, REROUTE_NOTIFY_DELAY },
    { "", 0, 0 },
    { "", REROUTE_NOTIFY_FAILURE | REROUTE_NOTIFY_SUCCESS, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RerouteEnvelope) envelope = reroute_envelope_new ();
      g_free (envelope->reverse_path);
      envelope->reverse_path = g_strdup (rows[i].reverse_path);
      add_recipient (envelope, "b@test.com");
      g_array_index (envelope->recipients, RerouteRecipient, 0).notify = rows[i].notify;
      for (guint kind = REROUTE_NOTIFY_NEVER; kind <= REROUTE_NOTIFY_DELAY; kind <<= 1)
        g_assert_true (reroute_envelope_wants_notice (envelope, 0, (RerouteNotify) kind) ==
                       ((rows[i].wanted & kind) != 0));
    }
}

static void
test_header_section (void)
{
  static const struct
  {
    const char *wire;
    const char *plain;
    guint n_headers;
  } rows[] = {
    { "A: b\r\n c\r\n\r\nbody\r\n", "A: b\r\n c\r\n\r\nbody\r\n", 10 },
    { "A: b\r\n..c: d\r\n\r\n..\r\n", "A: b\r\n.c: d\r\n\r\n.\r\n", 13 },
    { "A: b\r\n", "A: b\r\n", 6 },
    { "\r\nA: b\r\n", "\r\nA: b\r\n", 0 },
    { "A: b.\r\n.", "A: b.\r\n", 7 }, /* cut off in a line */
    { "", "", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) content = g_byte_array_new ();

      g_byte_array_append (content, (const guint8 *) rows[i].wire, (guint) strlen (rows[i].wire));
      g_assert_cmpuint (reroute_dsn_unstuff (content), ==, rows[i].n_headers);
      g_assert_cmpmem (content->data, content->len, rows[i].plain, strlen (rows[i].plain));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  set_zone ("UTC0");
  g_test_add_func ("/smtp/date", test_date);
  g_test_add_func ("/smtp/trace-header", test_trace_header);
  g_test_add_func ("/smtp/dsn/hide-hosts", test_hide_hosts);
  g_test_add_func ("/smtp/dsn/header-section", test_header_section);
  g_test_add_func ("/smtp/dsn/failed", test_failed);
  g_test_add_func ("/smtp/dsn/delayed-beyond-ascii", test_delayed_beyond_ascii);
  g_test_add_func ("/smtp/dsn/hostile", test_hostile);
  g_test_add_func ("/smtp/dsn/asked-for", test_asked_for);
  g_test_add_func ("/smtp/dsn/relayed", test_relayed);
  g_test_add_func ("/smtp/dsn/who-wants-what", test_who_wants_what);
  return g_test_run ();
}
