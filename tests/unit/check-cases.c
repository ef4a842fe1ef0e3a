/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * check-cases.c - sets of rules, and what is found in each
 */

#include "config.h"

#include "tests/unit/check-cases.h"

#include "tests/unit/sample-rules.h"

#include <string.h>

/* "r1 c2": the page's letter and the id. */
static void
append_finding (GString *out, const RerouteFinding *finding)
{
  if (g_str_equal (finding->code, "postmaster-missing"))
    return;
  g_string_append_printf (out,
                          "%s%s %s",
                          out->len > 0 ? "; " : "",
                          reroute_finding_level_to_string (finding->level),
                          finding->code);
  for (guint i = 0; i < finding->rows->len; i++)
    {
      const RerouteRowRef *ref = &g_array_index (finding->rows, RerouteRowRef, i);
      g_string_append_printf (
        out, " %c%" G_GINT64_FORMAT, reroute_page_to_string (ref->page)[0], ref->id);
    }
}

char *
check_cases_describe (GPtrArray *findings)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];
      g_test_message ("%s", finding->sentence);
      g_assert_null (strchr (finding->sentence, '%'));
      append_finding (out, finding);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
test_row (gconstpointer data)
{
  const CheckCase *row = data;
  g_autoptr (RerouteRuleset) base = NULL;
  g_autoptr (RerouteRuleset) rules = NULL;

  if (row->base != NULL)
    {
      base = sample_rules (row->base,
                           strstr (row->settings, "inbound-host=") ? CHECK_CASES_INBOUND : "");
      rules = sample_rules_edit (base, row->rows, row->settings);
    }
  else
    rules = sample_rules (row->rows, row->settings);
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, base, NULL);
  g_autofree char *found = check_cases_describe (findings);
  g_assert_cmpstr (found, ==, row->expect);
}

void
check_cases_add (const char *path, const CheckCase *cases, gsize n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      g_autofree char *name = g_strconcat (path, "/", cases[i].name, NULL);
      g_test_add_data_func (name, &cases[i], test_row);
    }
}
