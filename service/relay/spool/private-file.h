/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Small files in the spool's directory that are for nobody's eyes but ours: keys, accounts, what
 * other domains said. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_private_file_read:
 * @dir_fd: the spool
 * @most: octets it may have
 *
 * Errors: %REROUTE_ERROR_SPOOL: it cannot be read; %REROUTE_ERROR_FAILED: it is too long, others
 * may read or write it, or it is a link or no file
 *
 * Returns: (transfer full): what is in it, nothing when there is no such file; %NULL with @error
 */
GBytes *reroute_private_file_read (int dir_fd, const char *name, gsize most, GError **error);

/* Makes the file @name what @octets are, for our eyes only, in one step: after a crash it is as
   before or as wanted.  On the disk when it returns.  "@name.new" beside it is ours. */
gboolean reroute_private_file_write (
  int dir_fd, const char *name, const void *octets, gsize length, GError **error);

G_END_DECLS
