/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-ruleset-check.c - what is found in a set of rules, in words, and only where it belongs
 */

#include "config.h"

#include "common/ruleset-check.h"

#include "common/codec.h"
#include "tests/unit/check-cases.h"
#include "tests/unit/sample-rules.h"

#include <string.h>

static const CheckCase cases[] = {
  { "clean",
    "Q190710",
    NULL,
    "routing,a.test,,reroute,b.test\nconnections,c.test,,host,gw.test",
    "",
    "" },
  { "loop",
    "issue 2",
    NULL,
    "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,a.test",
    "",
    "error loop r1 r2" },
  { "loop-self", "conformance N03", NULL, "routing,a.test,,reroute,a.test", "", "error loop r1" },
  { "loop-self-exact",
    "conformance N03",
    NULL,
    "routing,a.test,exact,reroute,A.Test.",
    "",
    "error loop r1" },
  { "loop-of-three",
    "design 3",
    NULL,
    "routing,c.test,,reroute,a.test\nrouting,a.test,,reroute,b.test\nrouting,b.test,,reroute,x.c."
    "test",
    "",
    "error loop r1 r2 r3" },
  { "loop-behind-chain",
    "design 3",
    NULL,
    "routing,z.test,,reroute,a.test\nrouting,a.test,,reroute,b.test\nrouting,b.test,,reroute,a."
    "test",
    "",
    "error loop r2 r3" },
  { "loop-off",
    "design 3",
    NULL,
    "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,a.test,,no",
    "",
    "note never-acts-disabled-alone r2" },
  { "loop-broken-by-exact",
    "Q169683",
    NULL,
    "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,x.a.test\nrouting,x.a.test,exact,"
    "relay\nconnections,x.a.test,,dns",
    "",
    "" },
  { "list-empty",
    "issue 4",
    NULL,
    "connections,a.test,,host,gw.test,,,,list\nconnections,b.test,,host,gw.test,,,,list\n"
    "recipients,u@sub.b.test",
    "",
    "warning list-empty c1" },
  { "list-below-an-exact-entry",
    "issue 4",
    NULL,
    "connections,a.test,exact,host,gw.test,,,,list\nconnections,b.test,exact,host,gw.test,,,,list\n"
    "recipients,u@x.y.a.test\nrecipients,u@x.b.test\nrecipients,u@b.test\n"
    "recipients,u@z.x.b.test",
    "",
    "warning list-empty c1" },
  { "list-of-an-entry-that-is-off",
    "issue 4",
    NULL,
    "connections,a.test,,host,gw.test,,no,,list",
    "",
    "note never-acts-disabled-alone c1" },
  { "call-ahead-by-dns",
    "issue 4",
    NULL,
    "connections,a.test,,dns,,,,,call-ahead\nconnections,b.test,,host,gw.test,,,,call-ahead\n"
    "routing,c.test,,reroute,d.test,,,,call-ahead\nrouting,e.test,,reroute,b.test,,,,call-ahead\n"
    "routing,f.test,,reroute,[192.0.2.1],,,,call-ahead",
    "",
    "warning call-ahead-by-dns c1; warning call-ahead-by-dns r3" },
  { "call-ahead-by-dns-not-asked",
    "the Routing entry admits",
    NULL,
    "routing,a.test,,relay\nconnections,a.test,,dns,,,,,call-ahead",
    "",
    "warning both-pages-admission c2 r1" },
  { "call-ahead-to-default-hosts",
    "issue 4",
    NULL,
    "routing,a.test,,reroute,b.test,,,,call-ahead",
    "default-delivery=gw.test\n",
    "" },
  { "account-without-tls",
    "issue 4",
    NULL,
    "connections,a.test,,host,gw.test,,,,,none,smart\nconnections,b.test,,host,127.0.0.1:26,,,,,"
    "none,smart\nconnections,c.test,,host,gw.test,,,,,,smart\nconnections,d.test,,host,gw.test,,"
    ",,,none\nconnections,e.test,,host,localhost:26;[::1]:26,,,,,none,smart\n"
    "connections,f.test,,host,127.0.0.1:26;gw.test,,,,,none,smart",
    "",
    "warning account-without-tls c1; warning account-without-tls c6" },
  { "account-without-tls-by-setting",
    "choose_account()",
    NULL,
    "connections,a.test,,host,gw.test,,,,,,smart\nconnections,b.test,,host,gw.test,,,,,encrypted,"
    "smart\nconnections,c.test,,host,gw.test,,,,,none,smart\nconnections,d.test,,host,gw.test,,,,,,"
    "smart,,/c.pem\nconnections,e.test,,host,gw.test,,no,,,,smart",
    "tls-level=none",
    "warning account-without-tls c1; warning account-without-tls c3; note "
    "never-acts-disabled-alone c5" },
  { "subdomains-folded",
    "Q307628",
    NULL,
    "routing,a.test,,reroute,a.test\nrouting,a.test,exact,inbound",
    CHECK_CASES_INBOUND,
    "" },
  { "target-covered",
    "Q169683",
    NULL,
    "routing,ms.com,,reroute,host1.ms.com",
    "",
    "note target-covered r1" },
  { "inbound-host-missing",
    "design 3",
    NULL,
    "routing,a.test,,inbound",
    "",
    "error inbound-host-missing r1" },
  { "inbound-host-set", "design 3", NULL, "routing,a.test,,inbound", CHECK_CASES_INBOUND, "" },
  { "inbound-off",
    "design 3",
    NULL,
    "routing,a.test,,inbound,,,no",
    "",
    "note never-acts-disabled-alone r1" },
  { "inbound-with-table-off",
    "design 3",
    NULL,
    "routing,a.test,,inbound",
    "reroute=no",
    "note reroute-off" },
  { "both-pages",
    "Q190710",
    NULL,
    "routing,a.test,,reroute,b.test\nconnections,a.test,,host,gw.test",
    "",
    "warning never-acts-rerouted c2 r1" },
  { "both-pages-subdomain",
    "Q190710",
    NULL,
    "routing,a.test,,reroute,b.test\nconnections,x.a.test,,host,gw.test",
    "",
    "warning never-acts-rerouted c2 r1" },
  { "both-pages-exact",
    "Q169683",
    NULL,
    "routing,a.test,exact,reroute,b.test\nconnections,a.test,,host,gw.test",
    "",
    "" },
  { "both-pages-relay",
    "Q259531",
    NULL,
    "routing,a.test,,relay\nconnections,a.test,,host,gw.test",
    "",
    "" },
  { "both-pages-senders",
    "design 3, decision 5",
    NULL,
    "routing,a.test,,relay,,anyone\nconnections,a.test,,host,gw.test,permitted\n"
    "routing,b.test,,relay,,permitted\nconnections,b.test,,host,gw.test,permitted\n"
    "routing,c.test,,relay,,permitted\nconnections,x.c.test,,dns",
    "",
    "warning both-pages-admission c2 r1; warning both-pages-admission c6 r5; note "
    "always-relay-default r5" },
  { "both-pages-check",
    "design 3, decision 5",
    NULL,
    "routing,a.test,,relay\nconnections,a.test,,host,gw.test,,,,call-ahead\n"
    "routing,b.test,,relay,,,,,call-ahead\nconnections,b.test,,host,gw.test,,,,call-ahead\n"
    "routing,c.test,,relay,,,,,call-ahead\nconnections,c.test,,host,gw.test",
    "",
    "warning both-pages-admission c2 r1" },
  { "both-pages-other-senders-below",
    "design 3",
    NULL,
    "routing,a.test,exact,relay,,permitted\nconnections,a.test,,host,gw.test\n"
    "routing,b.test,,relay,,permitted,no\nconnections,b.test,,host,gw.test\n"
    "routing,x.c.test,,relay,,permitted\nconnections,c.test,,host,gw.test",
    "",
    "note never-acts-disabled-alone r3" },
  { "both-pages-back-senders",
    "design 3, decision 5",
    NULL,
    "routing,a.test,,reroute,h.a.test,permitted\nconnections,a.test,,host,gw.test",
    "",
    "warning both-pages-admission c2 r1; note target-covered r1" },
  { "both-pages-senders-table-off",
    "design 3",
    NULL,
    "routing,a.test,,relay,,permitted,,yes\nconnections,a.test,,host,gw.test",
    "reroute=no",
    "note reroute-off" },
  { "both-pages-leaves",
    "design 6, SRS",
    NULL,
    "routing,a.test,,relay,,,,yes\nconnections,a.test,,host,gw.test\n"
    "routing,b.test,,relay,,,,yes\nconnections,b.test,,host,gw.test,,,yes\n"
    "routing,c.test,,relay\nconnections,c.test,,host,gw.test,,,yes\n"
    "routing,d.test,,relay,,,,yes\nconnections,d.test,exact,host,gw.test",
    "",
    "warning both-pages-leaves c2 r1" },
  { "both-pages-inbound",
    "conformance N04",
    NULL,
    "routing,a.test,,inbound\nconnections,a.test,,host,gw.test",
    CHECK_CASES_INBOUND,
    "warning never-acts-inbound c2 r1" },
  { "both-pages-back",
    "Q169683",
    NULL,
    "routing,a.test,,reroute,h.a.test\nconnections,a.test,,host,gw.test",
    "",
    "note target-covered r1" },
  { "both-pages-table-off",
    "design 3",
    NULL,
    "routing,a.test,,reroute,b.test\nconnections,a.test,,host,gw.test",
    "reroute=no",
    "note reroute-off" },
  { "relay-default",
    "design 3",
    NULL,
    "routing,a.test,,relay",
    "",
    "note always-relay-default r1" },
  { "disabled",
    "design 3",
    NULL,
    "routing,x.a.test,,relay,,,no\nrouting,a.test,,reroute,b.test",
    "",
    "note never-acts-disabled r1 r2" },
  { "own-port", "design 5", NULL, "connections,a.test,,host,127.0.0.1", "", "error own-port c1" },
  { "own-port-name",
    "design 5",
    NULL,
    "connections,a.test,,host,localhost:2525",
    "listen=127.0.0.1:2525",
    "error own-port c1" },
  { "other-port",
    "design 5",
    NULL,
    "connections,a.test,,host,127.0.0.1:2526",
    "listen=127.0.0.1:2525",
    "" },
  { "other-loopback",
    "design 5",
    NULL,
    "connections,a.test,,host,127.0.0.2:2525",
    "listen=127.0.0.1:2525",
    "" },
  { "own-address",
    "design 5",
    NULL,
    "connections,a.test,,host,192.0.2.1",
    "own-addresses=192.0.2.1",
    "error own-port c1" },
  { "own-hostname",
    "design 5",
    NULL,
    "connections,a.test,,host,Mail.test",
    "hostname=mail.test",
    "error own-port c1" },
  { "own-target",
    "design 5",
    NULL,
    "routing,a.test,,reroute,[127.0.0.1]",
    "",
    "error own-port r1" },
  { "own-inbound-host", "design 5", NULL, "", "inbound-host=[::1]:25", "error own-port" },
  { "own-inbound-lmtp", "design 5", NULL, "", "inbound-host=lmtp:[::1]:25", "error own-port" },
  { "inbound-socket", "design 5", NULL, "", "inbound-host=lmtp:/run/lmtp", "" },
  { "tls-whole",
    "issue 4",
    NULL,
    "",
    "tls-certificate=/a.pem,/b.pem\ntls-key=/a.key,/b.key\nlisten-tls=127.0.0.1:465",
    "" },
  { "tls-one-file", "issue 4", NULL, "", "tls-certificate=/a.pem,/b.pem", "" },
  { "tls-keys",
    "issue 4",
    NULL,
    "",
    "tls-certificate=/a.pem,/b.pem\ntls-key=/a.key",
    "warning tls-key-missing" },
  { "tls-no-certificate",
    "issue 4",
    NULL,
    "",
    "listen-tls=127.0.0.1:465",
    "warning tls-certificate-missing" },
  { "port-twice", "bind(2)", "", "", "listen=0.0.0.0:26,127.0.0.1:26", "error port-twice" },
  { "port-below", "bind(2)", NULL, "", "listen=127.0.0.1:26,0.0.0.0:26", "error port-twice" },
  { "port-tls", "bind(2)", "", "", "tls-certificate=/a\nlisten-tls=[::1]:25", "error port-twice" },
  { "port-of-health", "bind(2)", "", "", "health-listen=127.0.0.1:25", "error port-twice" },
  { "port-of-metrics", "bind(2)", "", "", "metrics-listen=[::1]:25", "error port-twice" },
  { "port-once", "bind(2)", "", "", "listen=0.0.0.0:25,[::]:25,127.0.0.1:26,127.0.0.2:26", "" },
  { "source-two", "setting", "", "", "source-address=::1,::2", "error source-address-twice" },
  { "source-both", "setting", "", "", "source-address=192.0.2.1,::1", "" },
  { "permitted-all", "exchange", NULL, "", "permitted-hosts=0.0.0.0/0", "confirm permitted-wide" },
  { "permitted-ipv4", "exchange", NULL, "", "permitted-hosts=::/80", "confirm permitted-wide" },
  { "permitted-network", "exchange", NULL, "", "permitted-hosts=10.0.0.0/8,2001::/16", "" },
  { "xclient-all", "exchange", NULL, "", "xclient-hosts=0.0.0.0/0", "confirm xclient-wide" },
  { "proxy-all", "exchange", NULL, "", "proxy-hosts=::/0,8000::/1", "confirm proxy-wide" },
  { "single-label",
    "design 3",
    NULL,
    "connections,com,,host,gw.test",
    "",
    "confirm anyone-single-label c1" },
  { "public-suffix",
    "design 3",
    NULL,
    "connections,co.uk,,host,gw.test",
    "",
    "confirm anyone-public-suffix c1" },
  { "permitted-suffix", "design 3", NULL, "connections,co.uk,,host,gw.test,permitted", "", "" },
};

