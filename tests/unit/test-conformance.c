/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-conformance.c - every row of tests/data/conformance.json through the one decision
 *
 * What a row expects of DNS, or of several messages, is judged by test-conformance-next-hop; here
 * it must come as far as "DNS is asked for this domain" or "the first of these hosts".
 */

#include "config.h"

#include "common/decision-memo.h"
#include "common/ruleset-check.h"
#include "tests/unit/conformance.h"

#include <string.h>

static guint n_shared; /* decisions of another mailbox */

/* The code of the first finding of level error; "" when there is none. */
static char *
dup_first_error (const RerouteRuleset *rules)
{
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, NULL, NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];
      if (finding->level == REROUTE_FINDING_ERROR)
        return g_strdup (finding->code);
    }
  return g_strdup ("");
}

static void
check_rejected (const ConformanceCase *row, const RerouteDecision *decision)
{
  g_assert_cmpint (decision->action, ==, REROUTE_ACTION_REJECT);
  g_assert_cmpuint (decision->reply_code, ==, row->reply);
  g_assert_null (decision->rcpt_out);
  g_assert_null (reroute_decision_get_next_hop (decision));
  g_assert_null (reroute_decision_get_via (decision));
}

/* "<inbound>" of the file is the inbound host of the settings. */
static void
check_inbound (const RerouteDecision *decision)
{
  g_assert_true (decision->to_inbound);
  g_autofree char *host = reroute_hosts_to_string (decision->hosts);
  g_assert_cmpstr (host, ==, CONFORMANCE_INBOUND_HOST);
}

/* Up to the look-up: DNS is asked for the recipient's domain. */
static void
check_before_dns (const RerouteDecision *decision)
{
  g_assert_cmpint (decision->action, ==, REROUTE_ACTION_RELAY_BY_DNS);
  g_assert_cmpstr (reroute_decision_get_via (decision), ==, "mx");
  g_assert_cmpstr (decision->dns_domain, ==, strrchr (decision->rcpt_out, '@') + 1);
}

static void
check_decision (const ConformanceCase *row, const RerouteDecision *decision)
{
  if (row->has_dns)
    {
      check_before_dns (decision);
      return;
    }
  g_assert_cmpstr (reroute_action_to_string (decision->action), ==, row->action);
  if (decision->action == REROUTE_ACTION_REJECT)
    {
      check_rejected (row, decision);
      return;
    }
  g_assert_cmpstr (decision->rcpt_out, ==, row->rcpt_out);
  if (g_str_equal (row->next_hop, "<inbound>"))
    {
      check_inbound (decision);
      return;
    }
  g_autofree char *expected = g_ascii_strdown (row->next_hop, -1);
  g_autofree char *next_hop = g_ascii_strdown (reroute_decision_get_next_hop (decision), -1);
  g_assert_cmpstr (next_hop, ==, expected);
  g_assert_cmpstr (reroute_decision_get_via (decision), ==, row->via);
}

static void
check_rotation (const ConformanceCase *row, const RerouteDecision *decision)
{
  if (row->rotation == NULL)
    return;
  g_assert_true (decision->hosts->by_turns);
  for (gsize i = 0; row->rotation[i] != NULL; i++)
    g_assert_cmpstr (
      decision->hosts->hosts[i % decision->hosts->n_hosts].name, ==, row->rotation[i]);
}

static void
assert_same (const RerouteDecision *decision, const RerouteDecision *other)
{
  g_assert_cmpint (decision->action, ==, other->action);
  g_assert_true (decision->hosts == other->hosts);
  g_assert_cmpstr (decision->dns_domain, ==, other->dns_domain);
  g_assert_cmpstr (decision->next_hop, ==, other->next_hop);
  g_assert_cmpint (decision->untyped, ==, other->untyped);
  g_assert_cmpint (decision->tls, ==, other->tls);
  g_assert_cmpint (decision->leaves, ==, other->leaves);
  g_assert_cmpint (decision->recipient_check, ==, other->recipient_check);
  g_assert_cmpint (decision->to_inbound, ==, other->to_inbound);
  g_assert_cmpuint (decision->reply_code, ==, other->reply_code);
  g_assert_cmpstr (decision->reply_status, ==, other->reply_status);
  g_assert_cmpstr (decision->reply_text, ==, other->reply_text);
  g_assert_true (decision->admitting == other->admitting);
  g_assert_true (decision->deciding == other->deciding);
}

/* After whoever was decided before, @address is decided as it is alone. */
static void
check_memo (const ConformanceCase *row, RerouteAddress *address, const RerouteDecision *decision)
{
  const char *const before[] = { "other", "\"x y\"", "postmaster", "a%b", "IMCEASMTP-x" };

  for (gsize i = 0; i < G_N_ELEMENTS (before); i++)
    {
      g_autofree char *text = g_strdup_printf ("%s@%s", before[i], address->domain);
      g_autoptr (RerouteAddress) other = reroute_address_parse (text, TRUE, NULL);
      RerouteDecisionMemo memo = { 0 };
      g_autoptr (RerouteDecision) of_nobody =
                   reroute_ruleset_decide (row->rules, address, NULL, NULL);
      const RerouteDecision *second;

      if (other == NULL)
        continue;
      reroute_decision_memo_decide (&memo, row->rules, other, &row->client);
      second = reroute_decision_memo_decide (&memo, row->rules, address, &row->client);
      n_shared += memo.local_part_octets == strlen (other->local_part);
      assert_same (second, decision);
      if (decision->action != REROUTE_ACTION_REJECT)
        {
          g_autofree char *rcpt_out = reroute_decision_memo_dup_rcpt_out (&memo, address);

          g_assert_cmpstr (rcpt_out, ==, decision->rcpt_out);
        }
      /* Who hands it in makes a difference. */
      second = reroute_decision_memo_decide (&memo, row->rules, address, NULL);
      assert_same (second, of_nobody);
      reroute_decision_memo_clear (&memo);
    }
}

static void
test_shared (void)
{
  g_assert_cmpuint (n_shared, >, CONFORMANCE_CASES);
}

static void
test_case (gconstpointer data)
{
  const ConformanceCase *row = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *found = dup_first_error (row->rules);

  g_test_message ("%s: %s", row->source, row->reason);
  if (g_str_equal (row->action, "invalid-rules"))
    {
      g_assert_cmpstr (found, ==, row->error);
      return;
    }
  g_assert_cmpstr (found, ==, "");
  g_autoptr (RerouteAddress) address = reroute_address_parse (row->recipient, FALSE, &error);
  if (address == NULL)
    {
      /* What the server answers to a path that is none: RFC 5321 4.2.3. */
      g_assert_cmpstr (row->action, ==, "reject");
      g_assert_cmpuint (row->reply, ==, 501);
      return;
    }
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);
  g_autoptr (RerouteDecision) decision =
               reroute_ruleset_decide (row->rules, address, &row->client, steps);
  check_decision (row, decision);
  check_rotation (row, decision);
  check_memo (row, address, decision);
  g_assert_cmpuint (steps->len, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_autoptr (GPtrArray) cases = conformance_load_cases ();
  g_assert_cmpuint (cases->len, ==, CONFORMANCE_CASES);
  for (guint i = 0; i < cases->len; i++)
    {
      ConformanceCase *row = cases->pdata[i];
      g_autofree char *path = g_strdup_printf ("/conformance/%s", row->id);
      g_test_add_data_func (path, row, test_case);
    }
  g_test_add_func ("/conformance/shared", test_shared);
  return g_test_run ();
}
