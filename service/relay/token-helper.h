/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_token_helper_start:
 * @token_commands: where the programs are that print tokens
 * @alarm_commands: where the programs are that are told of alarms
 *
 * Starts the process that runs these programs for the relay, which may run none once it is in its
 * sandbox.  Comes before that, and before any other thread.
 *
 * A request is one packet, the words of reroute_helper_request(), each with a NUL behind it, and
 * the descriptor that the answer is written to and that is closed then.
 *
 * Returns: the socket that takes requests, or -1 where there is neither directory, or no process to
 *   be had, which is said in the log
 */
int reroute_token_helper_start (const char *token_commands, const char *alarm_commands);

G_END_DECLS
