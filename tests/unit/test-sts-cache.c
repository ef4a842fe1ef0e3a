/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-sts-cache.c - the MTA-STS policies that are known: their bounds, their end, their file
 */

#include "config.h"

#include "service/relay/deliver/sts-cache.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

#define NOW_S ((gint64) 1790000000)
#define AGE_S 86400

static RerouteStsPolicy *
make_policy (const char *mx)
{
  g_autofree char *text =
    g_strdup_printf ("version: STSv1\nmode: enforce\nmx: %s\nmax_age: %d\n", mx, AGE_S);
  RerouteStsPolicy *policy = reroute_sts_policy_parse (text, strlen (text), NULL);

  g_assert_nonnull (policy);
  return policy;
}

static void
add (RerouteStsCache *cache, const char *domain, gint64 fetched_s, gint64 used_s)
{
  g_autofree char *mx = g_strconcat ("*.", domain, NULL);
  g_autoptr (RerouteStsPolicy) policy = make_policy (mx);

  reroute_sts_entry_set_policy (
    reroute_sts_cache_get (cache, domain, used_s), policy, "id1", fetched_s);
}

static guint
count (RerouteStsCache *cache)
{
  g_autoptr (GPtrArray) list = reroute_sts_cache_list (cache);

  return list->len;
}

static void
test_end (void)
{
  g_autoptr (RerouteStsCache) cache = reroute_sts_cache_new (1);
  RerouteStsEntry *entry;

  add (cache, "a.test", NOW_S, NOW_S);
  entry = reroute_sts_cache_get (cache, "a.test", NOW_S + 5);
  g_assert_cmpint (entry->used_s, ==, NOW_S + 5);
  g_assert_false (reroute_sts_entry_is_over (entry, NOW_S + AGE_S - 1));
  g_assert_true (reroute_sts_entry_is_over (entry, NOW_S + AGE_S));
  /* A clock that was wrong does not make it last. */
  g_assert_true (reroute_sts_entry_is_over (entry, NOW_S - 1));
  reroute_sts_entry_set_policy (entry, NULL, NULL, 0);
  g_assert_false (reroute_sts_entry_is_over (entry, NOW_S + AGE_S));
  g_assert_cmpuint (count (cache), ==, 0);
}

/* The file: all of it comes back, less what is over. */
static void
test_file (void)
{
  g_autoptr (RerouteStsCache) cache = reroute_sts_cache_new (1);
  g_autoptr (RerouteStsCache) again = reroute_sts_cache_new (1);
  g_autoptr (RerouteStsCache) empty = reroute_sts_cache_new (1);
  g_autoptr (GBytes) nothing = reroute_sts_cache_to_file (empty);
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GError) error = NULL;
  RerouteStsEntry *entry;

  add (cache, "a.test", NOW_S, NOW_S + 7);
  add (cache, "b.test", NOW_S - AGE_S, NOW_S);
  reroute_sts_cache_get (cache, "c.test", NOW_S);
  file = reroute_sts_cache_to_file (cache);
  g_assert_true (reroute_sts_cache_take_file (again, file, NOW_S, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count (again), ==, 1);
  entry = reroute_sts_cache_get (again, "a.test", NOW_S);
  g_assert_cmpstr (entry->id, ==, "id1");
  g_assert_cmpint (entry->fetched_s, ==, NOW_S);
  g_assert_true (reroute_sts_policy_covers (entry->policy, "mx.a.test"));
  g_assert_true (reroute_sts_cache_take_file (empty, nothing, NOW_S, &error));
  g_assert_cmpuint (count (empty), ==, 0);
}

