/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/address.h"

G_BEGIN_DECLS

/**
 * RerouteSrs:
 *
 * Writes and reads senders that were rewritten at a domain of ours, so that SPF speaks for who
 * sends the mail on and notices come back to who sends it further home.  Immutable,
 * reference-counted, shared between threads.
 *
 * Source: the Sender Rewriting Scheme as libsrs2 and PostSRSd write it; HMAC-SHA-256.
 */
typedef struct _RerouteSrs RerouteSrs;

/**
 * RerouteSrsStore:
 * @keep: keeps @sender for REROUTE_LIMIT_SRS_VALID_DAYS, if there is room for so long, and finds it
 *   by @token from then on; FALSE with @error when it cannot
 * @find: (transfer full) (nullable): the sender that was kept under @token, or another text: that
 *   they belong together is checked
 * @data: for both; they are called in any thread
 * @free_data: (nullable)
 *
 * Where the senders are that no address can hold.
 */
typedef struct
{
  gboolean (*keep) (
    gpointer data, const char *token, const char *sender, gint64 now_s, GError **error);
  char *(*find) (gpointer data, const char *token);
  gpointer data;
  GDestroyNotify free_data;
} RerouteSrsStore;

/* Also: what is no SRS address at all. */
typedef enum
{
  REROUTE_SRS_OK,
  REROUTE_SRS_FORGED,
  REROUTE_SRS_EXPIRED,
} RerouteSrsVerdict;

/* What is said, behind 550 5.7.1, of an address that is not %REROUTE_SRS_OK. */
const char *reroute_srs_verdict_to_string (RerouteSrsVerdict verdict);

/* For reroute_srs_reverse(): whatever its age. */
#define REROUTE_SRS_ANY_TIME G_MININT64

/* @domain: in normal form; @keys: (element-type GBytes): at least one; the first signs, all verify;
   @store: (nullable): copied, its data taken; without one, senders that need it stay as they are */
RerouteSrs *reroute_srs_new (const char *domain, GPtrArray *keys, const RerouteSrsStore *store);
RerouteSrs *reroute_srs_ref (RerouteSrs *self);
void reroute_srs_unref (RerouteSrs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSrs, reroute_srs_unref)

const char *reroute_srs_get_domain (const RerouteSrs *self);

/* Whether @address is a rewritten sender at the domain of @self, genuine or not. */
gboolean reroute_srs_is_ours (const RerouteSrs *self, const RerouteAddress *address);

/**
 * reroute_srs_forward:
 * @sender: not of the domain of @self
 * @now_s: wall clock, seconds since 1970
 * @error: return location
 *
 * A sender that is quoted, or would have a local part of more than 64 octets (RFC 5321 4.5.3.1.1),
 * is kept, and a token stands for it.
 *
 * Errors: of the store, when it could not be kept
 *
 * Returns: (transfer full) (nullable): the sender to send with; %NULL when it has to stay as it is:
 *   with @error, or its domain is an address, or there is no store
 */
char *reroute_srs_forward (const RerouteSrs *self,
                           const RerouteAddress *sender,
                           gint64 now_s,
                           GError **error);

/**
 * reroute_srs_reverse:
 * @address: one that reroute_srs_is_ours()
 * @now_s: wall clock, seconds since 1970, or %REROUTE_SRS_ANY_TIME
 * @verdict: (out): expired, too, when its sender is kept no more
 *
 * Returns: (transfer full) (nullable): whom mail to @address is for; %NULL unless
 *   @verdict is %REROUTE_SRS_OK
 */
RerouteAddress *reroute_srs_reverse (const RerouteSrs *self,
                                     const RerouteAddress *address,
                                     gint64 now_s,
                                     RerouteSrsVerdict *verdict);

G_END_DECLS
