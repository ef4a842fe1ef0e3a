/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-next-hop.c - from a decision to endpoints, with DNS from a table
 */

#include "config.h"

#include "service/relay/deliver/next-hop.h"
#include "tests/unit/table-resolver.h"

#include <string.h>

/* The world of every row: ourselves are 192.0.2.1 and 2001:db8::1. */
static TableResolver *
make_world (void)
{
  TableResolver *world = table_resolver_new ();

  table_resolver_add_mx (world, "ordered.test", 20, "b.ordered.test");
  table_resolver_add_mx (world, "ordered.test", 10, "a.ordered.test");
  table_resolver_add_address (world, "a.ordered.test", "198.51.100.1");
  table_resolver_add_address (world, "b.ordered.test", "198.51.100.2");
  table_resolver_add_address (world, "nomx.test", "198.51.100.3");
  table_resolver_add_mx (world, "null.test", 0, "");
  table_resolver_add_mx (world, "backup.test", 10, "primary.backup.test");
  table_resolver_add_mx (world, "backup.test", 20, "us.test");
  table_resolver_add_mx (world, "backup.test", 30, "worse.backup.test");
  table_resolver_add_address (world, "primary.backup.test", "198.51.100.4");
  table_resolver_add_address (world, "worse.backup.test", "198.51.100.5");
  table_resolver_add_address (world, "us.test", "192.0.2.1");
  table_resolver_add_mx (world, "ours.test", 10, "us.test");
  table_resolver_add_mx (world, "ours.test", 10, "equal.ours.test");
  table_resolver_add_address (world, "equal.ours.test", "198.51.100.6");
  table_resolver_add_address (world, "self.test", "192.0.2.1");
  table_resolver_add_mx (world, "loopback.test", 10, "lo.test");
  table_resolver_add_address (world, "lo.test", "127.0.0.1");
  table_resolver_add_address (world, "zero.test", "0.0.0.0");
  table_resolver_add_address (world, "zero6.test", "::");
  table_resolver_add_mx (world, "inner.test", 10, "a.inner.test");
  table_resolver_add_address (world, "a.inner.test", "10.1.2.3");
  table_resolver_add_mx (world, "mixed.test", 10, "a.inner.test");
  table_resolver_add_mx (world, "mixed.test", 20, "two.mixed.test");
  table_resolver_add_address (world, "two.mixed.test", "fd00::25");
  table_resolver_add_address (world, "two.mixed.test", "198.51.100.7");
  table_resolver_add_address (world, "bare.inner.test", "169.254.169.254");
  table_resolver_add_mx (world, "half.test", 10, "gone.half.test");
  table_resolver_add_mx (world, "half.test", 20, "b.ordered.test");
  table_resolver_add_mx (world, "hollow.test", 10, "gone.half.test");
  table_resolver_add_failure (world, "dead.test");
  table_resolver_add_mx (world, "limp.test", 10, "dead.test");
  table_resolver_add_mx (world, "limp.test", 20, "b.ordered.test");
  table_resolver_add_mx (world, "blind.test", 10, "dead.test");
  table_resolver_add_address (world, "typed.test", "203.0.113.9");
  return world;
}

static void
take_next_hop (RerouteNextHop *next_hop, gpointer user_data)
{
  *(RerouteNextHop **) user_data = next_hop;
}

