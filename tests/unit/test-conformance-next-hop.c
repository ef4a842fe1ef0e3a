/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-conformance-next-hop.c - the rows of conformance.json that look something up or take turns
 */

#include "config.h"

#include <string.h>

#include "service/relay/deliver/next-hop.h"
#include "tests/unit/conformance.h"
#include "tests/unit/table-resolver.h"

static TableResolver *
make_world (const ConformanceCase *row)
{
  TableResolver *world = table_resolver_new ();
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, row->mx);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      GPtrArray *records = value;

      for (guint i = 0; i < records->len; i++)
        {
          const ConformanceMx *mx = records->pdata[i];

          table_resolver_add_mx (world, name, (guint16) mx->preference, mx->host);
        }
    }
  g_hash_table_iter_init (&iter, row->a);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      char **addresses = value;

      for (gsize i = 0; addresses[i] != NULL; i++)
        table_resolver_add_address (world, name, addresses[i]);
    }
  return world;
}

static void
take_next_hop (RerouteNextHop *next_hop, gpointer user_data)
{
  *(RerouteNextHop **) user_data = next_hop;
}

static RerouteNextHop *
resolve (const ConformanceCase *row,
         TableResolver *world,
         const RerouteDecision *decision,
         guint turn)
{
  g_autoptr (GArray) own = g_array_new (FALSE, TRUE, sizeof (RerouteIp));
  RerouteNextHop *next_hop = NULL;
  RerouteSelf self = { .listen_port = 25, .mx_port = 25 };

  for (gsize i = 0; row->server_addresses != NULL && row->server_addresses[i] != NULL; i++)
    {
      RerouteIp ip;

      g_assert_true (reroute_ip_parse (row->server_addresses[i], &ip));
      g_array_append_val (own, ip);
    }
  self.addresses = (const RerouteIp *) own->data;
  self.n_addresses = own->len;
  reroute_next_hop_resolve (
    (RerouteResolver *) world, decision, &self, turn, take_next_hop, &next_hop);
  while (next_hop == NULL)
    g_main_context_iteration (NULL, TRUE);
  return next_hop;
}

static void
check_candidates (const ConformanceCase *row, const RerouteNextHop *next_hop)
{
  g_assert_cmpuint (next_hop->endpoints->len, ==, g_strv_length (row->mx_candidates));
  for (guint i = 0; i < next_hop->endpoints->len; i++)
    g_assert_true (g_strv_contains ((const char *const *) row->mx_candidates,
                                    g_array_index (next_hop->endpoints, RerouteEndpoint, i).name));
}

static void
check_rotation (const ConformanceCase *row, TableResolver *world, const RerouteDecision *decision)
{
  for (guint turn = 0; row->rotation[turn] != NULL; turn++)
    {
      RerouteNextHop *next_hop = resolve (row, world, decision, turn);

      g_assert_cmpint (next_hop->state, ==, REROUTE_NEXT_HOP_FOUND);
      g_assert_cmpstr (
        g_array_index (next_hop->endpoints, RerouteEndpoint, 0).name, ==, row->rotation[turn]);
      reroute_next_hop_free (next_hop);
    }
}

static void
test_case (gconstpointer data)
{
  const ConformanceCase *row = data;
  g_autoptr (RerouteResolver) world = (RerouteResolver *) make_world (row);
  g_autoptr (RerouteAddress) recipient = reroute_address_parse (row->recipient, FALSE, NULL);
  g_autoptr (RerouteDecision) decision = NULL;
  g_autoptr (RerouteNextHop) next_hop = NULL;

  g_assert_nonnull (recipient);
  decision = reroute_ruleset_decide (row->rules, recipient, &row->client, NULL);
  g_assert_cmpint (decision->action, !=, REROUTE_ACTION_REJECT);
  next_hop = resolve (row, (TableResolver *) world, decision, 0);
  if (g_strcmp0 (row->action, "reject") == 0)
    {
      g_assert_cmpstr (row->error, ==, "mail-loops-back");
      g_assert_cmpint (next_hop->state, ==, REROUTE_NEXT_HOP_FAIL);
      g_assert_cmpstr (next_hop->status, ==, "5.4.6");
      g_assert_nonnull (strstr (next_hop->reason, "mail loops back"));
      return;
    }
  g_assert_cmpstr (reroute_action_to_string (decision->action), ==, row->action);
  g_assert_cmpstr (decision->rcpt_out, ==, row->rcpt_out);
  g_assert_cmpint (next_hop->state, ==, REROUTE_NEXT_HOP_FOUND);
  g_assert_cmpstr (next_hop->via, ==, row->via);
  if (row->mx_candidates != NULL)
    check_candidates (row, next_hop);
  else
    g_assert_cmpstr (
      g_array_index (next_hop->endpoints, RerouteEndpoint, 0).name, ==, row->next_hop);
  if (row->rotation != NULL)
    check_rotation (row, (TableResolver *) world, decision);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) cases = NULL;
  guint n_tested = 0;

  g_test_init (&argc, &argv, NULL);
  cases = conformance_load_cases ();
  for (guint i = 0; i < cases->len; i++)
    {
      const ConformanceCase *row = cases->pdata[i];
      g_autofree char *path = g_strdup_printf ("/conformance-next-hop/%s", row->id);

      if (!conformance_needs_next_hop (row))
        continue;
      g_test_add_data_func (path, row, test_case);
      n_tested++;
    }
  g_assert_cmpuint (n_tested, >=, 5);
  return g_test_run ();
}
