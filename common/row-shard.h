/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"

G_BEGIN_DECLS

/*
 * The two kinds of shards that a row table is cut into, each some hundred rows, reference-counted.
 * A function that changes a shard swallows it and gives back the one to keep: the same when nobody
 * else holds it, else a copy.  NULL is the empty shard.
 */

/* Rows by rising id; holds a reference of each. */
typedef struct
{
  gatomicrefcount ref_count;
  guint n;
  guint capacity;
  RerouteRow *rows[];
} RerouteIdShard;

RerouteIdShard *reroute_id_shard_ref (RerouteIdShard *self);
void reroute_id_shard_unref (RerouteIdShard *self);

/* @replaced: (transfer full): the row that had this id, or NULL.  @row: a reference is taken;
   NULL removes. */
RerouteIdShard *
reroute_id_shard_change (RerouteIdShard *self, gint64 id, RerouteRow *row, RerouteRow **replaced);
RerouteRow *reroute_id_shard_get (const RerouteIdShard *self, gint64 id);

#define REROUTE_BUCKET_PLACES 5

/* A cache line: what a look-up waits for. */
typedef struct
{
  _Alignas(64) guint32 tags[REROUTE_BUCKET_PLACES]; /* 0: this place and those behind it are free */
  RerouteRow *rows[REROUTE_BUCKET_PLACES];
} RerouteBucket;

/* Rows by domain, open addressing over buckets; borrows the rows from the id shards of the same
   table. */
typedef struct
{
  gatomicrefcount ref_count;
  guint n;
  guint n_buckets;
  RerouteBucket buckets[];
} RerouteDomainShard;

typedef enum
{
  REROUTE_MATCH_EXACT_ROW,     /* a row with exact, enabled or not */
  REROUTE_MATCH_SUBDOMAIN_ROW, /* a row without exact, enabled or not */
  REROUTE_MATCH_ACTING,        /* enabled: exact before not exact */
  REROUTE_MATCH_ACTING_SUFFIX, /* enabled, not exact */
} RerouteMatch;

RerouteDomainShard *reroute_domain_shard_ref (RerouteDomainShard *self);
void reroute_domain_shard_unref (RerouteDomainShard *self);
RerouteDomainShard *
reroute_domain_shard_add (RerouteDomainShard *self, guint32 tag, RerouteRow *row);
RerouteDomainShard *
reroute_domain_shard_remove (RerouteDomainShard *self, guint32 tag, RerouteRow *row);
/* Asks the memory for what reroute_domain_shard_find() will look at first.
   @n_buckets: those of the shard, from a place that is at hand: a look-up does not wait for the
   shard's own line. */
void reroute_domain_shard_prefetch (const RerouteDomainShard *self, guint32 n_buckets, guint32 tag);

/* @except: (nullable): a row that is passed over */
RerouteRow *reroute_domain_shard_find (const RerouteDomainShard *self,
                                       guint32 n_buckets,
                                       guint32 tag,
                                       const char *domain,
                                       RerouteMatch match,
                                       const RerouteRow *except);

G_END_DECLS
