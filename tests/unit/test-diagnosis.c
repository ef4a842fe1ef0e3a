/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-diagnosis.c - findings of an examination: over the bus, and in words
 */

#include "config.h"

#include "common/diagnosis.h"
#include "common/error.h"

static void
test_words (void)
{
  g_autoptr (RerouteDiagnosis) diagnosis =
               reroute_diagnosis_new ("reverse-other", "192.0.2.1", "a.test", "b.test", NULL);
  g_autofree char *text = reroute_diagnosis_dup_text (diagnosis);
  g_autofree char *advice = reroute_diagnosis_dup_advice (diagnosis);

  g_assert_cmpstr (diagnosis->check, ==, "name");
  g_assert_cmpint (diagnosis->level, ==, REROUTE_DIAGNOSIS_WARNING);
  g_assert_cmpstr (text, ==, "192.0.2.1 belongs to the name a.test, not to b.test.");
  g_assert_cmpstr (advice,
                   ==,
                   "Have your provider change the PTR record of 192.0.2.1 to b.test, or set "
                   "“hostname” to a.test.");
}

static void
test_check_of_its_own (void)
{
  g_autoptr (RerouteDiagnosis) diagnosis = reroute_diagnosis_new ("unfinished", "spf", NULL);

  g_assert_cmpstr (diagnosis->check, ==, "spf");
  g_assert_true (reroute_diagnosis_is_check (diagnosis->check));
  g_assert_false (reroute_diagnosis_is_check ("heart"));
}

static void
test_round_trip (void)
{
  g_autoptr (GPtrArray) sent =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_diagnosis_free);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (sent, reroute_diagnosis_new ("queue-empty", NULL));
  g_ptr_array_add (sent, reroute_diagnosis_new ("spool-low", "1 GiB", "/var\x1b[31m\n", NULL));
  g_autoptr (GVariant) variant = g_variant_ref_sink (reroute_diagnoses_to_variant (sent));
  g_autoptr (GPtrArray) received = reroute_diagnoses_from_variant (variant, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (received->len, ==, 2);
  const RerouteDiagnosis *last = received->pdata[1];
  g_assert_cmpint (last->level, ==, REROUTE_DIAGNOSIS_WARNING);
  g_assert_cmpstr (last->check, ==, "spool");
  g_assert_cmpstr (last->code, ==, "spool-low");
  g_assert_cmpstr (last->arguments[1], ==, "/var [31m");
}

/* (transfer full) */
static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *variant = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return variant;
}

static void
test_of_a_newer_relay (void)
{
  g_autoptr (GVariant) variant =
               parse ("[('error', 'name', 'name-cursed', ['relay.test', 'a\x1b'])]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) received = reroute_diagnoses_from_variant (variant, &error);

  g_assert_no_error (error);
  g_autofree char *text = reroute_diagnosis_dup_text (received->pdata[0]);
  g_autofree char *advice = reroute_diagnosis_dup_advice (received->pdata[0]);
  g_assert_cmpstr (text, ==, "name-cursed: relay.test, a");
  g_assert_cmpstr (advice, ==, "");
}

static void
test_not_ours (void)
{
  g_autoptr (GVariant) level = parse ("[('awful', 'name', 'name-leads', ['a', 'b'])]");
  g_autoptr (GVariant) type = parse ("['name']");
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_diagnoses_from_variant (level, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
  g_clear_error (&error);
  g_assert_null (reroute_diagnoses_from_variant (type, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/diagnosis/words", test_words);
  g_test_add_func ("/diagnosis/check-of-its-own", test_check_of_its_own);
  g_test_add_func ("/diagnosis/round-trip", test_round_trip);
  g_test_add_func ("/diagnosis/of-a-newer-relay", test_of_a_newer_relay);
  g_test_add_func ("/diagnosis/not-ours", test_not_ours);
  return g_test_run ();
}
