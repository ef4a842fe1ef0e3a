/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * change-parts.c - changes as they travel with the calls and the signal of Rules1
 */

#include "config.h"

#include "service/rules/change-parts.h"

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"

static gboolean
check_octets (GVariant *value, GError **error)
{
  gsize octets = g_variant_get_size (value);

  if (octets <= REROUTE_LIMIT_REPLY_OCTETS)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_TOO_LARGE,
               "changes of %" G_GSIZE_FORMAT
               " octets are too large for one call: wanted at most %d",
               octets,
               REROUTE_LIMIT_REPLY_OCTETS);
  return FALSE;
}

GPtrArray *
reroute_change_parts_read (GVariant *arguments, guint index, GError **error)
{
  g_autoptr (GVariant) array = g_variant_get_child_value (arguments, index);

  return check_octets (array, error) ? reroute_changes_from_variant (array, error) : NULL;
}

GPtrArray *
reroute_change_parts_read_columns (GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) columns = g_variant_get_child_value (arguments, 2);
  const char *page = NULL;

  g_variant_get_child (arguments, 1, "&s", &page);
  return check_octets (columns, error) ? reroute_changes_from_columns (page, columns, error) : NULL;
}

GVariant *
reroute_change_parts_announce (const RerouteProposal *proposal)
{
  GVariantBuilder builder;
  gsize octets = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" REROUTE_CHANGE_TYPE));
  for (guint i = 0; i < proposal->deltas->len; i++)
    {
      g_autoptr (RerouteChange) change = reroute_delta_dup_change (proposal->deltas->pdata[i]);
      GVariant *variant = reroute_change_to_variant (change);

      octets += g_variant_get_size (variant);
      g_variant_builder_add_value (&builder, variant);
      if (octets < REROUTE_LIMIT_SIGNAL_OCTETS)
        continue;
      g_variant_builder_clear (&builder);
      g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" REROUTE_CHANGE_TYPE));
      break;
    }
  return g_variant_builder_end (&builder);
}
