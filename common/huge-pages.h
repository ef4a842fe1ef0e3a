/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_HUGE_PAGE_OCTETS (2 * 1024 * 1024)

/* Finds the huge pages that a crowd of objects fills.  The C library places objects; whoever
   reads a million of them in no order waits for the translation of addresses as long as for
   the memory itself, and a huge page needs one where small ones need 512. */
typedef struct _RerouteHugePages RerouteHugePages;

RerouteHugePages *reroute_huge_pages_new (void);
void reroute_huge_pages_free (RerouteHugePages *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteHugePages, reroute_huge_pages_free)

/* One object: it is not looked at, nor kept. */
void reroute_huge_pages_note (RerouteHugePages *self, gconstpointer object, gsize octets);

/* Asks the system to hold what the objects fill by a quarter or more in huge pages (madvise(2),
   MADV_HUGEPAGE and MADV_COLLAPSE).  It may decline: nothing but speed depends on it.
   Returns: of how many pages that was asked */
guint reroute_huge_pages_ask (const RerouteHugePages *self);

G_END_DECLS
