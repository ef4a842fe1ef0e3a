/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_sandbox_enter:
 * @writable: the only directory below which files are made, changed or removed from now on
 *
 * Gives up for good what the relay never does: to run programs, to write elsewhere, to look into
 * other processes, to change the system.  It holds for the calling thread and those that it starts,
 * so it comes first.  What a kernel cannot restrict is left as it is, and said in the log.  Does
 * nothing in a build for AddressSanitizer, which looks into its own process.
 *
 * Errors: %REROUTE_ERROR_SPOOL: @writable cannot be opened
 */
gboolean reroute_sandbox_enter (const char *writable, GError **error);

G_END_DECLS
