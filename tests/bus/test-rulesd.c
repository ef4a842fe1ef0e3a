/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-rulesd.c - rulesd on a bus of the test's own, and its client
 */

#include "config.h"

#include "tests/bus/bus-fixture.h"

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/row-columns.h"

#include <glib/gstdio.h>
#include <string.h>

static RerouteRowPage *
list_rows (BusFixture *f, const char *filter, const char *sort, guint offset, guint limit)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  RerouteRowPage *page = NULL;

  reroute_rules_client_list_async (
    f->client, REROUTE_PAGE_ROUTING, filter, sort, offset, limit, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  page = reroute_rules_client_list_finish (f->client, result, &error);
  g_assert_no_error (error);
  return page;
}

/* --- edits --- */

static void
test_bus_starts_it (BusFixture *f, gconstpointer data)
{
  g_autoptr (RerouteRowPage) page = NULL;
  g_autofree char *path = g_build_filename (f->folder, "reroute", "rules.db", NULL);

  g_assert_cmpint (bus_get_rulesd_pid (f), ==, 0);
  page = list_rows (f, "", "domain", 0, 10);
  g_assert_cmpuint (page->serial, ==, 0);
  g_assert_cmpuint (page->total, ==, 0);
  g_assert_cmpint (bus_get_rulesd_pid (f), !=, 0);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
}

static void
test_apply_reaches_the_client (BusFixture *f, gconstpointer data)
{
  RerouteRow *row = NULL;

  reroute_rules_client_start (f->client);
  BUS_WAIT_FOR (reroute_rules_client_get_ruleset (f->client) != NULL);
  bus_save (f, "put routing,test.com,,reroute,example.com\nset message-timeout 3d", 0);
  BUS_WAIT_FOR (bus_get_held_serial (f->client) == 1);
  row = reroute_ruleset_find_row (
    reroute_rules_client_get_ruleset (f->client), REROUTE_PAGE_ROUTING, "test.com", FALSE);
  g_assert_nonnull (row);
  g_assert_cmpint (row->id, ==, 1);
  g_assert_cmpstr (row->changed_by, ==, g_get_user_name ());
  g_assert_cmpint (row->changed_us, >, g_get_real_time () - 60 * G_USEC_PER_SEC);
  bus_save (f, "remove routing 1", 1);
  BUS_WAIT_FOR (bus_get_held_serial (f->client) == 2);
  g_assert_cmpuint (
    reroute_ruleset_get_n_rows (reroute_rules_client_get_ruleset (f->client), REROUTE_PAGE_ROUTING),
    ==,
    0);
}

static void
test_nothing_to_change (BusFixture *f, gconstpointer data)
{
  g_autoptr (RerouteCommitResult) outcome = NULL;

  bus_save (f, "put routing,test.com,,relay", 0);
  outcome = bus_apply (f, "put 1 routing,test.com,,relay", 1, NULL, NULL);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (outcome->serial, ==, 1);
}