static RerouteFinding *
get_only (GPtrArray *findings, const char *code)
{
  RerouteFinding *found = NULL;

  for (guint i = 0; i < findings->len; i++)
    if (g_str_equal (((RerouteFinding *) findings->pdata[i])->code, code))
      {
        g_assert_null (found);
        found = findings->pdata[i];
      }
  g_assert_nonnull (found);
  return found;
}

/* Issue 2: the circle is drawn. */
static void
test_circle_drawn (void)
{
  g_autoptr (RerouteRuleset) rules =
               sample_rules ("routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,a.test", "");
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, NULL, NULL);
  RerouteFinding *loop = get_only (findings, "loop");

  g_assert_cmpstr (loop->path[0], ==, "a.test");
  g_assert_cmpstr (loop->path[1], ==, "b.test");
  g_assert_cmpstr (loop->path[2], ==, "a.test");
  g_assert_null (loop->path[3]);
  g_assert_nonnull (strstr (loop->sentence, "a.test -> b.test -> a.test"));
  g_assert_true (loop == findings->pdata[0]);
}

static RerouteRuleset *
make_twins (void)
{
  g_autoptr (RerouteRuleset) base =
               sample_rules ("routing,a.test,,relay\nconnections,b.test,,host,one.test", "");
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (base);
  RerouteRowFields a = { .domain = "A.test", .enabled = TRUE };
  RerouteRowFields b = { .domain = "b.test" };
  g_autoptr (RerouteRoutingEntry) entry =
               reroute_routing_entry_new (&a, REROUTE_ROUTING_RELAY, NULL, NULL);
  g_autoptr (RerouteEmailDomain) domain = reroute_email_domain_new (&b, NULL, NULL);
  g_autoptr (RerouteChange) first = reroute_change_new_put (entry);
  g_autoptr (RerouteChange) second = reroute_change_new_put (domain);

  g_assert_true (reroute_ruleset_builder_apply (builder, first, NULL));
  g_assert_true (reroute_ruleset_builder_apply (builder, second, NULL));
  return reroute_ruleset_builder_build (builder, 2);
}

