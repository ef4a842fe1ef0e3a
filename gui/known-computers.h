/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_KNOWN_COMPUTERS 10 /* more are forgotten, the oldest first */

/**
 * reroute_known_computers_load:
 *
 * The other computers that were connected to, as --host names them; the newest first.  A file that
 * is not there, or holds something else, is an empty list.
 *
 * Returns: (transfer full): perhaps without any
 */
GStrv reroute_known_computers_load (void);

/**
 * reroute_known_computers_add:
 * @name: as --host names it
 *
 * Puts it in front.
 *
 * Errors: %REROUTE_ERROR_STORE with the name of the file.
 */
gboolean reroute_known_computers_add (const char *name, GError **error);

/* Forgets it.  Errors: %REROUTE_ERROR_STORE with the name of the file. */
gboolean reroute_known_computers_remove (const char *name, GError **error);

G_END_DECLS
