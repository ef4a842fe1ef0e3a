/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-store-files.c - the file of the rules: full disks, killed writers, what cannot be read
 */

#include "config.h"

#include "common/error.h"
#include "service/rules/history.h"
#include "tests/unit/store-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- disk --- */

static void
test_full_disk_loses_nothing (StoreFixture *f, gconstpointer data)
{
  struct rlimit before, small;
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  store_edit (f, "put routing,a.test,,relay");
  for (guint i = 0; i < 3000; i++)
    g_string_append_printf (lines, "put routing,n%u.test,,relay\n", i);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = before;
  small.rlim_cur = 200 * 1024;
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (store_try_edit (f, lines->str, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 1);
  store_reopen_book (f);
  store_assert_rows (f, "routing 1 a.test");
  store_edit (f, lines->str);
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 2);
}

static void
copy_file (const char *from, const char *to)
{
  g_autofree char *contents = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (from, &contents, &length, &error);
  g_assert_no_error (error);
  g_file_set_contents (to, contents, length, &error);
  g_assert_no_error (error);
}

/* What a killed rulesd leaves: the file, and the log that was not folded into it. */
static void
test_log_of_a_killed_writer (StoreFixture *f, gconstpointer data)
{
  g_autofree char *killed = g_build_filename (f->folder, "killed.db", NULL);
  g_autofree char *log = g_strconcat (f->path, "-wal", NULL);
  g_autofree char *killed_log = g_strconcat (killed, "-wal", NULL);
  g_autofree char *summary = NULL;
  g_autoptr (GError) error = NULL;
  StoreFixture other = { .path = killed };

  store_edit (f, "put routing,a.test,,relay");
  copy_file (f->path, killed);
  copy_file (log, killed_log);
  reroute_rulebook_check (killed, &summary, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (summary, "generation 1"));
  store_open_book (&other);
  store_assert_rows (&other, "routing 1 a.test");
  reroute_rulebook_close (other.book);
}

/* Only the database was moved away, or emptied: its log waits for it under another name. */
static void
test_log_without_its_database (StoreFixture *f, gconstpointer data)
{
  static const char *const endings[] = { "-wal.away", "-wal.away-2" };
  g_autofree char *killed = g_build_filename (f->folder, "killed.db", NULL);
  g_autofree char *log = g_strconcat (f->path, "-wal", NULL);
  g_autofree char *killed_log = g_strconcat (killed, "-wal", NULL);
  g_autoptr (GError) error = NULL;

  store_edit (f, "put routing,a.test,,relay");
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *away = g_strconcat (killed, endings[i], NULL);
      g_autofree char *summary = NULL;
      StoreFixture other = { .path = killed };

      g_remove (killed);
      copy_file (log, killed_log);
      if (i > 0)
        g_assert_true (g_file_set_contents (killed, "", 0, NULL) &&
                       reroute_rulebook_check (killed, &summary, &error));
      g_assert_true (g_file_test (killed_log, G_FILE_TEST_EXISTS));
      store_open_book (&other);
      store_assert_rows (&other, "");
      reroute_rulebook_close (other.book);
      copy_file (f->path, killed);
      copy_file (away, killed_log);
      store_open_book (&other);
      store_assert_rows (&other, "routing 1 a.test");
      reroute_rulebook_close (other.book);
    }
}

/* A copy that was put in the place of a database is spoilt by the log of that one. */
static void
test_log_is_named (StoreFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "other.db", NULL);
  g_autofree char *log = g_strconcat (f->path, "-wal", NULL);
  g_autofree char *other_log = g_strconcat (path, "-wal", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRulebook) book = NULL;

  store_edit (f, "put routing,a.test,,relay");
  copy_file (log, other_log);
  g_assert_true (g_file_set_contents (path, "Dear Anna", -1, NULL));
  book = reroute_rulebook_open (path, &error);
  g_assert_null (book);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE_VERSION);
  g_assert_nonnull (strstr (error->message, other_log));
}

static void
test_one_writer (StoreFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRulebook) second = reroute_rulebook_open (f->path, &error);

  g_assert_null (second);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, "another reroute-rulesd"));
}

static void
test_full_disk_is_said (StoreFixture *f, gconstpointer data)
{
  struct rlimit before, none;
  g_autofree char *path = g_build_filename (f->folder, "new.db", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRulebook) book = NULL;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  none = before;
  none.rlim_cur = 0;
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  book = reroute_rulebook_open (path, &error);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_null (book);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "see whether its file system is full"));
}

static void
test_examining_can_be_cancelled (StoreFixture *f, gconstpointer data)
{
  static const RerouteStoreMode modes[] = { REROUTE_STORE_EXAMINE, REROUTE_STORE_ADOPT };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  store_edit (f, "put routing,a.test,,relay");
  g_clear_pointer (&f->book, reroute_rulebook_close);
  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteStore) store = reroute_store_open (f->path, modes[i], cancellable, &error);

      g_assert_null (store);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  store_reopen_book (f);
  store_assert_rows (f, "routing 1 a.test");
}