/* Issue 2: a second row for the same domain and match, also when one of them is off. */
static void
test_duplicates (void)
{
  g_autoptr (RerouteRuleset) rules = make_twins ();
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  const RerouteRuleset *const bases[] = { NULL, empty };

  for (gsize i = 0; i < G_N_ELEMENTS (bases); i++)
    {
      g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, bases[i], NULL);
      RerouteFinding *routing = get_only (findings, "duplicate");
      RerouteFinding *connections = get_only (findings, "duplicate-hosts");
      g_assert_cmpint (routing->level, ==, REROUTE_FINDING_ERROR);
      g_assert_cmpint (connections->level, ==, REROUTE_FINDING_ERROR);
      g_assert_cmpuint (routing->rows->len, ==, 2);
      g_assert_nonnull (strstr (connections->sentence, "b.test"));
    }
}

static void
test_mx_facts (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules (
    "connections,gmail.com,,host,gw.test\nconnections,ours.test,,dns\nconnections,quiet.test,,dns\n"
    "connections,new.test,,dns\nrouting,new.test,,relay\nrouting,own.test,,relay,,permitted",
    "");
  g_autoptr (GHashTable) facts = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (facts, (gpointer) "gmail.com", GINT_TO_POINTER (REROUTE_MX_ELSEWHERE));
  g_hash_table_insert (facts, (gpointer) "ours.test", GINT_TO_POINTER (REROUTE_MX_HERE));
  g_hash_table_insert (facts, (gpointer) "quiet.test", GINT_TO_POINTER (REROUTE_MX_SILENT));
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, NULL, facts);
  RerouteFinding *finding = get_only (findings, "anyone-not-ours");
  g_assert_cmpint (finding->level, ==, REROUTE_FINDING_CONFIRM);
  g_assert_cmpstr (finding->key, ==, "anyone connections gmail.com");
  finding = get_only (findings, "anyone-not-asked");
  g_assert_cmpint (finding->level, ==, REROUTE_FINDING_CONFIRM);
  g_assert_cmpstr (finding->arguments[0], ==, "1");
  g_assert_cmpstr (finding->key, ==, REROUTE_KEY_NOT_ASKED);
}

