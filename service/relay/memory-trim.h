/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/**
 * RerouteMemoryTrim:
 *
 * Waits until the relay, whatever it has queued, rests for the first time, and gives back the
 * memory that only its start needed.
 */
typedef struct _RerouteMemoryTrim RerouteMemoryTrim;

/* @parts: borrowed */
RerouteMemoryTrim *reroute_memory_trim_new (const RerouteRelayParts *parts);
void reroute_memory_trim_free (RerouteMemoryTrim *self);

/* Gives back what is free in the heaps, and takes the pages of code and constants out of the
   process: those that are wanted again come from the page cache, the others do not.  Sources:
   malloc_trim(3), MADV_DONTNEED in madvise(2). */
void reroute_memory_trim_now (void);

G_END_DECLS
