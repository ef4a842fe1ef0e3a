/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-descriptors.c - room for connections under the limit of open files
 */

#include "config.h"

#include "service/relay/descriptors.h"

#include "common/limits.h"
#include "tests/unit/sample-rules.h"

#include <sys/resource.h>

/* With four workers and two addresses. */
#define OTHERS (REROUTE_LIMIT_OTHER_FILES + REROUTE_LIMIT_PROBE_CONNECTIONS + 4 * 4 + 2)
#define LISTEN "listen=0.0.0.0:25\nlisten-tls=0.0.0.0:465\n"

typedef struct
{
  const char *name;
  const char *settings;
  guint64 limit;
  guint64 wanted; /* by connections */
  guint inbound;
  guint outbound;
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "enough", "max-inbound-connections=1000\nmax-outbound-connections=500", 65536, 1500, 1000, 500 },
  { "just-enough", "max-inbound-connections=1000\nmax-outbound-connections=500", OTHERS + 1500, 1500, 1000, 500 },
  { "one-short", "max-inbound-connections=1000\nmax-outbound-connections=500", OTHERS + 1499, 1500, 999, 499 },
  { "half", "max-inbound-connections=1000\nmax-outbound-connections=500", OTHERS + 750, 1500, 500, 250 },
  { "milters", "max-inbound-connections=100\nmax-outbound-connections=50\nmilters=inet:127.0.0.1:1, inet:127.0.0.1:2",
    OTHERS + 275, 550, 50, 25 },
  { "none-left", "max-inbound-connections=1000\nmax-outbound-connections=500", OTHERS, 1500, 1, 1 },
  { "less-than-none", "max-inbound-connections=1000\nmax-outbound-connections=500", 64, 1500, 1, 1 },
  { "no-limit", "max-inbound-connections=100000\nmax-outbound-connections=100000", RLIM_INFINITY, 200000, 100000, 100000 },
  /* clang-format on */
};

static void
test_share (gconstpointer data)
{
  const Row *row = data;
  g_autofree char *settings = g_strconcat (LISTEN, row->settings, NULL);
  g_autoptr (RerouteRuleset) rules = sample_rules ("", settings);
  RerouteDescriptorShare share;

  reroute_descriptors_share (reroute_ruleset_get_settings (rules), 4, row->limit, &share);
  g_assert_cmpuint (share.limit, ==, row->limit);
  g_assert_cmpuint (share.needed, ==, OTHERS + row->wanted);
  g_assert_cmpuint (share.inbound, ==, row->inbound);
  g_assert_cmpuint (share.outbound, ==, row->outbound);
}

static gint64
get_number (RerouteRuleset *rules, RerouteSettingId id)
{
  return reroute_settings_get_number (reroute_ruleset_get_settings (rules), id);
}

/* What the relay runs by fits; it is told once, and again when it changes. */
static void
test_fit (void)
{
  g_autoptr (RerouteRuleset) rules =
               sample_rules ("routing,test.com,exact,relay,,anyone,yes\n",
                             LISTEN "max-inbound-connections=1000\nmax-outbound-connections=500");
  g_autoptr (RerouteRuleset) more = sample_rules_edit (rules, "", "max-outbound-connections=1000");
  RerouteDescriptorShare share = { 0 };
  struct rlimit before;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  struct rlimit limit = { OTHERS + 750, before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_test_expect_message ("reroute-relay", G_LOG_LEVEL_WARNING, "at most 500 * and 250 to *1838 *");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (RerouteRuleset) fitted = reroute_descriptors_fit (rules, 4, &share);
      g_assert_cmpint (get_number (fitted, REROUTE_SETTING_MAX_INBOUND_CONNECTIONS), ==, 500);
      g_assert_cmpint (get_number (fitted, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS), ==, 250);
      g_assert_cmpuint (
        reroute_ruleset_get_serial (fitted), ==, reroute_ruleset_get_serial (rules));
    }
  g_test_expect_message ("reroute-relay", G_LOG_LEVEL_WARNING, "at most 375 * and 375 to *2338 *");
  g_autoptr (RerouteRuleset) fitted = reroute_descriptors_fit (more, 4, &share);
  g_test_assert_expected_messages ();
  g_assert_cmpint (get_number (fitted, REROUTE_SETTING_MAX_INBOUND_CONNECTIONS), ==, 375);
  g_assert_cmpint (get_number (fitted, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS), ==, 375);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);

  limit.rlim_cur = OTHERS + 1500;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_autoptr (RerouteRuleset) whole = reroute_descriptors_fit (rules, 4, &share);
  g_assert_true (whole == rules);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
}

static void
test_raise (void)
{
  struct rlimit before;
  struct rlimit after;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  struct rlimit low = { 64, before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  reroute_descriptors_raise_limit ();
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &after), ==, 0);
  g_assert_cmpuint (after.rlim_cur, ==, before.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/descriptors/share/", rows[i].name, NULL);
      g_test_add_data_func (path, &rows[i], test_share);
    }
  g_test_add_func ("/descriptors/fit", test_fit);
  g_test_add_func ("/descriptors/raise", test_raise);
  return g_test_run ();
}
