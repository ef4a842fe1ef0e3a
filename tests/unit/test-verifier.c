/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-verifier.c - what is kept of a password, and what it tells
 */

#include "config.h"

#include "common/verifier.h"

#include "common/error.h"

#include <string.h>

/* RFC 7677 3: user "user", password "pencil". */
#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void
test_known (void)
{
  RerouteVerifier verifier;
  g_autoptr (GError) error = NULL;

  g_assert_true (
    reroute_verifier_parse (&verifier, "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER, &error));
  g_assert_no_error (error);
  g_assert_true (reroute_verifier_matches (&verifier, "pencil"));
  g_assert_false (reroute_verifier_matches (&verifier, "Pencil"));
  g_assert_false (reroute_verifier_matches (&verifier, ""));
  g_assert_false (reroute_verifier_matches (&verifier, "pen\acil"));
  reroute_verifier_clear (&verifier);
}

static void
test_made (void)
{
  static const char *const passwords[] = { "pencil", "Boxkämpfer", "a b:c$d%\"\\" };

  for (gsize i = 0; i < G_N_ELEMENTS (passwords); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = reroute_verifier_make (passwords[i], &error);
      g_autofree char *again = reroute_verifier_make (passwords[i], &error);
      RerouteVerifier verifier;

      g_assert_no_error (error);
      g_assert_cmpstr (text, !=, again); /* another salt */
      g_assert_null (strstr (text, passwords[i]));
      g_assert_true (reroute_verifier_parse (&verifier, text, &error));
      g_assert_true (reroute_verifier_matches (&verifier, passwords[i]));
      g_assert_false (reroute_verifier_matches (&verifier, "other"));
      reroute_verifier_clear (&verifier);
    }
}

/* RFC 4013: what looks alike is alike, whatever the keyboard made of it. */
static void
test_prepared (void)
{
  g_autofree char *text = reroute_verifier_make ("I\u00adX\u2168", NULL);
  RerouteVerifier verifier;

  g_assert_true (reroute_verifier_parse (&verifier, text, NULL));
  g_assert_true (reroute_verifier_matches (&verifier, "IXIX"));
  reroute_verifier_clear (&verifier);
}

static void
test_not_made (void)
{
  g_autofree char *longest = g_strnfill (1001, 'x');
  const char *const passwords[] = { "", "a\ab", "\u00ad", "\xff", longest };

  for (gsize i = 0; i < G_N_ELEMENTS (passwords); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (reroute_verifier_make (passwords[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
    }
}

static void
test_not_parsed (void)
{
  static const char *const texts[] = {
    "",
    "pencil",
    "SCRAM-SHA-1$4096:" SALT "$" STORED ":" SERVER,
    "SCRAM-SHA-256$4096:" SALT "$" STORED,
    "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER ":",
    "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER "$x",
    "SCRAM-SHA-256$4095:" SALT "$" STORED ":" SERVER,
    "SCRAM-SHA-256$1000001:" SALT "$" STORED ":" SERVER,
    "SCRAM-SHA-256$-4096:" SALT "$" STORED ":" SERVER,
    "SCRAM-SHA-256$4096:$" STORED ":" SERVER,
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ$" STORED ":" SERVER,
    "SCRAM-SHA-256$4096:" SALT "$" SALT ":" SERVER,
    "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SALT,
    "SCRAM-SHA-256$4096:" SALT "$" STORED ": " SERVER,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      RerouteVerifier verifier;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", texts[i]);
      g_assert_false (reroute_verifier_parse (&verifier, texts[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
      g_assert_null (strstr (error->message, SALT));
      g_assert_null (verifier.salt);
    }
}

static void
test_decoy (void)
{
  static const guint8 key[] = "a key", other_key[] = "another";
  RerouteVerifier first = reroute_verifier_make_decoy (key, sizeof key, "nobody");
  RerouteVerifier again = reroute_verifier_make_decoy (key, sizeof key, "nobody");
  RerouteVerifier name = reroute_verifier_make_decoy (key, sizeof key, "no-one");
  RerouteVerifier place = reroute_verifier_make_decoy (other_key, sizeof other_key, "nobody");
  g_autofree char *made = reroute_verifier_make ("x", NULL);
  RerouteVerifier real;

  g_assert_true (reroute_verifier_parse (&real, made, NULL));
  g_assert_cmpuint (strlen (first.salt), ==, strlen (real.salt));
  g_assert_cmpuint (first.iterations, ==, real.iterations);
  g_assert_cmpstr (first.salt, ==, again.salt);
  g_assert_cmpstr (first.salt, !=, name.salt);
  g_assert_cmpstr (first.salt, !=, place.salt);
  g_assert_false (reroute_verifier_matches (&first, "nobody"));
  reroute_verifier_clear (&first);
  reroute_verifier_clear (&again);
  reroute_verifier_clear (&name);
  reroute_verifier_clear (&place);
  reroute_verifier_clear (&real);
}

static void
test_names (void)
{
  g_autofree char *longest = g_strnfill (255, 'x');
  g_autofree char *more = g_strnfill (256, 'x');
  const char *const good[] = { "alice", "alice@test.com", "ä", "#=:", longest };
  const char *const bad[] = { "", "a b", "a\nb", "a\u00a0b", "\xff", more };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (reroute_account_check_name (good[i], NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (reroute_account_check_name (bad[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/verifier/known", test_known);
  g_test_add_func ("/verifier/made", test_made);
  g_test_add_func ("/verifier/prepared", test_prepared);
  g_test_add_func ("/verifier/not-made", test_not_made);
  g_test_add_func ("/verifier/not-parsed", test_not_parsed);
  g_test_add_func ("/verifier/decoy", test_decoy);
  g_test_add_func ("/verifier/names", test_names);
  return g_test_run ();
}
