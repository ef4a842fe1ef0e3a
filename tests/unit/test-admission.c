/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-admission.c - errors of a client by the clock
 */

#include "config.h"

#include "service/relay/receive/admission.h"

#include "common/limits.h"
#include "tests/unit/sample-rules.h"

#define BEGIN_US (G_GINT64_CONSTANT (1000) * G_USEC_PER_SEC)

typedef struct
{
  guint at_s;         /* since the beginning */
  const char *client; /* that makes an error */
  gboolean put_off;   /* by it */
} ErrorRow;

typedef struct
{
  const char *name;
  const char *settings;
  ErrorRow errors[5];
  guint at_s; /* when @client comes */
  const char *client;
  gboolean refused;
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "under", "max-error-rate=2", { { 0, "192.0.2.9", FALSE } }, 1, "192.0.2.9", FALSE },
  { "at-the-limit", "max-error-rate=2", { { 0, "192.0.2.9", FALSE }, { 59, "192.0.2.9", TRUE } }, 60, "192.0.2.9", TRUE },
  { "over", "max-error-rate=2",
    { { 0, "192.0.2.9", FALSE }, { 1, "192.0.2.9", TRUE }, { 2, "192.0.2.9", TRUE } }, 3, "192.0.2.9", TRUE },
  { "not-within-a-minute", "max-error-rate=2",
    { { 0, "192.0.2.9", FALSE }, { 60, "192.0.2.9", FALSE }, { 120, "192.0.2.9", FALSE } }, 121, "192.0.2.9", FALSE },
  { "for-five-minutes", "max-error-rate=1", { { 10, "192.0.2.9", TRUE } }, 309, "192.0.2.9", TRUE },
  { "for-no-longer", "max-error-rate=1", { { 10, "192.0.2.9", TRUE } }, 310, "192.0.2.9", FALSE },
  { "then-anew", "max-error-rate=2",
    { { 0, "192.0.2.9", FALSE }, { 0, "192.0.2.9", TRUE }, { 300, "192.0.2.9", FALSE } }, 301, "192.0.2.9", FALSE },
  { "another-client", "max-error-rate=1", { { 0, "192.0.2.9", TRUE } }, 1, "192.0.2.10", FALSE },
  { "each-its-own", "max-error-rate=2",
    { { 0, "192.0.2.9", FALSE }, { 0, "192.0.2.10", FALSE } }, 1, "192.0.2.9", FALSE },
  { "same-network", "max-error-rate=2",
    { { 0, "2001:db8::1", FALSE }, { 0, "2001:db8::2", TRUE } }, 1, "2001:db8::3", TRUE },
  { "another-network", "max-error-rate=1", { { 0, "2001:db8::1", TRUE } }, 1, "2001:db8:0:1::1", FALSE },
  { "no-limit", "max-error-rate=0", { { 0, "192.0.2.9", FALSE }, { 0, "192.0.2.9", FALSE } }, 1, "192.0.2.9", FALSE },
  { "permitted", "max-error-rate=1\npermitted-hosts=192.0.2.0/24", { { 0, "192.0.2.9", FALSE } }, 1, "192.0.2.9", FALSE },
  /* clang-format on */
};

static RerouteIp
to_ip (const char *text)
{
  RerouteIp ip;

  g_assert_true (reroute_ip_parse (text, &ip));
  return ip;
}

static void
test_errors (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (RerouteRuleset) rules = sample_rules ("", row->settings);
  g_autoptr (RerouteAdmission) admission = reroute_admission_new ();
  RerouteIp ip = to_ip (row->client);
  guint64 counts[REROUTE_N_REFUSED];

  for (gsize i = 0; i < G_N_ELEMENTS (row->errors) && row->errors[i].client != NULL; i++)
    {
      RerouteClient client = { .ip = to_ip (row->errors[i].client) };
      gint64 now_us = BEGIN_US + row->errors[i].at_s * G_USEC_PER_SEC;
      g_assert_cmpint (reroute_admission_count_error (admission, rules, &client, now_us),
                       ==,
                       row->errors[i].put_off);
    }
  g_autoptr (RerouteReply) refusal = reroute_admission_enter (
    admission, rules, &ip, FALSE, BEGIN_US + row->at_s * G_USEC_PER_SEC);
  reroute_admission_get_refused (admission, counts);
  g_assert_cmpuint (counts[REROUTE_REFUSED_ERRORS], ==, row->refused);
  if (row->refused)
    {
      g_assert_nonnull (refusal);
      g_assert_cmpuint (refusal->code, ==, 421);
      g_assert_cmpstr (refusal->status, ==, "4.7.0");
      return;
    }
  g_assert_null (refusal);
  reroute_admission_leave (admission, &ip);
}

