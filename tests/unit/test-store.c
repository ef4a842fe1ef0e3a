/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-store.c - the database of rules: what is saved, listed and brought back
 */

#include "config.h"

#include "service/rules/answers.h"
#include "service/rules/history.h"
#include "service/rules/row-store.h"

#include "common/error.h"
#include "common/limits.h"
#include "tests/unit/sample-edit.h"
#include "tests/unit/store-fixture.h"

#include <glib/gstdio.h>
#include <malloc.h>

#define MIB 1048576

/* --- saving --- */

static void
test_edits_are_kept (StoreFixture *f, gconstpointer data)
{
  store_edit (
    f, "put routing,test.com,,reroute,example.com\nput connections,fwd.test,exact,host,mx.test:26");
  store_edit (f, "put 1 routing,test.com,,reroute,example.net,permitted,no,renamed");
  store_edit (f, "remove connections 2\nput routing,in.test,,inbound");
  for (guint i = 0; i < 2; i++)
    {
      RerouteRoutingEntry *entry = (RerouteRoutingEntry *) reroute_ruleset_get_row (
        reroute_rulebook_get_ruleset (f->book), REROUTE_PAGE_ROUTING, 1);

      store_assert_rows (f, "routing 1 test.com; routing 3 in.test");
      g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 3);
      g_assert_cmpstr (entry->target, ==, "example.net");
      g_assert_cmpint (entry->row.accept_from, ==, REROUTE_ACCEPT_FROM_PERMITTED);
      g_assert_false (entry->row.enabled);
      g_assert_cmpstr (entry->row.comment, ==, "renamed");
      g_assert_cmpstr (entry->row.changed_by, ==, "anna");
      g_assert_cmpint (entry->row.changed_us, ==, 1700000000000000);
      store_reopen_book (f);
    }
}

static void
test_ids_are_never_reused (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "put routing,a.test,,inbound\nput routing,b.test,,inbound");
  store_edit (f, "remove routing 1\nremove routing 2");
  store_reopen_book (f);
  store_edit (f, "put connections,c.test,,dns");
  store_assert_rows (f, "connections 3 c.test");
}

static void
test_nothing_to_change_makes_no_generation (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "put routing,a.test,,inbound\nset message-timeout 3d");
  store_edit (f, "put 1 routing,a.test,,inbound\nset message-timeout 3d\nreset hostname");
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 1);
  store_edit (f, "put routing,b.test,,inbound\nremove routing 1\nput 1 routing,a.test,,inbound");
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 2);
  store_assert_rows (f, "routing 1 a.test; routing 2 b.test");
}

static void
test_a_domain_moves_between_rows (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "put routing,a.test,,inbound\nput routing,b.test,,inbound");
  store_edit (f, "put 1 routing,b.test,,inbound\nput 2 routing,a.test,,inbound");
  store_reopen_book (f);
  store_assert_rows (f, "routing 1 b.test; routing 2 a.test");
  store_edit (f, "put routing,b.test,,relay\nremove routing 1");
  store_reopen_book (f);
  store_assert_rows (f, "routing 2 a.test; routing 3 b.test");
}

static void
test_settings_are_kept (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "set message-timeout 3d\nset max-recipients 50");
  store_reopen_book (f);
  g_assert_cmpstr (store_get_setting (f, REROUTE_SETTING_MESSAGE_TIMEOUT), ==, "3d");
  store_edit (f, "reset message-timeout");
  store_reopen_book (f);
  g_assert_cmpstr (store_get_setting (f, REROUTE_SETTING_MESSAGE_TIMEOUT), ==, "5d");
  g_assert_cmpstr (store_get_setting (f, REROUTE_SETTING_MAX_RECIPIENTS), ==, "50");
}

static void
test_absent_rows_are_refused (StoreFixture *f, gconstpointer data)
{
  static const char *const edits[] = {
    "remove routing 1",
    "put 7 routing,a.test,,inbound",
    "put routing,a.test,,inbound\nremove connections 1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (edits); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (store_try_edit (f, edits[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY);
    }
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 0);
}

static void
test_findings_name_new_rows (StoreFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) changes = NULL;
  g_autoptr (RerouteProposal) proposal = NULL;
  g_autoptr (GPtrArray) findings = NULL;
  gboolean named = FALSE;

  store_edit (f, "put routing,a.test,,inbound");
  changes = sample_edit ("put routing,c.test,,relay\nput routing,b.test,,reroute,d.test\n"
                         "put routing,d.test,,reroute,b.test");
  proposal = store_propose (f->book, changes, FALSE, NULL);
  findings = reroute_ruleset_check (proposal->next, proposal->base, NULL);
  reroute_proposal_name_new_rows (proposal, findings);
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];
      if (!g_str_equal (finding->code, "loop"))
        continue;
      named = TRUE;
      for (guint k = 0; k < finding->rows->len; k++)
        {
          gint64 id = g_array_index (finding->rows, RerouteRowRef, k).id;
          g_assert_true (id == -2 || id == -3);
        }
    }
  g_assert_true (named);
}

