/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * change-set.c - many changes as one difference
 *
 * What rulesd and its clients do alike: only the last change of a row counts.
 */

#include "config.h"

#include "common/change-set.h"

/* What a change is about: a page and an id, or the key of a setting. */
static guint
subject_hash (gconstpointer subject)
{
  const RerouteChange *change = subject;

  if (change->kind == REROUTE_CHANGE_SET)
    return g_str_hash (change->key);
  return g_int64_hash (&change->id) * REROUTE_N_PAGES + change->page;
}

static gboolean
subject_equal (gconstpointer a, gconstpointer b)
{
  return reroute_change_is_of_same (a, b);
}

GPtrArray *
reroute_changes_squash (GPtrArray *changes)
{
  g_return_val_if_fail (changes != NULL, NULL);

  g_autoptr (GPtrArray) squashed =
               g_ptr_array_new_full (changes->len, (GDestroyNotify) reroute_change_unref);
  g_autoptr (GHashTable) places = g_hash_table_new (subject_hash, subject_equal);

  for (guint i = 0; i < changes->len; i++)
    {
      RerouteChange *change = changes->pdata[i];
      gboolean adds = change->kind == REROUTE_CHANGE_PUT && change->id == 0;
      gpointer place = NULL;

      if (!adds && g_hash_table_lookup_extended (places, change, NULL, &place))
        {
          RerouteChange **seat = (RerouteChange **) &squashed->pdata[GPOINTER_TO_UINT (place)];
          /* The table's key is the change that gives up its seat. */
          g_hash_table_replace (places, change, place);
          reroute_change_unref (*seat);
          *seat = reroute_change_ref (change);
          continue;
        }
      if (!adds)
        g_hash_table_insert (places, change, GUINT_TO_POINTER (squashed->len));
      g_ptr_array_add (squashed, reroute_change_ref (change));
    }
  return g_steal_pointer (&squashed);
}

RerouteRuleset *
reroute_ruleset_catch_up (RerouteRuleset *base, GPtrArray *changes, guint64 serial, GError **error)
{
  g_return_val_if_fail (base != NULL, NULL);
  g_return_val_if_fail (changes != NULL, NULL);

  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (base);
  g_autoptr (GPtrArray) squashed = reroute_changes_squash (changes);

  for (guint i = 0; i < squashed->len; i++)
    {
      const RerouteChange *change = squashed->pdata[i];
      gboolean removes = change->kind == REROUTE_CHANGE_REMOVE;

      if (removes && reroute_ruleset_get_row (base, change->page, change->id) == NULL)
        continue;
      if (!reroute_ruleset_builder_apply (builder, change, error))
        return NULL;
    }
  return reroute_ruleset_builder_build (builder, serial);
}
