/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-srs.c - senders that are rewritten, and back
 */

#include "config.h"

#include "service/relay/smtp/srs.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

#define OURS "ours.test"
#define DAY_S ((gint64) 86400)
#define NOW_S (20000 * DAY_S + 40000)
#define HASH "??????" /* six of whatever */
#define KEPT "SRS0=" HASH "=RA==????????????????@" OURS
#define SIXTY "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"
#define FULL SIXTY SIXTY "@full.test" /* has no room in the store */

static gboolean
keep (gpointer data, const char *token, const char *sender, gint64 now_s, GError **error)
{
  if (g_str_equal (sender, FULL))
    {
      g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL, "no room");
      return FALSE;
    }
  g_hash_table_replace (data, g_strdup (token), g_strdup (sender));
  return TRUE;
}

static char *
find (gpointer data, const char *token)
{
  return g_strdup (g_hash_table_lookup (data, token));
}

/* @kept: the store */
static RerouteSrs *
make_srs_with (GHashTable *kept, const char *domain, const char *first, const char *second)
{
  RerouteSrsStore store = {
    .keep = keep,
    .find = find,
    .data = g_hash_table_ref (kept),
    .free_data = (GDestroyNotify) g_hash_table_unref,
  };
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  g_ptr_array_add (keys, g_bytes_new (first, strlen (first)));
  if (second != NULL)
    g_ptr_array_add (keys, g_bytes_new (second, strlen (second)));
  return reroute_srs_new (domain, keys, &store);
}

/* With a store in memory. */
static RerouteSrs *
make_srs (const char *domain, const char *first, const char *second)
{
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return make_srs_with (kept, domain, first, second);
}

static char *
forward_at (const RerouteSrs *srs, const char *sender, gint64 now_s)
{
  g_autoptr (RerouteAddress) address = reroute_address_parse (sender, TRUE, NULL);

  g_assert_nonnull (address);
  return reroute_srs_forward (srs, address, now_s, NULL);
}

/* The sender of before, or what is wrong. */
static char *
reverse_at (const RerouteSrs *srs, const char *text, gint64 now_s)
{
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, TRUE, NULL);
  g_autoptr (RerouteAddress) sender = NULL;
  RerouteSrsVerdict verdict;

  g_assert_nonnull (address);
  if (!reroute_srs_is_ours (srs, address))
    return g_strdup ("not ours");
  sender = reroute_srs_reverse (srs, address, now_s, &verdict);
  g_assert_true ((sender != NULL) == (verdict == REROUTE_SRS_OK));
  if (sender != NULL)
    return g_strdup (sender->text);
  return g_strdup (verdict == REROUTE_SRS_EXPIRED ? "expired" : "forged");
}

static void
assert_reverse (const RerouteSrs *srs, const char *text, gint64 now_s, const char *expect)
{
  g_autofree char *result = reverse_at (srs, text, now_s);

  g_assert_cmpstr (result, ==, expect);
}

/* --- forward --- */

typedef struct
{
  const char *name;
  const char *sender;
  const char *expect; /* a pattern; NULL: it stays */
} Row;

/* The day 20000 is 544 modulo 1024: 17 and 0 in base 32. */
static const Row rows[] = {
  /* clang-format off */
  { "plain",             "User@Origin.test",                  "SRS0=" HASH "=RA=origin.test=User@" OURS },
  { "plus",              "a+b=c@origin.test",                 "SRS0=" HASH "=RA=origin.test=a+b=c@" OURS },
  { "idn",               "u@bücher.test",                     "SRS0=" HASH "=RA=xn--bcher-kva.test=u@" OURS },
  { "utf8",              "ü@origin.test",                     "SRS0=" HASH "=RA=origin.test=ü@" OURS },
  { "srs0",              "SRS0=xxxx=TT=o.test=u@fwd.test",    "SRS1=" HASH "=fwd.test==xxxx=TT=o.test=u@" OURS },
  { "srs0-plus",         "SRS0+xxxx=TT=o.test=u@fwd.test",    "SRS1=" HASH "=fwd.test=+xxxx=TT=o.test=u@" OURS },
  { "srs0-lower",        "srs0-xxxx=TT=o.test=u@fwd.test",    "SRS1=" HASH "=fwd.test=-xxxx=TT=o.test=u@" OURS },
  { "srs0-token",        "SRS0=token@fwd.test",               "SRS1=" HASH "=fwd.test==token@" OURS },
  { "srs1",              "SRS1=yyyy=a.test==x=TT=o.test=u@b.test", "SRS1=" HASH "=a.test==x=TT=o.test=u@" OURS },
  { "srs1-broken",       "SRS1=yyyy@b.test",                  "SRS0=" HASH "=RA=b.test=SRS1=yyyy@" OURS },
  { "no-srs",            "srs0x@b.test",                      "SRS0=" HASH "=RA=b.test=srs0x@" OURS },
  { "64",                "abcdefghijklmnopqrstuvwxyzabcdefghijk@origin.test", "SRS0=*" },
  { "65",                "abcdefghijklmnopqrstuvwxyzabcdefghijkl@origin.test", KEPT },
  { "long",              SIXTY "@o.test",                     KEPT },
  { "longest",           SIXTY SIXTY SIXTY SIXTY "@o.test",   KEPT },
  { "srs1-too-long",     "SRS0=xxxx=TT=a-domain-of-some.test=a-long-user@the-forwarder.test", KEPT },
  { "quoted",            "\"a b\"@origin.test",               KEPT },
  { "no-room",           FULL,                                NULL },
  { "literal",           "u@[192.0.2.1]",                     NULL },
  { "no-domain",         "postmaster",                        NULL },
  /* clang-format on */
};