static void
test_folder_missing (StoreFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "none", "rules.db", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRulebook) book = reroute_rulebook_open (path, &error);

  g_assert_null (book);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, "does not exist: make it"));
}

/* --- databases that cannot be read --- */

static void
patch_file (const char *path, gsize offset, const char *bytes, gsize n)
{
  g_autofree char *contents = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  g_assert_cmpuint (offset + n, <=, length);
  memcpy (contents + offset, bytes, n);
  g_assert_true (g_file_set_contents (path, contents, length, NULL));
}

/* Offsets: SQLite documentation, “Database File Format” 1.3. */
static void
break_garbage (const char *path)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "line %u of a letter\n", i);
  g_assert_true (g_file_set_contents (path, text->str, text->len, NULL));
}

static void
break_short (const char *path)
{
  g_assert_true (g_file_set_contents (path, "SQLite", 6, NULL));
}

static void
break_truncated (const char *path)
{
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (truncate (path, status.st_size / 2 / 4096 * 4096 + 100), ==, 0);
}

static void
break_newer (const char *path)
{
  patch_file (path, 60, "\0\0\0\x63", 4);
}

static void
break_foreign (const char *path)
{
  patch_file (path, 68, "Mail", 4);
}

static void
break_page (const char *path)
{
  g_autofree char *rubbish = g_malloc (4096);

  memset (rubbish, 'x', 4096);
  patch_file (path, 4096, rubbish, 4096);
}

static void
break_row (const char *path)
{
  g_autofree char *contents = NULL;
  gsize length = 0;
  char *found = NULL;

  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  /* The action of the row, which stands before its target. */
  found = g_strstr_len (contents, -1, "SQLite format 3");
  g_assert_nonnull (found);
  for (gsize i = 0; i + 18 < length; i++)
    if (memcmp (contents + i, "rerouteexample.com", 18) == 0)
      memcpy (contents + i, "teleprtexample.com", 18);
  g_assert_true (g_file_set_contents (path, contents, length, NULL));
}

static const struct
{
  const char *name;
  void (*spoil) (const char *path);
  const char *says;
} broken[] = {
  { "garbage", break_garbage, "is not a database" },
  { "short", break_short, "is not a database" },
  { "truncated", break_truncated, "malformed" },
  { "newer", break_newer, "install the newer one again" },
  { "foreign", break_foreign, "is not a database of Reroute" },
  { "page", break_page, "damaged" },
  { "row", break_row, "cannot be understood" },
};

static char *
sum_file (const char *path)
{
  g_autofree char *contents = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) contents, length);
}

static void
test_unreadable_is_left_alone (StoreFixture *f, gconstpointer data)
{
  store_edit (f, "put routing,test.com,,reroute,example.com");
  g_clear_pointer (&f->book, reroute_rulebook_close);
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      g_autofree char *name = g_strconcat (broken[i].name, ".db", NULL);
      g_autofree char *path = g_build_filename (f->folder, name, NULL);
      g_autofree char *log = g_strconcat (path, "-wal", NULL);
      g_autofree char *before = NULL;
      g_autofree char *after = NULL;
      g_autofree char *summary = NULL;
      g_autoptr (GError) open_error = NULL;
      g_autoptr (GError) check_error = NULL;
      g_autoptr (RerouteRulebook) book = NULL;

      copy_file (f->path, path);
      broken[i].spoil (path);
      before = sum_file (path);
      g_assert_false (reroute_rulebook_check (path, &summary, &check_error));
      book = reroute_rulebook_open (path, &open_error);
      g_assert_null (book);
      after = sum_file (path);
      g_test_message ("%s: %s", broken[i].name, open_error->message);
      g_assert_cmpstr (before, ==, after);
      g_assert_error (open_error, REROUTE_ERROR, REROUTE_ERROR_STORE_VERSION);
      g_assert_error (check_error, REROUTE_ERROR, REROUTE_ERROR_STORE_VERSION);
      g_assert_nonnull (strstr (open_error->message, broken[i].says));
      g_assert_nonnull (strstr (open_error->message, path));
      g_assert_nonnull (strstr (open_error->message, "put a good copy in its place"));
      g_assert_false (g_file_test (log, G_FILE_TEST_EXISTS));
    }
}

