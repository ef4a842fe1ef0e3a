/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lookup.c - how long the relay's decision about a recipient takes with many rules
 *
 * usage: lookup RULES.  Prints one JSON object: microseconds of CPU that a look-up and a whole
 * decision take, each the mean over domains in an order that no cache foresees.
 */

#include "config.h"

#include "common/ruleset.h"

#include <stdio.h>
#include <time.h>

#define LOOKUPS 1000000
#define STEP 7919u /* prime */

static void
apply (RerouteRulesetBuilder *builder, gpointer row)
{
  g_autoptr (RerouteRow) owned = row;
  g_autoptr (RerouteChange) change = reroute_change_new_put (owned);
  g_autoptr (GError) error = NULL;

  if (!reroute_ruleset_builder_apply (builder, change, &error))
    g_error ("%s", error->message);
}

static RerouteRuleset *
make_rules (guint count)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);

  for (guint n = 0; n < count; n++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.rules.test", n);
      g_autoptr (GError) error = NULL;
      RerouteRowFields fields = { .domain = domain, .enabled = TRUE };
      gpointer row =
        reroute_routing_entry_new (&fields, REROUTE_ROUTING_REROUTE, "new.test", &error);

      if (row == NULL)
        g_error ("%s", error->message);
      apply (builder, row);
    }
  return reroute_ruleset_builder_build (builder, 1);
}

static void
next_name (char *buffer, gsize size, guint64 n, guint count)
{
  g_snprintf (buffer, size, "d%u.rules.test", (guint) (n * STEP % count));
}

static double
get_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e6 + (double) now.tv_nsec / 1e3;
}

/* Microseconds a step of @what takes, less those of making the names. */
static double
measure (const RerouteRuleset *rules,
         guint count,
         void (*what) (const RerouteRuleset *rules, const char *domain))
{
  char name[64];
  double times_us[3];

  times_us[0] = get_cpu_us ();
  for (guint n = 0; n < LOOKUPS; n++)
    next_name (name, sizeof name, n, count);
  times_us[1] = get_cpu_us ();
  for (guint n = 0; n < LOOKUPS; n++)
    {
      next_name (name, sizeof name, n, count);
      what (rules, name);
    }
  times_us[2] = get_cpu_us ();
  return (times_us[2] - 2 * times_us[1] + times_us[0]) / LOOKUPS;
}

static void
look_up (const RerouteRuleset *rules, const char *domain)
{
  if (reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, domain) == NULL)
    g_error ("%s is not found", domain);
}

static void
decide (const RerouteRuleset *rules, const char *domain)
{
  g_autofree char *text = g_strconcat ("user@", domain, NULL);
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, FALSE, NULL);
  g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, address, NULL, NULL);

  if (decision->action != REROUTE_ACTION_REWRITE && decision->action != REROUTE_ACTION_RELAY_BY_DNS)
    g_error ("%s: %s", domain, decision->reply_text);
}

int
main (int argc, char **argv)
{
  guint64 count = argc == 2 ? g_ascii_strtoull (argv[1], NULL, 10) : 0;
  g_autoptr (RerouteRuleset) rules = NULL;

  if (count == 0 || count > G_MAXUINT)
    {
      g_printerr ("usage: lookup RULES\n");
      return 2;
    }
  rules = make_rules ((guint) count);
  reroute_ruleset_use_huge_pages (rules); /* as the relay does */
  printf ("{\"rules\": %" G_GUINT64_FORMAT ", \"lookup_us\": %.4f, \"decide_us\": %.4f}\n",
          count,
          measure (rules, (guint) count, look_up),
          measure (rules, (guint) count, decide));
  return 0;
}