/* --- history --- */

static void
test_revert_brings_back_ids (StoreFixture *f, gconstpointer data)
{
  store_edit (f,
              "put routing,a.test,,inbound\nput connections,b.test,,dns\nset message-timeout 3d");
  store_edit (f, "remove routing 1\nput 2 connections,c.test,,dns\nreset message-timeout");
  store_edit (f, "put routing,a.test,,relay");
  store_revert (f, 1);
  store_reopen_book (f);
  store_assert_rows (f, "connections 2 b.test; routing 1 a.test");
  g_assert_cmpstr (store_get_setting (f, REROUTE_SETTING_MESSAGE_TIMEOUT), ==, "3d");
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 4);
  store_revert (f, 3);
  store_assert_rows (f, "connections 2 c.test; routing 3 a.test");
  store_revert (f, 0);
  store_assert_rows (f, "");
  store_edit (f, "put routing,new.test,,relay");
  store_assert_rows (f, "routing 4 new.test");
}

static void
test_history_knows_its_end (StoreFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  RerouteStore *reader = NULL;
  guint64 n_changes = 0;

  store_edit (f, "put routing,a.test,,inbound");
  store_edit (f, "put routing,b.test,,inbound\nput routing,c.test,,inbound");
  reader = reroute_rulebook_borrow_reader (f->book, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_history_reaches (reader, 0, &n_changes, NULL));
  g_assert_cmpuint (n_changes, ==, 3);
  g_assert_true (reroute_history_reaches (reader, 2, &n_changes, NULL));
  g_assert_cmpuint (n_changes, ==, 0);
  g_assert_false (reroute_history_reaches (reader, 3, &n_changes, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_SERIAL);
  reroute_rulebook_return_reader (f->book, reader);
}

static gboolean
count_cb (const RerouteDelta *delta, gpointer user_data)
{
  guint *n = user_data;

  (*n)++;
  return TRUE;
}

static void
test_changes_of_a_generation_end (StoreFixture *f, gconstpointer data)
{
  static const guint wanted[] = { 1, 0, 0 };
  g_autoptr (GError) error = NULL;
  RerouteStore *reader = NULL;

  store_edit (f, "put routing,a.test,,inbound");
  store_edit (f, "put routing,b.test,,inbound");
  reader = reroute_rulebook_borrow_reader (f->book, &error);
  g_assert_no_error (error);
  for (guint64 serial = 1; serial <= 2; serial++)
    for (guint offset = 0; offset < G_N_ELEMENTS (wanted); offset++)
      {
        const RerouteHistoryRange range = {
          .since = serial - 1, .until = serial, .offset = offset, .limit = 1000
        };
        guint n = 0;

        g_assert_true (reroute_history_read_deltas (reader, &range, count_cb, &n, &error));
        g_assert_cmpuint (n, ==, wanted[offset]);
      }
  reroute_rulebook_return_reader (f->book, reader);
}

static void
test_history_is_bounded (StoreFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteStore) store = NULL;
  g_autoptr (RerouteRuleset) base = reroute_ruleset_new_empty ();
  guint64 n_changes = 0;

  g_clear_pointer (&f->book, reroute_rulebook_close);
  store = reroute_store_open (f->path, REROUTE_STORE_WRITE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_store_begin (store, &error));
  for (guint i = 0; i < REROUTE_LIMIT_HISTORY_GENERATIONS + 5; i++)
    {
      g_autofree char *line = g_strdup_printf ("set max-recipients %u", 100 + i);
      g_autoptr (GPtrArray) changes = sample_edit (line);
      RerouteProposalOrigin origin = { .next_row_id = 1, .who = "anna" };
      g_autoptr (RerouteProposal) proposal = reroute_proposal_new (base, changes, &origin, &error);

      g_assert_true (reroute_history_add (store, proposal, &error));
      reroute_ruleset_unref (base);
      base = reroute_ruleset_ref (proposal->next);
    }
  g_assert_true (reroute_row_store_set_state (store, reroute_ruleset_get_serial (base), 1, &error));
  g_assert_true (reroute_store_commit (store, &error));
  g_assert_true (reroute_history_reaches (store, 5, &n_changes, &error));
  g_assert_cmpuint (n_changes, ==, REROUTE_LIMIT_HISTORY_GENERATIONS);
  g_assert_false (reroute_history_reaches (store, 4, &n_changes, NULL));
  g_assert_false (reroute_history_has (store, 5, NULL));
  g_assert_true (reroute_history_has (store, 6, NULL));
}

