/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_step_dup_text:
 * @code: of a step of an explanation: "routing-match"
 * @sentence: what the service says of it, in English
 * @arguments: (out) (optional) (nullable) (transfer full) (array zero-terminated=1): what stands in
 *   its places; %NULL when the sentence is of no pattern that is known here
 *
 * Returns: (transfer full): the sentence in the reader's language; as it came when it is of no
 *   pattern that is known here
 */
char *reroute_step_dup_text (const char *code, const char *sentence, char ***arguments);

G_END_DECLS
