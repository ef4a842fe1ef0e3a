/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-ruleset-check-edits.c - what is found when rules are made from others: what differs, and
 * what that concerns
 */

#include "config.h"

#include "common/limits.h"
#include "tests/unit/check-cases.h"
#include "tests/unit/sample-rules.h"

static const CheckCase cases[] = {
  { "list-emptied",
    "issue 4",
    "connections,a.test,,host,gw.test,,,,list\nrecipients,u@a.test\nrecipients,v@a.test",
    "recipients,u@a.test,exact,-\nrecipients,v@a.test,exact,-",
    "",
    "warning list-empty c1" },
  { "list-filled",
    "issue 4",
    "connections,a.test,,host,gw.test,,,,list",
    "recipients,u@a.test",
    "",
    "" },
  { "loop-by-edit",
    "design 3",
    "routing,a.test,,reroute,b.test",
    "routing,b.test,,reroute,a.test",
    "",
    "error loop r1 r1001" },
  { "loop-by-removal",
    "design 3",
    "routing,a.test,,reroute,x.b.test\nrouting,b.test,,reroute,a.test\nrouting,x.b.test,,relay",
    "routing,x.b.test,,-",
    "",
    "error loop r1 r2" },
  { "loop-by-switching-off",
    "design 3",
    "routing,a.test,,reroute,x.b.test\nrouting,b.test,,reroute,a.test\nrouting,x.b.test,exact,"
    "relay",
    "routing,x.b.test,exact,relay,,,no",
    "",
    "error loop r1 r2; note never-acts-disabled r3 r2" },
  { "loop-elsewhere",
    "only what differs",
    "routing,a.test,,reroute,a.test",
    "routing,b.test,,relay\nconnections,b.test,,dns",
    "",
    "" },
  { "inbound-host-unset",
    "design 3",
    "routing,a.test,,inbound",
    "",
    "inbound-host=",
    "error inbound-host-missing r1" },
  { "account-without-tls-by-setting",
    "choose_account()",
    "connections,a.test,,host,gw.test,,,,,,smart\nconnections,b.test,,host,gw.test,,,,,encrypted,"
    "smart\nconnections,c.test,,host,gw.test,,,,,none,smart\nconnections,d.test,,host,gw.test,,no,"
    ",,,smart",
    "",
    "tls-level=none",
    "warning account-without-tls c1" },
  { "account-without-tls-of-another-setting",
    "only what differs",
    "connections,a.test,,host,gw.test,,,,,none,smart",
    "",
    "tls-level=encrypted",
    "" },
  { "both-pages-senders-by-edit",
    "design 3, decision 5",
    "connections,a.test,,host,gw.test,permitted,,,list\nrecipients,u@a.test",
    "routing,a.test,,relay",
    "",
    "warning both-pages-admission c1 r1001" },
  { "both-pages-leaves-by-edit",
    "design 6, SRS",
    "routing,a.test,,relay,,,,yes",
    "connections,a.test,,host,gw.test",
    "",
    "warning both-pages-leaves c1001 r1" },
  { "both-pages-by-edit",
    "Q190710",
    "connections,a.test,,host,gw.test",
    "routing,a.test,,reroute,b.test",
    "",
    "warning never-acts-rerouted c1 r1001" },
  { "relay-default-by-removal",
    "design 3",
    "routing,a.test,,relay\nconnections,a.test,,dns",
    "connections,a.test,,-",
    "",
    "note always-relay-default r1" },
  { "own-port-by-listen",
    "design 5",
    "connections,a.test,,host,127.0.0.1:2526",
    "",
    "listen=127.0.0.1:2526",
    "error own-port c1" },
  { "confirmed-once",
    "design 3",
    "connections,co.uk,,host,gw.test",
    "connections,co.uk,,host,other.test",
    "",
    "" },
  { "opened",
    "design 3",
    "connections,co.uk,,host,gw.test,permitted",
    "connections,co.uk,,host,gw.test,anyone",
    "",
    "confirm anyone-public-suffix c1" },
  { "switched-on",
    "design 3",
    "connections,co.uk,,host,gw.test,,no",
    "connections,co.uk,,host,gw.test",
    "",
    "confirm anyone-public-suffix c1" },
  { "own-port-by-listen-of-a-target",
    "design 5",
    "routing,a.test,,reroute,[127.0.0.2]",
    "",
    "listen=0.0.0.0:25",
    "error own-port r1" },
  { "own-port-by-address-of-a-target",
    "design 5",
    "routing,a.test,,reroute,[192.0.2.9]\nrouting,b.test,,reroute,[192.0.2.9],,no\n"
    "routing,c.test,,reroute,[192.0.2.1]\nrouting,d.test,,relay",
    "",
    "own-addresses=192.0.2.9",
    "error own-port r1" },
  { "own-port-of-a-target-said-once",
    "design 5",
    "routing,a.test,,reroute,[192.0.2.9]",
    "routing,a.test,,reroute,[192.0.2.9],permitted",
    "own-addresses=192.0.2.9",
    "error own-port r1" },
};

