/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-copies.c - backups on their way through the bus: bounds, owners, full disks, many rows
 */

#include "config.h"

#include "common/client/rules-copy.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "tests/bus/bus-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MANY_ROWS 100000
#define SOME_ROWS 3000
#define SMALL_FILE_OCTETS 100000
#define LESS_THAN_A_PAGE 4000
#define NOBODY "65534"

/* --- what each test does --- */

static RerouteBackup *
take (BusFixture *f, GError **error)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_backup_begin_async (f->client, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_backup_begin_finish (f->client, result, error);
}

static GBytes *
fetch (BusFixture *f, const RerouteBackup *backup)
{
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  g_autofree char *sum = NULL;
  guint64 length = 0;

  do
    {
      GAsyncResult *pending = NULL;
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GBytes) part = NULL;
      g_autoptr (GError) error = NULL;

      length = whole->len;
      reroute_rules_client_backup_read_async (
        f->client, backup->number, length, NULL, bus_result_cb, &pending);
      result = bus_await (&pending);
      part = reroute_rules_client_backup_read_finish (f->client, result, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (part), <=, REROUTE_LIMIT_COPY_PART_OCTETS);
      g_byte_array_append (whole, g_bytes_get_data (part, NULL), (guint) g_bytes_get_size (part));
    }
  while (whole->len > length);
  g_assert_cmpuint (whole->len, ==, backup->n_octets);
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, whole->data, whole->len);
  g_assert_cmpstr (sum, ==, backup->sha256);
  return g_byte_array_free_to_bytes (g_steal_pointer (&whole));
}

/* A backup of what is saved now. */
static GBytes *
take_and_fetch (BusFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteBackup) backup = take (f, &error);
  GBytes *octets = NULL;

  g_assert_no_error (error);
  octets = fetch (f, backup);
  reroute_rules_client_backup_end (f->client, backup->number);
  return octets;
}

static guint
offer (BusFixture *f, guint64 n_octets, const char *sha256, GError **error)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_restore_begin_async (
    f->client, n_octets, sha256, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_restore_begin_finish (f->client, result, error);
}

static guint
offer_octets (BusFixture *f, GBytes *octets)
{
  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, octets);
  g_autoptr (GError) error = NULL;
  guint number = offer (f, g_bytes_get_size (octets), sum, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (number, !=, 0);
  return number;
}

static gboolean
send_part (BusFixture *f, guint number, guint64 offset, GBytes *part, GError **error)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_restore_write_async (
    f->client, number, offset, part, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_restore_write_finish (f->client, result, error);
}

static void
send_all (BusFixture *f, guint number, GBytes *octets)
{
  gsize size = g_bytes_get_size (octets);

  for (gsize offset = 0; offset < size;)
    {
      gsize n = MIN (size - offset, REROUTE_LIMIT_COPY_PART_OCTETS);
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (octets, offset, n);
      g_autoptr (GError) error = NULL;

      send_part (f, number, offset, part, &error);
      g_assert_no_error (error);
      offset += n;
    }
}

static RerouteRestoreCheck *
check (BusFixture *f, guint number, GError **error)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_restore_check_async (f->client, number, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_restore_check_finish (f->client, result, error);
}

static RerouteCommitResult *
restore (BusFixture *f, guint number, guint64 expected_serial, GError **error)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_restore_commit_async (
    f->client, number, expected_serial, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_restore_commit_finish (f->client, result, error);
}

/* "org.reroute.Error.Value" comes over the bus as a code of ours. */
static void
assert_refused (GError **error, RerouteError code, const char *says)
{
  g_assert_error (*error, REROUTE_ERROR, (int) code);
  if (strstr ((*error)->message, says) == NULL)
    g_error ("“%s” is not in “%s”", says, (*error)->message);
  g_clear_error (error);
}

