/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-table.c - a million rows of which a generation changes a few
 *
 * The table is cut into shards of some hundred rows, twice: by id and by domain.  A copy takes a
 * reference of each shard (a few thousand), an edit replaces the one or two that it touches, so
 * an edited row costs tens of microseconds whatever the size.  The number of shards doubles when
 * they grow too large.
 */

#include "config.h"

#include "common/row-table.h"

#include "common/domain.h"
#include "common/limits.h"
#include "common/row-shard.h"

#include <string.h>

#define SHARDS_MIN 16
/* The count that doubles the shards is 1.5 times a power of two: no round number of rows. */
#define ROWS_PER_SHARD 384
/* Of 253 octets, at least two each. */
#define LABELS_MAX (REROUTE_LIMIT_DOMAIN_OCTETS / 2 + 1)

struct _RerouteRowTable
{
  gatomicrefcount ref_count;
  gsize n_rows;
  gsize n_queue_for_etrn;
  guint n_shards; /* a power of two */
  RerouteIdShard **by_id;
  RerouteDomainShard **by_domain;
  guint32 *n_buckets; /* of by_domain: a look-up knows its place before the shard is at hand */
};

typedef struct
{
  guint32 shard; /* not reduced yet */
  guint32 tag;   /* never 0 */
} Hash;

/* FNV-1a from the end to the front: one pass gives the hash of every suffix on its way. */
#define HASH_START G_GUINT64_CONSTANT (14695981039346656037)
#define HASH_FACTOR G_GUINT64_CONSTANT (1099511628211)

static inline guint64
hash_step (guint64 state, char c)
{
  return (state ^ (guchar) c) * HASH_FACTOR;
}

/* The finaliser of MurmurHash3: FNV's high bits alone are too regular. */
static inline Hash
hash_end (guint64 state)
{
  Hash hash;

  state ^= state >> 33;
  state *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  state ^= state >> 33;
  hash.shard = (guint32) (state >> 32);
  hash.tag = (guint32) state != 0 ? (guint32) state : 1;
  return hash;
}

static Hash
hash_domain (const char *domain)
{
  guint64 state = HASH_START;

  for (gsize i = strlen (domain); i > 0; i--)
    state = hash_step (state, domain[i - 1]);
  return hash_end (state);
}

static guint
get_id_shard (const RerouteRowTable *self, gint64 id)
{
  return hash_end ((guint64) id).shard & (self->n_shards - 1);
}

