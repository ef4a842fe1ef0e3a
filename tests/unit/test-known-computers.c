/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-known-computers.c - the other computers that the dialog remembers
 */

#include "config.h"

#include "gui/known-computers.h"

#include "common/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static char *
dup_path (const char *name)
{
  return g_build_filename (g_get_user_config_dir (), "reroute", name, NULL);
}

static void
write_file (const char *text)
{
  g_autofree char *folder = dup_path (NULL);
  g_autofree char *path = dup_path ("computers");
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (folder, 0700);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
add (const char *name)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reroute_known_computers_add (name, &error));
  g_assert_no_error (error);
}

static void
assert_known (const char *const *expected)
{
  g_auto (GStrv) names = reroute_known_computers_load ();

  g_assert_cmpstrv (names, expected);
}

static void
test_newest_first (void)
{
  const char *const none[] = { NULL };
  const char *const two[] = { "admin@relay2:2222", "relay1", NULL };
  const char *const turned[] = { "relay1", "admin@relay2:2222", NULL };

  assert_known (none);
  add ("relay1");
  add ("admin@relay2:2222");
  assert_known (two);
  add ("relay1");
  assert_known (turned);
}

static void
test_the_oldest_is_forgotten (void)
{
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i <= REROUTE_KNOWN_COMPUTERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("relay%u", i);

      add (name);
    }
  names = reroute_known_computers_load ();
  g_assert_cmpuint (g_strv_length (names), ==, REROUTE_KNOWN_COMPUTERS);
  g_assert_cmpstr (names[0], ==, "relay10");
  g_assert_cmpstr (names[REROUTE_KNOWN_COMPUTERS - 1], ==, "relay1");
}

static void
test_forget (void)
{
  const char *const rest[] = { "relay1", NULL };
  g_autoptr (GError) error = NULL;

  add ("relay1");
  add ("root@[2001:db8::1]:22");
  g_assert_true (reroute_known_computers_remove ("root@[2001:db8::1]:22", &error));
  g_assert_true (reroute_known_computers_remove ("never.seen", &error));
  g_assert_no_error (error);
  assert_known (rest);
}

/* What ssh would take for an option, or twice, is not offered. */
static void
test_what_somebody_else_wrote (void)
{
  const char *const none[] = { NULL };
  const char *const good[] = { "relay1", "relay2", NULL };

  write_file ("[Computers]\nNames=relay1;-oProxyCommand=date;;relay1;a b;relay2;\n");
  assert_known (good);
  write_file ("no such form\n");
  assert_known (none);
  write_file ("[Computers]\nOther=relay1\n");
  assert_known (none);
}

static void
test_only_hers (void)
{
  g_autofree char *folder = dup_path (NULL);
  struct stat facts;

  add ("relay1");
  g_assert_cmpint (g_stat (folder, &facts), ==, 0);
  g_assert_cmpuint (facts.st_mode & 0777, ==, 0700);
}

static void
test_no_place (void)
{
  g_autofree char *folder = dup_path (NULL);
  g_autofree char *above = g_path_get_dirname (folder);
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (above, 0700);
  g_assert_true (g_file_set_contents (folder, "a file", -1, NULL));
  g_assert_false (reroute_known_computers_add ("relay1", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, folder));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/known-computers/newest-first", test_newest_first);
  g_test_add_func ("/known-computers/the-oldest-is-forgotten", test_the_oldest_is_forgotten);
  g_test_add_func ("/known-computers/forget", test_forget);
  g_test_add_func ("/known-computers/what-somebody-else-wrote", test_what_somebody_else_wrote);
  g_test_add_func ("/known-computers/only-hers", test_only_hers);
  g_test_add_func ("/known-computers/no-place", test_no_place);
  return g_test_run ();
}
