/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * huge-pages.c - crowds of objects in large pages of memory
 */

#include "config.h"

#include "common/huge-pages.h"

#include <sys/mman.h>

/* Linux 6.1; older headers do not have it. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Of what is noted: an object may have more behind it, which nobody counts. */
#define FULL_OCTETS (REROUTE_HUGE_PAGE_OCTETS / 4)

struct _RerouteHugePages
{
  GHashTable *octets; /* number of a page -> octets of objects in it */
};

RerouteHugePages *
reroute_huge_pages_new (void)
{
  RerouteHugePages *self = g_new0 (RerouteHugePages, 1);

  self->octets = g_hash_table_new (NULL, NULL);
  return self;
}

void
reroute_huge_pages_free (RerouteHugePages *self)
{
  g_hash_table_unref (self->octets);
  g_free (self);
}

void
reroute_huge_pages_note (RerouteHugePages *self, gconstpointer object, gsize octets)
{
  gpointer page = GSIZE_TO_POINTER (GPOINTER_TO_SIZE (object) / REROUTE_HUGE_PAGE_OCTETS);
  gsize before = GPOINTER_TO_SIZE (g_hash_table_lookup (self->octets, page));

  g_hash_table_insert (self->octets, page, GSIZE_TO_POINTER (before + octets));
}

guint
reroute_huge_pages_ask (const RerouteHugePages *self)
{
  GHashTableIter iter;
  gpointer page;
  gpointer octets;
  guint asked = 0;

  g_hash_table_iter_init (&iter, self->octets);
  while (g_hash_table_iter_next (&iter, &page, &octets))
    {
      gpointer start = GSIZE_TO_POINTER (GPOINTER_TO_SIZE (page) * REROUTE_HUGE_PAGE_OCTETS);

      if (GPOINTER_TO_SIZE (octets) < FULL_OCTETS)
        continue;
      /* A page that reaches past the heap, or a system without them: it stays as it is. */
      if (madvise (start, REROUTE_HUGE_PAGE_OCTETS, MADV_HUGEPAGE) == 0)
        (void) madvise (start, REROUTE_HUGE_PAGE_OCTETS, MADV_COLLAPSE);
      asked++;
    }
  return asked;
}