static void
test_forward (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);
  g_autofree char *text = forward_at (srs, row->sender, NOW_S);

  if (row->expect == NULL)
    {
      g_assert_null (text);
      return;
    }
  g_assert_nonnull (text);
  if (!g_pattern_match_simple (row->expect, text))
    g_error ("%s becomes %s, wanted %s", row->sender, text, row->expect);
  g_assert_cmpint (strchr (text, '@') - text, <=, REROUTE_LIMIT_LOCAL_PART_OCTETS);
}

static void
test_limit_is_reached (void)
{
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);
  g_autofree char *text =
    forward_at (srs, "abcdefghijklmnopqrstuvwxyzabcdefghijk@origin.test", NOW_S);

  g_assert_cmpint (strchr (text, '@') - text, ==, REROUTE_LIMIT_LOCAL_PART_OCTETS);
}

/* --- and back --- */

static void
test_there_and_back (void)
{
  const char *const senders[] = {
    "User@origin.test", "a+b=c@origin.test", "ü@origin.test", "SRS1=yyyy@b.test"
  };
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    {
      g_autofree char *text = forward_at (srs, senders[i], NOW_S);

      assert_reverse (srs, text, NOW_S, senders[i]);
    }
}

/* What is kept comes back as it was; of more than one forwarder before us, the first. */
static void
test_kept (void)
{
  const struct
  {
    const char *sender, *home;
  } cases[] = {
    { SIXTY "@Origin.test", SIXTY "@origin.test" },
    { "Upper" SIXTY "@origin.test", NULL },
    { "\"a b\"@origin.test", NULL },
    { "SRS0=xxxx=TT=o.test=" SIXTY "@forwarder.test", NULL },
    { "SRS1=yyyy=a.test==x=TT=o.test=" SIXTY "@b.test", "SRS0=x=TT=o.test=" SIXTY "@a.test" },
    { "SRS1=yyyy=a.test=x" SIXTY "@b.test", NULL },
  };
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *home = cases[i].home != NULL ? cases[i].home : cases[i].sender;
      g_autofree char *text = forward_at (srs, cases[i].sender, NOW_S);
      g_autofree char *again = forward_at (srs, cases[i].sender, NOW_S);
      g_autofree char *lower = g_ascii_strdown (text, -1);
      g_autofree char *upper = g_ascii_strup (text, -1);

      g_assert_cmpstr (text, ==, again);
      assert_reverse (srs, text, NOW_S, home);
      assert_reverse (srs, lower, NOW_S, home);
      assert_reverse (srs, upper, NOW_S, home);
      assert_reverse (srs, text, NOW_S + 22 * DAY_S, "expired");
      assert_reverse (srs, text, REROUTE_SRS_ANY_TIME, home);
    }
}

/* A genuine address of a sender that is kept no more has expired; a made-up one is forged. */
static void
test_kept_no_more (void)
{
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);
  g_autoptr (RerouteSrs) empty = make_srs (OURS, "key", NULL);
  g_autoptr (RerouteSrs) other = make_srs (OURS, "another", NULL);
  g_autofree char *text = forward_at (srs, SIXTY "@o.test", NOW_S);
  char *token = strstr (text, "==") + 2;

  assert_reverse (empty, text, NOW_S, "expired");
  assert_reverse (other, text, NOW_S, "forged");
  *token = *token == 'a' ? 'b' : 'a';
  assert_reverse (srs, text, NOW_S, "forged");
}