static void
assert_refused (const guint8 *octets, gsize length)
{
  g_autoptr (RerouteStsCache) cache = reroute_sts_cache_new (1);
  g_autoptr (GBytes) file = g_bytes_new (octets, length);
  g_autoptr (GError) error = NULL;

  g_assert_false (reroute_sts_cache_take_file (cache, file, NOW_S, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  g_assert_cmpuint (count (cache), ==, 0);
}

/* Every bit of it, and every length. */
static void
test_damage (void)
{
  g_autoptr (RerouteStsCache) cache = reroute_sts_cache_new (1);
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GByteArray) octets = NULL;
  gsize length;

  add (cache, "a.test", NOW_S, NOW_S);
  add (cache, "b.test", NOW_S, NOW_S);
  file = reroute_sts_cache_to_file (cache);
  length = g_bytes_get_size (file);
  octets = g_bytes_unref_to_array (g_bytes_ref (file));
  for (gsize i = 0; i < length; i++)
    for (guint bit = 0; bit < 8; bit++)
      {
        octets->data[i] ^= (guint8) (1 << bit);
        assert_refused (octets->data, length);
        octets->data[i] ^= (guint8) (1 << bit);
      }
  for (gsize i = 0; i < length; i++)
    assert_refused (octets->data, i);
}

/* Those without a policy go first, then the one that was not used for the longest. */
static void
test_bound (void)
{
  g_autoptr (RerouteStsCache) cache = reroute_sts_cache_new (1);
  g_autoptr (GBytes) file = NULL;

  for (guint i = 0; i < REROUTE_LIMIT_STS_DOMAINS - 1; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      add (cache, domain, NOW_S, NOW_S + i);
    }
  reroute_sts_cache_get (cache, "none.test", NOW_S + AGE_S)->fresh_until_us = 1;
  add (cache, "new.test", NOW_S, NOW_S + AGE_S);
  g_assert_cmpuint (count (cache), ==, REROUTE_LIMIT_STS_DOMAINS);
  g_assert_cmpint (reroute_sts_cache_get (cache, "d1.test", NOW_S + AGE_S)->fetched_s, ==, NOW_S);
  /* Who waits for an answer keeps its place. */
  reroute_sts_cache_get (cache, "d0.test", NOW_S)->busy = TRUE;
  add (cache, "newer.test", NOW_S, NOW_S + AGE_S);
  g_assert_cmpuint (count (cache), ==, REROUTE_LIMIT_STS_DOMAINS);
  g_assert_nonnull (reroute_sts_cache_get (cache, "d0.test", NOW_S)->policy);
  g_assert_nonnull (reroute_sts_cache_get (cache, "d1.test", NOW_S)->policy);
  g_assert_null (reroute_sts_cache_get (cache, "d2.test", NOW_S)->policy);
  file = reroute_sts_cache_to_file (cache);
  g_assert_cmpuint (g_bytes_get_size (file), <=, REROUTE_LIMIT_STS_FILE_OCTETS);
}

/* More than fits: those that were used last are kept. */
static void
test_long_file (void)
{
  g_autoptr (RerouteStsCache) cache = reroute_sts_cache_new (1);
  g_autoptr (RerouteStsCache) again = reroute_sts_cache_new (1);
  g_autoptr (GString) text = g_string_new ("version: STSv1\nmode: enforce\nmax_age: 86400\n");
  g_autoptr (RerouteStsPolicy) policy = NULL;
  g_autoptr (GBytes) file = NULL;

  for (guint i = 0; i < REROUTE_LIMIT_STS_PATTERNS; i++)
    g_string_append_printf (text, "mx: mx%u.a-name-that-is-rather-long-for-a-host.test\n", i);
  policy = reroute_sts_policy_parse (text->str, text->len, NULL);
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      RerouteStsEntry *entry = reroute_sts_cache_get (cache, domain, NOW_S + i);
      reroute_sts_entry_set_policy (entry, policy, "1", NOW_S);
    }
  file = reroute_sts_cache_to_file (cache);
  g_assert_cmpuint (g_bytes_get_size (file), <=, REROUTE_LIMIT_STS_FILE_OCTETS);
  g_assert_true (reroute_sts_cache_take_file (again, file, NOW_S, NULL));
  g_assert_cmpuint (count (again), >, 500);
  g_assert_cmpuint (count (again), <, 2000);
  g_assert_nonnull (reroute_sts_cache_get (again, "d1999.test", NOW_S)->policy);
  g_assert_null (reroute_sts_cache_get (again, "d0.test", NOW_S)->policy);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/sts-cache/end", test_end);
  g_test_add_func ("/sts-cache/file", test_file);
  g_test_add_func ("/sts-cache/damage", test_damage);
  g_test_add_func ("/sts-cache/bound", test_bound);
  g_test_add_func ("/sts-cache/long-file", test_long_file);
  return g_test_run ();
}
