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

G_END_DECLS