/* A line of the store that is damaged, or that somebody has written. */
static void
test_kept_wrongly (void)
{
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (RerouteSrs) srs = make_srs_with (kept, OURS, "key", NULL);
  g_autofree char *text = forward_at (srs, SIXTY "@o.test", NOW_S);
  g_autofree char *token = g_strndup (strstr (text, "==") + 2, 16);

  assert_reverse (srs, text, NOW_S, SIXTY "@o.test");
  g_hash_table_replace (kept, g_strdup (token), g_strdup ("victim@v.test"));
  assert_reverse (srs, text, NOW_S, "expired");
}

static void
test_kept_under_an_older_key (void)
{
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (RerouteSrs) before = make_srs_with (kept, OURS, "old", NULL);
  g_autoptr (RerouteSrs) now = make_srs_with (kept, OURS, "new", "old");
  g_autofree char *text = forward_at (before, SIXTY "@o.test", NOW_S);

  assert_reverse (now, text, NOW_S, SIXTY "@o.test");
}

static void
test_no_room (void)
{
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (RerouteAddress) sender = reroute_address_parse (FULL, FALSE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_srs_forward (srs, sender, NOW_S, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL_FULL);
  g_ptr_array_add (keys, g_bytes_new ("key", 3));
  g_autoptr (RerouteSrs) storeless = reroute_srs_new (OURS, keys, NULL);
  g_clear_error (&error);
  g_assert_null (reroute_srs_forward (storeless, sender, NOW_S, &error));
  g_assert_no_error (error);
}

static void
test_case_does_not_matter (void)
{
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);
  g_autofree char *text = forward_at (srs, "User@origin.test", NOW_S);
  g_autofree char *lower = g_ascii_strdown (text, -1);
  g_autofree char *upper = g_ascii_strup (text, -1);

  assert_reverse (srs, lower, NOW_S, "user@origin.test");
  assert_reverse (srs, upper, NOW_S, "USER@ORIGIN.TEST");
}

/* Three forwarders: the middle one is skipped on the way back. */
static void
test_chain (void)
{
  g_autoptr (RerouteSrs) a = make_srs ("a.test", "key of a", NULL);
  g_autoptr (RerouteSrs) b = make_srs ("b.test", "key of b", NULL);
  g_autoptr (RerouteSrs) c = make_srs ("c.test", "key of c", NULL);
  g_autofree char *from_a = forward_at (a, "user@o.test", NOW_S);
  g_autofree char *from_b = forward_at (b, from_a, NOW_S);
  g_autofree char *from_c = forward_at (c, from_b, NOW_S);
  g_autofree char *lower = g_ascii_strdown (from_c, -1);

  g_assert_true (g_str_has_prefix (from_c, "SRS1="));
  g_assert_true (g_str_has_suffix (from_c, "=user@c.test"));
  g_assert_nonnull (strstr (from_c, "=a.test=="));
  assert_reverse (c, from_c, NOW_S, from_a);
  assert_reverse (b, from_b, NOW_S, from_a);
  assert_reverse (a, from_a, NOW_S, "user@o.test");
  assert_reverse (a, from_c, NOW_S, "not ours");
  g_autofree char *home = reverse_at (c, lower, NOW_S);
  assert_reverse (a, home, NOW_S, "user@o.test");
}

static void
test_forged (void)
{
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);
  g_autoptr (RerouteSrs) other = make_srs (OURS, "another", NULL);
  g_autofree char *text = forward_at (srs, "user@origin.test", NOW_S);
  g_autofree char *second = forward_at (srs, "SRS0=x=TT=o.test=u@f.test", NOW_S);
  gsize end = (gsize) (strchr (text, '@') - text);

  assert_reverse (other, text, NOW_S, "forged");
  assert_reverse (other, second, NOW_S, "forged");
  /* Whatever letter is another one. */
  for (gsize i = 5; i < end; i++)
    {
      g_autofree char *changed = g_strdup (text);

      changed[i] = changed[i] == 'x' ? 'y' : 'x';
      assert_reverse (srs, changed, NOW_S, "forged");
    }
  /* The hash of one form is none of the other. */
  second[3] = '0';
  assert_reverse (srs, second, NOW_S, "forged");
}

