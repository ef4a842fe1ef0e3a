/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-etrn.c - rows that queue for ETRN: what waits, whether anything does, and what is found
 * wrong
 */

#include "config.h"

#include "common/ruleset-check.h"
#include "tests/unit/sample-rules.h"

#define WAITS ",,,,,,,yes"

/* --- what waits --- */

static const struct
{
  const char *rows;
  const char *recipient;
  const char *domain; /* NULL: it does not wait */
} decisions[] = {
  { "connections,a.test,,host,gw.test" WAITS, "u@a.test", "a.test" },
  { "connections,a.test,,host,gw.test" WAITS, "u@Sub.a.test", "sub.a.test" },
  { "connections,a.test,,dns," WAITS, "u@a.test", "a.test" },
  { "connections,a.test,,host,gw.test,,,,,,,no", "u@a.test", NULL },
  { "connections,a.test,,host,gw.test,,no,,,,,yes", "u@a.test", NULL },
  /* By the domain that it leaves for. */
  { "routing,a.test,,reroute,b.test\nconnections,b.test,,host,gw.test" WAITS,
    "u@a.test",
    "b.test" },
  { "routing,a.test,,reroute,b.test\nconnections,a.test,,host,gw.test" WAITS, "u@a.test", NULL },
  { "routing,a.test,,relay\nconnections,a.test,,host,gw.test" WAITS, "u@a.test", "a.test" },
  { "routing,a.test,,inbound\nconnections,a.test,,host,gw.test" WAITS, "u@a.test", NULL },
  { "", "u@a.test", NULL },
};

static void
test_decisions (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (decisions); i++)
    {
      g_autoptr (RerouteRuleset) rules = sample_rules (decisions[i].rows, "inbound-host=in.test");
      g_autoptr (RerouteAddress) recipient =
                   reroute_address_parse (decisions[i].recipient, FALSE, NULL);
      g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, recipient, NULL, NULL);

      g_test_message ("%s", decisions[i].rows);
      g_assert_cmpint (decision->action, !=, REROUTE_ACTION_REJECT);
      g_assert_cmpstr (decision->etrn_domain, ==, decisions[i].domain);
    }
}

/* --- whether anything does --- */

static const struct
{
  const char *edit;
  gboolean queues;
} edits[] = {
  { "connections,a.test,,dns\nrouting,a.test,,inbound", FALSE },
  { "connections,a.test,,dns," WAITS, TRUE },
  { "connections,b.test,,dns," WAITS, TRUE },
  { "connections,a.test,,-", TRUE },
  { "connections,b.test,,dns,,,no,,,,,yes", FALSE },
  { "connections,b.test,,dns,,,yes,,,,,yes", TRUE },
  { "connections,b.test,,dns", FALSE },
};

static void
test_queues (void)
{
  RerouteRuleset *rules = reroute_ruleset_new_empty ();

  for (gsize i = 0; i < G_N_ELEMENTS (edits); i++)
    {
      g_autoptr (RerouteRuleset) before = rules;
      gboolean queued = reroute_ruleset_queues_for_etrn (before);

      rules = sample_rules_edit (before, edits[i].edit, "");
      g_assert_cmpint (reroute_ruleset_queues_for_etrn (rules), ==, edits[i].queues);
      g_assert_cmpint (reroute_ruleset_queues_for_etrn (before), ==, queued);
    }
  reroute_ruleset_unref (rules);
}

/* --- what is found wrong --- */

static guint
count_warnings (const RerouteRuleset *rules, const RerouteRuleset *base)
{
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, base, NULL);
  guint n = 0;

  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];

      if (!g_str_equal (finding->code, "etrn-nobody"))
        continue;
      g_assert_cmpint (finding->level, ==, REROUTE_FINDING_WARNING);
      g_assert_cmpstr (finding->arguments[0], ==, "a.test");
      n++;
    }
  return n;
}

/* A row that is off, or does not queue, is of no interest. */
static void
test_nobody_may_ask (void)
{
  static const char rows[] = "connections,a.test,,dns," WAITS "\n"
                             "connections,b.test,,dns,,,no,,,,,yes\n"
                             "connections,c.test,,dns";
  g_autoptr (RerouteRuleset) nobody = sample_rules (rows, "");
  g_autoptr (RerouteRuleset) somebody = sample_rules (rows, "permitted-hosts=192.0.2.1");
  g_autoptr (RerouteRuleset) others =
               sample_rules_edit (nobody, "connections,c.test,,host,gw.test", "");

  g_assert_cmpuint (count_warnings (nobody, NULL), ==, 1);
  g_assert_cmpuint (count_warnings (somebody, NULL), ==, 0);
  g_assert_cmpuint (count_warnings (others, nobody), ==, 0);
}

/* Once, whether the row differs too or not. */
static void
test_nobody_may_ask_any_more (void)
{
  g_autoptr (RerouteRuleset) base =
               sample_rules ("connections,a.test,,dns," WAITS, "permitted-hosts=192.0.2.1");
  g_autoptr (RerouteRuleset) setting = sample_rules_edit (base, "", "permitted-hosts=");
  g_autoptr (RerouteRuleset) both = sample_rules_edit (
    base, "connections,a.test,,host,gw.test" WAITS, "permitted-hosts=");

  g_assert_cmpuint (count_warnings (setting, base), ==, 1);
  g_assert_cmpuint (count_warnings (both, base), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/etrn/decisions", test_decisions);
  g_test_add_func ("/etrn/queues", test_queues);
  g_test_add_func ("/etrn/nobody-may-ask", test_nobody_may_ask);
  g_test_add_func ("/etrn/nobody-may-ask-any-more", test_nobody_may_ask_any_more);
  return g_test_run ();
}