static char *
describe (const RerouteNextHop *next_hop)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (next_hop->state != REROUTE_NEXT_HOP_FOUND)
    {
      g_string_printf (text,
                       "%s %s",
                       next_hop->state == REROUTE_NEXT_HOP_FAIL ? "fail" : "defer",
                       next_hop->status);
      g_assert_nonnull (next_hop->reason);
      return g_string_free (g_steal_pointer (&text), FALSE);
    }
  g_string_append (text, next_hop->via);
  for (guint i = 0; i < next_hop->endpoints->len; i++)
    {
      const RerouteEndpoint *endpoint = &g_array_index (next_hop->endpoints, RerouteEndpoint, i);
      g_autofree char *address = reroute_ip_to_string (&endpoint->ip);

      g_string_append (text, endpoint->lmtp ? " lmtp:" : " ");
      if (endpoint->local)
        g_string_append (text, endpoint->name);
      else
        g_string_append_printf (text, "%s=%s:%u", endpoint->name, address, endpoint->port);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

typedef struct
{
  const char *name;
  const char *source;
  const char *hosts; /* NULL: the domain by DNS */
  const char *domain;
  guint turn;
  guint16 mx_port;
  const char *expected;
  gboolean untyped;    /* the domain */
  const char *allowed; /* (nullable): the setting private-targets */
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "by-preference", "RFC 5321 5.1", NULL, "ordered.test", 0, 25, "mx a.ordered.test=198.51.100.1:25 b.ordered.test=198.51.100.2:25" },
  { "as-typed", "design 3", NULL, "Ordered.TEST", 0, 25, "mx a.ordered.test=198.51.100.1:25 b.ordered.test=198.51.100.2:25" },
  { "no-mx", "RFC 5321 5.1", NULL, "nomx.test", 0, 25, "a nomx.test=198.51.100.3:25" },
  { "null-mx", "RFC 7505", NULL, "null.test", 0, 25, "fail 5.1.10" },
  { "no-domain", "RFC 3463", NULL, "nowhere.test", 0, 25, "fail 5.1.2" },
  { "only-better", "RFC 5321 5.1", NULL, "backup.test", 0, 25, "mx primary.backup.test=198.51.100.4:25" },
  { "equal-to-us", "RFC 5321 5.1, Q182406", NULL, "ours.test", 0, 25, "fail 5.4.6" },
  { "address-is-ours", "Q260247", NULL, "self.test", 0, 25, "fail 5.4.6" },
  { "loopback-from-dns", "design 5", NULL, "loopback.test", 0, 25, "fail 5.4.6" },
  { "loopback-from-dns-on-test-port", "next-hop.h", NULL, "loopback.test", 0, 2600, "mx lo.test=127.0.0.1:2600" },
  { "unspecified-from-dns", "OpenSMTPD#1190", NULL, "zero.test", 0, 25, "fail 5.4.6" },
  { "unspecified-from-dns-on-test-port", "OpenSMTPD#1190", NULL, "zero6.test", 0, 2600, "fail 5.4.6" },
  { "private-from-dns", "wire-defaults", NULL, "inner.test", 0, 25, "fail 5.4.4", TRUE },
  { "private-from-dns-on-test-port", "wire-defaults", NULL, "inner.test", 0, 2600, "fail 5.4.4", TRUE },
  { "private-from-dns-without-mx", "wire-defaults", NULL, "bare.inner.test", 0, 25, "fail 5.4.4", TRUE },
  { "private-literal", "wire-defaults", NULL, "[172.31.0.1]", 0, 25, "fail 5.4.4", TRUE },
  { "private-beside-public", "wire-defaults", NULL, "mixed.test", 0, 25, "mx two.mixed.test=198.51.100.7:25", TRUE },
  { "private-that-is-ours", "reroute-settings(5)", NULL, "inner.test", 0, 25, "mx a.inner.test=10.1.2.3:25", TRUE, "10.1.0.0/16" },
  { "private-that-is-not", "reroute-settings(5)", NULL, "inner.test", 0, 25, "fail 5.4.4", TRUE, "10.2.0.0/16" },
  { "public-untyped", "RFC 5321 5.1", NULL, "nomx.test", 0, 25, "a nomx.test=198.51.100.3:25", TRUE },
  { "typed-private", "design 5", NULL, "inner.test", 0, 25, "mx a.inner.test=10.1.2.3:25" },
  { "typed-private-host", "design 5", "a.inner.test;10.1.2.4", NULL, 0, 25, "a a.inner.test=10.1.2.3:25 10.1.2.4=10.1.2.4:25" },
  { "an-exchanger-without-address", "RFC 5321 5.1", NULL, "half.test", 0, 25, "mx b.ordered.test=198.51.100.2:25" },
  { "no-exchanger-with-address", "RFC 5321 5.1", NULL, "hollow.test", 0, 25, "fail 5.4.4" },
  { "dns-is-down", "RFC 5321 5.1", NULL, "dead.test", 0, 25, "defer 4.4.3" },
  { "an-exchanger-unknown", "RFC 5321 5.1", NULL, "limp.test", 0, 25, "mx b.ordered.test=198.51.100.2:25" },
  { "the-exchanger-unknown", "RFC 5321 5.1", NULL, "blind.test", 0, 25, "defer 4.4.3" },
  { "literal", "K01", NULL, "[192.0.2.10]", 0, 25, "ip 192.0.2.10=192.0.2.10:25" },
  { "literal-is-ours", "design 5", NULL, "[192.0.2.1]", 0, 25, "fail 5.4.6" },
  { "literal-v6-is-ours", "design 5", NULL, "[IPv6:2001:db8::1]", 0, 25, "fail 5.4.6" },
  { "this-very-host", "design 3.4", "typed.test:2525", NULL, 0, 25, "a typed.test=203.0.113.9:2525" },
  { "typed-address", "Q190710", "192.0.2.77", NULL, 0, 25, "ip 192.0.2.77=192.0.2.77:25" },
  { "typed-loopback", "design 5", "127.0.0.1:2600", NULL, 0, 25, "ip 127.0.0.1=127.0.0.1:2600" },
  { "typed-own-port", "design 5", "127.0.0.1:2525", NULL, 0, 25, "fail 5.4.6" },
  { "typed-mx", "design 3", "mx:ordered.test", NULL, 0, 25, "mx a.ordered.test=198.51.100.1:25 b.ordered.test=198.51.100.2:25" },
  { "in-order", "design 3", "typed.test;192.0.2.77", NULL, 1, 25, "a typed.test=203.0.113.9:25 192.0.2.77=192.0.2.77:25" },
  { "one-of-two-is-unknown", "design 3", "nowhere.test;192.0.2.77", NULL, 0, 25, "ip 192.0.2.77=192.0.2.77:25" },
  { "typed-host-unknown", "RFC 3463", "nowhere.test", NULL, 0, 25, "fail 5.4.4" },
  { "failure-outweighs-absence", "RFC 5321 4.5.4", "nowhere.test;dead.test", NULL, 0, 25, "defer 4.4.3" },
  /* clang-format on */
};

