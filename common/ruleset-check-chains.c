/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-check-chains.c - where the entries of Routing lead
 *
 * Circles, chains that are too long, and what of a domain on both pages does not act.
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

/* The entry that acts next on what @entry rerouted; NULL: the chain ends there. */
static const RerouteRoutingEntry *
get_next (const RerouteRuleset *rules, const RerouteRoutingEntry *entry)
{
  const char *key = entry->target_key;
  RerouteRow *next = reroute_ruleset_lookup (rules, REROUTE_PAGE_ROUTING, key);
  const RerouteRoutingEntry *next_entry = get_reroute (next);

  /* "test.com to itself" is a circle, "ms.com to host1.ms.com" ends there (Q169683). */
  if (next_entry != NULL && g_str_equal (next_entry->target_key, key) &&
      !g_str_equal (next->domain, key))
    return NULL;
  return next_entry;
}

/* "ms.com to host1.ms.com". */
static gboolean
covers_target (const RerouteCheck *check, const RerouteRoutingEntry *entry)
{
  return !g_str_equal (entry->row.domain, entry->target_key) &&
         reroute_ruleset_lookup (check->rules, REROUTE_PAGE_ROUTING, entry->target_key) ==
           &entry->row;
}

void
reroute_check_chain (RerouteCheck *check, RerouteRow *row)
{
  const RerouteRoutingEntry *entry = get_reroute (row);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (entry != NULL && covers_target (check, entry))
    reroute_check_say_of (check, row, "target-covered", row->domain, entry->target);
  for (; entry != NULL; entry = get_next (check->rules, entry))
    {
      guint again;
      if (g_ptr_array_find (rows, entry, &again))
        {
          say_loop (check, rows, again);
          return;
        }
      if (rows->len >= REROUTE_LIMIT_REROUTE_DEPTH)
        {
          check->longest_chain = REROUTE_LIMIT_REROUTE_DEPTH + 1;
          reroute_check_say_of (check, row, "chain-too-long", row->domain, NULL);
          return;
        }
      g_ptr_array_add (rows, (gpointer) entry);
      check->longest_chain = MAX (check->longest_chain, rows->len);
    }
}

/* --- chains that lead to what differs --- */

/* What a walk through all entries finds. */
typedef struct
{
  RerouteCheck *check; /* (nullable): what is too long is said */
  const RerouteRuleset *rules;
  guint longest;
} Survey;

/* How many entries act one after the other; over the limit: more, or a circle. */
static guint
measure_chain (const RerouteRuleset *rules, const RerouteRoutingEntry *entry)
{
  guint n = 0;

  for (; entry != NULL && n <= REROUTE_LIMIT_REROUTE_DEPTH; entry = get_next (rules, entry))
    n++;
  return n;
}

/* Whether what differs, or its neighbour, is one of the chain from @entry. */
static gboolean
is_concerned (const RerouteCheck *check, const RerouteRoutingEntry *entry)
{
  for (guint n = 0; entry != NULL && n <= REROUTE_LIMIT_REROUTE_DEPTH; n++)
    {
      if (g_hash_table_contains (check->rows, entry))
        return TRUE;
      entry = get_next (check->rules, entry);
    }
  return FALSE;
}

static gboolean
survey_cb (RerouteRow *row, gpointer user_data)
{
  Survey *survey = user_data;
  const RerouteRoutingEntry *entry = row->enabled ? get_reroute (row) : NULL;
  guint n = measure_chain (survey->rules, entry);

  survey->longest = MAX (survey->longest, n);
  if (survey->check != NULL && n > REROUTE_LIMIT_REROUTE_DEPTH &&
      is_concerned (survey->check, entry) &&
      reroute_check_is_first (survey->check, "row", row->page, row->id))
    reroute_check_chain (survey->check, row);
  return TRUE;
}

/* The length of the longest chain.  @check: (nullable) */
static guint
survey_chains (const RerouteRuleset *rules, RerouteCheck *check)
{
  Survey survey = { .check = check, .rules = rules, .longest = 1 };

  reroute_ruleset_foreach (rules, REROUTE_PAGE_ROUTING, survey_cb, &survey);
  return survey.longest;
}

