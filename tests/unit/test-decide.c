/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-decide.c - what design.md section 3 says and conformance.json has no row for
 */

#include "config.h"

#include "common/ruleset.h"

#include "tests/unit/sample-rules.h"

#include <string.h>

#define STRANGER "198.51.100.7"
#define PERMITTED "permitted-hosts=10.0.0.0/8"
#define OURS "10.1.2.3"

typedef struct
{
  const char *name;
  const char *source;
  const char *rows;
  const char *settings;
  const char *recipient;
  const char *client; /* NULL: the queue decides, without admission */
  const char *expect; /* action, recipient or reply, next hop, via */
} Row;

static const Row rows[] = {
  /* admission: design 3.5 */
  { "stranger-anyone",
    "design 3",
    "connections,a.test,,host,gw.test",
    "",
    "u@a.test",
    STRANGER,
    "forward u@a.test gw.test a" },
  { "stranger-permitted-only",
    "issue 2",
    "connections,gmail.com,,host,gw.test,permitted",
    PERMITTED,
    "u@gmail.com",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  { "ours-permitted-only",
    "issue 2",
    "connections,gmail.com,,host,gw.test,permitted",
    PERMITTED,
    "u@gmail.com",
    OURS,
    "forward u@gmail.com gw.test a" },
  { "routing-decides-admission",
    "design 3",
    "routing,a.test,,relay,,permitted\nconnections,a.test,,host,gw.test,anyone",
    "",
    "u@a.test",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  { "chain-not-asked",
    "design 3",
    "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,c.test,permitted",
    "",
    "u@a.test",
    STRANGER,
    "rewrite u@c.test c.test mx" },
  { "target-gives-no-right",
    "wire-defaults 1",
    "routing,a.test,,reroute,b.test",
    "",
    "u@b.test",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  { "disabled-gives-no-right",
    "design 3",
    "routing,a.test,,reroute,b.test,,no",
    "",
    "u@a.test",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  { "nobody-permitted-at-first",
    "design 3",
    "",
    "",
    "u@a.test",
    "127.0.0.1",
    "reject 550 5.7.1 Relaying denied" },
  { "queue-without-admission",
    "design 3",
    "connections,gmail.com,,host,gw.test,permitted",
    "",
    "u@gmail.com",
    NULL,
    "forward u@gmail.com gw.test a" },
  { "mapped-client",
    "RFC 4291",
    "",
    PERMITTED,
    "u@a.test",
    "::ffff:10.1.2.3",
    "relay-by-dns u@a.test a.test mx" },
  /* source routes: conformance M03 */
  { "percent-from-ours",
    "Q304897",
    "routing,a.test,,inbound",
    PERMITTED "\ninbound-host=in.test",
    "u%x@a.test",
    OURS,
    "inbound u%x@a.test in.test a" },
  { "bang-from-stranger",
    "Q304897",
    "routing,a.test,,inbound",
    "inbound-host=in.test",
    "x!u@a.test",
    STRANGER,
    "reject 553 5.1.3 Sender-specified routing is not accepted" },
  { "percent-in-queue",
    "Q304897",
    "connections,a.test,,dns",
    "",
    "u%x@a.test",
    NULL,
    "relay-by-dns u%x@a.test a.test mx" },
  /* Routing */
  { "inbound-host-missing",
    "design 3",
    "routing,a.test,,inbound",
    "",
    "u@a.test",
    STRANGER,
    "reject 451 4.3.5 This server is not fully configured" },
  { "self-under-own-domain",
    "Q169683",
    "routing,a.test,,reroute,h.a.test",
    "",
    "u@a.test",
    STRANGER,
    "rewrite u@h.a.test h.a.test mx" },
  { "self-maps",
    "Q169683",
    "routing,a.test,,reroute,h.a.test",
    "",
    "u@h.a.test",
    STRANGER,
    "relay-by-dns u@h.a.test h.a.test mx" },
  { "self-then-connections",
    "design 3",
    "routing,a.test,,reroute,h.a.test\nconnections,h.a.test,,host,gw.test",
    "",
    "u@a.test",
    STRANGER,
    "rewrite u@h.a.test gw.test a" },
  { "circle",
    "design 3",
    "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,c.test\nrouting,c.test,,reroute,b."
    "test",
    "",
    "u@a.test",
    STRANGER,
    "reject 550 5.4.6 Routing loop detected" },
  { "chain-into-relay",
    "design 3",
    "routing,a.test,,reroute,b.test\nrouting,b.test,,relay\nconnections,b.test,,host,gw.test",
    "",
    "u@a.test",
    STRANGER,
    "rewrite u@b.test gw.test a" },
  { "target-as-typed",
    "design 3",
    "routing,a.test,,reroute,B.Test",
    "",
    "U@A.test",
    STRANGER,
    "rewrite U@B.Test b.test mx" },
  { "u-label-target",
    "no SMTPUTF8 asked for",
    "routing,a.test,,reroute,bücher.test",
    "",
    "u@a.test",
    STRANGER,
    "rewrite u@xn--bcher-kva.test xn--bcher-kva.test mx" },
  { "ipv6-literal-target",
    "RFC 5321 4.1.3",
    "routing,a.test,,reroute,2001:db8::1",
    "",
    "u@a.test",
    STRANGER,
    "rewrite u@[IPv6:2001:db8::1] 2001:db8::1 ip" },
  { "kept-byte-for-byte",
    "design 3",
    "connections,a.test,,dns",
    "",
    "@r.test:\"U x\"@A.TEST. ",
    STRANGER,
    "relay-by-dns \"U x\"@A.TEST a.test mx" },
  { "reroute-off",
    "design 3",
    "routing,a.test,,reroute,b.test\nconnections,a.test,,host,gw.test",
    "reroute=no",
    "u@a.test",
    STRANGER,
    "forward u@a.test gw.test a" },
  { "reroute-off-no-right",
    "wire-defaults: option off",
    "routing,a.test,,reroute,b.test",
    "reroute=no",
    "u@a.test",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  /* Connections */
  { "row-by-dns-over-default",
    "design 3",
    "connections,a.test,,dns",
    "default-delivery=smart.test",
    "u@a.test",
    STRANGER,
    "relay-by-dns u@a.test a.test mx" },
  { "row-mx",
    "design 3",
    "connections,a.test,,host,mx:b.test",
    "",
    "u@a.test",
    STRANGER,
    "forward u@a.test b.test mx" },
  { "more-exact-row",
    "Q259531",
    "connections,a.test,,host,one.test\nconnections,b.a.test,,host,two.test",
    "",
    "u@c.b.a.test",
    STRANGER,
    "forward u@c.b.a.test two.test a" },
  { "literal-recipient",
    "brief",
    "",
    PERMITTED,
    "u@[192.0.2.9]",
    OURS,
    "relay-by-dns u@[192.0.2.9] 192.0.2.9 ip" },
  { "rewrite-to-default-hosts",
    "design 3",
    "routing,a.test,,reroute,b.test",
    "default-delivery=smart.test",
    "u@a.test",
    STRANGER,
    "rewrite u@b.test smart.test a" },
  /* postmaster: RFC 5321 4.5.1 */
  { "postmaster-setting",
    "design 3",
    "connections,corp.test,,host,gw.test,permitted",
    "postmaster=admin@corp.test",
    "Postmaster",
    STRANGER,
    "rewrite admin@corp.test gw.test a" },
  { "postmaster-inbound",
    "design 3",
    "",
    "inbound-host=in.test",
    "postmaster",
    STRANGER,
    "inbound postmaster in.test a" },
  { "postmaster-nowhere",
    "design 3",
    "",
    "",
    "postmaster",
    STRANGER,
    "reject 451 4.3.5 This server is not fully configured" },
  { "postmaster-hostname",
    "design 3",
    "",
    "hostname=mail.test\npostmaster=admin@corp.test",
    "postmaster@Mail.Test",
    STRANGER,
    "rewrite admin@corp.test corp.test mx" },
  { "postmaster-hostname-inbound",
    "design 3",
    "",
    "hostname=mail.test\ninbound-host=in.test",
    "postmaster@mail.test",
    STRANGER,
    "inbound postmaster@mail.test in.test a" },
  { "postmaster-hostname-listed",
    "design 3",
    "routing,mail.test,,reroute,b.test,permitted",
    "hostname=mail.test",
    "postmaster@mail.test",
    STRANGER,
    "rewrite postmaster@b.test b.test mx" },
  { "postmaster-is-itself",
    "no endless turn",
    "",
    "hostname=mail.test\npostmaster=postmaster@mail.test",
    "postmaster",
    STRANGER,
    "rewrite postmaster@mail.test mail.test mx" },
  { "postmaster-listed-domain",
    "Q242387",
    "routing,a.test,,reroute,b.test",
    "postmaster=admin@corp.test",
    "postmaster@a.test",
    STRANGER,
    "rewrite postmaster@b.test b.test mx" },
  { "postmaster-elsewhere",
    "Q245041",
    "",
    "postmaster=admin@corp.test",
    "postmaster@else.test",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  { "postmaster-prefix",
    "Q245041",
    "",
    "hostname=mail.test\npostmaster=admin@corp.test",
    "postmaster1@mail.test",
    STRANGER,
    "reject 550 5.7.1 Relaying denied" },
  /* transfer mode: exchange-reference.md, xog05006 */
  { "mode-outbound",
    "xog05006",
    "connections,a.test,,dns",
    "transfer-mode=outbound",
    "u@a.test",
    STRANGER,
    "reject 451 4.3.2 This server accepts no mail at present" },
  { "mode-outbound-ours",
    "xog05006",
    "",
    "transfer-mode=outbound\npermitted-hosts=" STRANGER,
    "u@a.test",
    STRANGER,
    "relay-by-dns u@a.test a.test mx" },
  { "mode-none",
    "xog05006",
    "connections,a.test,,dns",
    "transfer-mode=none",
    "u@a.test",
    STRANGER,
    "reject 451 4.3.2 This server accepts no mail at present" },
  { "mode-none-drains",
    "xog05006",
    "connections,a.test,,dns",
    "transfer-mode=none",
    "u@a.test",
    NULL,
    "relay-by-dns u@a.test a.test mx" },
  { "mode-inbound-waits",
    "xog05006",
    "connections,a.test,,dns",
    "transfer-mode=inbound",
    "u@a.test",
    NULL,
    "reject 451 4.3.2 This server sends no mail at present" },
  { "mode-inbound-inbound",
    "xog05006",
    "routing,a.test,,inbound",
    "transfer-mode=inbound\ninbound-host=in.test",
    "u@a.test",
    STRANGER,
    "inbound u@a.test in.test a" },
};

static RerouteDecision *
decide (RerouteRuleset *rules, const char *recipient, const char *ip, GPtrArray *steps)
{
  RerouteClient client = { .authenticated = FALSE };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteAddress) address = reroute_address_parse (recipient, FALSE, &error);

  g_assert_no_error (error);
  if (ip == NULL)
    return reroute_ruleset_decide (rules, address, NULL, steps);
  g_assert_true (reroute_ip_parse (ip, &client.ip));
  return reroute_ruleset_decide (rules, address, &client, steps);
}

static char *
describe (const RerouteDecision *decision)
{
  const char *action = reroute_action_to_string (decision->action);

  g_assert_true (g_str_is_ascii (decision->reply_text));
  if (decision->action == REROUTE_ACTION_REJECT)
    return g_strdup_printf (
      "%s %u %s %s", action, decision->reply_code, decision->reply_status, decision->reply_text);
  g_assert_cmpuint (decision->reply_code, ==, 250);
  return g_strdup_printf ("%s %s %s %s",
                          action,
                          decision->rcpt_out,
                          reroute_decision_get_next_hop (decision),
                          reroute_decision_get_via (decision));
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (RerouteRuleset) rules = sample_rules (row->rows, row->settings);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);
  g_autoptr (RerouteDecision) decision = decide (rules, row->recipient, row->client, steps);
  g_autoptr (RerouteDecision) silent = decide (rules, row->recipient, row->client, NULL);
  g_autofree char *found = describe (decision);
  g_autofree char *again = describe (silent);

  g_assert_cmpstr (found, ==, row->expect);
  g_assert_cmpstr (again, ==, row->expect);
  g_assert_cmpuint (steps->len, >, 0);
  for (guint i = 0; i < steps->len; i++)
    {
      const RerouteStep *step = steps->pdata[i];
      g_test_message ("%s: %s", step->code, step->sentence);
      g_assert_true (g_str_has_suffix (step->sentence, "."));
    }
}

static void
test_rows_named (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules (
    "routing,a.test,,reroute,b.test\nrouting,b.test,,relay\nconnections,b.test,,host,gw.test", "");
  g_autoptr (RerouteDecision) decision = decide (rules, "u@x.a.test", STRANGER, NULL);

  g_assert_cmpint (decision->admitting->id, ==, 1);
  g_assert_cmpint (decision->admitting->page, ==, REROUTE_PAGE_ROUTING);
  g_assert_cmpint (decision->deciding->id, ==, 3);
  g_assert_cmpint (decision->deciding->page, ==, REROUTE_PAGE_CONNECTIONS);

  g_autoptr (RerouteRuleset) bare = sample_rules ("", PERMITTED);
  g_autoptr (RerouteDecision) by_default = decide (bare, "u@a.test", OURS, NULL);
  g_assert_null (by_default->admitting);
  g_assert_null (by_default->deciding);

  g_autoptr (RerouteDecision) refused = decide (bare, "u@a.test", STRANGER, NULL);
  g_assert_null (refused->rcpt_out);
  g_assert_null (refused->hosts);
  g_assert_null (refused->dns_domain);
  g_assert_null (reroute_decision_get_via (refused));
}

/* The rows stay while a decision holds them, whatever becomes of the generation. */
static void
test_outlives_rules (void)
{
  RerouteRuleset *rules = sample_rules ("connections,a.test,,host,gw.test", "");
  g_autoptr (RerouteDecision) decision = decide (rules, "u@a.test", STRANGER, NULL);

  reroute_ruleset_unref (rules);
  g_assert_cmpstr (decision->admitting->domain, ==, "a.test");
  g_assert_cmpstr (decision->hosts->hosts[0].name, ==, "gw.test");
}

static void
test_authenticated (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules ("", "");
  g_autoptr (RerouteAddress) address = reroute_address_parse ("u%x@a.test", FALSE, NULL);
  RerouteClient client = { .authenticated = TRUE };

  g_assert_true (reroute_ip_parse (STRANGER, &client.ip));
  g_assert_true (reroute_ruleset_permits (rules, &client));
  g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, address, &client, NULL);
  g_assert_cmpint (decision->action, ==, REROUTE_ACTION_RELAY_BY_DNS);
}

static void
test_long_chain (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (int i = 0; i < 150; i++)
    g_string_append_printf (text, "routing,d%d.test,,reroute,d%d.test\n", i, i + 1);
  g_autoptr (RerouteRuleset) rules = sample_rules (text->str, "");
  g_autoptr (RerouteDecision) most = decide (rules, "u@d50.test", STRANGER, NULL);
  g_autoptr (RerouteDecision) over = decide (rules, "u@d49.test", STRANGER, NULL);
  g_assert_cmpstr (most->rcpt_out, ==, "u@d150.test");
  g_assert_cmpstr (over->reply_status, ==, "5.4.6");
}

typedef struct
{
  const char *rows;
  const char *settings;
  gboolean leaves;
} LeavesRow;

/* Mail for a.test: design 3 and 6. */
static const LeavesRow leaves_rows[] = {
  { "connections,a.test,,host,gw.test,,,yes", "", TRUE },
  { "connections,a.test,,host,gw.test", "", FALSE },
  { "connections,a.test,,host,gw.test", "default-leaves=yes", FALSE },
  { "", "default-leaves=yes", TRUE },
  { "", "", FALSE },
  { "routing,a.test,,reroute,b.test,,,yes", "", TRUE },
  { "routing,a.test,,reroute,b.test,,,yes\nconnections,b.test,,host,gw.test", "", TRUE },
  { "routing,a.test,,reroute,b.test\nconnections,b.test,,host,gw.test,,,yes", "", FALSE },
  { "routing,a.test,,reroute,b.test,,,yes\nrouting,b.test,,reroute,c.test", "", FALSE },
  { "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,c.test,,,yes", "", TRUE },
  { "routing,a.test,,reroute,b.test,,,yes\nrouting,b.test,,inbound",
    "inbound-host=in.test",
    FALSE },
  { "routing,a.test,,inbound,,,,yes", "inbound-host=in.test", FALSE },
  { "routing,a.test,,relay,,,,yes", "", TRUE },
  { "routing,a.test,,relay\nconnections,a.test,,dns,,,,yes", "", TRUE },
  { "routing,a.test,,relay,,,,yes\nconnections,a.test,,dns", "", FALSE },
  { "routing,a.test,,relay", "default-leaves=yes", FALSE },
};

static void
test_leaves (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (leaves_rows); i++)
    {
      g_autoptr (RerouteRuleset) rules =
                   sample_rules (leaves_rows[i].rows, leaves_rows[i].settings);
      g_autoptr (RerouteDecision) decision = decide (rules, "u@a.test", NULL, NULL);

      g_test_message ("%s", leaves_rows[i].rows);
      g_assert_cmpint (decision->action, !=, REROUTE_ACTION_REJECT);
      g_assert_cmpint (decision->leaves, ==, leaves_rows[i].leaves);
    }
}

static const struct
{
  const char *rows;
  const char *recipient;
  gboolean asks;
} check_rows[] = {
  /* The entry that covers the recipient as it was received says it: issue 4. */
  { "connections,a.test,,host,gw.test,,,,call-ahead", "u@a.test", TRUE },
  { "connections,a.test,,host,gw.test,,,,none", "u@a.test", FALSE },
  { "routing,a.test,,reroute,b.test,,,,call-ahead", "u@sub.a.test", TRUE },
  { "routing,a.test,,reroute,b.test\nconnections,b.test,,host,gw.test,,,,call-ahead",
    "u@a.test",
    FALSE },
  { "connections,a.test,,host,gw.test,,,,call-ahead", "Postmaster@a.test", FALSE },
  { "connections,a.test,,host,gw.test,,no,,call-ahead", "u@a.test", FALSE },
  { "", "u@a.test", FALSE },
};

static void
test_recipient_check (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (check_rows); i++)
    {
      g_autoptr (RerouteRuleset) rules = sample_rules (check_rows[i].rows, "");
      g_autoptr (RerouteDecision) decision = decide (rules, check_rows[i].recipient, NULL, NULL);

      g_test_message ("%s", check_rows[i].rows);
      g_assert_cmpint (decision->recipient_check,
                       ==,
                       check_rows[i].asks ? REROUTE_RECIPIENT_CHECK_CALL_AHEAD
                                          : REROUTE_RECIPIENT_CHECK_NONE);
    }
}

static void
test_is_ours (void)
{
  const struct
  {
    const char *domain;
    gboolean ours;
  } domains[] = {
    { "a.test", TRUE },      { "sub.a.test", TRUE },    { "gmail.com", FALSE },
    { "inside.test", TRUE }, { "relay.test", TRUE },    { "sub.relay.test", FALSE },
    { "off.test", FALSE },   { "nowhere.test", FALSE }, { "", TRUE },
  };
  g_autoptr (RerouteRuleset) rules = sample_rules (
    "routing,a.test,,reroute,b.test\nconnections,gmail.com,,host,gw.test,permitted\n"
    "routing,inside.test,,inbound,,permitted\nconnections,off.test,,dns,,,no",
    "hostname=relay.test");

  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      g_test_message ("%s", domains[i].domain);
      g_assert_cmpint (reroute_ruleset_is_ours (rules, domains[i].domain), ==, domains[i].ours);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/decide/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/decide/rows-named", test_rows_named);
  g_test_add_func ("/decide/outlives-rules", test_outlives_rules);
  g_test_add_func ("/decide/authenticated", test_authenticated);
  g_test_add_func ("/decide/long-chain", test_long_chain);
  g_test_add_func ("/decide/leaves", test_leaves);
  g_test_add_func ("/decide/recipient-check", test_recipient_check);
  g_test_add_func ("/decide/is-ours", test_is_ours);
  return g_test_run ();
}