static char *
resolve_with (RerouteResolver *world,
              RerouteDecision *decision,
              guint turn,
              guint16 mx_port,
              RerouteSettings *settings)
{
  RerouteIp own[2];
  RerouteSelf self = { own, G_N_ELEMENTS (own), 2525, mx_port, settings };
  RerouteNextHop *next_hop = NULL;
  char *text;

  g_assert_true (reroute_ip_parse ("192.0.2.1", &own[0]));
  g_assert_true (reroute_ip_parse ("2001:db8::1", &own[1]));
  reroute_next_hop_resolve (world, decision, &self, turn, take_next_hop, &next_hop);
  while (next_hop == NULL)
    g_main_context_iteration (NULL, TRUE);
  text = describe (next_hop);
  reroute_next_hop_free (next_hop);
  return text;
}

static char *
resolve (RerouteResolver *world, RerouteDecision *decision, guint turn, guint16 mx_port)
{
  return resolve_with (world, decision, turn, mx_port, NULL);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();
  g_autoptr (RerouteSettings) settings = reroute_settings_with (
    defaults, "private-targets", row->allowed != NULL ? row->allowed : "", &error);
  RerouteDecision decision = { .dns_domain = (char *) row->domain, .untyped = row->untyped };
  g_autofree char *text = NULL;

  if (row->hosts != NULL)
    decision.hosts = reroute_hosts_parse (row->hosts, FALSE, &error);
  g_assert_no_error (error);
  text = resolve_with (world, &decision, row->turn, row->mx_port, settings);
  g_assert_cmpstr (text, ==, row->expected);
  g_clear_pointer (&decision.hosts, reroute_hosts_unref);
}

static void
test_inbound_by_lmtp (void)
{
  static const char *const cases[][2] = {
    { "lmtp:typed.test", "a lmtp:typed.test=203.0.113.9:24" },
    { "lmtp:192.0.2.77:2003", "ip lmtp:192.0.2.77=192.0.2.77:2003" },
    { "lmtp:/run/lmtp", "socket lmtp:/run/lmtp" },
  };
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RerouteHosts) hosts = reroute_inbound_host_parse (cases[i][0], NULL);
      RerouteDecision decision = { .hosts = hosts };
      g_autofree char *text = resolve (world, &decision, 0, 25);

      g_assert_cmpstr (text, ==, cases[i][1]);
    }
}

static void
test_same_endpoint (void)
{
  RerouteEndpoint host = { .name = (char *) "a.test", .port = 24 };
  RerouteEndpoint lmtp = { .name = (char *) "b.test", .port = 24, .lmtp = TRUE };
  RerouteEndpoint socket = { .name = (char *) "/run/a", .lmtp = TRUE, .local = TRUE };
  RerouteEndpoint other = { .name = (char *) "/run/b", .lmtp = TRUE, .local = TRUE };

  g_assert_true (reroute_ip_parse ("192.0.2.77", &host.ip));
  lmtp.ip = host.ip;
  g_assert_true (reroute_endpoint_is_same (&host, &host));
  g_assert_false (reroute_endpoint_is_same (&host, &lmtp));
  g_assert_true (reroute_endpoint_is_same (&socket, &socket));
  g_assert_false (reroute_endpoint_is_same (&socket, &other));
  g_autofree char *label = reroute_endpoint_dup_label (&lmtp);
  g_assert_cmpstr (label, ==, "b.test[192.0.2.77]:24");
  g_autofree char *path = reroute_endpoint_dup_label (&socket);
  g_assert_cmpstr (path, ==, "/run/a");
}

