/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-ruleset.c - generations: what is found in them, and that edits leave the old ones alone
 */

#include "config.h"

#include "common/ruleset.h"

#include "common/error.h"
#include "tests/unit/sample-rules.h"

#include <string.h>

#define MODEL_IDS 400
#define MODEL_DOMAINS 60
#define MODEL_STEPS 3000
#define MANY_ROWS 20000

typedef struct
{
  const char *name;
  const char *source;
  const char *rows;
  const char *domain;
  gint64 id; /* 0: none */
} Row;

static const Row rows[] = {
  { "exact-before-suffix",
    "Q169683",
    "routing,a.test,,inbound\nrouting,a.test,exact,inbound",
    "a.test",
    2 },
  { "suffix", "Q169683", "routing,a.test,,inbound\nrouting,a.test,exact,inbound", "x.a.test", 1 },
  { "longest",
    "xog05015",
    "routing,test,,inbound\nrouting,b.a.test,,inbound\nrouting,a.test,,inbound",
    "c.b.a.test",
    2 },
  { "whole-labels", "xog05015", "routing,sea.test,,inbound", "chelsea.test", 0 },
  { "exact-covers-no-subdomain", "Q169683", "routing,a.test,exact,inbound", "b.a.test", 0 },
  { "top", "Q168138", "routing,test,,inbound", "a.b.c.d.test", 1 },
  { "disabled-is-absent",
    "design 3",
    "routing,a.test,,inbound,,,no\nrouting,test,,inbound",
    "a.test",
    2 },
  { "disabled-exact",
    "design 3",
    "routing,a.test,exact,inbound,,,no\nrouting,a.test,,inbound",
    "a.test",
    2 },
  { "literal", "Q249100", "routing,192.0.2.1,,inbound", "[192.0.2.1]", 1 },
  { "literal-no-suffix", "design 3", "routing,test,,inbound", "[192.0.2.1]", 0 },
  { "other-page", "design 3", "connections,a.test,,dns", "a.test", 0 },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (RerouteRuleset) rules = sample_rules (row->rows, "");
  RerouteRow *found = reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, row->domain);
  g_assert_cmpint (found != NULL ? found->id : 0, ==, row->id);
}

static void
test_generations (void)
{
  g_autoptr (RerouteRuleset) first = sample_rules ("routing,a.test,,inbound", "workers=2");
  g_autoptr (RerouteRuleset) second =
               sample_rules_edit (first, "routing,a.test,,-\nrouting,b.test,,inbound", "workers=3");

  g_assert_cmpuint (reroute_ruleset_get_serial (first), ==, 1);
  g_assert_cmpuint (reroute_ruleset_get_serial (second), ==, 2);
  g_assert_nonnull (reroute_ruleset_lookup (first, REROUTE_PAGE_ROUTING, "a.test"));
  g_assert_null (reroute_ruleset_lookup (first, REROUTE_PAGE_ROUTING, "b.test"));
  g_assert_null (reroute_ruleset_lookup (second, REROUTE_PAGE_ROUTING, "a.test"));
  g_assert_nonnull (reroute_ruleset_lookup (second, REROUTE_PAGE_ROUTING, "b.test"));
  g_assert_cmpint (
    reroute_settings_get_number (reroute_ruleset_get_settings (first), REROUTE_SETTING_WORKERS),
    ==,
    2);
  g_assert_cmpint (
    reroute_settings_get_number (reroute_ruleset_get_settings (second), REROUTE_SETTING_WORKERS),
    ==,
    3);
}

static RerouteChange *
make_put (gint64 id, const char *domain, gboolean exact, gboolean enabled)
{
  RerouteRowFields fields = { .id = id, .domain = domain, .exact = exact, .enabled = enabled };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRoutingEntry) entry =
               reroute_routing_entry_new (&fields, REROUTE_ROUTING_INBOUND, NULL, &error);

  g_assert_no_error (error);
  return reroute_change_new_put (entry);
}