/* Of the database: none of its copies. */
static gboolean
has_copies (BusFixture *f)
{
  g_autofree char *folder = g_build_filename (f->folder, "reroute", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;
  gboolean found = FALSE;

  while ((name = g_dir_read_name (dir)) != NULL)
    found = found || strstr (name, "-backup-") != NULL || strstr (name, "-restore-") != NULL;
  return found;
}

static void
save_rows (BusFixture *f, guint n, guint64 serial)
{
  g_autoptr (GString) lines = g_string_new ("put routing,first.test,,relay");

  for (guint i = 1; i < n; i++)
    g_string_append_printf (lines, "\nput routing,n%u.test,,reroute,t%u.example", i, i);
  bus_save (f, lines->str, serial);
}

static guint
count_rows (BusFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) ids = bus_call (
    f->bus, "ListIds", g_variant_new ("(sssuu)", "routing", "", "id", 0, 1), &error);
  guint total = 0;

  g_assert_no_error (error);
  g_variant_get_child (ids, 1, "u", &total);
  return total;
}

/* --- bounds --- */

static void
test_backups_are_bounded (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint first = 0;

  bus_save (f, "put routing,a.test,,relay", 0);
  for (guint i = 0; i < REROUTE_LIMIT_COPIES; i++)
    {
      g_autoptr (RerouteBackup) backup = take (f, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (backup->serial, ==, 1);
      g_assert_cmpuint (backup->n_rows[REROUTE_PAGE_ROUTING], ==, 1);
      first = i == 0 ? backup->number : first;
    }
  BUS_WAIT_FOR (!has_copies (f));
  g_assert_null (take (f, &error));
  assert_refused (&error, REROUTE_ERROR_TOO_LARGE, "wait until one of them has ended");
  reroute_rules_client_backup_end (f->client, first);
  g_bytes_unref (take_and_fetch (f));
}

static void
test_offers_are_bounded (BusFixture *f, gconstpointer data)
{
  static const char good[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  g_autoptr (GError) error = NULL;
  guint number = 0;

  g_assert_cmpuint (offer (f, 0, good, &error), ==, 0);
  assert_refused (&error, REROUTE_ERROR_TOO_LARGE, "cannot be restored");
  g_assert_cmpuint (offer (f, REROUTE_LIMIT_COPY_OCTETS + 1, good, &error), ==, 0);
  assert_refused (&error, REROUTE_ERROR_TOO_LARGE, "cannot be restored");
  g_assert_cmpuint (offer (f, 10, "0123", &error), ==, 0);
  assert_refused (&error, REROUTE_ERROR_VALUE, "SHA-256");
  number = offer (f, 10, good, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (offer (f, 10, good, &error), ==, 0);
  assert_refused (&error, REROUTE_ERROR_TOO_LARGE, "another backup is being restored");
  reroute_rules_client_restore_end (f->client, number);
  g_assert_cmpuint (offer (f, 10, good, &error), !=, 0);
  g_assert_no_error (error);
}

static void
test_parts_are_bounded (BusFixture *f, gconstpointer data)
{
  g_autoptr (GBytes) octets = g_bytes_new_static ("0123456789", 10);
  g_autoptr (GBytes) none = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) more = g_bytes_new_static ("0123456789x", 11);
  g_autoptr (GError) error = NULL;
  guint number = offer_octets (f, octets);

  g_assert_false (send_part (f, number, 1, octets, &error));
  assert_refused (&error, REROUTE_ERROR_VALUE, "0 of 10 have arrived");
  g_assert_false (send_part (f, number, 0, none, &error));
  assert_refused (&error, REROUTE_ERROR_VALUE, "do not belong there");
  g_assert_false (send_part (f, number, 0, more, &error));
  assert_refused (&error, REROUTE_ERROR_VALUE, "do not belong there");
  g_assert_null (check (f, number, &error));
  assert_refused (&error, REROUTE_ERROR_VALUE, "has not arrived as it was sent");
  g_assert_null (restore (f, number, 0, &error));
  assert_refused (&error, REROUTE_ERROR_VALUE, "RestoreCheck first");
  g_assert_true (send_part (f, number, 0, octets, &error));
  g_assert_false (send_part (f, number, 10, octets, &error));
  assert_refused (&error, REROUTE_ERROR_VALUE, "10 of 10 have arrived");
  g_assert_null (check (f, number, &error));
  assert_refused (&error, REROUTE_ERROR_STORE_VERSION, "is not a database");
}

static void
test_other_octets_than_announced (BusFixture *f, gconstpointer data)
{
  g_autoptr (GBytes) announced = g_bytes_new_static ("0123456789", 10);
  g_autoptr (GBytes) sent = g_bytes_new_static ("0123456780", 10);
  g_autoptr (GError) error = NULL;
  guint number = offer_octets (f, announced);

  send_all (f, number, sent);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_null (check (f, number, &error));
      assert_refused (&error, REROUTE_ERROR_VALUE, "has not arrived as it was sent");
    }
}

/* --- owners --- */

static void
test_ends_with_its_owner (BusFixture *f, gconstpointer data)
{
  g_autoptr (RerouteBus) other_bus = bus_connect (f);
  BusFixture other = { .folder = f->folder, .bus = other_bus };
  g_autoptr (RerouteRulesClient) other_client = reroute_rules_client_new (other_bus);
  g_autoptr (GBytes) octets = g_bytes_new_static ("0123456789", 10);
  g_autoptr (GError) error = NULL;
  guint number = 0;

  other.client = other_client;
  bus_save (f, "put routing,a.test,,relay", 0);
  number = offer_octets (&other, octets);
  g_assert_true (has_copies (f));
  g_assert_false (send_part (f, number, 0, octets, &error));
  assert_refused (&error, REROUTE_ERROR_NO_SUCH_EDIT, "is not open for this caller");
  g_assert_true (
    g_dbus_connection_close_sync (reroute_bus_get_connection (other_bus), NULL, &error));
  g_assert_no_error (error);
  BUS_WAIT_FOR (!has_copies (f));
  g_assert_cmpuint (offer_octets (f, octets), !=, 0);
}

/* What a rulesd that was killed left is removed by the next. */
static void
test_what_was_left_goes (BusFixture *f, gconstpointer data)
{
  g_autoptr (GBytes) octets = g_bytes_new_static ("0123456789", 10);

  bus_save (f, "put routing,a.test,,relay", 0);
  offer_octets (f, octets);
  g_assert_true (has_copies (f));
  bus_kill_rulesd (f, SIGKILL);
  g_assert_true (has_copies (f));
  g_assert_cmpuint (count_rows (f), ==, 1);
  BUS_WAIT_FOR (!has_copies (f));
}

static void
test_stale (BusFixture *f, gconstpointer data)
{
  g_autoptr (GBytes) octets = NULL;
  g_autoptr (RerouteRestoreCheck) checked = NULL;
  g_autoptr (RerouteRestoreCheck) again = NULL;
  g_autoptr (RerouteCommitResult) stale = NULL;
  g_autoptr (RerouteCommitResult) saved = NULL;
  g_autoptr (GError) error = NULL;
  guint number = 0;

  reroute_rules_client_start (f->client);
  bus_save (f, "put routing,a.test,,relay", 0);
  octets = take_and_fetch (f);
  number = offer_octets (f, octets);
  send_all (f, number, octets);
  checked = check (f, number, &error);
  g_assert_no_error (error);
  g_assert_false (checked->takes_over);
  bus_save (f, "put routing,b.test,,relay", 1);
  stale = restore (f, number, checked->serial, &error);
  g_assert_no_error (error);
  g_assert_cmpint (stale->state, ==, REROUTE_COMMIT_STALE);
  g_assert_cmpuint (stale->serial, ==, 2);
  g_assert_cmpuint (count_rows (f), ==, 2);
  again = check (f, number, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->n_removed, ==, 1);
  saved = restore (f, number, again->serial, &error);
  g_assert_no_error (error);
  g_assert_cmpint (saved->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (saved->serial, ==, 3);
  g_assert_cmpuint (count_rows (f), ==, 1);
  BUS_WAIT_FOR (bus_get_held_serial (f->client) == 3);
  g_assert_null (check (f, number, &error));
  assert_refused (&error, REROUTE_ERROR_NO_SUCH_EDIT, "begin a new one");
}

static void
lose_database (BusFixture *f)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };

  bus_kill_rulesd (f, SIGTERM);
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *name = g_strconcat ("rules.db", suffixes[i], NULL);
      g_autofree char *path = g_build_filename (f->folder, "reroute", name, NULL);

      g_unlink (path);
    }
}