/* Hosts that take turns: each comes first in turn, the others stay behind it. */
static void
test_by_turns (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  g_autoptr (RerouteHosts) hosts = reroute_hosts_parse ("192.0.2.7;192.0.2.8", TRUE, NULL);
  RerouteDecision decision = { .hosts = hosts };
  g_autofree char *first = resolve (world, &decision, 0, 25);
  g_autofree char *second = resolve (world, &decision, 1, 25);

  g_assert_cmpstr (first, ==, "ip 192.0.2.7=192.0.2.7:25 192.0.2.8=192.0.2.8:25");
  g_assert_cmpstr (second, ==, "ip 192.0.2.8=192.0.2.8:25 192.0.2.7=192.0.2.7:25");
}

/* Per-domain hosts cure a failing DNS: the recipient's domain is not asked for (Q262782). */
static void
test_no_question_for_the_domain (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  g_autoptr (RerouteHosts) hosts = reroute_hosts_parse ("192.0.2.77", FALSE, NULL);
  RerouteDecision decision = { .hosts = hosts,
                               .dns_domain = NULL,
                               .rcpt_out = (char *) "u@dead.test" };
  g_autofree char *text = resolve (world, &decision, 0, 25);

  g_assert_cmpstr (text, ==, "ip 192.0.2.77=192.0.2.77:25");
  g_assert_cmpuint (table_resolver_get_n_questions ((TableResolver *) world, "dead.test"), ==, 0);
}

/* Equal preferences in random order (Q152165): both orders come up. */
static void
test_equal_preferences_are_shuffled (void)
{
  gboolean seen[2] = { FALSE, FALSE };

  for (guint i = 0; i < 1000 && !(seen[0] && seen[1]); i++)
    {
      TableResolver *world = table_resolver_new ();
      RerouteDecision decision = { .dns_domain = (char *) "eq.test" };
      g_autofree char *text = NULL;

      table_resolver_add_mx (world, "eq.test", 10, "m1.test");
      table_resolver_add_mx (world, "eq.test", 10, "m2.test");
      table_resolver_add_address (world, "m1.test", "198.51.100.1");
      table_resolver_add_address (world, "m2.test", "198.51.100.2");
      text = resolve ((RerouteResolver *) world, &decision, 0, 25);
      seen[g_str_has_prefix (text, "mx m1.test") ? 0 : 1] = TRUE;
      reroute_resolver_free ((RerouteResolver *) world);
    }
  g_assert_true (seen[0] && seen[1]);
}

/* Exchanger number @i of @domain, and one address of it. */
static char *
add_exchanger (TableResolver *world, const char *domain, guint16 preference, guint i)
{
  char *name = g_strdup_printf ("m%u.%s", i, domain);
  g_autofree char *address = g_strdup_printf ("198.51.100.%u", i);

  table_resolver_add_mx (world, domain, preference, name);
  table_resolver_add_address (world, name, address);
  return name;
}

#define N_TRIES 200 /* chance plays a part in them */

/* However many equal ones there are, we are seen among them. */
static void
test_equal_to_us_among_many (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  RerouteDecision decision = { .dns_domain = (char *) "eq.test" };

  for (guint i = 1; i <= 6; i++)
    g_free (add_exchanger ((TableResolver *) world, "eq.test", 10, i));
  table_resolver_add_mx ((TableResolver *) world, "eq.test", 10, "us.test");
  for (guint i = 0; i < N_TRIES; i++)
    {
      g_autofree char *text = resolve (world, &decision, 0, 25);

      g_assert_cmpstr (text, ==, "fail 5.4.6");
    }
}

