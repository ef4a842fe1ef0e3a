/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/**
 * RerouteSettling:
 *
 * Waits until the relay has nothing to do for the first time, and gives back the memory that only
 * its start needed.
 */
typedef struct _RerouteSettling RerouteSettling;

/* @parts: borrowed */
RerouteSettling *reroute_settling_new (const RerouteRelayParts *parts);
void reroute_settling_free (RerouteSettling *self);

/* Gives back what is free in the heaps, and takes the pages of code and constants out of the
   process: those that are wanted again come from the page cache, the others do not.  Sources:
   malloc_trim(3), MADV_DONTNEED in madvise(2). */
void reroute_settling_give_back (void);

G_END_DECLS