static void
test_history_is_bounded_by_changes (StoreFixture *f, gconstpointer data)
{
  const guint n = REROUTE_LIMIT_HISTORY_LEAST + 5;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteStore) store = NULL;
  guint64 n_changes = 0;

  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *lines =
        g_strdup_printf ("put routing,a%u.test,,relay\nput routing,b%u.test,,relay", i, i);
      store_edit (f, lines);
    }
  g_clear_pointer (&f->book, reroute_rulebook_close);
  store = reroute_store_open (f->path, REROUTE_STORE_WRITE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_history_forget (store, 2 * n, &error));
  g_assert_true (reroute_history_reaches (store, 0, &n_changes, NULL));
  g_assert_true (reroute_history_forget (store, 2 * n - 3, &error));
  g_assert_true (reroute_history_reaches (store, 2, &n_changes, NULL));
  g_assert_cmpuint (n_changes, ==, 2 * n - 4);
  g_assert_false (reroute_history_has (store, 2, NULL));
  g_assert_true (reroute_history_forget (store, 1, &error));
  g_assert_true (reroute_history_reaches (store, 5, &n_changes, NULL));
  g_assert_false (reroute_history_has (store, 5, NULL));
}

/* --- most of a table at once --- */

#define MANY 1200

/* @sql: one value */
static char *
dup_answer (StoreFixture *f, const char *sql)
{
  g_autoptr (GError) error = NULL;
  RerouteStore *reader = reroute_rulebook_borrow_reader (f->book, &error);
  RerouteQuery *query = reroute_store_query (reader, sql, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_query_step (query, &error));
  char *answer = g_strdup (reroute_query_get_text (query, 0));

  reroute_rulebook_return_reader (f->book, reader);
  return answer;
}

static char *
dup_indexes (StoreFixture *f)
{
  return dup_answer (f,
                     "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_schema "
                     "WHERE type = 'index' AND sql IS NOT NULL ORDER BY name)");
}

static char *
make_many (const char *last)
{
  GString *lines = g_string_new (NULL);

  for (guint i = 0; i < MANY; i++)
    g_string_append_printf (
      lines, "put routing,d%u.test,,reroute,t.test\nput connections,d%u.test,,dns\n", i, i);
  g_string_append (lines, last);
  return g_string_free (lines, FALSE);
}

/* Their indexes are made anew: the same, and over all rows. */
static void
test_many_rows_at_once (StoreFixture *f, gconstpointer data)
{
  static const char where_target[] =
    "SELECT rowid FROM sqlite_schema WHERE name = 'routing_target'";
  static const char count[] = "SELECT count(*) FROM routing INDEXED BY routing_target";
  static const char checked[] = "PRAGMA integrity_check";
  g_autofree char *lines = make_many ("put routing,d1.test,exact,inbound");
  g_autofree char *indexes = dup_indexes (f);
  g_autofree char *old_place = dup_answer (f, where_target);

  store_edit (f, lines);
  g_autofree char *new_place = dup_answer (f, where_target);
  g_assert_cmpstr (new_place, !=, old_place);
  g_autofree char *new_indexes = dup_indexes (f);
  g_assert_cmpstr (new_indexes, ==, indexes);
  g_autofree char *n = dup_answer (f, count);
  g_assert_cmpstr (n, ==, "1201");
  g_autofree char *verdict = dup_answer (f, checked);
  g_assert_cmpstr (verdict, ==, "ok");

  store_revert (f, 0);
  g_autofree char *none = dup_answer (f, count);
  g_assert_cmpstr (none, ==, "0");
  g_autofree char *last_indexes = dup_indexes (f);
  g_assert_cmpstr (last_indexes, ==, indexes);
}

