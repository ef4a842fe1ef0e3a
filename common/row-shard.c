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

static guint32 *
get_tags (const RerouteDomainShard *self)
{
  return (guint32 *) (gpointer) &self->rows[self->capacity];
}

static guint
get_home (const RerouteDomainShard *self, guint32 tag)
{
  return (guint) (((guint64) tag * self->capacity) >> 32);
}

static guint
get_next (const RerouteDomainShard *self, guint i)
{
  return i + 1 < self->capacity ? i + 1 : 0;
}

static RerouteDomainShard *
domain_shard_new (guint capacity)
{
  gsize place = sizeof (RerouteRow *) + sizeof (guint32);
  RerouteDomainShard *self = g_malloc0 (sizeof *self + capacity * place);

  g_atomic_ref_count_init (&self->ref_count);
  self->capacity = capacity;
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
    g_free (self);
}

static void
insert (RerouteDomainShard *self, guint32 tag, RerouteRow *row)
{
  guint32 *tags = get_tags (self);
  guint i = get_home (self, tag);

  while (tags[i] != 0)
    i = get_next (self, i);
  tags[i] = tag;
  self->rows[i] = row;
  self->n++;
}

/* Held by the caller alone, with at least one place in five free after one more row. */
static RerouteDomainShard *
domain_shard_own (RerouteDomainShard *self)
{
  if (self == NULL)
    return domain_shard_new (SHARD_MIN);

  gboolean fits = (self->n + 1) * 5 <= self->capacity * 4;
  if (fits && g_atomic_ref_count_compare (&self->ref_count, 1))
    return self;
  RerouteDomainShard *copy =
    domain_shard_new (fits ? self->capacity : (self->n + 1) * 3 / 2 + SHARD_MIN);
  const guint32 *tags = get_tags (self);
  for (guint i = 0; i < self->capacity; i++)
    if (tags[i] != 0)
      insert (copy, tags[i], self->rows[i]);
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

RerouteDomainShard *
reroute_domain_shard_remove (RerouteDomainShard *self, guint32 tag, RerouteRow *row)
{
  self = domain_shard_own (self);

  guint32 *tags = get_tags (self);
  guint hole = get_home (self, tag);
  while (tags[hole] != 0 && self->rows[hole] != row)
    hole = get_next (self, hole);
  if (tags[hole] == 0)
    return self;
  /* Whoever was pushed past the hole moves up, so that no search ends too early. */
  for (guint i = get_next (self, hole); tags[i] != 0; i = get_next (self, i))
    {
      guint home = get_home (self, tags[i]);
      gboolean stays = hole <= i ? home > hole && home <= i : home > hole || home <= i;
      if (stays)
        continue;
      tags[hole] = tags[i];
      self->rows[hole] = self->rows[i];
      hole = i;
    }
  tags[hole] = 0;
  self->rows[hole] = NULL;
  self->n--;
  return self;
}

void
reroute_domain_shard_prefetch (const RerouteDomainShard *self, guint32 capacity, guint32 tag)
{
  guint home = (guint) (((guint64) tag * capacity) >> 32);
  const guint32 *tags;

  if (self == NULL)
    return;
  tags = (const guint32 *) (gconstpointer) &self->rows[capacity];
  __builtin_prefetch (self);
  __builtin_prefetch (&tags[home]);
  __builtin_prefetch (&self->rows[home]);
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

RerouteRow *
reroute_domain_shard_find (const RerouteDomainShard *self,
                           guint32 tag,
                           const char *domain,
                           RerouteMatch match,
                           const RerouteRow *except)
{
  RerouteRow *best = NULL;
  guint best_rank = 0;

  if (self == NULL)
    return NULL;
  const guint32 *tags = get_tags (self);
  for (guint i = get_home (self, tag); tags[i] != 0; i = get_next (self, i))
    {
      if (tags[i] != tag || self->rows[i] == except)
        continue;
      RerouteRow *row = self->rows[i];
      /* Its strings lie behind it: both lines are waited for at once. */
      __builtin_prefetch ((const char *) row + CACHE_LINE_OCTETS);
      guint rank = get_rank (row, match);
      if (rank == 0 || strcmp (row->domain, domain) != 0)
        continue;
      if (rank > best_rank || (rank == best_rank && is_older (row, best)))
        {
          best = row;
          best_rank = rank;
        }
    }
  return best;
}