static void
test_stale (BusFixture *f, gconstpointer data)
{
  g_autoptr (RerouteCommitResult) outcome = NULL;
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) changes = NULL;
  g_autoptr (GError) error = NULL;
  guint64 serial = 0;

  bus_save (f, "put routing,a.test,,relay", 0);
  bus_save (f, "put routing,b.test,,relay", 1);
  /* Also when it names a row that is gone by now: stale is what she has to know. */
  outcome = bus_apply (f, "remove routing 77", 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_STALE);
  g_assert_cmpuint (outcome->serial, ==, 2);
  reroute_rules_client_changes_since_async (f->client, 1, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  changes = reroute_rules_client_changes_since_finish (f->client, result, &serial, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (serial, ==, 2);
  g_assert_cmpuint (changes->len, ==, 1);
  g_assert_cmpstr (((RerouteChange *) changes->pdata[0])->row->domain, ==, "b.test");
}

static void
test_confirm (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteCommitResult) asked = bus_apply (f, "put routing,com,,relay", 0, NULL, &error);
  g_autoptr (RerouteCommitResult) agreed = NULL;
  const RerouteFinding *finding = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (asked->state, ==, REROUTE_COMMIT_CONFIRM);
  g_assert_cmpuint (asked->serial, ==, 0);
  finding = asked->findings->pdata[0];
  g_assert_cmpint (finding->level, ==, REROUTE_FINDING_CONFIRM);
  agreed = bus_apply (f, "put routing,com,,relay", 0, finding->key, &error);
  g_assert_no_error (error);
  g_assert_cmpint (agreed->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (agreed->serial, ==, 1);
}

static void
test_loop_is_refused (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteCommitResult) outcome = bus_apply (
    f, "put routing,a.test,,reroute,b.test\nput routing,b.test,,reroute,a.test", 0, NULL, &error);
  const RerouteFinding *loop = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_REFUSED);
  g_assert_cmpuint (outcome->serial, ==, 0);
  loop = bus_find_finding (outcome->findings, "loop");
  g_assert_nonnull (loop);
  g_assert_cmpuint (g_strv_length (loop->path), ==, 3);
  for (guint i = 0; i < loop->rows->len; i++)
    g_assert_cmpint (g_array_index (loop->rows, RerouteRowRef, i).id, <, 0);
}

/* --- loads and lists --- */

static char *
make_rows (guint n)
{
  GString *lines = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (
      lines,
      "put routing,n%05u.test,,reroute,t%05u.example,anyone,yes,%s number %u of the tenants\n",
      i,
      n - i,
      i % 100 == 0 ? "Hundred" : "row",
      i);
  return g_string_free (lines, FALSE);
}

static void
count_progress (double fraction, gpointer user_data)
{
  g_assert_cmpfloat (fraction, >, 0);
  g_assert_cmpfloat (fraction, <=, 1);
  (*(guint *) user_data)++;
}

