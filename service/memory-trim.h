/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Gives back what is free in the heaps, and takes the pages of code and constants out of the
   process: those that are wanted again come from the page cache, the others do not.  Sources:
   malloc_trim(3), MADV_DONTNEED in madvise(2). */
void reroute_memory_trim_now (void);

G_END_DECLS
