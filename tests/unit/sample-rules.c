/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sample-rules.c - rules for tests, written as CSV
 */

#include "config.h"

#include "tests/unit/sample-rules.h"

#include "common/csv.h"

#include <string.h>

#define HEADER                                                                                     \
  "page,domain,match,action,target,accept_from,enabled,leaves,recipient_check,tls,account,queue_"  \
  "for_etrn,certificate\n"
#define N_COMMAS 12

static void
apply (RerouteRulesetBuilder *builder, RerouteChange *change)
{
  g_autoptr (RerouteChange) owned = change;
  g_autoptr (GError) error = NULL;

  reroute_ruleset_builder_apply (builder, owned, &error);
  g_assert_no_error (error);
}

static GPtrArray *
parse_line (const char *line)
{
  guint commas = 0;
  for (const char *p = line; *p != '\0'; p++)
    commas += *p == ',';
  /* Columns that are not written have their default. */
  const char *missing = &",,,,,,,,,,,,"[MIN (commas, N_COMMAS)];
  g_autofree char *text = g_strconcat (HEADER, line, missing, "\n", NULL);
  g_autoptr (GPtrArray) errors = NULL;
  GPtrArray *rows = reroute_csv_parse (text, strlen (text), NULL, &errors);

  if (errors != NULL)
    g_error ("%s: %s", line, ((RerouteCsvError *) errors->pdata[0])->message);
  return rows;
}

/* "-" as the action: a row of that place is removed. */
static gboolean
remove_line (RerouteRuleset *base, RerouteRulesetBuilder *builder, const char *line)
{
  g_auto (GStrv) cells = g_strsplit (line, ",", -1);
  ReroutePage page;

  if (g_strv_length (cells) < 4 || !g_str_equal (cells[3], "-"))
    return FALSE;
  g_assert_true (reroute_page_from_string (cells[0], &page, NULL));
  RerouteRow *row =
    reroute_ruleset_find_row (base, page, cells[1], g_str_equal (cells[2], "exact"));
  g_assert_nonnull (row);
  apply (builder, reroute_change_new_remove (page, row->id));
  return TRUE;
}

static void
put_line (RerouteRuleset *base, RerouteRulesetBuilder *builder, const char *line, gint64 fresh_id)
{
  g_autoptr (GPtrArray) rows = parse_line (line);

  g_assert_cmpuint (rows->len, ==, 1);
  RerouteRow *row = rows->pdata[0];
  RerouteRow *old = reroute_ruleset_find_row (base, row->page, row->domain, row->exact);
  g_autoptr (RerouteRow) stamped =
               reroute_row_stamp (row, old != NULL ? old->id : fresh_id, "tester", 1);
  apply (builder, reroute_change_new_put (stamped));
}

RerouteRuleset *
sample_rules_edit (RerouteRuleset *base, const char *rows, const char *settings)
{
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (base);
  g_auto (GStrv) lines = g_strsplit (rows, "\n", -1);
  g_auto (GStrv) pairs = g_strsplit (settings, "\n", -1);
  gint64 first_id = (gint64) reroute_ruleset_get_serial (base) * 1000;

  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !remove_line (base, builder, lines[i]))
      put_line (base, builder, lines[i], first_id + (gint64) i + 1);
  for (gsize i = 0; pairs[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      char *equals = strchr (pairs[i], '=');
      if (equals == NULL)
        continue;
      *equals = '\0';
      RerouteChange *change = reroute_change_new_set (pairs[i], equals + 1, &error);
      g_assert_no_error (error);
      apply (builder, change);
    }
  return reroute_ruleset_builder_build (builder, reroute_ruleset_get_serial (base) + 1);
}

RerouteRuleset *
sample_rules (const char *rows, const char *settings)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();

  return sample_rules_edit (empty, rows, settings);
}
