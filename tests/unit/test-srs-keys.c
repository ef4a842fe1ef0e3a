/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-srs-keys.c - the keys of rewritten senders: made once, renewed by age, for our eyes only
 */

#include "config.h"

#include "service/relay/spool/srs-keys.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DAY_S ((gint64) 86400)
#define NOW_S (20000 * DAY_S)

typedef struct
{
  char *folder;
  char *path;
  int fd;
} Fixture;

/* Keys are not to be had; the linker prefers this one. */
static gboolean out_of_descriptors;

int
openat (int dir_fd, const char *name, int flags, ...)
{
  va_list arguments;
  mode_t mode = 0;

  if (out_of_descriptors && g_str_equal (name, "srs-keys"))
    {
      errno = EMFILE;
      return -1;
    }
  va_start (arguments, flags);
  if ((flags & O_CREAT) != 0)
    mode = va_arg (arguments, mode_t);
  va_end (arguments);
  return (int) syscall (SYS_openat, dir_fd, name, flags, mode);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("srs-keys-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->folder, "srs-keys", NULL);
  f->fd = open (f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (f->fd, >=, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_chmod (f->folder, 0700);
  g_unlink (f->path);
  g_rmdir (f->folder);
  close (f->fd);
  g_free (f->folder);
  g_free (f->path);
}

static GPtrArray *
open_keys (Fixture *f, gint64 now_s)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *keys = reroute_srs_keys_open (f->fd, now_s, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (keys->len, >, 0);
  for (guint i = 0; i < keys->len; i++)
    g_assert_cmpuint (g_bytes_get_size (keys->pdata[i]), ==, REROUTE_SRS_KEY_OCTETS);
  return keys;
}

static void
test_made_once (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) first = open_keys (f, NOW_S);
  g_autoptr (GPtrArray) second = open_keys (f, NOW_S + 89 * DAY_S);
  GStatBuf status;

  g_assert_cmpuint (first->len, ==, 1);
  g_assert_cmpuint (second->len, ==, 1);
  g_assert_true (g_bytes_equal (first->pdata[0], second->pdata[0]));
  g_assert_cmpint (g_stat (f->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

static void
test_rotation (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) first = open_keys (f, NOW_S);
  g_autoptr (GPtrArray) second = open_keys (f, NOW_S + 90 * DAY_S);
  g_autoptr (GPtrArray) kept = open_keys (f, NOW_S + (90 + 22) * DAY_S);
  g_autoptr (GPtrArray) dropped = open_keys (f, NOW_S + (90 + 22) * DAY_S + 1);

  g_assert_cmpuint (second->len, ==, 2);
  g_assert_false (g_bytes_equal (first->pdata[0], second->pdata[0]));
  g_assert_true (g_bytes_equal (first->pdata[0], second->pdata[1]));
  g_assert_cmpuint (kept->len, ==, 2);
  g_assert_true (g_bytes_equal (second->pdata[0], kept->pdata[0]));
  g_assert_cmpuint (dropped->len, ==, 1);
  g_assert_true (g_bytes_equal (second->pdata[0], dropped->pdata[0]));
}

/* A year without anything that asks: the old key is still good for 21 days. */
static void
test_long_pause (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) first = open_keys (f, NOW_S);
  g_autoptr (GPtrArray) second = open_keys (f, NOW_S + 365 * DAY_S);

  g_assert_cmpuint (second->len, ==, 2);
  g_assert_true (g_bytes_equal (first->pdata[0], second->pdata[1]));
}

static void
test_others_may_read (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) first = open_keys (f, NOW_S);

  g_assert_cmpint (g_chmod (f->path, 0640), ==, 0);
  g_autoptr (GPtrArray) second = open_keys (f, NOW_S);
  g_assert_cmpuint (second->len, ==, 1);
  g_assert_false (g_bytes_equal (first->pdata[0], second->pdata[0]));
}

static void
test_damaged (Fixture *f, gconstpointer data)
{
  const char *const texts[] = { "", "\n", "1728000000", "1728000000 00ff\n", "x y\n" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_true (g_file_set_contents_full (
        f->path, texts[i], -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
      g_autoptr (GPtrArray) keys = open_keys (f, NOW_S);
      g_assert_cmpuint (keys->len, ==, 1);
    }
}

static void
test_cannot_be_read_now (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) first = open_keys (f, NOW_S);
  g_autoptr (GError) error = NULL;

  out_of_descriptors = TRUE;
  g_assert_null (reroute_srs_keys_open (f->fd, NOW_S, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  out_of_descriptors = FALSE;
  g_autoptr (GPtrArray) second = open_keys (f, NOW_S);
  g_assert_cmpuint (second->len, ==, 1);
  g_assert_true (g_bytes_equal (first->pdata[0], second->pdata[0]));
}

static void
test_cannot_be_written (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  int nowhere = open ("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_null (reroute_srs_keys_open (nowhere, NOW_S, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  close (nowhere);
}

#define ADD(name, func) g_test_add ("/srs-keys/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("made-once", test_made_once);
  ADD ("rotation", test_rotation);
  ADD ("long-pause", test_long_pause);
  ADD ("others-may-read", test_others_may_read);
  ADD ("damaged", test_damaged);
  ADD ("cannot-be-read-now", test_cannot_be_read_now);
  ADD ("cannot-be-written", test_cannot_be_written);
  return g_test_run ();
}
