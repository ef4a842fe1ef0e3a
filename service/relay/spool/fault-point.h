/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A place where a test may end the process: one for each step of the state table in
 * data/man/reroute-spool.5.  In the product it is nothing; tests/relay builds a relay of its own
 * with REROUTE_FAULT_POINTS, which brings the function.
 */

#pragma once

#ifdef REROUTE_FAULT_POINTS
void reroute_fault_point (const char *name);
#define REROUTE_FAULT_POINT(name) reroute_fault_point (name)
#else
#define REROUTE_FAULT_POINT(name) ((void) 0)
#endif
