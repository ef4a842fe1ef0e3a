/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-srs-tokens.c - senders that are kept: through a restart, within their bound, for as long as
 * notices may come
 */

#include "config.h"

#include "service/relay/spool/srs-tokens.h"

#include "common/error.h"
#include "common/limits.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DAY_S ((gint64) 86400)
#define NOW_S (20000 * DAY_S)

typedef struct
{
  char *folder;
  char *path;
  char *old_path;
  char *damaged_path;
  int fd;
  RerouteSrsTokens *tokens;
  RerouteSrsStore store;
  GThread *finder;
  int n_found; /* atomic */
  int n_found_in_time;
} Fixture;

static void (*on_write) (Fixture *f); /* NULL: the disk does as it should */
static Fixture *fixture;

/* The linker prefers it: with on_write half of it is written. */
ssize_t
write (int fd, const void *octets, size_t length)
{
  if (on_write == NULL || fixture == NULL)
    return syscall (SYS_write, fd, octets, length);
  on_write (fixture);
  return syscall (SYS_write, fd, octets, length / 2);
}

static void
close_tokens (Fixture *f)
{
  f->store.free_data (f->store.data);
  g_clear_pointer (&f->tokens, reroute_srs_tokens_unref);
}

static void
open_tokens (Fixture *f)
{
  f->tokens = reroute_srs_tokens_open (f->fd);
  f->store = reroute_srs_tokens_get_store (f->tokens);
}

