/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/srs.h"

G_BEGIN_DECLS

/**
 * RerouteSrsTokens:
 *
 * The senders that a token stands for in the addresses of smtp/srs.h, in files of the spool that
 * only we may read.  Reference-counted, any thread.
 *
 * A sender is kept for REROUTE_LIMIT_SRS_VALID_DAYS and forgotten after about twice that many;
 * earlier when both files are full (REROUTE_LIMIT_SRS_TOKENS_OCTETS), the older half first.
 *
 * It outlives the process at once; a machine that crashes loses what its kernel has not written.
 */
typedef struct _RerouteSrsTokens RerouteSrsTokens;

/* @dir_fd: the spool; duplicated.  What cannot be read is set aside, with a warning. */
RerouteSrsTokens *reroute_srs_tokens_open (int dir_fd);
RerouteSrsTokens *reroute_srs_tokens_ref (RerouteSrsTokens *self);
void reroute_srs_tokens_unref (RerouteSrsTokens *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSrsTokens, reroute_srs_tokens_unref)

/* From time to time, with the wall clock, in seconds since 1970: forgets what nobody needs. */
void reroute_srs_tokens_expire (RerouteSrsTokens *self, gint64 now_s);

/* For reroute_srs_new(); its data is a reference. */
RerouteSrsStore reroute_srs_tokens_get_store (RerouteSrsTokens *self);

G_END_DECLS
