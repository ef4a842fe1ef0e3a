/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What an answer begins with: the output of the command follows, or one line that says what went
   wrong. */
#define REROUTE_TOKEN_HELPER_DONE 'T'
#define REROUTE_TOKEN_HELPER_FAILED 'F'

/**
 * reroute_token_helper_start:
 * @directory: where the programs are that it may run
 *
 * Starts the process that runs token commands for the relay, which may run none once it is in its
 * sandbox.  Comes before that, and before any other thread.
 *
 * A request is one packet, the program's bare name and the user name, each with a NUL behind it,
 * and the descriptor that the answer is written to and that is closed then.
 *
 * Returns: the socket that takes requests, or -1 where there is no @directory, or no process to be
 *   had, which is said in the log
 */
int reroute_token_helper_start (const char *directory);

G_END_DECLS