/* "#a0.test" to "#a1.test" and so on: @n entries. */
static void
append_chain (GString *out, const char *letter, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append_printf (
      out, "routing,%s%u.test,exact,reroute,%s%u.test\n", letter, i, letter, i + 1);
}

typedef struct
{
  const char *name;
  guint n_first;  /* entries from #a0.test on */
  guint n_second; /* entries from #b0.test on */
  const char *more;
  const char *edit;
  guint n_too_long;
} ChainCase;

static const ChainCase chain_cases[] = {
  { "joined", 60, 60, "", "routing,a60.test,exact,reroute,b0.test", 21 },
  { "joined-by-target", 60, 60, "", "routing,a59.test,exact,reroute,b0.test", 20 },
  { "joined-by-removal",
    60,
    60,
    "routing,a60.test,exact,relay\nrouting,a60.test,,reroute,b0.test",
    "routing,a60.test,exact,-",
    21 },
  { "joined-by-switching-off",
    60,
    60,
    "routing,a60.test,exact,relay\nrouting,test,,reroute,b0.test",
    "routing,a60.test,exact,relay,,,no",
    21 },
  { "in-front", 100, 0, "", "routing,new.test,,reroute,a0.test", 1 },
  { "at-the-end", 100, 0, "", "routing,a100.test,,reroute,end.test", 1 },
  { "one-less", 99, 0, "", "routing,a99.test,,reroute,end.test", 0 },
  { "elsewhere", 120, 0, "", "routing,new.test,,reroute,end.test", 0 },
};

static guint
count_too_long (GPtrArray *findings)
{
  guint n = 0;

  for (guint i = 0; i < findings->len; i++)
    n += g_str_equal (((RerouteFinding *) findings->pdata[i])->code, "chain-too-long");
  return n;
}

/* What leads to an edited entry is found, also when what is known of the base is old. */
static void
test_chain (gconstpointer data)
{
  const ChainCase *row = data;
  g_autoptr (GString) text = g_string_new (NULL);
  append_chain (text, "a", row->n_first);
  append_chain (text, "b", row->n_second);
  g_string_append (text, row->more);
  g_autoptr (RerouteRuleset) base = sample_rules (text->str, "");
  g_autoptr (RerouteRuleset) rules = sample_rules_edit (base, row->edit, "");

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, base, NULL);
      g_ptr_array_unref (reroute_ruleset_check (base, NULL, NULL));
      g_assert_cmpuint (count_too_long (findings), ==, row->n_too_long);
    }
  g_autoptr (GPtrArray) all = reroute_ruleset_check (rules, NULL, NULL);
  if (row->n_first <= REROUTE_LIMIT_REROUTE_DEPTH)
    g_assert_cmpuint (count_too_long (all), ==, row->n_too_long);
}

/* One entry more at a time; each generation is judged by its predecessor alone. */
static void
test_growing_chain (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules ("", "");

  for (guint i = 0; i <= REROUTE_LIMIT_REROUTE_DEPTH; i++)
    {
      g_autofree char *line = g_strdup_printf ("routing,a%u.test,,reroute,a%u.test", i, i + 1);
      g_autoptr (RerouteRuleset) next = sample_rules_edit (rules, line, "");
      g_autoptr (GPtrArray) findings = reroute_ruleset_check (next, rules, NULL);

      g_assert_cmpuint (count_too_long (findings), ==, i == REROUTE_LIMIT_REROUTE_DEPTH);
      reroute_ruleset_unref (rules);
      rules = g_steal_pointer (&next);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  check_cases_add ("/ruleset-check-edits", cases, G_N_ELEMENTS (cases));
  for (gsize i = 0; i < G_N_ELEMENTS (chain_cases); i++)
    {
      g_autofree char *path =
        g_strconcat ("/ruleset-check-edits/chain-", chain_cases[i].name, NULL);
      g_test_add_data_func (path, &chain_cases[i], test_chain);
    }
  g_test_add_func ("/ruleset-check-edits/growing-chain", test_growing_chain);
  return g_test_run ();
}
