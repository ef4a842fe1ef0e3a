/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-milter-store.c - bodies that milters look at: in memory, and in files
 */

#include "config.h"

#include "common/limits.h"
#include "service/relay/milter/store.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SMALL_OCTETS ((gsize) REROUTE_LIMIT_PART_LEAST_OCTETS)
#define LARGE_OCTETS ((gsize) REROUTE_LIMIT_PART_OCTETS)
#define N_IN_MEMORY (REROUTE_LIMIT_MEMORY_MILTERS_OCTETS / REROUTE_LIMIT_PART_OCTETS)

/* Files without a name, which are the stores' own. */
static guint
count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      n += target != NULL && strstr (target, "(deleted)") != NULL;
    }
  return n;
}

/* A store of so many octets, each of the value @seed. */
static RerouteMilterStore *
make_store (int dir_fd, gsize octets, guint8 seed)
{
  RerouteMilterStore *self = reroute_milter_store_new (dir_fd);
  g_autofree guint8 *content = g_malloc (octets);

  memset (content, seed, octets);
  for (gsize at = 0; at < octets; at += SMALL_OCTETS)
    g_assert_true (
      reroute_milter_store_append (self, content + at, MIN (SMALL_OCTETS, octets - at), NULL));
  return self;
}

static void
assert_content (const RerouteMilterStore *store, gsize octets, guint8 seed)
{
  g_autoptr (GByteArray) read = g_byte_array_new ();

  g_assert_cmpuint (reroute_milter_store_get_size (store), ==, octets);
  g_assert_true (reroute_milter_store_read (store, 0, G_MAXUINT32, read, NULL));
  g_assert_cmpuint (read->len, ==, octets);
  for (guint i = 0; i < read->len; i++)
    if (read->data[i] != seed)
      g_error ("octet %u is wrong", i);
}

/* Few are in memory up to a size; when many are there, the next ones have files sooner. */
static void
test_crowd (void)
{
  int dir_fd = open (g_get_tmp_dir (), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (GPtrArray) stores =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_milter_store_free);
  const guint before = count_files ();

  for (guint i = 0; i < N_IN_MEMORY; i++)
    g_ptr_array_add (stores, make_store (dir_fd, LARGE_OCTETS, (guint8) i));
  g_assert_cmpuint (count_files (), ==, before);
  g_autoptr (RerouteMilterStore) small = make_store (dir_fd, SMALL_OCTETS, 'a');
  g_assert_cmpuint (count_files (), ==, before);
  g_autoptr (RerouteMilterStore) larger = make_store (dir_fd, SMALL_OCTETS + 1, 'b');
  g_assert_cmpuint (count_files (), ==, before + 1);
  for (guint i = 0; i < N_IN_MEMORY; i++)
    assert_content (stores->pdata[i], LARGE_OCTETS, (guint8) i);
  assert_content (small, SMALL_OCTETS, 'a');
  assert_content (larger, SMALL_OCTETS + 1, 'b');

  g_ptr_array_set_size (stores, 0);
  g_autoptr (RerouteMilterStore) fits = make_store (dir_fd, LARGE_OCTETS, 'c');
  g_assert_cmpuint (count_files (), ==, before + 1);
  g_autoptr (RerouteMilterStore) largest = make_store (dir_fd, LARGE_OCTETS + 1, 'd');
  g_assert_cmpuint (count_files (), ==, before + 2);
  assert_content (fits, LARGE_OCTETS, 'c');
  assert_content (largest, LARGE_OCTETS + 1, 'd');
  close (dir_fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/milter-store/crowd", test_crowd);
  return g_test_run ();
}
