/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_spool_directory_open:
 * @path: the spool
 * @error: return location
 *
 * Checks that the directory and those above it belong to us or to root and that no stranger may
 * rename or add files there (wire-defaults.md, regression 11).
 *
 * Returns: a descriptor, or -1
 */
int reroute_spool_directory_open (const char *path, GError **error);

/* FALSE with @error when another process holds it.  The lock goes with the descriptor. */
gboolean reroute_spool_directory_lock (int dir_fd, const char *path, GError **error);

/* The token of this installation: made at the first call, kept in a file that only we may read. */
char *reroute_spool_directory_get_token (int dir_fd, GError **error);

/* Writes a new file and syncs it; nothing of it is left after a failure. */
gboolean reroute_spool_directory_write (
  int dir_fd, const char *name, const void *octets, gsize length, GError **error);

/* Makes the file @name what @octets are, in one step: after a crash it is as before or as wanted.
   "@name.new" beside it is ours. */
gboolean reroute_spool_directory_replace (
  int dir_fd, const char *name, const void *octets, gsize length, GError **error);

/**
 * reroute_spool_directory_read:
 * @most: octets
 *
 * Returns: (transfer full) (nullable): what is in the file; %NULL when there is none, or none that
 *   only we may read, or a longer one
 */
GBytes *reroute_spool_directory_read (int dir_fd, const char *name, gsize most);

/* An unguessable number. */
guint64 reroute_spool_random (void);

G_END_DECLS