static void
test_check_changes_nothing (StoreFixture *f, gconstpointer data)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *summary = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;
  guint n = 0;

  store_edit (f, "put routing,test.com,,reroute,example.com");
  g_clear_pointer (&f->book, reroute_rulebook_close);
  before = sum_file (f->path);
  g_assert_true (reroute_rulebook_check (f->path, &summary, &error));
  g_assert_no_error (error);
  after = sum_file (f->path);
  g_assert_cmpstr (before, ==, after);
  dir = g_dir_open (f->folder, 0, NULL);
  while (g_dir_read_name (dir) != NULL)
    n++;
  /* The database and the lock of the writer that was. */
  g_assert_cmpuint (n, ==, 2);
}

static void
test_check_of_nothing (StoreFixture *f, gconstpointer data)
{
  g_autofree char *summary = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (reroute_rulebook_check (f->path, &summary, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_set_contents (f->path, "", 0, NULL));
  g_clear_error (&error);
  g_assert_true (reroute_rulebook_check (f->path, &summary, &error));
  store_open_book (f);
  store_assert_rows (f, "");
}

/* A database that an older version left, as it is kept in tests/data. */
static void
open_released (StoreFixture *f, const char *name)
{
  g_autofree char *released = g_test_build_filename (G_TEST_DIST, "data", name, NULL);

  copy_file (released, f->path);
  store_open_book (f);
}

static const RerouteRow *
get_row (StoreFixture *f, ReroutePage page, const char *domain)
{
  const RerouteRow *row =
    reroute_ruleset_find_row (reroute_rulebook_get_ruleset (f->book), page, domain, FALSE);

  g_assert_nonnull (row);
  return row;
}

static void
test_schema_1 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-1.db");
  store_assert_rows (
    f, "connections 3 fwd.test; connections 4 dns.test; routing 1 test.com; routing 2 #exact.test");
  g_assert_cmpuint (reroute_rulebook_get_serial (f->book), ==, 3);
  g_assert_cmpstr (store_get_setting (f, REROUTE_SETTING_MESSAGE_TIMEOUT), ==, "3d");
  store_revert (f, 1);
  store_assert_rows (f, "routing 1 test.com; routing 2 exact.test");
  store_edit (f, "put routing,new.test,,relay");
  store_assert_rows (f, "routing 1 test.com; routing 2 exact.test; routing 5 new.test");
}

static void
assert_tls (StoreFixture *f, const char *domain, RerouteTlsLevel level)
{
  g_assert_cmpint (get_row (f, REROUTE_PAGE_CONNECTIONS, domain)->tls, ==, level);
}

static void
test_schema_2 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-2.db");
  store_assert_rows (f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com");
  assert_tls (f, "fwd.test", REROUTE_TLS_ENCRYPTED);
  assert_tls (f, "dns.test", REROUTE_TLS_UNSET);
  store_revert (f, 3);
  assert_tls (f, "fwd.test", REROUTE_TLS_VERIFIED);
}

static void
assert_leaves (StoreFixture *f, ReroutePage page, const char *domain, gboolean leaves)
{
  g_assert_cmpint (get_row (f, page, domain)->leaves, ==, leaves);
}

static void
test_schema_3 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-3.db");
  store_assert_rows (f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com");
  assert_leaves (f, REROUTE_PAGE_ROUTING, "test.com", FALSE);
  assert_leaves (f, REROUTE_PAGE_CONNECTIONS, "fwd.test", FALSE);
  assert_leaves (f, REROUTE_PAGE_CONNECTIONS, "dns.test", TRUE);
  assert_tls (f, "fwd.test", REROUTE_TLS_ENCRYPTED);
  store_revert (f, 3);
  assert_leaves (f, REROUTE_PAGE_ROUTING, "test.com", TRUE);
}

static void
assert_check (StoreFixture *f, ReroutePage page, const char *domain, RerouteRecipientCheck check)
{
  g_assert_cmpint (get_row (f, page, domain)->recipient_check, ==, check);
}

static void
test_schema_4 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-4.db");
  store_assert_rows (f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com");
  assert_check (f, REROUTE_PAGE_ROUTING, "test.com", REROUTE_RECIPIENT_CHECK_CALL_AHEAD);
  assert_check (f, REROUTE_PAGE_CONNECTIONS, "fwd.test", REROUTE_RECIPIENT_CHECK_CALL_AHEAD);
  assert_check (f, REROUTE_PAGE_CONNECTIONS, "dns.test", REROUTE_RECIPIENT_CHECK_NONE);
  store_revert (f, 5);
  assert_check (f, REROUTE_PAGE_ROUTING, "test.com", REROUTE_RECIPIENT_CHECK_NONE);
  assert_check (f, REROUTE_PAGE_CONNECTIONS, "fwd.test", REROUTE_RECIPIENT_CHECK_CALL_AHEAD);
}

static void
assert_account (StoreFixture *f, const char *domain, const char *account)
{
  const RerouteRow *row = get_row (f, REROUTE_PAGE_CONNECTIONS, domain);

  g_assert_cmpstr (((const RerouteEmailDomain *) row)->account, ==, account);
}