/* The relay, which held what was lost, goes on with what comes back. */
static void
test_follower_of_a_lost_database (BusFixture *f, gconstpointer data)
{
  g_autoptr (GBytes) octets = NULL;
  g_autoptr (RerouteRestoreCheck) checked = NULL;
  g_autoptr (RerouteCommitResult) saved = NULL;
  g_autoptr (GError) error = NULL;
  RerouteRow *row = NULL;
  guint number = 0;

  bus_save (f, "put routing,a.test,,relay", 0);
  bus_save (f, "put routing,b.test,,relay\nremove routing 1", 1);
  octets = take_and_fetch (f);
  reroute_rules_client_start (f->client);
  BUS_WAIT_FOR (bus_get_held_serial (f->client) == 2);
  lose_database (f);
  number = offer_octets (f, octets);
  send_all (f, number, octets);
  checked = check (f, number, &error);
  g_assert_no_error (error);
  g_assert_true (checked->takes_over);
  saved = restore (f, number, checked->serial, &error);
  g_assert_no_error (error);
  g_assert_cmpint (saved->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (saved->serial, ==, 3);
  BUS_WAIT_FOR (bus_get_held_serial (f->client) == 3);
  row =
    reroute_ruleset_get_row (reroute_rules_client_get_ruleset (f->client), REROUTE_PAGE_ROUTING, 2);
  g_assert_nonnull (row);
  g_assert_cmpstr (row->domain, ==, "b.test");
  g_assert_cmpuint (count_rows (f), ==, 1);
}

/* Another user than rulesd's own; reading is free for her. */
static void
test_permission (BusFixture *f, gconstpointer data)
{
  static const char *const calls[][3] = {
    { "BackupBegin", NULL },
    { "RestoreBegin",
      "uint64:10",
      "string:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
    { "RestoreCommit", "uint32:1", "uint64:0" },
  };
  g_autofree char *bus = g_strconcat ("--bus=", f->address, NULL);

  if (geteuid () != 0)
    {
      g_test_skip ("another user is needed");
      return;
    }
  bus_save (f, "put routing,a.test,,relay", 0);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autofree char *method = g_strconcat (REROUTE_RULES_INTERFACE ".", calls[i][0], NULL);
      const char *const last = g_str_equal (calls[i][0], "RestoreCommit") ? "array:string:" : NULL;
      g_autofree char *said = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_PIPE,
                                                          &error,
                                                          "setpriv",
                                                          "--reuid=" NOBODY,
                                                          "--clear-groups",
                                                          "dbus-send",
                                                          bus,
                                                          "--print-reply",
                                                          "--dest=" REROUTE_RULES_BUS_NAME,
                                                          REROUTE_RULES_PATH,
                                                          method,
                                                          calls[i][1],
                                                          calls[i][2],
                                                          last,
                                                          NULL);

      g_assert_no_error (error);
      g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, &said, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 1);
      g_assert_nonnull (strstr (said, "org.reroute.Error.Access"));
    }
  BUS_WAIT_FOR (!has_copies (f));
}