static void
test_pages_of_5000_rows (BusFixture *f, gconstpointer data)
{
  g_autofree char *lines = make_rows (5000);
  g_autoptr (RerouteBus) bus = bus_connect (f);
  g_autoptr (RerouteRulesClient) late = reroute_rules_client_new (bus);
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (RerouteRuleset) loaded = NULL;
  g_autoptr (GError) error = NULL;
  guint n_reports = 0;

  reroute_rules_client_start (f->client);
  BUS_WAIT_FOR (reroute_rules_client_get_ruleset (f->client) != NULL);
  reroute_rules_client_set_progress (f->client, count_progress, &n_reports);
  bus_save (f, lines, 0);
  g_assert_cmpuint (n_reports, >, 1);
  BUS_WAIT_FOR (bus_get_held_serial (f->client) == 1);
  g_assert_cmpuint (
    reroute_ruleset_get_n_rows (reroute_rules_client_get_ruleset (f->client), REROUTE_PAGE_ROUTING),
    ==,
    5000);
  reroute_rules_client_load_async (late, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  loaded = reroute_rules_client_load_finish (late, result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reroute_ruleset_get_serial (loaded), ==, 1);
  g_assert_cmpuint (reroute_ruleset_get_n_rows (loaded, REROUTE_PAGE_ROUTING), ==, 5000);
}

/* What LoadColumns says, row by row. */
static void
test_load_row_by_row (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GVariant) same = NULL;
  g_autoptr (GVariant) columns = NULL;
  g_autoptr (GPtrArray) from_columns = NULL;

  bus_save (f, "put routing,a.test,,relay\nput routing,b.test,exact,reroute,c.test", 0);
  reply = bus_call (f->bus, "Load", g_variant_new ("(sxu)", "routing", (gint64) 0, 10), &error);
  g_assert_no_error (error);
  same =
    bus_call (f->bus, "LoadColumns", g_variant_new ("(sxu)", "routing", (gint64) 0, 10), &error);
  g_assert_no_error (error);
  rows = g_variant_get_child_value (reply, 1);
  columns = g_variant_get_child_value (same, 1);
  from_columns = reroute_rows_from_columns (REROUTE_PAGE_ROUTING, columns, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (from_columns->len, ==, 2);
  g_assert_cmpuint (g_variant_n_children (rows), ==, 2);
  for (guint i = 0; i < from_columns->len; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (rows, i);
      g_autoptr (RerouteRow) row = reroute_row_from_variant (child, &error);

      g_assert_no_error (error);
      g_assert_true (reroute_row_equal (row, from_columns->pdata[i]));
    }
}

static void
assert_list (
  BusFixture *f, const char *filter, const char *sort, guint offset, guint total, const char *first)
{
  g_autoptr (RerouteRowPage) page = list_rows (f, filter, sort, offset, 10);

  g_assert_cmpuint (page->serial, ==, 1);
  g_assert_cmpuint (page->total, ==, total);
  if (first == NULL)
    g_assert_cmpuint (page->rows->len, ==, 0);
  else
    g_assert_cmpstr (((RerouteRow *) page->rows->pdata[0])->domain, ==, first);
}

static void
test_lists (BusFixture *f, gconstpointer data)
{
  g_autofree char *lines = make_rows (1000);

  bus_save (f, lines, 0);
  assert_list (f, "", "domain", 0, 1000, "n00000.test");
  assert_list (f, "", "-domain", 0, 1000, "n00999.test");
  assert_list (f, "", "target", 10, 1000, "n00989.test");
  assert_list (f, "", "domain", 995, 1000, "n00995.test");
  assert_list (f, "", "domain", 1000, 1000, NULL);
  assert_list (f, "HUNDRED", "-domain", 0, 10, "n00900.test");
  assert_list (f, "hundred", "domain", 9, 10, "n00900.test");
  assert_list (f, "no such row", "domain", 0, 0, NULL);
}

/* --- history --- */

static void
test_history_and_revert (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) reverted = NULL;
  g_autoptr (GAsyncResult) told = NULL;
  g_autoptr (GAsyncResult) compared = NULL;
  g_autoptr (RerouteCommitResult) outcome = NULL;
  g_autoptr (RerouteRowPage) page = NULL;
  g_autoptr (GPtrArray) generations = NULL;
  g_autoptr (GPtrArray) differences = NULL;
  const RerouteGeneration *newest = NULL;
  const RerouteDifference *difference = NULL;

  bus_save (f, "put routing,a.test,,relay", 0);
  bus_save (f, "remove routing 1", 1);
  reroute_rules_client_revert_async (f->client, 1, 2, NULL, NULL, bus_result_cb, &pending);
  reverted = bus_await (&pending);
  outcome = reroute_rules_client_revert_finish (f->client, reverted, &error);
  g_assert_no_error (error);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (outcome->serial, ==, 3);
  page = list_rows (f, "", "id", 0, 10);
  g_assert_cmpint (((RerouteRow *) page->rows->pdata[0])->id, ==, 1);

  reroute_rules_client_history_async (f->client, 0, 10, NULL, bus_result_cb, &pending);
  told = bus_await (&pending);
  generations = reroute_rules_client_history_finish (f->client, told, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (generations->len, ==, 3);
  newest = generations->pdata[0];
  g_assert_cmpuint (newest->serial, ==, 3);
  g_assert_cmpstr (newest->who, ==, g_get_user_name ());
  g_assert_cmpstr (newest->summary, ==, "Brought back generation 1");

  reroute_rules_client_history_changes_async (f->client, 2, 0, 10, NULL, bus_result_cb, &pending);
  compared = bus_await (&pending);
  differences = reroute_rules_client_history_changes_finish (f->client, compared, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (differences->len, ==, 1);
  difference = differences->pdata[0];
  g_assert_cmpstr (difference->before->row->domain, ==, "a.test");
  g_assert_null (difference->after);
}

static void
test_check_and_explain_unsaved (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) checked = NULL;
  g_autoptr (GAsyncResult) explained = NULL;
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  RerouteRowFields fields = { .domain = "test.com", .enabled = TRUE };
  g_autoptr (RerouteRoutingEntry) entry =
               reroute_routing_entry_new (&fields, REROUTE_ROUTING_REROUTE, "test.com", &error);
  g_autoptr (GPtrArray) findings = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (RerouteRoutingEntry) good = NULL;
  const char *rcpt_out = NULL;

  if (entry != NULL)
    {
      g_ptr_array_add (changes, reroute_change_new_put (entry));
      reroute_rules_client_check_async (f->client, changes, NULL, bus_result_cb, &pending);
      checked = bus_await (&pending);
      findings = reroute_rules_client_check_finish (f->client, checked, &error);
      g_assert_no_error (error);
      g_assert_cmpint (((RerouteFinding *) findings->pdata[0])->level, ==, REROUTE_FINDING_ERROR);
      g_ptr_array_set_size (changes, 0);
    }
  g_clear_error (&error);
  good = reroute_routing_entry_new (&fields, REROUTE_ROUTING_REROUTE, "example.com", &error);
  g_assert_no_error (error);
  g_ptr_array_add (changes, reroute_change_new_put (good));
  reroute_rules_client_explain_async (
    f->client, "user@test.com", "", FALSE, changes, NULL, bus_result_cb, &pending);
  explained = bus_await (&pending);
  values = reroute_rules_client_explain_finish (f->client, explained, &steps, &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_lookup (values, "rcpt_out", "&s", &rcpt_out));
  g_assert_cmpstr (rcpt_out, ==, "user@example.com");
  g_assert_cmpuint (steps->len, >, 0);
}

/* --- bad input --- */

#define PUT(row) "([('put', <" row ">)], uint64 0, @as [])"

static const struct
{
  const char *method;
  const char *arguments;
  const char *error;
} bad_calls[] = {
  { "List", "('other', '', 'domain', uint32 0, uint32 10)", "org.reroute.Error.Value" },
  { "List", "('routing', '', 'shoe size', uint32 0, uint32 10)", "org.reroute.Error.Value" },
  { "List", "('routing', '', '', uint32 0, uint32 10)", "org.reroute.Error.Value" },
  { "List", "('routing', '', 'domain', uint32 0, uint32 1001)", "org.reroute.Error.Value" },
  { "List", "('routing', '', 'domain', 0, 10)", "org.freedesktop.DBus.Error.InvalidArgs" },
  { "List", "('routing',)", "org.freedesktop.DBus.Error.InvalidArgs" },
  { "Load", "('routing', int64 -1, uint32 10)", "org.reroute.Error.Value" },
  { "Load", "('routing', int64 0, uint32 0)", "org.reroute.Error.Value" },
  { "Load", "('', int64 0, uint32 1)", "org.reroute.Error.Value" },
  { "LoadColumns", "('routing', int64 -1, uint32 10)", "org.reroute.Error.Value" },
  { "LoadColumns", "('routing', int64 0, uint32 1001)", "org.reroute.Error.Value" },
  { "LoadColumns", "('', int64 0, uint32 1)", "org.reroute.Error.Value" },
  { "StageColumns", "(uint32 4711, 'routing', @a{sv} {})", "org.reroute.Error.NoSuchEdit" },
  { "StageColumns", "(uint32 4711, 'other', @a{sv} {})", "org.reroute.Error.Value" },
  { "StageColumns",
    "(uint32 4711, 'routing', {'domain': <b'a..b'>, 'action': <b'relay'>})",
    "org.reroute.Error.Domain" },
  { "StageColumns",
    "(uint32 4711, 'routing', {'domain': <b'a.test'>, 'hosts': <b'b.test'>})",
    "org.reroute.Error.Protocol" },
  { "Stage", "(uint32 4711, @a(sv) [])", "org.reroute.Error.NoSuchEdit" },
  { "Stage", "(uint32 0, @a(sv) [])", "org.reroute.Error.NoSuchEdit" },
  { "Discard", "(uint32 4294967295,)", "org.reroute.Error.NoSuchEdit" },
  { "Check", "(uint32 4711,)", "org.reroute.Error.NoSuchEdit" },
  { "Commit", "(uint32 0, uint64 0, @as [])", "org.reroute.Error.NoSuchEdit" },
  { "Explain", "('user@a.test', '', false, uint32 9)", "org.reroute.Error.NoSuchEdit" },
  { "Explain", "('not an address', '', false, uint32 0)", "org.reroute.Error.Address" },
  { "Explain", "('user@a.test', 'here', false, uint32 0)", "org.reroute.Error.Value" },
  { "ChangesSince", "(uint64 0, uint32 0, uint32 0)", "org.reroute.Error.Value" },
  { "History", "(uint64 0, uint32 4294967295)", "org.reroute.Error.Value" },
  { "HistoryChanges", "(uint64 0, uint32 0, uint32 1)", "org.reroute.Error.NoSuchSerial" },
  { "HistoryChanges",
    "(uint64 18446744073709551615, uint32 0, uint32 1)",
    "org.reroute.Error.NoSuchSerial" },
  { "Revert", "(uint64 5, uint64 0, @as [])", "org.reroute.Error.NoSuchSerial" },
  { "Revert", "(uint64 18446744073709551615, uint64 0, @as [])", "org.reroute.Error.NoSuchSerial" },
  { "Apply", "([('juggle', <'x'>)], uint64 0, @as [])", "org.reroute.Error.Protocol" },
  { "Apply", "([('put', <'x'>)], uint64 0, @as [])", "org.reroute.Error.Protocol" },
  { "Apply",
    PUT ("('routing', int64 0, 'a..b', false, true, @a{sv} {})"),
    "org.reroute.Error.Domain" },
  { "Apply",
    PUT ("('routing', int64 0, '*.a.test', false, true, @a{sv} {})"),
    "org.reroute.Error.Domain" },
  { "Apply",
    PUT ("('routing', int64 -5, 'a.test', false, true, {'action': <'relay'>})"),
    "org.reroute.Error.Value" },
  { "Apply",
    PUT ("('routing', int64 9223372036854775807, 'a.test', false, true, {'action': <'relay'>})"),
    "org.reroute.Error.NoSuchEntry" },
  { "Apply",
    PUT ("('routing', int64 0, 'a.test', false, true, {'action': <uint32 7>})"),
    "org.reroute.Error.Protocol" },
  { "Apply",
    PUT ("('connections', int64 0, 'a.test', false, true, {'deliver': <'host'>, 'hosts': "
         "<'a.test:70000'>})"),
    "org.reroute.Error.Host" },
  { "Apply",
    "([('remove', <('routing', int64 4611686018427387904)>)], uint64 0, @as [])",
    "org.reroute.Error.NoSuchEntry" },
  { "Apply", "([('set', <('shoe-size', '42')>)], uint64 0, @as [])", "org.reroute.Error.Setting" },
  { "Apply",
    "([('set', <('message-timeout', 'soon')>)], uint64 0, @as [])",
    "org.reroute.Error.Value" },
  { "Juggle", "()", "org.freedesktop.DBus.Error.UnknownMethod" },
};

static void
test_bad_calls (BusFixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_calls); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *name = NULL;
      g_autoptr (GVariant) reply = NULL;
      GVariant *arguments = g_variant_parse (NULL, bad_calls[i].arguments, NULL, NULL, &error);

      g_assert_no_error (error);
      reply = bus_call (f->bus, bad_calls[i].method, arguments, &error);
      g_assert_null (reply);
      name = g_dbus_error_get_remote_error (error);
      g_test_message ("%s %s: %s", bad_calls[i].method, bad_calls[i].arguments, error->message);
      g_assert_cmpstr (name, ==, bad_calls[i].error);
    }
}