static void
test_schema_5 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-5.db");
  store_assert_rows (f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com");
  assert_account (f, "fwd.test", "smart");
  assert_account (f, "dns.test", "");
  store_revert (f, 7);
  assert_account (f, "fwd.test", "other");
}

static void
test_schema_6 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-6.db");
  store_assert_rows (f,
                     "connections 2 fwd.test; connections 3 dns.test; "
                     "recipients 5 berta@sub.dns.test; routing 1 test.com");
  assert_check (f, REROUTE_PAGE_CONNECTIONS, "dns.test", REROUTE_RECIPIENT_CHECK_LIST);
  store_revert (f, 10);
  store_assert_rows (f,
                     "connections 2 fwd.test; connections 3 dns.test; recipients 4 anna@dns.test; "
                     "recipients 5 berta@sub.dns.test; routing 1 test.com");
}

static void
assert_queues (StoreFixture *f, const char *domain, gboolean queue_for_etrn)
{
  g_assert_cmpint (
    get_row (f, REROUTE_PAGE_CONNECTIONS, domain)->queue_for_etrn, ==, queue_for_etrn);
}

static void
test_schema_7 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-7.db");
  store_assert_rows (f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com");
  assert_queues (f, "fwd.test", FALSE);
  assert_queues (f, "dns.test", TRUE);
  store_revert (f, 3);
  assert_queues (f, "fwd.test", TRUE);
}

static void
assert_certificate (StoreFixture *f, const char *domain, const char *certificate)
{
  const RerouteRow *row = get_row (f, REROUTE_PAGE_CONNECTIONS, domain);

  g_assert_cmpstr (((const RerouteEmailDomain *) row)->certificate, ==, certificate);
}

static void
test_schema_8 (StoreFixture *f, gconstpointer data)
{
  open_released (f, "schema-8.db");
  store_assert_rows (f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com");
  assert_certificate (f, "fwd.test", "");
  assert_certificate (f, "dns.test", "/etc/reroute/we.pem");
  store_revert (f, 3);
  assert_certificate (f, "fwd.test", "/etc/reroute/old.pem");
}

/* The generations of before say no call; the one of after does. */
static void
test_schema_9 (StoreFixture *f, gconstpointer data)
{
  RerouteStore *reader = NULL;
  guint64 serial = 0;
  g_autoptr (GError) error = NULL;

  open_released (f, "schema-9.db");
  store_assert_rows (
    f, "connections 2 fwd.test; connections 3 dns.test; routing 1 test.com; routing 4 nine.test");
  reader = reroute_rulebook_borrow_reader (f->book, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_history_find_call (reader, 4, ":1.3 2911203762", &serial, &error));
  g_assert_cmpuint (serial, ==, 5);
  g_assert_true (reroute_history_find_call (reader, 5, ":1.3 2911203762", &serial, &error));
  g_assert_cmpuint (serial, ==, 0);
  g_assert_true (reroute_history_find_call (reader, 0, ":1.3 2911203763", &serial, &error));
  g_assert_cmpuint (serial, ==, 0);
  reroute_rulebook_return_reader (f->book, reader);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/store-files/" name, StoreFixture, NULL, store_set_up_open, func, store_tear_down)
#define ADD_CLOSED(name, func)                                                                     \
  g_test_add ("/store-files/" name, StoreFixture, NULL, store_set_up, func, store_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("full-disk-loses-nothing", test_full_disk_loses_nothing);
  ADD ("log-of-a-killed-writer", test_log_of_a_killed_writer);
  ADD ("log-without-its-database", test_log_without_its_database);
  ADD ("log-is-named", test_log_is_named);
  ADD ("one-writer", test_one_writer);
  ADD_CLOSED ("folder-missing", test_folder_missing);
  ADD_CLOSED ("full-disk-is-said", test_full_disk_is_said);
  ADD ("examining-can-be-cancelled", test_examining_can_be_cancelled);
  ADD ("unreadable-is-left-alone", test_unreadable_is_left_alone);
  ADD ("check-changes-nothing", test_check_changes_nothing);
  ADD_CLOSED ("check-of-nothing", test_check_of_nothing);
  ADD_CLOSED ("schema-1", test_schema_1);
  ADD_CLOSED ("schema-2", test_schema_2);
  ADD_CLOSED ("schema-3", test_schema_3);
  ADD_CLOSED ("schema-4", test_schema_4);
  ADD_CLOSED ("schema-5", test_schema_5);
  ADD_CLOSED ("schema-6", test_schema_6);
  ADD_CLOSED ("schema-7", test_schema_7);
  ADD_CLOSED ("schema-8", test_schema_8);
  ADD_CLOSED ("schema-9", test_schema_9);
  return g_test_run ();
}
