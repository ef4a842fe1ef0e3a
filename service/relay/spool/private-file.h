/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Small files in the spool's directory that are for nobody's eyes but ours: keys, accounts. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_private_file_read:
 * @dir_fd: the spool
 * @most: octets it may have
 *
 * Errors: %REROUTE_ERROR_SPOOL: it cannot be read, is too long, or others may read or write it.
 *
 * Returns: (transfer full): its text, "" when there is no such file; %NULL with @error
 */
char *reroute_private_file_read (int dir_fd, const char *name, gsize most, GError **error);

/* Puts another file in its place, for our eyes only, or changes nothing.  On the disk when it
   returns. */
gboolean
reroute_private_file_write (int dir_fd, const char *name, const char *text, GError **error);

G_END_DECLS