/* What led to an entry of the base was no longer than its longest chain, and the chain from what
   differs was followed: only when both together are too long are all entries looked through. */
void
reroute_check_leading (RerouteCheck *check)
{
  guint from_judged = check->longest_chain;
  guint bound = 0;

  if (check->whole)
    {
      reroute_ruleset_note_longest_chain (check->rules, MAX (from_judged, 1));
      return;
    }
  bound = reroute_ruleset_get_longest_chain (check->base);
  if (from_judged > 0 && (bound == 0 || bound + from_judged > REROUTE_LIMIT_REROUTE_DEPTH))
    {
      bound = survey_chains (check->base, NULL);
      reroute_ruleset_note_longest_chain (check->base, bound);
    }
  bound = bound + from_judged > REROUTE_LIMIT_REROUTE_DEPTH ? survey_chains (check->rules, check)
                                                            : bound + from_judged;
  reroute_ruleset_note_longest_chain (check->rules, bound);
}

/* Where the chain from @entry leaves mail. */
static const char *
get_last_domain (const RerouteCheck *check, const RerouteRoutingEntry *entry)
{
  const char *key = NULL;

  for (guint i = 0; entry != NULL && i < REROUTE_LIMIT_REROUTE_DEPTH; i++)
    {
      key = entry->target_key;
      entry = get_next (check->rules, entry);
    }
  return key;
}

/* --- a domain on both pages --- */

/* @target: (nullable): of the Routing entry, where the sentence names it */
static void
say_of_both (RerouteCheck *check,
             const char *code,
             const RerouteRow *connections,
             const RerouteRow *routing,
             const char *target)
{
  g_autofree char *label = reroute_row_dup_label (routing);
  RerouteFinding *finding = reroute_check_say (check, code, connections->domain, label, target);

  if (finding == NULL)
    return;
  reroute_finding_add_row (finding, connections);
  reroute_finding_add_row (finding, routing);
}

/* Whether @connections wants other senders or another check of recipients than @routing, which is
   asked instead of it: reroute_ruleset_find_admitting(). */
static gboolean
admits_otherwise (const RerouteRow *connections, const RerouteRow *routing)
{
  return connections->accept_from != routing->accept_from ||
         (connections->recipient_check != REROUTE_RECIPIENT_CHECK_NONE &&
          connections->recipient_check != routing->recipient_check);
}

void
reroute_check_reached (RerouteCheck *check, RerouteRow *row)
{
  RerouteRow *routing = reroute_ruleset_lookup (check->rules, REROUTE_PAGE_ROUTING, row->domain);
  const RerouteRoutingEntry *entry = get_reroute (routing);

  /* The exact entry of a domain leaves its subdomains to this row. */
  if (!check->reroute || routing == NULL || (routing->exact && !row->exact))
    return;
  if (((const RerouteRoutingEntry *) routing)->action == REROUTE_ROUTING_INBOUND)
    say_of_both (check, "never-acts-inbound", row, routing, NULL);
  else if (entry != NULL && reroute_ruleset_lookup (check->rules,
                                                    REROUTE_PAGE_CONNECTIONS,
                                                    get_last_domain (check, entry)) != row)
    say_of_both (check, "never-acts-rerouted", row, routing, entry->target);
  else if (admits_otherwise (row, routing))
    say_of_both (check, "both-pages-admission", row, routing, NULL);
}

void
reroute_check_relayed (RerouteCheck *check, RerouteRow *row)
{
  RerouteRow *acting = reroute_ruleset_lookup (check->rules, REROUTE_PAGE_CONNECTIONS, row->domain);

  if (acting == NULL)
    reroute_check_say_of (check, row, "always-relay-default", row->domain, NULL);
  /* The exact entry of a domain leaves its subdomains to the default delivery, and to this row. */
  else if (row->leaves && !acting->leaves && (row->exact || !acting->exact))
    say_of_both (check, "both-pages-leaves", acting, row, NULL);
}