/* --- full disks --- */

static void
limit_files (BusFixture *f, rlim_t n_octets)
{
  const struct rlimit limit = { .rlim_cur = n_octets, .rlim_max = RLIM_INFINITY };

  g_assert_cmpint (prlimit (bus_get_rulesd_pid (f), RLIMIT_FSIZE, &limit, NULL), ==, 0);
}

static void
test_full_disk (BusFixture *f, gconstpointer data)
{
  g_autoptr (GBytes) octets = NULL;
  g_autoptr (GBytes) part = NULL;
  g_autoptr (GError) error = NULL;
  guint number = 0;

  save_rows (f, SOME_ROWS, 0);
  octets = take_and_fetch (f);
  g_assert_cmpuint (g_bytes_get_size (octets), >, 2 * SMALL_FILE_OCTETS);
  part = g_bytes_new_from_bytes (octets, 0, 2 * SMALL_FILE_OCTETS);
  limit_files (f, SMALL_FILE_OCTETS);
  g_assert_null (take (f, &error));
  assert_refused (&error, REROUTE_ERROR_STORE, "room");
  BUS_WAIT_FOR (!has_copies (f));
  number = offer_octets (f, octets);
  g_assert_false (send_part (f, number, 0, part, &error));
  assert_refused (&error, REROUTE_ERROR_STORE, "File too large");
  limit_files (f, RLIM_INFINITY);
  g_assert_cmpuint (count_rows (f), ==, SOME_ROWS);
  /* The copy arrives after all, for what failed was not counted; then the database has no room. */
  send_all (f, number, octets);
  bus_save (f, "remove routing 1\nput routing,other.test,,relay", 1);
  limit_files (f, LESS_THAN_A_PAGE);
  {
    g_autoptr (RerouteRestoreCheck) checked = check (f, number, &error);
    g_autoptr (RerouteCommitResult) outcome = NULL;

    g_assert_no_error (error);
    g_assert_cmpuint (checked->n_added, ==, 1);
    outcome = restore (f, number, checked->serial, &error);
    g_assert_null (outcome);
    assert_refused (&error, REROUTE_ERROR_STORE, "see whether its file system is full");
  }
  limit_files (f, RLIM_INFINITY);
  bus_save (f, "put routing,still.test,,relay", 2);
  g_assert_cmpuint (count_rows (f), ==, SOME_ROWS + 1);
}

