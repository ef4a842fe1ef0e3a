/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * exchangers.c - which exchangers of a domain are looked up, and which addresses a try is for
 *
 * A try has room for a few addresses.  They are of as many exchangers as possible: an exchanger
 * that is down with all of its addresses must not keep mail from the one behind it.
 *
 * Standards: RFC 5321 section 5.1.
 */

#include "config.h"

#include "service/relay/deliver/exchangers.h"

#include "common/limits.h"

static int
compare_mx (gconstpointer a, gconstpointer b)
{
  return (int) ((const RerouteMx *) a)->preference - (int) ((const RerouteMx *) b)->preference;
}

void
reroute_exchangers_order (const GArray *records, GStringChunk *names, GArray *ordered)
{
  g_array_set_size (ordered, 0);
  for (guint i = 0; i < records->len; i++)
    {
      const RerouteMx *record = &g_array_index (records, RerouteMx, i);
      RerouteMx mx = { record->preference, g_string_chunk_insert_const (names, record->exchanger) };

      g_array_insert_val (ordered, (guint) g_random_int_range (0, (gint32) ordered->len + 1), mx);
    }
  g_array_sort (ordered, compare_mx);
  g_array_set_size (ordered, MIN (ordered->len, REROUTE_LIMIT_EXCHANGERS));
}

guint
reroute_exchangers_choose_wanted (guint n_exchangers)
{
  guint least = REROUTE_LIMIT_ADDRESSES_PER_TRY;

  return n_exchangers <= least
           ? least
           : (guint) g_random_int_range ((gint32) least, (gint32) n_exchangers + 1);
}

/* Where the endpoints of the exchanger end that stands at @index. */
static guint
find_end (const GArray *endpoints, guint index)
{
  const char *name = g_array_index (endpoints, RerouteEndpoint, index).name;

  while (index < endpoints->len &&
         g_str_equal (g_array_index (endpoints, RerouteEndpoint, index).name, name))
    index++;
  return index;
}

static guint
count_exchangers (const GArray *endpoints, gsize first)
{
  guint n = 0;

  for (guint i = (guint) first; i < endpoints->len; i = find_end (endpoints, i))
    n++;
  return n;
}

gboolean
reroute_exchangers_are_enough (
  const GArray *mx, guint index, const GArray *endpoints, gsize first, guint n_wanted)
{
  if (index == mx->len)
    return TRUE;
  return index > 0 &&
         g_array_index (mx, RerouteMx, index).preference !=
           g_array_index (mx, RerouteMx, index - 1).preference &&
         count_exchangers (endpoints, first) >= n_wanted;
}

void
reroute_exchangers_drop_not_better (const GArray *mx,
                                    guint16 preference,
                                    GArray *endpoints,
                                    gsize first)
{
  guint keep = (guint) first;

  for (guint i = 0; i < mx->len && keep < endpoints->len; i++)
    {
      const RerouteMx *each = &g_array_index (mx, RerouteMx, i);

      if (each->preference >= preference)
        break;
      if (g_str_equal (g_array_index (endpoints, RerouteEndpoint, keep).name, each->exchanger))
        keep = find_end (endpoints, keep);
    }
  g_array_set_size (endpoints, keep);
}

/* Those between the first and the last that have no room in a try. */
static void
drop_middle (GArray *endpoints, gsize first)
{
  guint n_left = count_exchangers (endpoints, first);
  guint begin = (guint) first;
  guint end;

  for (guint i = 1; i < REROUTE_LIMIT_ADDRESSES_PER_TRY && begin < endpoints->len; i++, n_left--)
    begin = find_end (endpoints, begin);
  for (end = begin; n_left > 1; n_left--)
    end = find_end (endpoints, end);
  if (end > begin)
    g_array_remove_range (endpoints, begin, end - begin);
}

/* @n_each addresses of each exchanger at most. */
static guint
count_addresses (const GArray *endpoints, gsize first, guint n_each)
{
  guint n = 0;

  for (guint i = (guint) first, end; i < endpoints->len; i = end)
    {
      end = find_end (endpoints, i);
      n += MIN (end - i, n_each);
    }
  return n;
}

void
reroute_exchangers_pick (GArray *endpoints, gsize first)
{
  guint n_each = 1;
  guint n_more; /* exchangers, from the first on, that have one address more */

  drop_middle (endpoints, first);
  while (n_each < REROUTE_LIMIT_ADDRESSES_PER_TRY &&
         count_addresses (endpoints, first, n_each + 1) <= REROUTE_LIMIT_ADDRESSES_PER_TRY)
    n_each++;
  n_more = REROUTE_LIMIT_ADDRESSES_PER_TRY - count_addresses (endpoints, first, n_each);
  for (guint i = (guint) first, end; i < endpoints->len; i = end)
    {
      guint keep = n_each;

      end = find_end (endpoints, i);
      if (end - i > n_each && n_more > 0)
        {
          keep++;
          n_more--;
        }
      if (end - i > keep)
        g_array_remove_range (endpoints, i + keep, end - i - keep);
      end = MIN (end, i + keep);
    }
}

void
reroute_exchangers_balance (GArray *addresses, gboolean ipv4_first)
{
  gboolean wants_ipv4 = ipv4_first;

  for (guint i = 0; i < addresses->len; i++)
    {
      guint other = (guint) g_random_int_range ((gint32) i, (gint32) addresses->len);
      RerouteIp chosen;

      for (guint n = i; n < addresses->len; n++)
        {
          if (reroute_ip_is_ipv4 (&g_array_index (addresses, RerouteIp, other)) == wants_ipv4)
            break;
          other = other + 1 < addresses->len ? other + 1 : i;
        }
      chosen = g_array_index (addresses, RerouteIp, other);
      g_array_index (addresses, RerouteIp, other) = g_array_index (addresses, RerouteIp, i);
      g_array_index (addresses, RerouteIp, i) = chosen;
      wants_ipv4 = !reroute_ip_is_ipv4 (&chosen);
    }
}