/* An exchanger with many addresses leaves room for the one behind it. */
static void
test_room_for_the_next_exchanger (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  RerouteDecision decision = { .dns_domain = (char *) "wide.test" };
  g_autofree char *text = NULL;

  g_free (add_exchanger ((TableResolver *) world, "wide.test", 10, 1));
  g_free (add_exchanger ((TableResolver *) world, "wide.test", 20, 2));
  for (guint i = 11; i < 15; i++)
    {
      g_autofree char *address = g_strdup_printf ("198.51.100.%u", i);

      table_resolver_add_address ((TableResolver *) world, "m1.wide.test", address);
    }
  text = resolve (world, &decision, 0, 25);
  g_assert_true (
    g_regex_match_simple ("^mx( m1\\S+){4} m2\\.wide\\.test=198\\.51\\.100\\.2:25$", text, 0, 0));
}

/* More exchangers than a try has addresses: the best have theirs in each, each other one in some.
   Those that have none now are not asked for. */
static void
test_each_exchanger_has_its_turn (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  RerouteDecision decision = { .dns_domain = (char *) "long.test" };
  gboolean seen[10] = { FALSE };

  for (guint i = 1; i < 10; i++)
    g_free (add_exchanger ((TableResolver *) world, "long.test", (guint16) i, i));
  for (guint n = 0; n < N_TRIES; n++)
    {
      g_autofree char *text = resolve (world, &decision, 0, 25);
      const char *last = strrchr (text, ' ');
      guint i = (guint) (last[2] - '0');

      g_assert_true (
        g_regex_match_simple ("^mx m1\\S+ m2\\S+ m3\\S+ m4\\S+ m[5-9]\\S+$", text, 0, 0));
      seen[i] = TRUE;
    }
  for (guint i = 5; i < 10; i++)
    g_assert_true (seen[i]);
  g_assert_cmpuint (
    table_resolver_get_n_questions ((TableResolver *) world, "m5.long.test"), ==, N_TRIES);
  g_assert_cmpuint (
    table_resolver_get_n_questions ((TableResolver *) world, "m9.long.test"), <, N_TRIES);
}

/* Where one family leads nowhere the other one is in each try (wire-defaults). */
static void
test_families_are_balanced (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  RerouteDecision decision = { .dns_domain = (char *) "six.test" };

  for (guint i = 1; i < 9; i++)
    {
      g_autofree char *address = g_strdup_printf ("2001:db8:1::%u", i);

      table_resolver_add_address ((TableResolver *) world, "six.test", address);
    }
  table_resolver_add_address ((TableResolver *) world, "six.test", "198.51.100.1");
  for (guint i = 0; i < N_TRIES; i++)
    {
      g_autofree char *text = resolve (world, &decision, 0, 25);

      g_assert_nonnull (strstr (text, "=198.51.100.1:25"));
    }
}

/* Whether a domain leads here is said of all of its exchangers. */
static void
test_survey_looks_at_all (void)
{
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world ();
  RerouteIp own;
  RerouteSelf self = { &own, 1, 2525, 25, NULL };

  g_assert_true (reroute_ip_parse ("192.0.2.1", &own));
  for (guint16 i = 1; i < 10; i++)
    g_free (add_exchanger ((TableResolver *) world, "tail.test", i, i));
  for (guint has_us = 0; has_us < 2; has_us++)
    {
      RerouteNextHop *next_hop = NULL;

      if (has_us)
        table_resolver_add_mx ((TableResolver *) world, "tail.test", 90, "us.test");
      reroute_next_hop_survey (world, "tail.test", &self, take_next_hop, &next_hop);
      while (next_hop == NULL)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpint (next_hop->leads_here, ==, (int) has_us);
      g_assert_cmpint (next_hop->state, ==, REROUTE_NEXT_HOP_FOUND);
      reroute_next_hop_free (next_hop);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/next-hop/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/next-hop/inbound-by-lmtp", test_inbound_by_lmtp);
  g_test_add_func ("/next-hop/same-endpoint", test_same_endpoint);
  g_test_add_func ("/next-hop/by-turns", test_by_turns);
  g_test_add_func ("/next-hop/no-question-for-the-domain", test_no_question_for_the_domain);
  g_test_add_func ("/next-hop/equal-preferences-are-shuffled", test_equal_preferences_are_shuffled);
  g_test_add_func ("/next-hop/equal-to-us-among-many", test_equal_to_us_among_many);
  g_test_add_func ("/next-hop/room-for-the-next-exchanger", test_room_for_the_next_exchanger);
  g_test_add_func ("/next-hop/each-exchanger-has-its-turn", test_each_exchanger_has_its_turn);
  g_test_add_func ("/next-hop/families-are-balanced", test_families_are_balanced);
  g_test_add_func ("/next-hop/survey-looks-at-all", test_survey_looks_at_all);
  return g_test_run ();
}