static void
test_many_rows_with_a_fault (StoreFixture *f, gconstpointer data)
{
  g_autofree char *lines = make_many ("put routing,d1.test,,inbound");
  g_autofree char *indexes = dup_indexes (f);
  g_autoptr (GError) error = NULL;

  g_assert_false (store_try_edit (f, lines, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  store_assert_rows (f, "");
  g_autofree char *last_indexes = dup_indexes (f);
  g_assert_cmpstr (last_indexes, ==, indexes);
  store_edit (f, "put routing,a.test,,inbound");
}

/* --- hosts --- */

static char *
dup_saved_hosts (StoreFixture *f)
{
  const RerouteEmailDomain *entry = (const RerouteEmailDomain *) reroute_ruleset_get_row (
    reroute_rulebook_get_ruleset (f->book), REROUTE_PAGE_CONNECTIONS, 1);

  return reroute_hosts_to_string (entry->hosts);
}

/* As text that was saved when more was taken. */
static const struct
{
  const char *saved;
  const char *read;
} saved_hosts[] = {
  { "Bücher.example:26;mx:bücher.example", "xn--bcher-kva.example:26;mx:xn--bcher-kva.example" },
  { "mx:a.example:26;b.example:26", "mx:a.example;b.example:26" },
};

static void
test_saved_hosts_are_parsed_again (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "put connections,a.test,,host,b.test");
  for (guint i = 0; i < G_N_ELEMENTS (saved_hosts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteStore) store = NULL;
      RerouteQuery *query = NULL;
      g_autofree char *hosts = NULL;

      g_clear_pointer (&f->book, reroute_rulebook_close);
      store = reroute_store_open (f->path, REROUTE_STORE_WRITE, NULL, &error);
      query = reroute_store_query (store, "UPDATE connections SET hosts = ?1", &error);
      reroute_query_bind_text (query, 1, saved_hosts[i].saved);
      g_assert_true (reroute_query_run (query, &error));
      g_clear_pointer (&store, reroute_store_close);
      store_open_book (f);
      hosts = dup_saved_hosts (f);
      g_assert_cmpstr (hosts, ==, saved_hosts[i].read);
    }
}

/* By either spelling. */
static void
test_hosts_are_found (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "put connections,a.test,,host,mx:bücher.example,,,why");
  g_autofree char *search = dup_answer (f, "SELECT search FROM connections");
  g_assert_cmpstr (search, ==, "a.test\nmx:xn--bcher-kva.example\nbücher.example\nwhy");
}

/* --- lists --- */

static const struct
{
  const char *filter;
  const char *sort;
  guint offset;
  guint limit;
  guint total;
  const char *domains;
} lists[] = {
  { "", "domain", 0, 10, 4, "a.test c.test d.test xn--mller-kva.test" },
  { "", "-domain", 1, 2, 4, "d.test c.test" },
  { "", "id", 0, 10, 4, "c.test a.test xn--mller-kva.test d.test" },
  { "", "target", 0, 10, 4, "c.test d.test a.test xn--mller-kva.test" },
  { "", "-comment", 0, 2, 4, "a.test c.test" },
  { "", "accept-from", 3, 1, 4, "c.test" },
  { "", "domain", 9, 10, 4, "" },
  { "", "domain", 0, 0, 4, "" },
  { "MÜLLER", "domain", 0, 10, 1, "xn--mller-kva.test" },
  { "mller", "domain", 0, 10, 1, "xn--mller-kva.test" },
  { "EXAMPLE", "-domain", 0, 10, 2, "xn--mller-kva.test a.test" },
  { "example", "-domain", 1, 10, 2, "a.test" },
  { "second", "domain", 0, 10, 1, "a.test" },
  { "#", "domain", 0, 10, 1, "d.test" },
  { "%", "domain", 0, 10, 0, "" },
  { "=A.Test", "domain", 0, 10, 1, "a.test" },
  { "=Müller.test", "-changed", 0, 10, 1, "xn--mller-kva.test" },
  { "=test", "domain", 0, 10, 0, "" },
  { "=a..test", "domain", 0, 10, 0, "" },
};

static void
test_lists (StoreFixture *f, gconstpointer data)
{
  RerouteListCache *cache = reroute_list_cache_new ();

  store_edit (f,
              "put routing,c.test,,inbound,,permitted,yes,first\n"
              "put routing,a.test,,reroute,b.example,anyone,yes,second\n"
              "put routing,müller.test,,reroute,c.example\n"
              "put routing,d.test,exact,relay");
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GError) error = NULL;
      RerouteStore *reader = reroute_rulebook_borrow_reader (f->book, &error);
      g_autoptr (GVariant) arguments = g_variant_ref_sink (g_variant_new (
        "(sssuu)", "routing", lists[i].filter, lists[i].sort, lists[i].offset, lists[i].limit));
      g_autoptr (GVariant) reply = reroute_answer_list (reader, cache, arguments, &error);
      g_autoptr (GVariant) rows = NULL;
      g_autoptr (GString) domains = g_string_new (NULL);
      guint total = 0;

      g_assert_no_error (error);
      g_variant_get (reply, "(tu@a(sxsbba{sv}))", NULL, &total, &rows);
      for (gsize k = 0; k < g_variant_n_children (rows); k++)
        {
          const char *domain = NULL;
          g_autoptr (GVariant) row = g_variant_get_child_value (rows, k);
          g_variant_get_child (row, 2, "&s", &domain);
          g_string_append_printf (domains, "%s%s", k > 0 ? " " : "", domain);
        }
      g_assert_cmpstr (domains->str, ==, lists[i].domains);
      g_assert_cmpuint (total, ==, lists[i].total);
      reroute_rulebook_return_reader (f->book, reader);
    }
  reroute_list_cache_free (cache);
}

