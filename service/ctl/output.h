/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_ctl_dup_plain:
 * @text: of somebody else: a header, a reply, a line of the log
 *
 * Makes @text safe for a terminal: what is no UTF-8, control characters but LF and TAB, and the
 * characters that turn the direction of what follows become “?” or U+FFFD; CR goes.
 *
 * Source: UAX #9 section 2 (explicit directional formatting characters).
 *
 * Returns: (transfer full):
 */
char *reroute_ctl_dup_plain (const char *text);

/* Data for a program: UTF-8 whatever the locale. */
void reroute_ctl_print_data (const char *text);

/* From here on g_print() notes when it cannot write. */
void reroute_ctl_begin_output (void);

/* Whether all has been written so far. */
gboolean reroute_ctl_is_output_whole (void);

/* Errors: %REROUTE_ERROR_FAILED: something was not written; that nobody reads on is no error. */
gboolean reroute_ctl_end_output (GError **error);

G_END_DECLS
