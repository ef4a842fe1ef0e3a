/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-many-rows.c - the ids of a list, and their removal in one change
 */

#include "config.h"

#include "common/error.h"
#include "tests/bus/bus-fixture.h"

#define THREE_ROWS                                                                                 \
  "put routing,b.test,,relay\n"                                                                    \
  "put routing,c.test,,relay\n"                                                                    \
  "put routing,a.test,,relay"

static const struct
{
  const char *filter;
  const char *sort;
  guint offset;
  guint limit;
  guint total;
  gint64 ids[4]; /* 0 behind the last */
} lists[] = {
  { "", "domain", 0, 100000, 3, { 3, 1, 2 } }, { "", "-domain", 0, 2, 3, { 2, 1 } },
  { "", "id", 1, 100000, 3, { 2, 3 } },        { "", "id", 3, 10, 3, { 0 } },
  { "B.test", "domain", 0, 10, 1, { 1 } },     { "test", "domain", 1, 1, 3, { 1 } },
  { "test", "domain", 7, 1, 3, { 0 } },        { "no such row", "domain", 0, 10, 0, { 0 } },
};

static void
test_ids (BusFixture *f, gconstpointer data)
{
  bus_save (f, THREE_ROWS, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      GAsyncResult *pending = NULL;
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GArray) ids = NULL;
      g_autoptr (GError) error = NULL;
      guint64 serial = 0;
      guint total = 0;

      reroute_rules_client_list_ids_async (f->client,
                                           REROUTE_PAGE_ROUTING,
                                           lists[i].filter,
                                           lists[i].sort,
                                           lists[i].offset,
                                           lists[i].limit,
                                           NULL,
                                           bus_result_cb,
                                           &pending);
      result = bus_await (&pending);
      ids = reroute_rules_client_list_ids_finish (f->client, result, &serial, &total, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (serial, ==, 1);
      g_assert_cmpuint (total, ==, lists[i].total);
      for (guint j = 0; j < ids->len; j++)
        g_assert_cmpint (g_array_index (ids, gint64, j), ==, lists[i].ids[j]);
      g_assert_cmpint (lists[i].ids[ids->len], ==, 0);
    }
}

/* What no index is for, of E-Mail Domain rows. */
static void
test_sorts (BusFixture *f, gconstpointer data)
{
  static const char edit[] =
    "([('put', <('connections', int64 0, 'a.test', false, true, {'deliver': <'host'>, 'hosts': "
    "<'mx.test'>, 'account': <'z'>})>),"
    "  ('put', <('connections', int64 0, 'b.test', false, true,"
    "           {'tls': <'verified'>, 'leaves': <true>, 'recipient-check': <'list'>})>),"
    "  ('put', <('connections', int64 0, 'c.test', false, true,"
    "           {'deliver': <'host'>, 'hosts': <'mx.test'>, 'tls': <'none'>, 'account': <'y'>, "
    "'recipient-check': <'call-ahead'>})>)],"
    " uint64 0, @as [])";
  static const struct
  {
    const char *sort;
    const char *answer;
  } sorts[] = {
    { "tls", "(uint64 1, uint32 3, [int64 1, 3, 2])" },
    { "-tls", "(uint64 1, uint32 3, [int64 2, 3, 1])" },
    { "account", "(uint64 1, uint32 3, [int64 2, 3, 1])" },
    { "-account", "(uint64 1, uint32 3, [int64 1, 3, 2])" },
    { "recipient-check", "(uint64 1, uint32 3, [int64 3, 2, 1])" },
    { "-recipient-check", "(uint64 1, uint32 3, [int64 1, 2, 3])" },
    { "leaves", "(uint64 1, uint32 3, [int64 1, 3, 2])" },
    { "-leaves", "(uint64 1, uint32 3, [int64 2, 3, 1])" },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) saved =
               bus_call (f->bus, "Apply", g_variant_parse (NULL, edit, NULL, NULL, &error), &error);

  g_assert_no_error (error);
  g_assert_nonnull (saved);
  for (gsize i = 0; i < G_N_ELEMENTS (sorts); i++)
    {
      GVariant *arguments = g_variant_new ("(sssuu)", "connections", "", sorts[i].sort, 0, 10);
      g_autoptr (GVariant) ids = bus_call (f->bus, "ListIds", arguments, &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = g_variant_print (ids, TRUE);
      g_assert_cmpstr (text, ==, sorts[i].answer);
    }
}

static RerouteCommitResult *
remove_ids (BusFixture *f, const gint64 *ids, gsize n_ids, guint64 expected_serial, GError **error)
{
  g_autoptr (RerouteIdSet) set = reroute_id_set_new (ids, n_ids);
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_ptr_array_add (changes, reroute_change_new_remove_many (REROUTE_PAGE_ROUTING, set));
  reroute_rules_client_apply_async (
    f->client, changes, expected_serial, NULL, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_apply_finish (f->client, result, error);
}

static void
test_remove_many (BusFixture *f, gconstpointer data)
{
  static const gint64 first_and_last[] = { 3, 1 };
  g_autoptr (RerouteCommitResult) outcome = NULL;
  g_autoptr (GVariant) history = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GError) error = NULL;

  bus_save (f, THREE_ROWS, 0);
  outcome = remove_ids (f, first_and_last, G_N_ELEMENTS (first_and_last), 1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (outcome->serial, ==, 2);
  rows =
    bus_call (f->bus, "ListIds", g_variant_new ("(sssuu)", "routing", "", "id", 0, 10), &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_equal (rows, g_variant_new_parsed ("(uint64 2, uint32 1, @ax [2])")));
  history =
    bus_call (f->bus, "HistoryChanges", g_variant_new ("(tuu)", (guint64) 2, 0, 10), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (g_variant_get_child_value (history, 0)), ==, 2);
}

/* All or nothing. */
static void
test_unknown_id (BusFixture *f, gconstpointer data)
{
  static const gint64 one_and_none[] = { 1, 4711 };
  g_autoptr (RerouteCommitResult) outcome = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GError) error = NULL;

  bus_save (f, THREE_ROWS, 0);
  outcome = remove_ids (f, one_and_none, G_N_ELEMENTS (one_and_none), 1, &error);
  g_assert_null (outcome);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY);
  rows = bus_call (f->bus, "ListIds", g_variant_new ("(sssuu)", "routing", "", "id", 0, 10), NULL);
  g_assert_true (
    g_variant_equal (rows, g_variant_new_parsed ("(uint64 1, uint32 3, @ax [1, 2, 3])")));
}

static void
test_bad_calls (BusFixture *f, gconstpointer data)
{
  static const char *const bad[] = {
    "('other', '', 'domain', uint32 0, uint32 10)",
    "('routing', '', 'shoe size', uint32 0, uint32 10)",
    "('routing', '', 'domain', uint32 0, uint32 100001)",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (bus_call (f->bus, "ListIds", g_variant_new_parsed (bad[i]), &error));
      g_assert_cmpstr (g_dbus_error_get_remote_error (error), ==, "org.reroute.Error.Value");
    }
}

#define ADD(name, func)                                                                            \
  g_test_add ("/many-rows/" name, BusFixture, NULL, bus_set_up, func, bus_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("ids", test_ids);
  ADD ("sorts", test_sorts);
  ADD ("remove-many", test_remove_many);
  ADD ("unknown-id", test_unknown_id);
  ADD ("bad-calls", test_bad_calls);
  return g_test_run ();
}