static void
test_list_follows_the_generation (StoreFixture *f, gconstpointer data)
{
  RerouteListCache *cache = reroute_list_cache_new ();
  g_autoptr (GVariant) arguments =
               g_variant_ref_sink (g_variant_new ("(sssuu)", "routing", "test", "domain", 0, 10));

  for (guint i = 1; i <= 3; i++)
    {
      g_autofree char *line = g_strdup_printf ("put routing,n%u.test,,inbound", i);
      g_autoptr (GVariant) reply = NULL;
      RerouteStore *reader = NULL;
      guint64 serial = 0;
      guint total = 0;

      store_edit (f, line);
      reader = reroute_rulebook_borrow_reader (f->book, NULL);
      reply = reroute_answer_list (reader, cache, arguments, NULL);
      g_variant_get (reply, "(tu@a(sxsbba{sv}))", &serial, &total, NULL);
      g_assert_cmpuint (serial, ==, i);
      g_assert_cmpuint (total, ==, i);
      reroute_rulebook_return_reader (f->book, reader);
    }
  reroute_list_cache_free (cache);
}

static goffset
get_log_octets (StoreFixture *f)
{
  g_autofree char *log = g_strconcat (f->path, "-wal", NULL);
  GStatBuf status;

  g_assert_cmpint (g_stat (log, &status), ==, 0);
  return status.st_size;
}

static gssize
get_octets_in_use (void)
{
  const struct mallinfo2 info = mallinfo2 ();

  return (gssize) (info.uordblks + info.hblkhd);
}

/* Neither pages of the database in memory nor a long log. */
static void
test_large_edit_leaves_nothing_behind (StoreFixture *f, gconstpointer data)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  gssize in_use = 0;

  for (guint i = 0; i < 2 * REROUTE_LARGE_EDIT_CHANGES; i++)
    g_string_append_printf (lines, "put routing,d%u.test,,reroute,example.com\n", i);
  store_edit (f, lines->str);
  in_use = get_octets_in_use ();
  g_assert_cmpint (get_log_octets (f), >, MIB * 4);
  store_edit (f, "put routing,one.more.test,,relay");
  g_assert_cmpint (get_log_octets (f), <=, MIB * 4);
  store_reopen_book (f);
  g_test_message ("%" G_GSSIZE_FORMAT " octets more", in_use - get_octets_in_use ());
  g_assert_cmpint (in_use - get_octets_in_use (), <, MIB * 2);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/store/" name, StoreFixture, NULL, store_set_up_open, func, store_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("edits-are-kept", test_edits_are_kept);
  ADD ("ids-are-never-reused", test_ids_are_never_reused);
  ADD ("nothing-to-change-makes-no-generation", test_nothing_to_change_makes_no_generation);
  ADD ("a-domain-moves-between-rows", test_a_domain_moves_between_rows);
  ADD ("settings-are-kept", test_settings_are_kept);
  ADD ("many-rows-at-once", test_many_rows_at_once);
  ADD ("many-rows-with-a-fault", test_many_rows_with_a_fault);
  ADD ("absent-rows-are-refused", test_absent_rows_are_refused);
  ADD ("findings-name-new-rows", test_findings_name_new_rows);
  ADD ("revert-brings-back-ids", test_revert_brings_back_ids);
  ADD ("history-knows-its-end", test_history_knows_its_end);
  ADD ("changes-of-a-generation-end", test_changes_of_a_generation_end);
  ADD ("history-is-bounded-by-changes", test_history_is_bounded_by_changes);
  ADD ("history-is-bounded", test_history_is_bounded);
  ADD ("large-edit-leaves-nothing-behind", test_large_edit_leaves_nothing_behind);
  ADD ("saved-hosts-are-parsed-again", test_saved_hosts_are_parsed_again);
  ADD ("hosts-are-found", test_hosts_are_found);
  ADD ("lists", test_lists);
  ADD ("list-follows-the-generation", test_list_follows_the_generation);
  return g_test_run ();
}