static void
test_questions (void)
{
  g_autoptr (RerouteRuleset) base = sample_rules ("connections,old.test,,dns", "");
  g_autoptr (RerouteRuleset) rules = sample_rules_edit (
    base,
    "routing,new.test,,relay\nconnections,new.test,,dns\nconnections,mine.test,,dns,,permitted\n"
    "connections,off.test,,dns,,,no\nconnections,com,,dns\nrouting,192.0.2.1,,relay",
    "");
  g_auto (GStrv) all = reroute_ruleset_check_questions (rules, NULL);
  g_auto (GStrv) changed = reroute_ruleset_check_questions (rules, base);

  g_assert_cmpuint (g_strv_length (changed), ==, 1);
  g_assert_cmpstr (changed[0], ==, "new.test");
  g_assert_cmpuint (g_strv_length (all), ==, 2);
  g_assert_true (g_strv_contains ((const char *const *) all, "new.test"));
  g_assert_true (g_strv_contains ((const char *const *) all, "old.test"));
}

static void
test_postmaster (void)
{
  g_autoptr (RerouteRuleset) nowhere = sample_rules ("", "");
  g_autoptr (RerouteRuleset) mailbox = sample_rules ("", "postmaster=a@b.test");
  g_autoptr (RerouteRuleset) unrelated = sample_rules_edit (nowhere, "", "workers=2");
  g_autoptr (GPtrArray) found = reroute_ruleset_check (nowhere, NULL, NULL);
  g_autoptr (GPtrArray) none = reroute_ruleset_check (mailbox, NULL, NULL);
  g_autoptr (GPtrArray) silent = reroute_ruleset_check (unrelated, nowhere, NULL);

  g_assert_cmpint (get_only (found, "postmaster-missing")->level, ==, REROUTE_FINDING_WARNING);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_cmpuint (silent->len, ==, 0);
}

