/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_SRS_KEY_OCTETS 32

/**
 * reroute_srs_keys_open:
 * @dir_fd: the spool
 * @now_s: wall clock, seconds since 1970
 *
 * The keys of the senders that this installation rewrites, kept in a file that only we may read:
 * made at the first call, another one after REROUTE_LIMIT_SRS_KEY_DAYS.  One that has had a
 * successor for REROUTE_LIMIT_SRS_VALID_DAYS is dropped.
 *
 * Errors: %REROUTE_ERROR_SPOOL
 *
 * Returns: (transfer full) (element-type GBytes): newest first; %NULL with @error
 */
GPtrArray *reroute_srs_keys_open (int dir_fd, gint64 now_s, GError **error);

G_END_DECLS
