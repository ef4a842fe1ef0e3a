/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the process that runs programs for the relay (token-helper.c) is asked for: the first word
   of a request.  The bare name of the program is the second. */
#define REROUTE_HELPER_TOKEN "token" /* a user name follows */
#define REROUTE_HELPER_ALARM "alarm" /* REROUTE_HELPER_ALARM_WORDS follow */
#define REROUTE_HELPER_ALARM_WORDS 5 /* the arguments of the program */

/* What an answer begins with: the output of a token command follows, or one line that says what
   went wrong. */
#define REROUTE_HELPER_DONE 'T'
#define REROUTE_HELPER_FAILED 'F'

/**
 * reroute_helper_request:
 * @helper: of reroute_token_helper_start(); -1: there is none
 * @words: (array zero-terminated=1)
 *
 * Asks for a program to be run.  Does not wait; any thread.
 *
 * Returns: the descriptor that the answer is read from, which does not block, up to its end; -1
 *   with errno: nobody runs programs, or there is no room for a request
 */
int reroute_helper_request (int helper, const char *const *words);

/* Why a request failed, and what to do.  @error_number: that it left in errno */
const char *reroute_helper_explain (int helper, int error_number);

G_END_DECLS
