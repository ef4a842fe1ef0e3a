/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * id-set.c - ids of rows, by the million
 */

#include "config.h"

#include "common/id-set.h"

struct _RerouteIdSet
{
  gatomicrefcount ref_count;
  gsize n_ids;
  gint64 ids[];
};

/* With room for @n_ids; none is in it yet. */
static RerouteIdSet *
make (gsize n_ids)
{
  RerouteIdSet *self = g_malloc (sizeof (RerouteIdSet) + n_ids * sizeof (gint64));

  g_atomic_ref_count_init (&self->ref_count);
  self->n_ids = 0;
  return self;
}

static int
compare_ids (gconstpointer a, gconstpointer b, gpointer user_data)
{
  gint64 first = *(const gint64 *) a;
  gint64 second = *(const gint64 *) b;

  return first < second ? -1 : first > second;
}

RerouteIdSet *
reroute_id_set_new (const gint64 *ids, gsize n_ids)
{
  g_autofree gint64 *sorted = g_memdup2 (ids, n_ids * sizeof (gint64));
  RerouteIdSet *self = make (n_ids);

  g_return_val_if_fail (n_ids <= G_MAXINT, self);

  if (n_ids > 0)
    g_qsort_with_data (sorted, (int) n_ids, sizeof (gint64), compare_ids, NULL);
  for (gsize i = 0; i < n_ids; i++)
    if (i == 0 || sorted[i] != sorted[i - 1])
      self->ids[self->n_ids++] = sorted[i];
  return self;
}

RerouteIdSet *
reroute_id_set_ref (RerouteIdSet *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_id_set_unref (RerouteIdSet *self)
{
  g_return_if_fail (self != NULL);

  if (g_atomic_ref_count_dec (&self->ref_count))
    g_free (self);
}

gsize
reroute_id_set_get_size (const RerouteIdSet *self)
{
  return self != NULL ? self->n_ids : 0;
}

const gint64 *
reroute_id_set_get_ids (const RerouteIdSet *self)
{
  return self != NULL ? self->ids : NULL;
}

gboolean
reroute_id_set_contains (const RerouteIdSet *self, gint64 id)
{
  gsize first = 0;
  gsize end = reroute_id_set_get_size (self);

  while (first < end)
    {
      gsize middle = first + (end - first) / 2;

      if (self->ids[middle] == id)
        return TRUE;
      if (self->ids[middle] < id)
        first = middle + 1;
      else
        end = middle;
    }
  return FALSE;
}

RerouteIdSet *
reroute_id_set_unite (const RerouteIdSet *a, const RerouteIdSet *b)
{
  gsize n_a = reroute_id_set_get_size (a);
  gsize n_b = reroute_id_set_get_size (b);
  RerouteIdSet *self = make (n_a + n_b);
  gsize i = 0;
  gsize j = 0;

  while (i < n_a || j < n_b)
    {
      gint64 id = j == n_b || (i < n_a && a->ids[i] <= b->ids[j]) ? a->ids[i] : b->ids[j];

      self->ids[self->n_ids++] = id;
      i += i < n_a && a->ids[i] == id;
      j += j < n_b && b->ids[j] == id;
    }
  return self;
}

RerouteIdSet *
reroute_id_set_subtract (const RerouteIdSet *a, const RerouteIdSet *b)
{
  gsize n_a = reroute_id_set_get_size (a);
  gsize n_b = reroute_id_set_get_size (b);
  g_autoptr (RerouteIdSet) self = make (n_a);
  gsize j = 0;

  for (gsize i = 0; i < n_a; i++)
    {
      while (j < n_b && b->ids[j] < a->ids[i])
        j++;
      if (j == n_b || b->ids[j] != a->ids[i])
        self->ids[self->n_ids++] = a->ids[i];
    }
  return self->n_ids > 0 ? g_steal_pointer (&self) : NULL;
}