static void
reopen (Fixture *f)
{
  close_tokens (f);
  open_tokens (f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("srs-tokens-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->folder, "srs-tokens", NULL);
  f->old_path = g_build_filename (f->folder, "srs-tokens.old", NULL);
  f->damaged_path = g_build_filename (f->folder, "srs-tokens.damaged", NULL);
  fixture = f;
  f->fd = open (f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (f->fd, >=, 0);
  open_tokens (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  close_tokens (f);
  g_remove (f->path);
  g_remove (f->old_path);
  g_remove (f->damaged_path);
  g_rmdir (f->folder);
  close (f->fd);
  g_free (f->folder);
  g_free (f->path);
  g_free (f->old_path);
  g_free (f->damaged_path);
}

static void
keep (Fixture *f, const char *token, const char *sender, gint64 now_s)
{
  g_autoptr (GError) error = NULL;
  gboolean kept = f->store.keep (f->store.data, token, sender, now_s, &error);

  g_assert_no_error (error);
  g_assert_true (kept);
}

static void
assert_found (Fixture *f, const char *token, const char *expect)
{
  g_autofree char *sender = f->store.find (f->store.data, token);

  g_assert_cmpstr (sender, ==, expect);
}

static goffset
get_octets (const char *path)
{
  GStatBuf status;

  return g_stat (path, &status) == 0 ? (goffset) status.st_size : -1;
}

static void
test_restart (Fixture *f, gconstpointer data)
{
  GStatBuf status;
  goffset octets;

  assert_found (f, "aa", NULL);
  keep (f, "aa", "\"a b\"@o.test", NOW_S);
  keep (f, "bb", "ü@o.test", NOW_S);
  octets = get_octets (f->path);
  keep (f, "aa", "\"a b\"@o.test", NOW_S + DAY_S);
  g_assert_cmpint (get_octets (f->path), ==, octets);
  g_assert_cmpint (g_stat (f->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  reopen (f);
  assert_found (f, "aa", "\"a b\"@o.test");
  assert_found (f, "bb", "ü@o.test");
  assert_found (f, "cc", NULL);
  keep (f, "cc", "c@o.test", NOW_S);
  reopen (f);
  assert_found (f, "aa", "\"a b\"@o.test");
  assert_found (f, "cc", "c@o.test");
}

/* A process that died within a line. */
static void
test_half_a_line (Fixture *f, gconstpointer data)
{
  const char *const texts[] = { "", "reroute-srs-t", "reroute-srs-tokens 1 1" };
  g_autoptr (GError) error = NULL;

  keep (f, "aa", "a@o.test", NOW_S);
  keep (f, "bb", "b@o.test", NOW_S);
  close_tokens (f);
  g_assert_cmpint (truncate (f->path, get_octets (f->path) - 3), ==, 0);
  open_tokens (f);
  assert_found (f, "aa", "a@o.test");
  assert_found (f, "bb", NULL);
  keep (f, "cc", "c@o.test", NOW_S);
  reopen (f);
  assert_found (f, "aa", "a@o.test");
  assert_found (f, "cc", "c@o.test");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      close_tokens (f);
      g_file_set_contents_full (
        f->path, texts[i], -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
      g_assert_no_error (error);
      open_tokens (f);
      assert_found (f, "aa", NULL);
      keep (f, "dd", "d@o.test", NOW_S);
      reopen (f);
      assert_found (f, "dd", "d@o.test");
      g_assert_cmpint (get_octets (f->damaged_path), ==, -1);
    }
}

/* --- what cannot be read --- */

static void
open_with_warning (Fixture *f, const char *warning)
{
  g_test_expect_message ("reroute-srs", G_LOG_LEVEL_WARNING, warning);
  open_tokens (f);
  g_test_assert_expected_messages ();
}

/* It is there under another name, and nothing was written to it. */
static void
assert_set_aside (Fixture *f, goffset octets)
{
  g_assert_cmpint (get_octets (f->damaged_path), ==, octets);
  assert_found (f, "aa", NULL);
  keep (f, "dd", "d@o.test", NOW_S);
  reopen (f);
  assert_found (f, "dd", "d@o.test");
  g_assert_cmpint (get_octets (f->damaged_path), ==, octets);
}

static void
test_damaged (Fixture *f, gconstpointer data)
{
  const char *const texts[] = {
    "reroute-srs-tokens 2 1\naa a@o.test\n", "\n", "aa a@o.test\n", "x"
  };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      close_tokens (f);
      g_file_set_contents_full (
        f->path, texts[i], -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
      g_assert_no_error (error);
      open_with_warning (f, "file “srs-tokens” * it is “srs-tokens.damaged” now, *");
      assert_set_aside (f, (goffset) strlen (texts[i]));
    }
}

static void
test_others_may_read (Fixture *f, gconstpointer data)
{
  goffset octets;

  keep (f, "aa", "a@o.test", NOW_S);
  octets = get_octets (f->path);
  close_tokens (f);
  g_assert_cmpint (g_chmod (f->path, 0644), ==, 0);
  open_with_warning (f, "* with mode 0600: it is “srs-tokens.damaged” now, *");
  assert_set_aside (f, octets);
}

static void
test_no_file (Fixture *f, gconstpointer data)
{
  close_tokens (f);
  g_assert_cmpint (g_mkdir (f->path, 0700), ==, 0);
  open_with_warning (f, "*notices to the senders in it are refused");
  assert_set_aside (f, get_octets (f->damaged_path));
}

/* It comes while we run, and cannot be moved. */
static void
test_in_the_way (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *child = g_build_filename (f->damaged_path, "child", NULL);

  g_assert_cmpint (g_mkdir (f->path, 0700), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (child, 0700), ==, 0);
  g_test_expect_message ("reroute-srs", G_LOG_LEVEL_WARNING, "*cannot be renamed*");
  g_assert_false (f->store.keep (f->store.data, "bb", "b@o.test", NOW_S, &error));
  g_test_assert_expected_messages ();
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  assert_found (f, "bb", NULL);
  g_rmdir (child);
  g_rmdir (f->path);
  keep (f, "bb", "b@o.test", NOW_S);
  assert_found (f, "bb", "b@o.test");
}

/* Somebody has taken the file away. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  keep (f, "aa", "a@o.test", NOW_S);
  g_remove (f->path);
  keep (f, "bb", "b@o.test", NOW_S);
  assert_found (f, "aa", "a@o.test");
  keep (f, "aa", "a@o.test", NOW_S);
  reopen (f);
  assert_found (f, "aa", "a@o.test");
  assert_found (f, "bb", "b@o.test");
  g_remove (f->path);
  reroute_srs_tokens_expire (f->tokens, NOW_S + 23 * DAY_S);
  keep (f, "aa", "a@o.test", NOW_S + 23 * DAY_S);
  reopen (f);
  assert_found (f, "aa", "a@o.test");
}

/* What the older file has is known all the same. */
static void
test_newer_gone (Fixture *f, gconstpointer data)
{
  keep (f, "aa", "a@o.test", NOW_S);
  reroute_srs_tokens_expire (f->tokens, NOW_S + 23 * DAY_S);
  keep (f, "bb", "b@o.test", NOW_S + 23 * DAY_S);
  g_remove (f->path);
  keep (f, "cc", "c@o.test", NOW_S + 23 * DAY_S);
  assert_found (f, "aa", "a@o.test");
  assert_found (f, "bb", "b@o.test");
  assert_found (f, "cc", "c@o.test");
}

/* --- a disk that is full, or slow --- */

static void
write_half (Fixture *f)
{
}

static void
test_full (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  on_write = write_half;
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (f->store.keep (f->store.data, "aa", "a@o.test", NOW_S, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
      g_clear_error (&error);
    }
  on_write = NULL;
  keep (f, "aa", "a@o.test", NOW_S);
  on_write = write_half;
  g_assert_false (f->store.keep (f->store.data, "bb", "b@o.test", NOW_S, NULL));
  on_write = NULL;
  keep (f, "cc", "c@o.test", NOW_S);
  reopen (f);
  assert_found (f, "aa", "a@o.test");
  assert_found (f, "bb", NULL);
  assert_found (f, "cc", "c@o.test");
}

static gpointer
find_in_thread (gpointer data)
{
  Fixture *f = data;

  assert_found (f, "aa", "a@o.test");
  g_atomic_int_set (&f->n_found, 1);
  return NULL;
}

/* Ends when somebody else has found a sender meanwhile. */
static void
write_while_found (Fixture *f)
{
  gint64 until_us = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  f->finder = g_thread_new ("finder", find_in_thread, f);
  while (g_atomic_int_get (&f->n_found) == 0 && g_get_monotonic_time () < until_us)
    g_usleep (1000);
  f->n_found_in_time = g_atomic_int_get (&f->n_found);
}

static void
test_slow (Fixture *f, gconstpointer data)
{
  keep (f, "aa", "a@o.test", NOW_S);
  on_write = write_while_found;
  g_assert_false (f->store.keep (f->store.data, "bb", "b@o.test", NOW_S, NULL));
  on_write = NULL;
  g_thread_join (f->finder);
  g_assert_cmpint (f->n_found_in_time, ==, 1);
}

/* More than both files hold: the last ones are found, and who still sends. */
static void
test_bound (Fixture *f, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (900, 'x');
  char token[16];

  for (guint i = 0; i < 15000; i++)
    {
      g_snprintf (token, sizeof token, "%u", i);
      keep (f, token, filler, NOW_S);
      if (i % 1000 == 0)
        keep (f, "often", "often@o.test", NOW_S);
      g_assert_cmpint (get_octets (f->path), <=, REROUTE_LIMIT_SRS_TOKENS_OCTETS);
    }
  g_assert_cmpint (get_octets (f->old_path), <=, REROUTE_LIMIT_SRS_TOKENS_OCTETS);
  for (guint i = 0; i < 2; i++)
    {
      assert_found (f, "0", NULL);
      assert_found (f, "5000", NULL);
      assert_found (f, "10500", filler);
      assert_found (f, "14999", filler);
      assert_found (f, "often", "often@o.test");
      reopen (f);
    }
}

static void
expire_daily (Fixture *f, gint64 from_day, gint64 to_day)
{
  for (gint64 day = from_day; day <= to_day; day++)
    reroute_srs_tokens_expire (f->tokens, NOW_S + day * DAY_S);
}

static void
test_expiry (Fixture *f, gconstpointer data)
{
  reroute_srs_tokens_expire (f->tokens, NOW_S);
  keep (f, "aa", "a@o.test", NOW_S);
  expire_daily (f, 1, 21);
  keep (f, "aa", "a@o.test", NOW_S + 21 * DAY_S); /* valid until day 42 */
  expire_daily (f, 22, 23);
  g_assert_cmpint (get_octets (f->path), ==, -1);
  keep (f, "bb", "b@o.test", NOW_S + 23 * DAY_S);
  reopen (f);
  expire_daily (f, 24, 42);
  assert_found (f, "aa", "a@o.test");
  expire_daily (f, 43, 46);
  assert_found (f, "aa", NULL);
  assert_found (f, "bb", "b@o.test");
  expire_daily (f, 47, 69);
  assert_found (f, "bb", NULL);
  g_assert_cmpint (get_octets (f->path), ==, -1);
  g_assert_cmpint (get_octets (f->old_path), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/srs-tokens/restart", Fixture, NULL, set_up, test_restart, tear_down);
  g_test_add ("/srs-tokens/half-a-line", Fixture, NULL, set_up, test_half_a_line, tear_down);
  g_test_add ("/srs-tokens/damaged", Fixture, NULL, set_up, test_damaged, tear_down);
  g_test_add (
    "/srs-tokens/others-may-read", Fixture, NULL, set_up, test_others_may_read, tear_down);
  g_test_add ("/srs-tokens/no-file", Fixture, NULL, set_up, test_no_file, tear_down);
  g_test_add ("/srs-tokens/in-the-way", Fixture, NULL, set_up, test_in_the_way, tear_down);
  g_test_add ("/srs-tokens/gone", Fixture, NULL, set_up, test_gone, tear_down);
  g_test_add ("/srs-tokens/newer-gone", Fixture, NULL, set_up, test_newer_gone, tear_down);
  g_test_add ("/srs-tokens/full", Fixture, NULL, set_up, test_full, tear_down);
  g_test_add ("/srs-tokens/slow", Fixture, NULL, set_up, test_slow, tear_down);
  g_test_add ("/srs-tokens/bound", Fixture, NULL, set_up, test_bound, tear_down);
  g_test_add ("/srs-tokens/expiry", Fixture, NULL, set_up, test_expiry, tear_down);
  return g_test_run ();
}
