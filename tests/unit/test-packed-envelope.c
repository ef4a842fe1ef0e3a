/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-packed-envelope.c - what an envelope holds is the same after it was packed
 */

#include "config.h"

#include "service/relay/smtp/packed-envelope.h"

static void
add (RerouteEnvelope *envelope,
     const char *text,
     RerouteRowRef admitted_by,
     guint notify,
     const char *original)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, TRUE, &error);

  g_assert_no_error (error);
  RerouteRecipient *recipient = reroute_envelope_add_recipient (envelope, address, admitted_by);
  recipient->notify = notify;
  recipient->original = g_strdup (original);
}

static void
check_recipient (const RerouteRecipient *a, const RerouteRecipient *b)
{
  g_assert_cmpstr (a->address->text, ==, b->address->text);
  g_assert_cmpstr (a->address->local_part, ==, b->address->local_part);
  g_assert_cmpstr (a->address->domain, ==, b->address->domain);
  g_assert_cmpstr (a->address->key, ==, b->address->key);
  g_assert_cmpint (a->admitted_by.page, ==, b->admitted_by.page);
  g_assert_cmpint (a->admitted_by.id, ==, b->admitted_by.id);
  g_assert_cmpuint (a->notify, ==, b->notify);
  g_assert_cmpstr (a->original, ==, b->original);
}

static void
check (const RerouteEnvelope *envelope)
{
  g_autofree guint8 *packed = reroute_envelope_pack (envelope);
  g_autoptr (RerouteEnvelope) again = reroute_envelope_unpack (packed);

  g_assert_cmpstr (again->reverse_path, ==, envelope->reverse_path);
  g_assert_cmpstr (again->helo, ==, envelope->helo);
  g_assert_cmpstr (again->id, ==, envelope->id);
  g_assert_cmpint (again->body_8bitmime, ==, envelope->body_8bitmime);
  g_assert_cmpint (again->smtputf8, ==, envelope->smtputf8);
  g_assert_cmpint (again->ascii_header, ==, envelope->ascii_header);
  g_assert_cmpint (again->client_permitted, ==, envelope->client_permitted);
  g_assert_cmpint (again->held, ==, envelope->held);
  g_assert_cmpint (again->requiretls, ==, envelope->requiretls);
  g_assert_cmpint (again->tls_optional, ==, envelope->tls_optional);
  g_assert_cmpint (again->returns, ==, envelope->returns);
  g_assert_cmpmem (
    &again->client_ip, sizeof again->client_ip, &envelope->client_ip, sizeof envelope->client_ip);
  g_assert_cmpuint (again->recipients->len, ==, envelope->recipients->len);
  for (guint i = 0; i < envelope->recipients->len; i++)
    check_recipient (reroute_envelope_get_recipient (again, i),
                     reroute_envelope_get_recipient (envelope, i));
}

static RerouteEnvelope *
make (const char *ip, const char *reverse_path, const char *helo)
{
  RerouteEnvelope *envelope = reroute_envelope_new ();

  g_assert_true (reroute_ip_parse (ip, &envelope->client_ip));
  g_free (envelope->reverse_path);
  envelope->reverse_path = g_strdup (reverse_path);
  g_free (envelope->helo);
  envelope->helo = g_strdup (helo);
  return envelope;
}

static void
test_plain (void)
{
  g_autoptr (RerouteEnvelope) envelope = make ("192.0.2.1", "a@here.test", "client.test");
  const RerouteRowRef row = { REROUTE_PAGE_ROUTING, 1 };

  add (envelope, "user@Test.Com", row, 0, NULL);
  check (envelope);
}

/* Every field, at the ends of its range. */
static void
test_everything (void)
{
  g_autoptr (RerouteEnvelope) envelope = make ("2001:db8::1", "", "");
  const RerouteRowRef rows[] = { { REROUTE_PAGE_ROUTING, 0 },
                                 { REROUTE_PAGE_CONNECTIONS, 127 },
                                 { REROUTE_PAGE_CONNECTIONS, 128 },
                                 { REROUTE_PAGE_ROUTING, G_MAXINT64 } };

  envelope->body_8bitmime = TRUE;
  envelope->smtputf8 = TRUE;
  envelope->ascii_header = TRUE;
  envelope->client_permitted = TRUE;
  envelope->held = TRUE;
  envelope->tls_optional = TRUE;
  envelope->requiretls = TRUE;
  envelope->returns = REROUTE_RETURN_HEADERS;
  envelope->id = g_strdup ("QQ+3D314");
  add (envelope, "postmaster", rows[0], REROUTE_NOTIFY_NEVER, NULL);
  add (envelope, "\"a b\\\"c\"@[192.0.2.7]", rows[1], REROUTE_NOTIFY_DELAY, "rfc822;a+2Bb@c");
  add (envelope,
       "J\xc3\xbcrgen@b\xc3\xbc"
       "cher.test",
       rows[2],
       0,
       "utf-8;x");
  add (envelope,
       "a@b.test",
       rows[3],
       REROUTE_NOTIFY_SUCCESS | REROUTE_NOTIFY_FAILURE | REROUTE_NOTIFY_DELAY,
       "rfc822;a@b.test");
  check (envelope);
}

/* More than one octet counts, and more than the buffer that is usual holds. */
static void
test_many (void)
{
  g_autoptr (RerouteEnvelope) envelope = make ("::", "a@here.test", "client.test");

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *text = g_strdup_printf ("user%u@test%u.com", i, i % 7);
      const RerouteRowRef row = { REROUTE_PAGE_CONNECTIONS, i * 1000 };

      add (envelope, text, row, 0, i % 3 == 0 ? "rfc822;x" : NULL);
    }
  check (envelope);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/packed-envelope/plain", test_plain);
  g_test_add_func ("/packed-envelope/everything", test_everything);
  g_test_add_func ("/packed-envelope/many", test_many);
  return g_test_run ();
}
