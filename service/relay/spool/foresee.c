/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * foresee.c - the heap of a thread grows in steps that are worth a system call
 *
 * The C library makes a thread's heap larger a page at a time, and each page is a fault when it is
 * first written.  A block that is freed at once makes it larger for all the small ones that come.
 */

#include "config.h"

#include "service/relay/spool/foresee.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void
reroute_foresee_memory (gsize octets)
{
  const uintptr_t page = (uintptr_t) sysconf (_SC_PAGESIZE);

  octets = MIN (octets, REROUTE_FORESEEN_OCTETS);
  gpointer volatile block = malloc (octets);
  uintptr_t start = ((uintptr_t) block + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t) block + octets) & ~(page - 1);
  /* A kernel before 5.14 refuses, and the pages come one by one. */
  if (block != NULL && end > start)
    (void) madvise ((void *) start, end - start, MADV_POPULATE_WRITE);
  free (block);
}