/* --- many rows --- */

/* How many other calls were answered until @pending was. */
static guint
ask_meanwhile (BusFixture *f, GAsyncResult **pending)
{
  guint n_answered = 0;

  while (*pending == NULL)
    {
      count_rows (f);
      n_answered++;
      while (g_main_context_iteration (NULL, FALSE))
        continue;
    }
  return n_answered;
}

static void
test_many_rows (BusFixture *f, gconstpointer data)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) taken = NULL;
  g_autoptr (GAsyncResult) examined = NULL;
  g_autoptr (RerouteBackup) backup = NULL;
  g_autoptr (RerouteRestoreCheck) checked = NULL;
  g_autoptr (RerouteCommitResult) outcome = NULL;
  g_autoptr (GBytes) octets = NULL;
  g_autoptr (GError) error = NULL;
  guint number = 0;

  save_rows (f, MANY_ROWS, 0);
  reroute_rules_client_backup_begin_async (f->client, NULL, bus_result_cb, &pending);
  g_assert_cmpuint (ask_meanwhile (f, &pending), >, 1);
  taken = g_steal_pointer (&pending);
  backup = reroute_rules_client_backup_begin_finish (f->client, taken, &error);
  g_assert_no_error (error);
  octets = fetch (f, backup);
  bus_save (f, "remove routing 1\nput 2 routing,n1.test,,relay\nput routing,new.test,,relay", 1);

  number = offer_octets (f, octets);
  send_all (f, number, octets);
  reroute_rules_client_restore_check_async (f->client, number, NULL, bus_result_cb, &pending);
  g_assert_cmpuint (ask_meanwhile (f, &pending), >, 1);
  examined = g_steal_pointer (&pending);
  checked = reroute_rules_client_restore_check_finish (f->client, examined, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (checked->n_rows[REROUTE_PAGE_ROUTING], ==, MANY_ROWS);
  g_assert_cmpuint (checked->n_added + checked->n_changed + checked->n_removed, ==, 3);
  outcome = restore (f, number, checked->serial, &error);
  g_assert_no_error (error);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_cmpuint (count_rows (f), ==, MANY_ROWS);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/copies/" name, BusFixture, NULL, bus_set_up, func, bus_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("backups-are-bounded", test_backups_are_bounded);
  ADD ("offers-are-bounded", test_offers_are_bounded);
  ADD ("parts-are-bounded", test_parts_are_bounded);
  ADD ("other-octets-than-announced", test_other_octets_than_announced);
  ADD ("ends-with-its-owner", test_ends_with_its_owner);
  ADD ("what-was-left-goes", test_what_was_left_goes);
  ADD ("stale", test_stale);
  ADD ("follower-of-a-lost-database", test_follower_of_a_lost_database);
  g_test_add (
    "/copies/permission", BusFixture, NULL, bus_set_up_daemon, test_permission, bus_tear_down);
  ADD ("full-disk", test_full_disk);
  ADD ("many-rows", test_many_rows);
  return g_test_run ();
}
