/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history-text.c - what changed in a generation, in words
 */

#include "config.h"

#include "gui/history-text.h"

#include "gui/row-text.h"

#include <glib/gi18n.h>

/* The side that names the row or the setting. */
static const RerouteChange *
get_named (const RerouteDifference *difference)
{
  const RerouteChange *after = difference->after;

  return after != NULL && after->kind != REROUTE_CHANGE_REMOVE ? after : difference->before;
}

char *
reroute_difference_dup_page (const RerouteDifference *difference)
{
  const RerouteChange *named = get_named (difference);

  if (named == NULL || named->kind != REROUTE_CHANGE_PUT)
    return g_strdup (_ ("Setting"));
  if (named->row->page == REROUTE_PAGE_RECIPIENTS)
    return g_strdup (_ ("Recipients"));
  return g_strdup (named->row->page == REROUTE_PAGE_ROUTING ? _ ("Routing") : _ ("Connections"));
}

char *
reroute_difference_dup_name (const RerouteDifference *difference)
{
  const RerouteChange *named = get_named (difference);

  if (named == NULL)
    return g_strdup ("");
  return named->kind == REROUTE_CHANGE_PUT
           ? reroute_row_dup_cell (named->row, REROUTE_COLUMN_DOMAIN)
           : g_strdup (named->key);
}

char *
reroute_change_dup_content (const RerouteChange *change)
{
  const RerouteSettingSpec *spec = NULL;

  if (change == NULL || change->kind == REROUTE_CHANGE_REMOVE)
    return g_strdup ("–");
  if (change->kind == REROUTE_CHANGE_PUT)
    return reroute_row_dup_cell (change->row, REROUTE_COLUMN_TARGET);
  spec = reroute_setting_find (change->key, NULL);
  return g_strdup (change->value != NULL ? change->value : spec != NULL ? spec->default_value : "");
}
