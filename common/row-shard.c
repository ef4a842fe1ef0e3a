/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-shard.c - the parts that generations of rules share
 *
 * A shard is changed in place when it is held once, which nobody else can then change: a second
 * reference is only ever taken through a first.
 */

#include "config.h"

#include "common/row-shard.h"

#include <string.h>

#define SHARD_MIN 8
#define CACHE_LINE_OCTETS 64

/* --- by id --- */

static RerouteIdShard *
id_shard_new (guint capacity)
{
  RerouteIdShard *self = g_malloc (sizeof *self + capacity * sizeof (RerouteRow *));

  g_atomic_ref_count_init (&self->ref_count);
  self->n = 0;
  self->capacity = capacity;
  return self;
}

RerouteIdShard *
reroute_id_shard_ref (RerouteIdShard *self)
{
  if (self != NULL)
    g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_id_shard_unref (RerouteIdShard *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  for (guint i = 0; i < self->n; i++)
    reroute_row_unref (self->rows[i]);
  g_free (self);
}

/* Room for one row more, held by the caller alone. */
static RerouteIdShard *
id_shard_own (RerouteIdShard *self)
{
  if (self == NULL)
    return id_shard_new (SHARD_MIN);

  guint capacity = self->n < self->capacity ? self->capacity : self->n + self->n / 4 + SHARD_MIN;
  if (g_atomic_ref_count_compare (&self->ref_count, 1))
    {
      if (capacity == self->capacity)
        return self;
      self = g_realloc (self, sizeof *self + capacity * sizeof (RerouteRow *));
      self->capacity = capacity;
      return self;
    }
  RerouteIdShard *copy = id_shard_new (capacity);
  for (; copy->n < self->n; copy->n++)
    copy->rows[copy->n] = reroute_row_ref (self->rows[copy->n]);
  reroute_id_shard_unref (self);
  return copy;
}

/* Where @id stands, or belongs. */
static guint
id_shard_search (const RerouteIdShard *self, gint64 id)
{
  guint low = 0;
  guint high = self->n;

  if (high > 0 && self->rows[high - 1]->id < id)
    return high;
  while (low < high)
    {
      guint middle = (low + high) / 2;
      if (self->rows[middle]->id < id)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

RerouteRow *
reroute_id_shard_get (const RerouteIdShard *self, gint64 id)
{
  guint i = self != NULL ? id_shard_search (self, id) : 0;

  return self != NULL && i < self->n && self->rows[i]->id == id ? self->rows[i] : NULL;
}

RerouteIdShard *
reroute_id_shard_change (RerouteIdShard *self, gint64 id, RerouteRow *row, RerouteRow **replaced)
{
  gboolean present = reroute_id_shard_get (self, id) != NULL;

  *replaced = NULL;
  if (!present && row == NULL)
    return self;
  self = id_shard_own (self);
  guint i = id_shard_search (self, id);
  if (present)
    *replaced = self->rows[i];
  if (present && row == NULL)
    {
      memmove (&self->rows[i], &self->rows[i + 1], (self->n - i - 1) * sizeof (RerouteRow *));
      self->n--;
      return self;
    }
  if (!present)
    {
      memmove (&self->rows[i + 1], &self->rows[i], (self->n - i) * sizeof (RerouteRow *));
      self->n++;
    }
  self->rows[i] = reroute_row_ref (row);
  return self;
}

/* --- by domain --- */

G_STATIC_ASSERT (sizeof (RerouteBucket) == CACHE_LINE_OCTETS);
G_STATIC_ASSERT (G_STRUCT_OFFSET (RerouteDomainShard, buckets) == CACHE_LINE_OCTETS);

static guint
get_home (guint32 n_buckets, guint32 tag)
{
  return (guint) (((guint64) tag * n_buckets) >> 32);
}

static guint
get_next (guint32 n_buckets, guint bucket)
{
  return bucket + 1 < n_buckets ? bucket + 1 : 0;
}

static guint
count_rows (const RerouteBucket *bucket)
{
  guint n = 0;

  while (n < REROUTE_BUCKET_PLACES && bucket->tags[n] != 0)
    n++;
  return n;
}

static RerouteDomainShard *
domain_shard_new (guint n_rows)
{
  guint n_buckets = n_rows / REROUTE_BUCKET_PLACES + 1;
  gsize octets = sizeof (RerouteDomainShard) + n_buckets * sizeof (RerouteBucket);
  RerouteDomainShard *self = g_aligned_alloc0 (1, octets, CACHE_LINE_OCTETS);

  g_atomic_ref_count_init (&self->ref_count);
  self->n_buckets = n_buckets;
  return self;
}

RerouteDomainShard *
reroute_domain_shard_ref (RerouteDomainShard *self)
{
  if (self != NULL)
    g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_domain_shard_unref (RerouteDomainShard *self)
{
  if (self != NULL && g_atomic_ref_count_dec (&self->ref_count))
    g_aligned_free (self);
}

static void
insert (RerouteDomainShard *self, guint32 tag, RerouteRow *row)
{
  guint i = get_home (self->n_buckets, tag);
  guint place;

  while ((place = count_rows (&self->buckets[i])) == REROUTE_BUCKET_PLACES)
    i = get_next (self->n_buckets, i);
  self->buckets[i].tags[place] = tag;
  self->buckets[i].rows[place] = row;
  self->n++;
}

/* Held by the caller alone, with at least one place in five free after one more row. */
static RerouteDomainShard *
domain_shard_own (RerouteDomainShard *self)
{
  if (self == NULL)
    return domain_shard_new (SHARD_MIN);

  guint n_places = self->n_buckets * REROUTE_BUCKET_PLACES;
  gboolean fits = (self->n + 1) * 5 <= n_places * 4;
  if (fits && g_atomic_ref_count_compare (&self->ref_count, 1))
    return self;
  RerouteDomainShard *copy =
    domain_shard_new (fits ? n_places - 1 : (self->n + 1) * 3 / 2 + SHARD_MIN);
  for (guint i = 0; i < self->n_buckets; i++)
    {
      const RerouteBucket *bucket = &self->buckets[i];
      for (guint place = 0; place < count_rows (bucket); place++)
        insert (copy, bucket->tags[place], bucket->rows[place]);
    }
  reroute_domain_shard_unref (self);
  return copy;
}

RerouteDomainShard *
reroute_domain_shard_add (RerouteDomainShard *self, guint32 tag, RerouteRow *row)
{
  self = domain_shard_own (self);
  insert (self, tag, row);
  return self;
}

/* The last row of a bucket takes the place of one that goes. */
static void
close_gap (RerouteBucket *bucket, guint place)
{
  guint last = count_rows (bucket) - 1;

  bucket->tags[place] = bucket->tags[last];
  bucket->rows[place] = bucket->rows[last];
  bucket->tags[last] = 0;
  bucket->rows[last] = NULL;
}

/* A row of bucket @i that was pushed past bucket @gap; REROUTE_BUCKET_PLACES: none. */
static guint
find_pushed (const RerouteDomainShard *self, guint gap, guint i)
{
  const RerouteBucket *bucket = &self->buckets[i];
  guint n = count_rows (bucket);

  for (guint place = 0; place < n; place++)
    {
      guint home = get_home (self->n_buckets, bucket->tags[place]);
      gboolean stays = gap <= i ? home > gap && home <= i : home > gap || home <= i;
      if (!stays)
        return place;
    }
  return REROUTE_BUCKET_PLACES;
}

/* Where @row stands.  Returns: its bucket; @place: in it, REROUTE_BUCKET_PLACES: nowhere */
static guint
locate (const RerouteDomainShard *self, guint32 tag, const RerouteRow *row, guint *place)
{
  for (guint i = get_home (self->n_buckets, tag);; i = get_next (self->n_buckets, i))
    {
      guint n = count_rows (&self->buckets[i]);
      for (*place = 0; *place < n; (*place)++)
        if (self->buckets[i].rows[*place] == row)
          return i;
      if (n < REROUTE_BUCKET_PLACES)
        {
          *place = REROUTE_BUCKET_PLACES;
          return i;
        }
    }
}

RerouteDomainShard *
reroute_domain_shard_remove (RerouteDomainShard *self, guint32 tag, RerouteRow *row)
{
  guint place;

  self = domain_shard_own (self);
  guint gap = locate (self, tag, row, &place);
  if (place == REROUTE_BUCKET_PLACES)
    return self;
  gboolean was_full = count_rows (&self->buckets[gap]) == REROUTE_BUCKET_PLACES;
  close_gap (&self->buckets[gap], place);
  self->n--;
  /* Whoever was pushed past the gap moves up, so that no search ends too early. */
  for (guint i = get_next (self->n_buckets, gap); was_full; i = get_next (self->n_buckets, i))
    {
      RerouteBucket *bucket = &self->buckets[i];
      was_full = count_rows (bucket) == REROUTE_BUCKET_PLACES;
      place = find_pushed (self, gap, i);
      if (place == REROUTE_BUCKET_PLACES)
        continue;
      guint free_place = count_rows (&self->buckets[gap]);
      self->buckets[gap].tags[free_place] = bucket->tags[place];
      self->buckets[gap].rows[free_place] = bucket->rows[place];
      close_gap (bucket, place);
      gap = i;
    }
  return self;
}

void
reroute_domain_shard_prefetch (const RerouteDomainShard *self, guint32 n_buckets, guint32 tag)
{
  if (self != NULL)
    __builtin_prefetch (&self->buckets[get_home (n_buckets, tag)]);
}

/* How well @row answers @match: 0 not at all. */
static guint
get_rank (const RerouteRow *row, RerouteMatch match)
{
  switch (match)
    {
    case REROUTE_MATCH_EXACT_ROW:
      return row->exact ? 1 : 0;
    case REROUTE_MATCH_SUBDOMAIN_ROW:
      return row->exact ? 0 : 1;
    case REROUTE_MATCH_ACTING:
      return !row->enabled ? 0 : row->exact ? 2 : 1;
    case REROUTE_MATCH_ACTING_SUFFIX:
      return row->enabled && !row->exact ? 1 : 0;
    }
  return 0;
}

/* Stored rows before new ones, each by age. */
static gboolean
is_older (const RerouteRow *a, const RerouteRow *b)
{
  if ((a->id > 0) != (b->id > 0))
    return a->id > 0;
  return a->id > 0 ? a->id < b->id : a->id > b->id;
}

/* @best or, when it answers @match better, @row. */
static RerouteRow *
choose (RerouteRow *best, RerouteRow *row, RerouteMatch match)
{
  guint rank = get_rank (row, match);
  guint best_rank = best != NULL ? get_rank (best, match) : 0;

  if (rank > best_rank || (rank != 0 && rank == best_rank && is_older (row, best)))
    return row;
  return best;
}

RerouteRow *
reroute_domain_shard_find (const RerouteDomainShard *self,
                           guint32 n_buckets,
                           guint32 tag,
                           const char *domain,
                           RerouteMatch match,
                           const RerouteRow *except)
{
  RerouteRow *best = NULL;
  const RerouteBucket *bucket;

  if (self == NULL)
    return NULL;
  guint i = get_home (n_buckets, tag);
  do
    {
      bucket = &self->buckets[i];
      for (guint place = 0; place < REROUTE_BUCKET_PLACES; place++)
        {
          RerouteRow *row = bucket->rows[place];
          if (bucket->tags[place] != tag || row == except)
            continue;
          /* Its strings lie behind it: both lines are waited for at once. */
          __builtin_prefetch ((const char *) row + CACHE_LINE_OCTETS);
          if (get_rank (row, match) != 0 && strcmp (row->domain, domain) == 0)
            best = choose (best, row, match);
        }
      i = get_next (n_buckets, i);
    }
  while (bucket->tags[REROUTE_BUCKET_PLACES - 1] != 0);
  return best;
}
