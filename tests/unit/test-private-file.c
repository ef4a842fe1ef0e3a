/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-private-file.c - files that are for nobody's eyes but ours
 */

#include "config.h"

#include "service/relay/spool/private-file.h"

#include "common/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *folder;
  char *path;
  int fd;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("private-file-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->folder, "keys", NULL);
  f->fd = open (f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (f->fd, >=, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  close (f->fd);
  g_free (f->folder);
  g_free (f->path);
}

static gboolean
write_keys (Fixture *f, const char *text, GError **error)
{
  return reroute_private_file_write (f->fd, "keys", text, strlen (text), error);
}

static void
assert_text (Fixture *f, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets = reroute_private_file_read (f->fd, "keys", 100, &error);
  g_autoptr (GBytes) wanted = g_bytes_new (expected, strlen (expected));

  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (octets, wanted));
}

static void
assert_refused (Fixture *f, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_private_file_read (f->fd, "keys", 100, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_FAILED);
  g_assert_true (g_str_has_suffix (error->message, why));
}

static void
test_written (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  assert_text (f, "");
  g_assert_true (write_keys (f, "one\n", &error));
  assert_text (f, "one\n");
  g_assert_true (write_keys (f, "two\n", &error));
  g_assert_no_error (error);
  assert_text (f, "two\n");
  g_assert_cmpint (g_stat (f->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
}

static void
test_not_ours_alone (Fixture *f, gconstpointer data)
{
  g_assert_true (write_keys (f, "one\n", NULL));
  g_assert_cmpint (g_chmod (f->path, 0640), ==, 0);
  assert_refused (f, "with mode 0600");
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (symlinkat ("/etc/passwd", f->fd, "keys"), ==, 0);
  assert_refused (f, "symbolic links");
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (mkfifoat (f->fd, "keys", 0600), ==, 0);
  assert_refused (f, "with mode 0600");
}

static void
test_too_long (Fixture *f, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (100, 'x');
  g_autofree char *more = g_strnfill (101, 'x');

  g_assert_true (write_keys (f, longest, NULL));
  assert_text (f, longest);
  g_assert_true (write_keys (f, more, NULL));
  assert_refused (f, "is too long");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/private-file/written", Fixture, NULL, set_up, test_written, tear_down);
  g_test_add (
    "/private-file/not-ours-alone", Fixture, NULL, set_up, test_not_ours_alone, tear_down);
  g_test_add ("/private-file/too-long", Fixture, NULL, set_up, test_too_long, tear_down);
  return g_test_run ();
}
