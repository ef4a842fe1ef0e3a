/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/sts-policy.h"

G_BEGIN_DECLS

/* What is known of a domain. */
typedef struct
{
  char *domain;             /* in normal form */
  RerouteStsPolicy *policy; /* NULL: none is known */
  char *id;                 /* of the policy; NULL without */
  gint64 fetched_s;         /* wall clock, seconds since 1970 */
  gint64 used_s;            /* wall clock: when it was asked for last */

  /* Of this process; monotonic. */
  guint generation;      /* of the DNS settings that the record was asked for by last */
  gint64 fresh_until_us; /* until then the record is not asked for again by the same */
  char *failed_id;       /* of a policy that could not be fetched */
  gint64 retry_us;       /* when it may be tried again */
  gboolean busy;         /* a look-up is on its way */
  gboolean refreshing;   /* that nobody waits for */
  char *wanted_id;       /* that it is for */
  GArray *askers;        /* who waits for it */
} RerouteStsEntry;

/**
 * RerouteStsCache:
 *
 * What is known of domains, bounded in their number.  Not thread-safe.
 */
typedef struct _RerouteStsCache RerouteStsCache;

/* @asker_octets: the size of an element of askers */
RerouteStsCache *reroute_sts_cache_new (guint asker_octets);
void reroute_sts_cache_free (RerouteStsCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteStsCache, reroute_sts_cache_free)

/* The entry of a domain, made when there is none; the one that was not asked for the longest goes
   when there are too many, those without a policy first, and none that is busy. */
RerouteStsEntry *reroute_sts_cache_get (RerouteStsCache *self, const char *domain, gint64 now_s);

/* (transfer container) (element-type RerouteStsEntry): those with a policy. */
GPtrArray *reroute_sts_cache_list (RerouteStsCache *self);

/* Replaces the policy, NULL by none, and what belongs to it; takes references and a copy. */
void reroute_sts_entry_set_policy (RerouteStsEntry *self,
                                   RerouteStsPolicy *policy,
                                   const char *id,
                                   gint64 fetched_s);
/* Whether it has a policy whose time is over. */
gboolean reroute_sts_entry_is_over (const RerouteStsEntry *self, gint64 now_s);

/* The policies as they are kept on disk; at most REROUTE_LIMIT_STS_FILE_OCTETS. */
GBytes *reroute_sts_cache_to_file (RerouteStsCache *self);
/**
 * reroute_sts_cache_take_file:
 *
 * Takes up what reroute_sts_cache_to_file() wrote, but for policies whose time is over.
 *
 * Errors: %REROUTE_ERROR_VALUE: the file is damaged; nothing of it was taken.
 */
gboolean
reroute_sts_cache_take_file (RerouteStsCache *self, GBytes *octets, gint64 now_s, GError **error);

G_END_DECLS