static RerouteRowTable *
table_new (guint n_shards)
{
  RerouteRowTable *self = g_new0 (RerouteRowTable, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->n_shards = n_shards;
  self->by_id = g_new0 (RerouteIdShard *, n_shards);
  self->by_domain = g_new0 (RerouteDomainShard *, n_shards);
  self->n_buckets = g_new0 (guint32, n_shards);
  return self;
}

RerouteRowTable *
reroute_row_table_new (void)
{
  return table_new (SHARDS_MIN);
}

RerouteRowTable *
reroute_row_table_ref (RerouteRowTable *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
clear_shards (RerouteRowTable *self)
{
  for (guint i = 0; i < self->n_shards; i++)
    {
      reroute_domain_shard_unref (self->by_domain[i]);
      reroute_id_shard_unref (self->by_id[i]);
    }
  g_clear_pointer (&self->by_id, g_free);
  g_clear_pointer (&self->by_domain, g_free);
  g_clear_pointer (&self->n_buckets, g_free);
}

void
reroute_row_table_unref (RerouteRowTable *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  clear_shards (self);
  g_free (self);
}

RerouteRowTable *
reroute_row_table_make_mutable (RerouteRowTable *self)
{
  if (g_atomic_ref_count_compare (&self->ref_count, 1))
    return self;

  RerouteRowTable *copy = table_new (self->n_shards);
  copy->n_rows = self->n_rows;
  copy->n_queue_for_etrn = self->n_queue_for_etrn;
  for (guint i = 0; i < self->n_shards; i++)
    {
      copy->by_id[i] = reroute_id_shard_ref (self->by_id[i]);
      copy->by_domain[i] = reroute_domain_shard_ref (self->by_domain[i]);
      copy->n_buckets[i] = self->n_buckets[i];
    }
  reroute_row_table_unref (self);
  return copy;
}

static void
index_domain (RerouteRowTable *self, RerouteRow *row, gboolean add)
{
  Hash hash = hash_domain (row->domain);
  guint index = hash.shard & (self->n_shards - 1);
  RerouteDomainShard **shard = &self->by_domain[index];

  *shard = add ? reroute_domain_shard_add (*shard, hash.tag, row)
               : reroute_domain_shard_remove (*shard, hash.tag, row);
  self->n_buckets[index] = (*shard)->n_buckets;
}

static gboolean
queues_for_etrn (const RerouteRow *row)
{
  return row->enabled && row->queue_for_etrn;
}

/* TRUE when @id was there. */
static gboolean
change (RerouteRowTable *self, gint64 id, RerouteRow *row)
{
  RerouteIdShard **shard = &self->by_id[get_id_shard (self, id)];
  RerouteRow *replaced = NULL;

  *shard = reroute_id_shard_change (*shard, id, row, &replaced);
  if (replaced != NULL)
    {
      index_domain (self, replaced, FALSE);
      self->n_rows--;
      self->n_queue_for_etrn -= queues_for_etrn (replaced);
      reroute_row_unref (replaced);
    }
  if (row != NULL)
    {
      index_domain (self, row, TRUE);
      self->n_rows++;
      self->n_queue_for_etrn += queues_for_etrn (row);
    }
  return replaced != NULL;
}

static gboolean
put_cb (RerouteRow *row, gpointer user_data)
{
  change (user_data, row->id, row);
  return TRUE;
}

static void
grow_shards (RerouteRowTable *self, guint n_shards)
{
  RerouteRowTable *bigger = table_new (n_shards);

  reroute_row_table_foreach (self, put_cb, bigger);
  clear_shards (self);
  self->n_shards = bigger->n_shards;
  self->by_id = g_steal_pointer (&bigger->by_id);
  self->by_domain = g_steal_pointer (&bigger->by_domain);
  self->n_buckets = g_steal_pointer (&bigger->n_buckets);
  g_free (bigger);
}

void
reroute_row_table_put (RerouteRowTable *self, RerouteRow *row)
{
  g_return_if_fail (g_atomic_ref_count_compare (&self->ref_count, 1));

  change (self, row->id, row);
  if (self->n_rows > (gsize) self->n_shards * ROWS_PER_SHARD)
    grow_shards (self, self->n_shards * 2);
}

void
reroute_row_table_reserve (RerouteRowTable *self, gsize n_more)
{
  g_return_if_fail (g_atomic_ref_count_compare (&self->ref_count, 1));

  guint n_shards = self->n_shards;
  while (self->n_rows + n_more > (gsize) n_shards * ROWS_PER_SHARD)
    n_shards *= 2;
  if (n_shards > self->n_shards)
    grow_shards (self, n_shards);
}

gboolean
reroute_row_table_remove (RerouteRowTable *self, gint64 id)
{
  g_return_val_if_fail (g_atomic_ref_count_compare (&self->ref_count, 1), FALSE);

  return change (self, id, NULL);
}

gsize
reroute_row_table_get_n_rows (const RerouteRowTable *self)
{
  return self->n_rows;
}

gsize
reroute_row_table_get_n_queue_for_etrn (const RerouteRowTable *self)
{
  return self->n_queue_for_etrn;
}

RerouteRow *
reroute_row_table_get (const RerouteRowTable *self, gint64 id)
{
  return reroute_id_shard_get (self->by_id[get_id_shard (self, id)], id);
}

static RerouteRow *
find (const RerouteRowTable *self, Hash hash, const char *domain, RerouteMatch match)
{
  guint index = hash.shard & (self->n_shards - 1);

  return reroute_domain_shard_find (
    self->by_domain[index], self->n_buckets[index], hash.tag, domain, match, NULL);
}

RerouteRow *
reroute_row_table_find (const RerouteRowTable *self, const char *domain, gboolean exact)
{
  return find (self,
               hash_domain (domain),
               domain,
               exact ? REROUTE_MATCH_EXACT_ROW : REROUTE_MATCH_SUBDOMAIN_ROW);
}

RerouteRow *
reroute_row_table_find_other (const RerouteRowTable *self, const RerouteRow *row)
{
  Hash hash = hash_domain (row->domain);
  RerouteMatch match = row->exact ? REROUTE_MATCH_EXACT_ROW : REROUTE_MATCH_SUBDOMAIN_ROW;

  guint index = hash.shard & (self->n_shards - 1);

  return reroute_domain_shard_find (
    self->by_domain[index], self->n_buckets[index], hash.tag, row->domain, match, row);
}

/* The suffixes of a domain, shortest first, and where each would stand. */
typedef struct
{
  guint n;
  const char *starts[LABELS_MAX];
  guint32 tags[LABELS_MAX];
  guint32 shards[LABELS_MAX];
} Suffixes;

static void
cut_suffixes (const RerouteRowTable *self, const char *domain, Suffixes *suffixes)
{
  guint64 state = HASH_START;

  suffixes->n = 0;
  for (gsize i = strlen (domain); i > 0 && suffixes->n < LABELS_MAX; i--)
    {
      state = hash_step (state, domain[i - 1]);
      if (i > 1 && domain[i - 2] != '.')
        continue;
      Hash hash = hash_end (state);
      guint index = hash.shard & (self->n_shards - 1);
      guint n = suffixes->n++;
      suffixes->starts[n] = domain + i - 1;
      suffixes->tags[n] = hash.tag;
      suffixes->shards[n] = index;
      /* Memory is what a look-up waits for, so it waits for all labels at once. */
      reroute_domain_shard_prefetch (self->by_domain[index], self->n_buckets[index], hash.tag);
    }
}

RerouteRow *
reroute_row_table_lookup (const RerouteRowTable *self, const char *domain)
{
  Suffixes suffixes;

  if (self->n_rows == 0)
    return NULL;
  if (reroute_domain_is_literal (domain))
    return find (self, hash_domain (domain), domain, REROUTE_MATCH_ACTING);

  cut_suffixes (self, domain, &suffixes);
  for (guint i = suffixes.n; i > 0; i--)
    {
      const char *start = suffixes.starts[i - 1];
      RerouteMatch match = start == domain ? REROUTE_MATCH_ACTING : REROUTE_MATCH_ACTING_SUFFIX;
      guint index = suffixes.shards[i - 1];
      RerouteRow *row = reroute_domain_shard_find (
        self->by_domain[index], self->n_buckets[index], suffixes.tags[i - 1], start, match, NULL);
      if (row != NULL)
        return row;
    }
  return NULL;
}

gboolean
reroute_row_table_foreach (const RerouteRowTable *self,
                           RerouteRowTableFunc func,
                           gpointer user_data)
{
  for (guint i = 0; i < self->n_shards; i++)
    for (guint j = 0; self->by_id[i] != NULL && j < self->by_id[i]->n; j++)
      if (!func (self->by_id[i]->rows[j], user_data))
        return FALSE;
  return TRUE;
}

/* Without its strings. */
static gboolean
note_row_cb (RerouteRow *row, gpointer user_data)
{
  reroute_huge_pages_note (user_data, row, sizeof *row);
  return TRUE;
}

void
reroute_row_table_note_pages (const RerouteRowTable *self, RerouteHugePages *pages)
{
  reroute_row_table_foreach (self, note_row_cb, pages);
  for (guint i = 0; i < self->n_shards; i++)
    if (self->by_domain[i] != NULL)
      reroute_huge_pages_note (
        pages, self->by_domain[i], self->n_buckets[i] * sizeof (RerouteBucket));
}

/* Both by rising id. */
static gboolean
diff_shards (const RerouteIdShard *before,
             const RerouteIdShard *after,
             RerouteRowDiffFunc func,
             gpointer user_data)
{
  guint n_before = before != NULL ? before->n : 0;
  guint n_after = after != NULL ? after->n : 0;
  guint i = 0, j = 0;

  while (i < n_before || j < n_after)
    {
      RerouteRow *x = i < n_before ? before->rows[i] : NULL;
      RerouteRow *y = j < n_after ? after->rows[j] : NULL;
      if (x != NULL && y != NULL && x->id != y->id)
        {
          if (x->id < y->id)
            y = NULL;
          else
            x = NULL;
        }
      i += x != NULL;
      j += y != NULL;
      if (x != y && !func (x, y, user_data))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  const RerouteRowTable *other;
  RerouteRowDiffFunc func;
  gpointer user_data;
  gboolean going_on;
} DiffWalk;

static gboolean
gone_cb (RerouteRow *row, gpointer user_data)
{
  DiffWalk *walk = user_data;

  if (reroute_row_table_get (walk->other, row->id) == NULL)
    walk->going_on = walk->func (row, NULL, walk->user_data);
  return walk->going_on;
}

static gboolean
come_cb (RerouteRow *row, gpointer user_data)
{
  DiffWalk *walk = user_data;
  RerouteRow *before = reroute_row_table_get (walk->other, row->id);

  if (before != row)
    walk->going_on = walk->func (before, row, walk->user_data);
  return walk->going_on;
}

void
reroute_row_table_diff (const RerouteRowTable *before,
                        const RerouteRowTable *after,
                        RerouteRowDiffFunc func,
                        gpointer user_data)
{
  if (before->n_shards == after->n_shards)
    {
      for (guint i = 0; i < before->n_shards; i++)
        if (before->by_id[i] != after->by_id[i] &&
            !diff_shards (before->by_id[i], after->by_id[i], func, user_data))
          return;
      return;
    }
  DiffWalk walk = { after, func, user_data, TRUE };
  if (!reroute_row_table_foreach (before, gone_cb, &walk))
    return;
  walk.other = before;
  reroute_row_table_foreach (after, come_cb, &walk);
}
