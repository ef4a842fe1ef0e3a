/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-huge-pages.c - which pages a crowd of objects fills
 */

#include "config.h"

#include "common/huge-pages.h"
#include "common/ruleset.h"

#include <string.h>
#include <sys/mman.h>

#define PAGES 4
#define OBJECT_OCTETS 128

/* Whole pages of the system's own, PAGES of them. */
static guchar *
map_pages (gpointer *mapping, gsize *size)
{
  *size = (PAGES + 1) * (gsize) REROUTE_HUGE_PAGE_OCTETS;
  *mapping = mmap (NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (*mapping != MAP_FAILED);
  gsize start = GPOINTER_TO_SIZE (*mapping) + REROUTE_HUGE_PAGE_OCTETS - 1;
  return GSIZE_TO_POINTER (start / REROUTE_HUGE_PAGE_OCTETS * REROUTE_HUGE_PAGE_OCTETS);
}

/* The octets of each page that are noted -> how many pages are asked for. */
static const struct
{
  gsize octets[PAGES];
  guint asked;
} CROWDS[] = {
  { { 0, 0, 0, 0 }, 0 },
  { { REROUTE_HUGE_PAGE_OCTETS, REROUTE_HUGE_PAGE_OCTETS, REROUTE_HUGE_PAGE_OCTETS, 0 }, 3 },
  { { 0, REROUTE_HUGE_PAGE_OCTETS / 4, 0, 0 }, 1 },
  { { 0, REROUTE_HUGE_PAGE_OCTETS / 4 - OBJECT_OCTETS, OBJECT_OCTETS, 0 }, 0 },
};

static void
test_crowds (gconstpointer data)
{
  const guint which = GPOINTER_TO_UINT (data);
  gpointer mapping;
  gsize size;
  guchar *start = map_pages (&mapping, &size);
  g_autoptr (RerouteHugePages) pages = reroute_huge_pages_new ();

  for (guint page = 0; page < PAGES; page++)
    for (gsize at = 0; at < CROWDS[which].octets[page]; at += OBJECT_OCTETS)
      {
        guchar *object = start + page * (gsize) REROUTE_HUGE_PAGE_OCTETS + at;

        memset (object, (int) (page + 1), OBJECT_OCTETS);
        reroute_huge_pages_note (pages, object, OBJECT_OCTETS);
      }
  g_assert_cmpuint (reroute_huge_pages_ask (pages), ==, CROWDS[which].asked);
  for (guint page = 0; page < PAGES; page++)
    for (gsize at = 0; at < CROWDS[which].octets[page]; at++)
      g_assert_cmpuint (start[page * (gsize) REROUTE_HUGE_PAGE_OCTETS + at], ==, page + 1);
  g_assert_cmpint (munmap (mapping, size), ==, 0);
}

/* What is asked for need not be there. */
static void
test_gone (void)
{
  gpointer mapping;
  gsize size;
  guchar *start = map_pages (&mapping, &size);
  g_autoptr (RerouteHugePages) pages = reroute_huge_pages_new ();

  reroute_huge_pages_note (pages, start, REROUTE_HUGE_PAGE_OCTETS);
  g_assert_cmpint (munmap (mapping, size), ==, 0);
  g_assert_cmpuint (reroute_huge_pages_ask (pages), ==, 1);
}

#define ROWS 60000

static void
test_rules (void)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);
  g_autoptr (RerouteRuleset) rules = NULL;

  reroute_ruleset_use_huge_pages (empty);
  for (gint64 id = 1; id <= ROWS; id++)
    {
      g_autofree char *domain = g_strdup_printf ("d%" G_GINT64_FORMAT ".test", id);
      RerouteRowFields fields = { .id = id, .domain = domain, .enabled = TRUE };
      gpointer row = reroute_routing_entry_new (&fields, REROUTE_ROUTING_REROUTE, "new.test", NULL);

      g_assert_true (reroute_ruleset_builder_put (builder, row, NULL));
      reroute_row_unref (row);
    }
  rules = reroute_ruleset_builder_build (builder, 1);
  reroute_ruleset_use_huge_pages (rules);
  for (gint64 id = 1; id <= ROWS; id++)
    {
      g_autofree char *domain = g_strdup_printf ("d%" G_GINT64_FORMAT ".test", id);
      RerouteRow *row = reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, domain);

      g_assert_nonnull (row);
      g_assert_cmpint (row->id, ==, id);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (CROWDS); i++)
    {
      g_autofree char *path = g_strdup_printf ("/huge-pages/crowd/%u", i);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_crowds);
    }
  g_test_add_func ("/huge-pages/gone", test_gone);
  g_test_add_func ("/huge-pages/rules", test_rules);
  return g_test_run ();
}
