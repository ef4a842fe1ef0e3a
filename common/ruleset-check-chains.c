/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-check-chains.c - where the entries of Routing lead
 *
 * Circles, chains that are too long, and entries of Connections that no mail gets to.
 */

#include "config.h"

#include "common/finding-private.h"
#include "common/ruleset-check-private.h"

#include "common/limits.h"

static const RerouteRoutingEntry *
get_reroute (const RerouteRow *row)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;

  if (row == NULL || row->page != REROUTE_PAGE_ROUTING || entry->action != REROUTE_ROUTING_REROUTE)
    return NULL;
  return entry;
}

static void
say_loop (RerouteCheck *check, GPtrArray *rows, guint first)
{
  g_autoptr (GPtrArray) path = g_ptr_array_new ();
  guint n = rows->len - first;
  guint start = first;

  /* From the oldest entry on, so that a circle is the same wherever it was entered. */
  for (guint i = first; i < rows->len; i++)
    if (((RerouteRow *) rows->pdata[i])->id < ((RerouteRow *) rows->pdata[start])->id)
      start = i;
  const RerouteRow *oldest = rows->pdata[start];
  if (!reroute_check_is_first (check, "loop", oldest->page, oldest->id))
    return;
  for (guint i = 0; i <= n; i++)
    g_ptr_array_add (path, ((RerouteRow *) rows->pdata[first + (start - first + i) % n])->domain);
  g_ptr_array_add (path, NULL);

  g_autofree char *drawn = g_strjoinv (" -> ", (char **) path->pdata);
  RerouteFinding *finding = reroute_check_say (check, "loop", drawn, NULL, NULL);
  if (finding == NULL)
    return;
  g_strfreev (finding->path);
  finding->path = g_strdupv ((char **) path->pdata);
  for (guint i = 0; i < n; i++)
    reroute_finding_add_row (finding, rows->pdata[first + (start - first + i) % n]);
}

void
reroute_check_chain (RerouteCheck *check, RerouteRow *row)
{
  const RerouteRoutingEntry *entry = get_reroute (row);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  while (entry != NULL)
    {
      guint again;
      if (g_ptr_array_find (rows, entry, &again))
        {
          say_loop (check, rows, again);
          return;
        }
      if (rows->len >= REROUTE_LIMIT_REROUTE_DEPTH)
        {
          reroute_check_say_of (check, row, "chain-too-long", row->domain, NULL);
          return;
        }
      g_ptr_array_add (rows, (gpointer) entry);
      const char *key = entry->target_key;
      RerouteRow *next = reroute_ruleset_lookup (check->rules, REROUTE_PAGE_ROUTING, key);
      const RerouteRoutingEntry *next_entry = get_reroute (next);
      /* "test.com to itself" is a circle, "ms.com to host1.ms.com" ends there (Q169683). */
      gboolean ends = next_entry != NULL && g_str_equal (next_entry->target_key, key) &&
                      !g_str_equal (next->domain, key);
      if (ends && next_entry == entry && rows->len == 1)
        reroute_check_say_of (check, row, "target-covered", row->domain, entry->target);
      entry = ends ? NULL : next_entry;
    }
}

/* Where Routing leaves mail for @key. */
static const char *
get_last_domain (RerouteCheck *check, const char *key)
{
  for (guint i = 0; i < REROUTE_LIMIT_REROUTE_DEPTH; i++)
    {
      const RerouteRoutingEntry *entry =
        get_reroute (reroute_ruleset_lookup (check->rules, REROUTE_PAGE_ROUTING, key));
      if (entry == NULL || g_str_equal (entry->target_key, key))
        break;
      key = entry->target_key;
    }
  return key;
}

void
reroute_check_reached (RerouteCheck *check, RerouteRow *row)
{
  RerouteRow *routing = reroute_ruleset_lookup (check->rules, REROUTE_PAGE_ROUTING, row->domain);
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) routing;
  RerouteFinding *finding = NULL;

  /* The exact entry of a domain leaves its subdomains to this row. */
  if (!check->reroute || routing == NULL || (routing->exact && !row->exact))
    return;
  g_autofree char *label = reroute_row_dup_label (routing);
  if (entry->action == REROUTE_ROUTING_INBOUND)
    finding = reroute_check_say (check, "never-acts-inbound", row->domain, label, NULL);
  else if (entry->action == REROUTE_ROUTING_REROUTE)
    {
      const char *last = get_last_domain (check, row->domain);
      if (reroute_ruleset_lookup (check->rules, REROUTE_PAGE_CONNECTIONS, last) != row)
        finding =
          reroute_check_say (check, "never-acts-rerouted", row->domain, label, entry->target);
    }
  if (finding == NULL)
    return;
  reroute_finding_add_row (finding, row);
  reroute_finding_add_row (finding, routing);
}