/* Who has logged in is served like a permitted host. */
static void
test_authenticated (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules ("", "max-error-rate=1");
  g_autoptr (RerouteAdmission) admission = reroute_admission_new ();
  const RerouteClient client = { .ip = to_ip ("192.0.2.9"), .authenticated = TRUE };

  g_assert_false (reroute_admission_count_error (admission, rules, &client, BEGIN_US));
}

/* Of who sends only, the door keeps out what its recipients would be refused for anyway. */
static void
test_mode (void)
{
  static const struct
  {
    const char *settings;
    gboolean may_log_in;
    gboolean refused;
  } cases[] = {
    { "transfer-mode=both", FALSE, FALSE },
    { "transfer-mode=inbound", FALSE, FALSE },
    { "transfer-mode=outbound", FALSE, TRUE },
    { "transfer-mode=outbound", TRUE, FALSE },
    { "transfer-mode=outbound\npermitted-hosts=192.0.2.9", FALSE, FALSE },
    { "transfer-mode=none", TRUE, TRUE },
    { "transfer-mode=none\npermitted-hosts=192.0.2.9", FALSE, TRUE },
    { "transfer-mode=outbound\nforbidden-hosts=192.0.2.9", TRUE, TRUE },
  };
  RerouteIp ip = to_ip ("192.0.2.9");
  RerouteIp other = to_ip ("192.0.2.10");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RerouteRuleset) rules = sample_rules ("", cases[i].settings);
      g_autoptr (RerouteRuleset) open = sample_rules ("", "");
      g_autoptr (RerouteAdmission) admission = reroute_admission_new ();
      g_autoptr (RerouteReply) refusal =
                   reroute_admission_enter (admission, rules, &ip, cases[i].may_log_in, BEGIN_US);
      g_autoptr (RerouteReply) none = NULL;
      g_autoptr (RerouteReply) moved = NULL;

      g_assert_cmpint (refusal != NULL, ==, cases[i].refused);
      none = reroute_admission_enter (admission, open, &other, FALSE, BEGIN_US);
      g_assert_null (none);
      moved = reroute_admission_move (admission, rules, &other, &ip, cases[i].may_log_in, BEGIN_US);
      g_assert_cmpint (moved != NULL, ==, cases[i].refused);
    }
}

/* The table of clients is bounded: a flood of addresses takes no more than its room. */
static void
test_many_clients (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules ("", "max-error-rate=2");
  g_autoptr (RerouteAdmission) admission = reroute_admission_new ();
  RerouteClient client = { .ip = to_ip ("10.0.0.0") };

  g_assert_false (reroute_admission_count_error (admission, rules, &client, BEGIN_US));
  for (guint i = 1; i <= REROUTE_LIMIT_RATE_CLIENTS; i++)
    {
      client.ip.octets[13] = (guint8) (i >> 16);
      client.ip.octets[14] = (guint8) (i >> 8);
      client.ip.octets[15] = (guint8) i;
      g_assert_false (reroute_admission_count_error (admission, rules, &client, BEGIN_US));
    }
  /* The first was forgotten with all that were there when the room was used up. */
  client.ip = to_ip ("10.0.0.0");
  g_assert_false (reroute_admission_count_error (admission, rules, &client, BEGIN_US));
  g_assert_true (reroute_admission_count_error (admission, rules, &client, BEGIN_US));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/admission/errors/", rows[i].name, NULL);
      g_test_add_data_func (path, &rows[i], test_errors);
    }
  g_test_add_func ("/admission/mode", test_mode);
  g_test_add_func ("/admission/errors/authenticated", test_authenticated);
  g_test_add_func ("/admission/errors/many-clients", test_many_clients);
  return g_test_run ();
}