/* A person reads findings; a table full of the same is not told row by row. */
static void
test_bounded (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (int i = 0; i < 300; i++)
    g_string_append_printf (text, "routing,d%d.test,,relay\n", i);
  g_autoptr (RerouteRuleset) rules = sample_rules (text->str, "postmaster=a@b.test");
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, NULL, NULL);
  g_assert_cmpuint (findings->len, ==, 201);
  g_assert_cmpstr (get_only (findings, "more")->arguments[0], ==, "100");
}

static void
test_unknown_code_kept (void)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_parsed (
    "[('warning', 'of-tomorrow', 'A sentence.', ['x'], @as [], '', [('routing', @x 3)])]"));
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) findings = reroute_findings_from_variant (variant, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (get_only (findings, "of-tomorrow")->sentence, ==, "A sentence.");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  check_cases_add ("/ruleset-check", cases, G_N_ELEMENTS (cases));
  g_test_add_func ("/ruleset-check/circle-drawn", test_circle_drawn);
  g_test_add_func ("/ruleset-check/duplicates", test_duplicates);
  g_test_add_func ("/ruleset-check/mx-facts", test_mx_facts);
  g_test_add_func ("/ruleset-check/questions", test_questions);
  g_test_add_func ("/ruleset-check/postmaster", test_postmaster);
  g_test_add_func ("/ruleset-check/bounded", test_bounded);
  g_test_add_func ("/ruleset-check/unknown-code-kept", test_unknown_code_kept);
  return g_test_run ();
}