/* Rows that are not stored yet get ids of their own: -1, -2, … in the order of the edit. */
static void
test_new_ids (void)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);
  g_autoptr (RerouteChange) a = make_put (0, "a.test", FALSE, TRUE);
  g_autoptr (RerouteChange) b = make_put (0, "b.test", FALSE, TRUE);

  g_assert_true (reroute_ruleset_builder_apply (builder, a, NULL));
  g_assert_true (reroute_ruleset_builder_apply (builder, b, NULL));
  g_autoptr (RerouteRuleset) rules = reroute_ruleset_builder_build (builder, 1);
  g_assert_cmpstr (reroute_ruleset_get_row (rules, REROUTE_PAGE_ROUTING, -1)->domain, ==, "a.test");
  g_assert_cmpstr (reroute_ruleset_get_row (rules, REROUTE_PAGE_ROUTING, -2)->domain, ==, "b.test");

  g_autoptr (RerouteRulesetBuilder) next = reroute_ruleset_builder_new (rules);
  g_autoptr (RerouteChange) c = make_put (0, "c.test", FALSE, TRUE);
  g_assert_true (reroute_ruleset_builder_apply (next, c, NULL));
  g_autoptr (RerouteRuleset) more = reroute_ruleset_builder_build (next, 2);
  g_assert_nonnull (reroute_ruleset_get_row (more, REROUTE_PAGE_ROUTING, -3));
  g_assert_cmpuint (reroute_ruleset_get_n_rows (more, REROUTE_PAGE_ROUTING), ==, 3);
}

static void
test_refusals (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules ("connections,a.test,,dns", "");
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (rules);
  g_autoptr (RerouteChange) absent = reroute_change_new_remove (REROUTE_PAGE_CONNECTIONS, 99);
  g_autoptr (RerouteChange) elsewhere = reroute_change_new_remove (REROUTE_PAGE_ROUTING, 1);
  g_autoptr (RerouteChange) other_page = make_put (1, "b.test", FALSE, TRUE);
  RerouteChange *const changes[] = { absent, elsewhere, other_page };

  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (reroute_ruleset_builder_apply (builder, changes[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY);
    }
}

/* Two rows of one domain and match: the older acts, until the check has its way. */
static void
test_twins (void)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);
  const gint64 ids[] = { 9, 4, 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (RerouteChange) put = make_put (ids[i], "a.test", FALSE, TRUE);
      g_assert_true (reroute_ruleset_builder_apply (builder, put, NULL));
    }
  g_autoptr (RerouteRuleset) rules = reroute_ruleset_builder_build (builder, 1);
  RerouteRow *acting = reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, "a.test");
  g_assert_cmpint (acting->id, ==, 4);
  g_assert_cmpint (reroute_ruleset_find_other_row (rules, acting)->id, ==, 9);
  g_assert_null (reroute_ruleset_find_row (rules, REROUTE_PAGE_ROUTING, "a.test", TRUE));
}

/* --- against a model that is too simple to be wrong --- */

typedef struct
{
  RerouteRow *rows[MODEL_IDS + 1];
} Model;

static RerouteRow *
model_lookup (const Model *model, const char *domain)
{
  for (const char *key = domain; key != NULL;
       key = strchr (key, '.') ? strchr (key, '.') + 1 : NULL)
    {
      RerouteRow *best = NULL;
      for (guint id = 1; id <= MODEL_IDS; id++)
        {
          RerouteRow *row = model->rows[id];
          if (row == NULL || !row->enabled || strcmp (row->domain, key) != 0 ||
              (row->exact && key != domain))
            continue;
          if (best == NULL || (row->exact && !best->exact))
            best = row;
        }
      if (best != NULL)
        return best;
    }
  return NULL;
}

static gboolean
count_cb (RerouteRow *row, gpointer user_data)
{
  (*(guint *) user_data)++;
  return TRUE;
}

static void
compare (const Model *model, const RerouteRuleset *rules)
{
  guint n_model = 0, n_rules = 0;

  for (guint id = 1; id <= MODEL_IDS; id++)
    {
      n_model += model->rows[id] != NULL;
      g_assert_true (reroute_ruleset_get_row (rules, REROUTE_PAGE_ROUTING, id) == model->rows[id]);
    }
  reroute_ruleset_foreach (rules, REROUTE_PAGE_ROUTING, count_cb, &n_rules);
  g_assert_cmpuint (n_rules, ==, n_model);
  g_assert_cmpuint (reroute_ruleset_get_n_rows (rules, REROUTE_PAGE_ROUTING), ==, n_model);
  for (guint i = 0; i < MODEL_DOMAINS; i++)
    {
      g_autofree char *domain = g_strdup_printf ("x.d%u.e%u.test", i, i % 7);
      g_assert_true (reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, domain) ==
                     model_lookup (model, domain));
    }
}

