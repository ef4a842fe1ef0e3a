/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-id-set.c - sets of row ids
 */

#include "config.h"

#include "common/id-set.h"

#include <string.h>

#define NUMBERS 12

/* "3 1 2" */
static RerouteIdSet *
read_set (const char *text)
{
  gint64 ids[NUMBERS];
  gsize n = 0;
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (gsize i = 0; words[i] != NULL; i++)
    if (words[i][0] != '\0')
      ids[n++] = g_ascii_strtoll (words[i], NULL, 10);
  return reroute_id_set_new (ids, n);
}

static char *
write_set (const RerouteIdSet *set)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < reroute_id_set_get_size (set); i++)
    g_string_append_printf (
      text, "%s%" G_GINT64_FORMAT, i > 0 ? " " : "", reroute_id_set_get_ids (set)[i]);
  return g_string_free (text, FALSE);
}

static const struct
{
  const char *a;
  const char *b;
  const char *united;
  const char *subtracted;
} rows[] = {
  { "", "", "", "" },
  { "2", "", "2", "2" },
  { "", "2", "2", "" },
  { "3 1 2", "2", "1 2 3", "1 3" },
  { "1 1 1", "1", "1", "" },
  { "1 3 5", "2 4 6", "1 2 3 4 5 6", "1 3 5" },
  { "9 -2 0", "0 9", "-2 0 9", "-2" },
  { "5 6 7", "1 2 5", "1 2 5 6 7", "6 7" },
};

static void
test_sums (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RerouteIdSet) a = read_set (rows[i].a);
      g_autoptr (RerouteIdSet) b = read_set (rows[i].b);
      g_autoptr (RerouteIdSet) united = reroute_id_set_unite (a, b);
      g_autoptr (RerouteIdSet) subtracted = reroute_id_set_subtract (a, b);
      g_autofree char *sum = write_set (united);
      g_autofree char *difference = write_set (subtracted);

      g_assert_cmpstr (sum, ==, rows[i].united);
      g_assert_cmpstr (difference, ==, rows[i].subtracted);
    }
}

static void
test_contains (void)
{
  g_autoptr (RerouteIdSet) set = read_set ("40 10 30 20 -7");

  for (gint64 id = -10; id <= 50; id++)
    g_assert_cmpint (
      reroute_id_set_contains (set, id), ==, id == -7 || (id > 0 && id < 50 && id % 10 == 0));
  g_assert_false (reroute_id_set_contains (NULL, 10));
}

/* NULL is the empty set. */
static void
test_none (void)
{
  g_autoptr (RerouteIdSet) set = read_set ("1 2");
  g_autoptr (RerouteIdSet) united = reroute_id_set_unite (NULL, set);

  g_assert_cmpuint (reroute_id_set_get_size (united), ==, 2);
  g_assert_null (reroute_id_set_subtract (NULL, set));
  g_assert_null (reroute_id_set_subtract (set, united));
  g_assert_cmpuint (reroute_id_set_get_size (NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/id-set/sums", test_sums);
  g_test_add_func ("/id-set/contains", test_contains);
  g_test_add_func ("/id-set/none", test_none);
  return g_test_run ();
}
