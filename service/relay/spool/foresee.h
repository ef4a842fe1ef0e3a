/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a thread that takes over a long queue asks for at a time; below what malloc() maps alone. */
#define REROUTE_FORESEEN_OCTETS (768 * 1024)

/* Prepares the calling thread's heap for many small blocks that take about @octets, at most
   REROUTE_FORESEEN_OCTETS, in all: two system calls in place of one, and a fault, for each page.
   The memory counts as used from now on. */
void reroute_foresee_memory (gsize octets);

G_END_DECLS