static char *
random_domain (void)
{
  guint i = (guint) g_test_rand_int_range (0, MODEL_DOMAINS);

  switch (g_test_rand_int_range (0, 4))
    {
    case 0:
      return g_strdup_printf ("e%u.test", i % 7);
    case 1:
      return g_strdup_printf ("x.d%u.e%u.test", i, i % 7);
    case 2:
      return g_strdup ("test");
    default:
      return g_strdup_printf ("d%u.e%u.test", i, i % 7);
    }
}

static void
step (Model *model, RerouteRulesetBuilder *builder)
{
  guint id = (guint) g_test_rand_int_range (1, MODEL_IDS + 1);
  gboolean put = model->rows[id] == NULL || g_test_rand_bit ();
  g_autofree char *domain = random_domain ();
  g_autoptr (RerouteChange) change =
               put ? make_put (id, domain, g_test_rand_bit (), g_test_rand_int_range (0, 4) > 0)
                   : reroute_change_new_remove (REROUTE_PAGE_ROUTING, id);

  g_assert_true (reroute_ruleset_builder_apply (builder, change, NULL));
  g_clear_pointer (&model->rows[id], reroute_row_unref);
  if (put)
    model->rows[id] = reroute_row_ref (change->row);
}

static void
test_model (void)
{
  Model model = { { NULL } };
  Model kept = { { NULL } };
  g_autoptr (RerouteRuleset) rules = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRuleset) old = NULL;

  for (guint i = 0; i < MODEL_STEPS; i++)
    {
      g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (rules);
      int n_changes = g_test_rand_int_range (1, 4);
      while (n_changes-- > 0)
        step (&model, builder);
      g_clear_pointer (&rules, reroute_ruleset_unref);
      rules = reroute_ruleset_builder_build (builder, i + 1);
      if (i % 100 == 0)
        compare (&model, rules);
      if (i == MODEL_STEPS / 2)
        {
          old = reroute_ruleset_ref (rules);
          for (guint id = 1; id <= MODEL_IDS; id++)
            kept.rows[id] = model.rows[id] != NULL ? reroute_row_ref (model.rows[id]) : NULL;
        }
    }
  compare (&model, rules);
  compare (&kept, old);
  for (guint id = 1; id <= MODEL_IDS; id++)
    {
      g_clear_pointer (&model.rows[id], reroute_row_unref);
      g_clear_pointer (&kept.rows[id], reroute_row_unref);
    }
}

/* --- many rows: the shards double on the way --- */

static gboolean
change_cb (RerouteRow *before, RerouteRow *after, gpointer user_data)
{
  GHashTable *changes = user_data;

  g_hash_table_insert (changes,
                       GINT_TO_POINTER ((int) (before != NULL ? before->id : after->id)),
                       before == NULL  ? (gpointer) "new"
                       : after == NULL ? (gpointer) "gone"
                                       : (gpointer) "changed");
  return TRUE;
}

static RerouteRuleset *
make_many (guint n)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);

  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      g_autoptr (RerouteChange) put = make_put (i, domain, FALSE, TRUE);
      g_assert_true (reroute_ruleset_builder_apply (builder, put, NULL));
    }
  return reroute_ruleset_builder_build (builder, 1);
}

static void
test_many (void)
{
  g_autoptr (RerouteRuleset) rules = make_many (MANY_ROWS);

  for (guint i = 1; i <= MANY_ROWS; i++)
    {
      g_autofree char *domain = g_strdup_printf ("mail.d%u.test", i);
      g_assert_cmpint (reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, domain)->id, ==, i);
      g_assert_nonnull (reroute_ruleset_get_row (rules, REROUTE_PAGE_ROUTING, i));
    }
  g_assert_null (reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, "d0.test"));
}