static void
test_changes_since_the_future (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = bus_call (
    f->bus, "ChangesSince", g_variant_new ("(tuu)", G_MAXUINT64, 0, 1), &error);
  const char *state = NULL;

  g_assert_no_error (error);
  g_variant_get_child (reply, 0, "&s", &state);
  g_assert_cmpstr (state, ==, "load");
}

static void
test_too_much_in_one_call (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) begun = bus_call (f->bus, "Begin", NULL, &error);
  g_autoptr (GVariant) reply = NULL;
  GVariantBuilder builder;
  guint number = 0;

  g_assert_no_error (error);
  g_variant_get (begun, "(u)", &number);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sv)"));
  for (guint i = 0; i < 40000; i++)
    g_variant_builder_add (
      &builder, "(sv)", "remove", g_variant_new ("(sx)", "routing", (gint64) i));
  reply = bus_call (f->bus, "Stage", g_variant_new ("(ua(sv))", number, &builder), &error);
  g_assert_null (reply);
  reroute_error_strip (error);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_TOO_LARGE);
}

static void
test_edits_belong_to_their_caller (BusFixture *f, gconstpointer data)
{
  g_autoptr (RerouteBus) other = bus_connect (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) begun = bus_call (f->bus, "Begin", NULL, &error);
  g_autoptr (GVariant) foreign = NULL;
  guint number = 0;

  g_assert_no_error (error);
  g_variant_get (begun, "(u)", &number);
  foreign = bus_call (other, "Discard", g_variant_new ("(u)", number), &error);
  reroute_error_strip (error);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_EDIT);
  g_clear_error (&error);
  for (guint i = 1; i < REROUTE_LIMIT_EDITS_PER_CALLER; i++)
    {
      g_autoptr (GVariant) reply G_GNUC_UNUSED = bus_call (f->bus, "Begin", NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_null (bus_call (f->bus, "Begin", NULL, &error));
  reroute_error_strip (error);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_TOO_LARGE);
}

