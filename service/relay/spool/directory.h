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
/* Likewise for one who only reads, beside others: FALSE when a relay holds it. */
gboolean reroute_spool_directory_lock_shared (int dir_fd, const char *path, GError **error);

/* The token of this installation: made at the first call, kept in a file that only we may read. */
char *reroute_spool_directory_get_token (int dir_fd, GError **error);

/* Writes a new file and syncs it; nothing of it is left after a failure. */
gboolean reroute_spool_directory_write (
  int dir_fd, const char *name, const void *octets, gsize length, GError **error);

/* All names that begin with @prefix, in no order; (transfer full) (element-type filename).
   Errors: %REROUTE_ERROR_SPOOL */
GPtrArray *reroute_spool_directory_list (int dir_fd, const char *prefix, GError **error);

/* What was damaged is kept in files whose names begin so (reroute-spool(5)). */
#define REROUTE_SPOOL_DAMAGED "damaged-"
#define REROUTE_SPOOL_UNREAD "-unread" /* the end of those that note what could not be read */
/* Whether there are some, of this start or of an earlier one. */
gboolean reroute_spool_directory_has_damaged (int dir_fd);

/* An unguessable number. */
guint64 reroute_spool_random (void);

G_END_DECLS
