/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-memory-trim.c - what a start leaves behind goes back, and nothing else
 */

#include "config.h"

#include "service/memory-trim.h"

#include <string.h>

#define LIBRARY "libglib-2.0.so"

/* KiB of the library that this process has in memory. */
static guint64
measure_library (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean counts = FALSE;
  guint64 kib = 0;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (g_ascii_isxdigit (lines[i][0]) && strchr (lines[i], '-') != NULL)
        counts = strstr (lines[i], LIBRARY) != NULL;
      else if (counts && g_str_has_prefix (lines[i], "Rss:"))
        kib += g_ascii_strtoull (lines[i] + strlen ("Rss:"), NULL, 10);
    }
  return kib;
}

static void
use_library (void)
{
  g_autofree char *folded = g_utf8_casefold ("EXAMPLE.COM", -1);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, folded, -1);

  g_assert_cmpstr (folded, ==, "example.com");
  g_assert_cmpstr (sum, ==, "a379a6f6eeafb9a55e378c118034e2751e682fab9f2d30ab13d2125586ce1947");
}

static void
test_goes_back (void)
{
  char *kept = g_strdup ("kept");
  static char written[] = "as it was linked";

  use_library ();
  written[0] = 'A';
  guint64 before = measure_library ();
  g_assert_cmpuint (before, >, 0);
  reroute_memory_trim_now ();
  g_assert_cmpuint (measure_library (), <, before);

  use_library ();
  g_assert_cmpstr (written, ==, "As it was linked");
  g_assert_cmpstr (kept, ==, "kept");
  g_free (kept);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/memory-trim/goes-back", test_goes_back);
  return g_test_run ();
}