/* Some hosts refuse an address with a "/" in it. */
static void
test_only_letters_and_digits (void)
{
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *sender = g_strdup_printf ("user%u@origin.test", i);
      g_autofree char *text = forward_at (srs, sender, NOW_S);

      for (const char *c = text + strlen ("SRS0="); *c != '='; c++)
        g_assert_true (g_ascii_isalnum (*c));
    }
}

static void
test_malformed (void)
{
  const char *const texts[] = {
    "SRS0=@" OURS,
    "SRS0=h@" OURS,
    "SRS0=hhhhhh=RA@" OURS,
    "SRS0=hhhhhh=RA=d@" OURS,
    "SRS0=hhhhhh=RA==u@" OURS,
    "SRS0====@" OURS,
    "SRS0=hhhhhh=RAA=d=u@" OURS,
    "SRS1=hhhhhh@" OURS,
    "SRS1=hhhhhh=d@" OURS,
    "SRS1=hhhhhh=d=@" OURS,
    "SRS1=hhhhhh==x@" OURS,
    "SRS1=hhhhhh=d=x@" OURS,
  };
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_reverse (srs, texts[i], NOW_S, "forged");
  assert_reverse (srs, "SRS0=h=RA=d=u@other.test", NOW_S, "not ours");
  assert_reverse (srs, "SRS2=h=RA=d=u@" OURS, NOW_S, "not ours");
  assert_reverse (srs, "SRS0@" OURS, NOW_S, "not ours");
  assert_reverse (srs, "user@" OURS, NOW_S, "not ours");
}

/* Valid for 21 days, also where the day begins anew at 0: 20480 is 0 modulo 1024. */
static void
test_age (void)
{
  const gint64 days[] = { 20000, 20479, 20480 - 10, 20480 };
  g_autoptr (RerouteSrs) srs = make_srs (OURS, "key", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (days); i++)
    {
      gint64 then_s = days[i] * DAY_S;
      g_autofree char *text = forward_at (srs, "user@origin.test", then_s);

      assert_reverse (srs, text, then_s, "user@origin.test");
      assert_reverse (srs, text, then_s + 22 * DAY_S - 1, "user@origin.test");
      assert_reverse (srs, text, then_s + 22 * DAY_S, "expired");
      assert_reverse (srs, text, then_s + 500 * DAY_S, "expired");
      assert_reverse (srs, text, then_s - DAY_S, "expired");
      assert_reverse (srs, text, REROUTE_SRS_ANY_TIME, "user@origin.test");
    }
}

static void
test_second_key_verifies (void)
{
  g_autoptr (RerouteSrs) before = make_srs (OURS, "old", NULL);
  g_autoptr (RerouteSrs) now = make_srs (OURS, "new", "old");
  g_autoptr (RerouteSrs) after = make_srs (OURS, "new", NULL);
  g_autofree char *old_text = forward_at (before, "user@origin.test", NOW_S);
  g_autofree char *new_text = forward_at (now, "user@origin.test", NOW_S);

  assert_reverse (now, old_text, NOW_S, "user@origin.test");
  assert_reverse (now, new_text, NOW_S, "user@origin.test");
  assert_reverse (after, new_text, NOW_S, "user@origin.test");
  assert_reverse (after, old_text, NOW_S, "forged");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/srs/forward/", rows[i].name, NULL);
      g_test_add_data_func (path, &rows[i], test_forward);
    }
  g_test_add_func ("/srs/limit-is-reached", test_limit_is_reached);
  g_test_add_func ("/srs/there-and-back", test_there_and_back);
  g_test_add_func ("/srs/kept", test_kept);
  g_test_add_func ("/srs/kept-no-more", test_kept_no_more);
  g_test_add_func ("/srs/kept-wrongly", test_kept_wrongly);
  g_test_add_func ("/srs/kept-under-an-older-key", test_kept_under_an_older_key);
  g_test_add_func ("/srs/no-room", test_no_room);
  g_test_add_func ("/srs/case-does-not-matter", test_case_does_not_matter);
  g_test_add_func ("/srs/chain", test_chain);
  g_test_add_func ("/srs/forged", test_forged);
  g_test_add_func ("/srs/only-letters-and-digits", test_only_letters_and_digits);
  g_test_add_func ("/srs/malformed", test_malformed);
  g_test_add_func ("/srs/age", test_age);
  g_test_add_func ("/srs/second-key-verifies", test_second_key_verifies);
  return g_test_run ();
}