/* What saving, listing and copying say, which is the same. */
static void
assert_refused (BusFixture *f, const char *says)
{
  const struct
  {
    const char *method;
    GVariant *arguments;
  } calls[] = {
    { "Apply",
      g_variant_new_parsed ("(@a(sv) [('set', <('message-timeout', '3d')>)], @t 1, @as [])") },
    { "List", g_variant_new ("(sssuu)", "routing", "", "domain", 0, 10) },
    { "BackupBegin", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) reply = bus_call (f->bus, calls[i].method, calls[i].arguments, &error);

      g_assert_null (reply);
      g_assert_nonnull (strstr (error->message, says));
      reroute_error_strip (error);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
    }
}

/* What was saved into a file without a name would be lost. */
static void
test_its_file_was_replaced (BusFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "reroute", "rules.db", NULL);
  g_autofree char *away = g_strconcat (path, ".away", NULL);

  bus_save (f, "put routing,test.com,,reroute,example.com", 0);
  g_assert_cmpint (g_rename (path, away), ==, 0);
  assert_refused (f, "is gone");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  assert_refused (f, "another file has taken the place");
  g_assert_cmpint (g_rename (away, path), ==, 0);
  bus_save (f, "put routing,b.test,,relay", 1);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/rulesd/" name, BusFixture, NULL, bus_set_up, func, bus_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("bus-starts-it", test_bus_starts_it);
  ADD ("apply-reaches-the-client", test_apply_reaches_the_client);
  ADD ("nothing-to-change", test_nothing_to_change);
  ADD ("stale", test_stale);
  ADD ("confirm", test_confirm);
  ADD ("loop-is-refused", test_loop_is_refused);
  ADD ("pages-of-5000-rows", test_pages_of_5000_rows);
  ADD ("load-row-by-row", test_load_row_by_row);
  ADD ("lists", test_lists);
  ADD ("history-and-revert", test_history_and_revert);
  ADD ("check-and-explain-unsaved", test_check_and_explain_unsaved);
  ADD ("bad-calls", test_bad_calls);
  ADD ("changes-since-the-future", test_changes_since_the_future);
  ADD ("too-much-in-one-call", test_too_much_in_one_call);
  ADD ("edits-belong-to-their-caller", test_edits_belong_to_their_caller);
  ADD ("its-file-was-replaced", test_its_file_was_replaced);
  return g_test_run ();
}
