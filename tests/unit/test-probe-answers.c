/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-probe-answers.c - for how long it counts what a next hop said of a recipient
 */

#include "config.h"

#include "common/limits.h"
#include "service/relay/deliver/probe-answers.h"

#define BEGIN_US G_GINT64_CONSTANT (1000000)
#define KNOWN_US (REROUTE_LIMIT_PROBE_KNOWN_S * G_GINT64_CONSTANT (1000000))
#define UNKNOWN_US (REROUTE_LIMIT_PROBE_UNKNOWN_S * G_GINT64_CONSTANT (1000000))
#define HOST "mx.test"
#define USER "u@test.com"

typedef enum
{
  NONE,
  KNOWN,
  UNKNOWN,
} Said;

static Said
get (const RerouteProbeAnswers *answers, const char *host, const char *recipient, gint64 now_us)
{
  gboolean unknown = TRUE;

  if (reroute_probe_answers_get (answers, host, recipient, now_us, &unknown))
    return unknown ? UNKNOWN : KNOWN;
  g_assert_false (unknown);
  return NONE;
}

/* clang-format off */
static const struct
{
  const char *name;
  Said said;
  gint64 after_us;
  Said wanted;
} rows[] = {
  { "known-at-once",   KNOWN,   0,              KNOWN },
  { "known-last",      KNOWN,   KNOWN_US - 1,   KNOWN },
  { "known-over",      KNOWN,   KNOWN_US,       NONE },
  { "unknown-at-once", UNKNOWN, 0,              UNKNOWN },
  { "unknown-last",    UNKNOWN, UNKNOWN_US - 1, UNKNOWN },
  { "unknown-over",    UNKNOWN, UNKNOWN_US,     NONE },
};
/* clang-format on */

static void
test_time (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RerouteProbeAnswers) answers = reroute_probe_answers_new ();

      g_test_message ("%s", rows[i].name);
      reroute_probe_answers_put (answers, HOST, USER, rows[i].said == UNKNOWN, BEGIN_US);
      g_assert_cmpint (get (answers, HOST, USER, BEGIN_US + rows[i].after_us), ==, rows[i].wanted);
    }
}

static void
test_newer_answer (void)
{
  g_autoptr (RerouteProbeAnswers) answers = reroute_probe_answers_new ();

  reroute_probe_answers_put (answers, HOST, USER, TRUE, BEGIN_US);
  reroute_probe_answers_put (answers, HOST, USER, FALSE, BEGIN_US + UNKNOWN_US);
  g_assert_cmpint (get (answers, HOST, USER, BEGIN_US + UNKNOWN_US), ==, KNOWN);
  g_assert_cmpint (get (answers, HOST, USER, BEGIN_US + KNOWN_US), ==, KNOWN);
  g_assert_cmpint (get (answers, HOST, USER, BEGIN_US + UNKNOWN_US + KNOWN_US), ==, NONE);
  g_assert_cmpuint (reroute_probe_answers_get_n (answers), ==, 1);
}

static void
test_whose_it_is (void)
{
  g_autoptr (RerouteProbeAnswers) answers = reroute_probe_answers_new ();

  reroute_probe_answers_put (answers, HOST, USER, TRUE, BEGIN_US);
  g_assert_cmpint (get (answers, "mx2.test", USER, BEGIN_US), ==, NONE);
  g_assert_cmpint (get (answers, HOST, "U@test.com", BEGIN_US), ==, NONE);
}

static void
fill (RerouteProbeAnswers *answers, gint64 now_us)
{
  for (guint i = 0; i < REROUTE_LIMIT_PROBE_ANSWERS; i++)
    {
      g_autofree char *recipient = g_strdup_printf ("u%u@test.com", i);
      reroute_probe_answers_put (answers, HOST, recipient, i % 2 == 0, now_us);
    }
}

static void
test_number (void)
{
  g_autoptr (RerouteProbeAnswers) some_over = reroute_probe_answers_new ();
  g_autoptr (RerouteProbeAnswers) none_over = reroute_probe_answers_new ();

  fill (some_over, BEGIN_US);
  g_assert_cmpuint (reroute_probe_answers_get_n (some_over), ==, REROUTE_LIMIT_PROBE_ANSWERS);
  reroute_probe_answers_put (some_over, HOST, USER, FALSE, BEGIN_US + UNKNOWN_US);
  g_assert_cmpuint (
    reroute_probe_answers_get_n (some_over), ==, REROUTE_LIMIT_PROBE_ANSWERS / 2 + 1);
  g_assert_cmpint (get (some_over, HOST, "u1@test.com", BEGIN_US + UNKNOWN_US), ==, KNOWN);

  fill (none_over, BEGIN_US);
  reroute_probe_answers_put (none_over, HOST, USER, FALSE, BEGIN_US + UNKNOWN_US - 1);
  g_assert_cmpuint (reroute_probe_answers_get_n (none_over), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/probe-answers/time", test_time);
  g_test_add_func ("/probe-answers/newer-answer", test_newer_answer);
  g_test_add_func ("/probe-answers/whose-it-is", test_whose_it_is);
  g_test_add_func ("/probe-answers/number", test_number);
  return g_test_run ();
}