static void
check_changes (const RerouteRuleset *rules, const RerouteRuleset *base, guint n, ...)
{
  g_autoptr (GHashTable) changes = g_hash_table_new (NULL, NULL);
  va_list args;

  reroute_ruleset_foreach_change (rules, base, REROUTE_PAGE_ROUTING, change_cb, changes);
  g_assert_cmpuint (g_hash_table_size (changes), ==, n);
  va_start (args, n);
  for (guint i = 0; i < n; i++)
    {
      int id = va_arg (args, int);
      g_assert_cmpstr (
        g_hash_table_lookup (changes, GINT_TO_POINTER (id)), ==, va_arg (args, const char *));
    }
  va_end (args);
}

static void
test_difference (void)
{
  g_autoptr (RerouteRuleset) base = make_many (1000);
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (base);
  g_autoptr (RerouteChange) added = make_put (2000, "new.test", FALSE, TRUE);
  g_autoptr (RerouteChange) changed = make_put (5, "d5.test", TRUE, TRUE);
  g_autoptr (RerouteChange) removed = reroute_change_new_remove (REROUTE_PAGE_ROUTING, 7);

  g_assert_true (reroute_ruleset_builder_apply (builder, added, NULL));
  g_assert_true (reroute_ruleset_builder_apply (builder, changed, NULL));
  g_assert_true (reroute_ruleset_builder_apply (builder, removed, NULL));
  g_autoptr (RerouteRuleset) rules = reroute_ruleset_builder_build (builder, 2);
  check_changes (rules, base, 3, 2000, "new", 5, "changed", 7, "gone");
  check_changes (base, rules, 3, 2000, "gone", 5, "changed", 7, "new");
  check_changes (rules, rules, 0);

  /* Tables with another number of shards share nothing, and are told apart all the same. */
  g_autoptr (RerouteRuleset) few = make_many (2);
  g_autoptr (RerouteRulesetBuilder) grow = reroute_ruleset_builder_new (few);
  for (guint i = 3; i <= MANY_ROWS; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      g_autoptr (RerouteChange) put = make_put (i, domain, FALSE, TRUE);
      g_assert_true (reroute_ruleset_builder_apply (grow, put, NULL));
    }
  for (guint i = 2; i < MANY_ROWS; i++)
    {
      g_autoptr (RerouteChange) gone = reroute_change_new_remove (REROUTE_PAGE_ROUTING, i);
      g_assert_true (reroute_ruleset_builder_apply (grow, gone, NULL));
    }
  g_autoptr (RerouteRuleset) wide = reroute_ruleset_builder_build (grow, 2);
  check_changes (wide, few, 2, 2, "gone", MANY_ROWS, "new");
}

/* Room for rows that may come changes nothing, not even when none does. */
static void
test_reserve (void)
{
  g_autoptr (RerouteRuleset) base = make_many (1000);
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (base);
  g_autoptr (RerouteChange) added = make_put (2000, "new.test", FALSE, TRUE);

  reroute_ruleset_builder_reserve (builder, REROUTE_PAGE_ROUTING, MANY_ROWS);
  reroute_ruleset_builder_reserve (builder, REROUTE_PAGE_CONNECTIONS, 0);
  g_autoptr (RerouteRuleset) same = reroute_ruleset_builder_build (builder, 2);
  check_changes (same, base, 0);
  g_assert_true (reroute_ruleset_builder_apply (builder, added, NULL));
  g_autoptr (RerouteRuleset) rules = reroute_ruleset_builder_build (builder, 2);
  check_changes (rules, base, 1, 2000, "new");
  for (guint i = 1; i <= 1000; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      g_assert_cmpint (reroute_ruleset_lookup (base, REROUTE_PAGE_ROUTING, domain)->id, ==, i);
      g_assert_cmpint (reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, domain)->id, ==, i);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/ruleset/lookup/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/ruleset/generations", test_generations);
  g_test_add_func ("/ruleset/new-ids", test_new_ids);
  g_test_add_func ("/ruleset/refusals", test_refusals);
  g_test_add_func ("/ruleset/twins", test_twins);
  g_test_add_func ("/ruleset/model", test_model);
  g_test_add_func ("/ruleset/many", test_many);
  g_test_add_func ("/ruleset/reserve", test_reserve);
  g_test_add_func ("/ruleset/difference", test_difference);
  return g_test_run ();
}
