/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-check-domains.c - which domains are not ours, and which have listed recipients
 *
 * What ruleset-check.c and whoever asks DNS for it look up alike.
 */

#include "config.h"

#include "common/ruleset-check-private.h"

#include "common/domain.h"
#include "common/limits.h"
#include "common/recipient.h"

#include <libpsl.h>
#include <string.h>

/* --- anyone, for a domain that is not ours --- */

/* Whether strangers may do more by @after than by @before. */
static gboolean
opens (const RerouteRow *before, const RerouteRow *after)
{
  if (after == NULL || !after->enabled || after->accept_from != REROUTE_ACCEPT_FROM_ANYONE ||
      after->page == REROUTE_PAGE_RECIPIENTS || reroute_domain_is_literal (after->domain))
    return FALSE;
  return before == NULL || !before->enabled || before->accept_from != REROUTE_ACCEPT_FROM_ANYONE ||
         (before->exact && !after->exact) || !g_str_equal (before->domain, after->domain);
}

static const char *
get_reason (const RerouteRow *row, RerouteMxFacts *mx_facts)
{
  if (strchr (row->domain, '.') == NULL)
    return "anyone-single-label";
  if (psl_is_public_suffix2 (psl_builtin (), row->domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
    return "anyone-public-suffix";
  if (mx_facts == NULL)
    return NULL;
  switch ((RerouteMxFact) GPOINTER_TO_INT (g_hash_table_lookup (mx_facts, row->domain)))
    {
    case REROUTE_MX_ELSEWHERE:
      return "anyone-not-ours";
    case REROUTE_MX_NOT_ASKED:
      return "anyone-not-asked";
    case REROUTE_MX_HERE:
    case REROUTE_MX_SILENT:
    default:
      return NULL;
    }
}

const char *
reroute_check_anyone (const RerouteRow *before, const RerouteRow *after, RerouteMxFacts *mx_facts)
{
  return opens (before, after) ? get_reason (after, mx_facts) : NULL;
}

char *
reroute_row_dup_anyone_key (const RerouteRow *row)
{
  g_return_val_if_fail (row != NULL, NULL);

  g_autofree char *label = reroute_row_dup_label (row);
  return g_strdup_printf ("anyone %s %s", reroute_page_to_string (row->page), label);
}

/* --- what DNS is asked --- */

static gboolean
question_cb (RerouteRow *before, RerouteRow *after, gpointer user_data)
{
  GHashTable *domains = user_data;

  if (opens (before, after) && strchr (after->domain, '.') != NULL &&
      !g_hash_table_contains (domains, after->domain))
    g_hash_table_add (domains, g_strdup (after->domain));
  return g_hash_table_size (domains) < REROUTE_LIMIT_MX_SURVEY;
}

static gboolean
question_of_row_cb (RerouteRow *row, gpointer user_data)
{
  return question_cb (NULL, row, user_data);
}

char **
reroute_ruleset_check_questions (const RerouteRuleset *self, const RerouteRuleset *base)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GHashTable) domains = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint page = 0; page < REROUTE_N_ENTRY_PAGES; page++)
    if (base != NULL)
      reroute_ruleset_foreach_change (self, base, page, question_cb, domains);
    else
      reroute_ruleset_foreach (self, page, question_of_row_cb, domains);
  guint n;
  char **questions = (char **) g_hash_table_get_keys_as_array (domains, &n);
  g_hash_table_steal_all (domains);
  return questions;
}

/* --- lists of recipients --- */

static gboolean
listed_cb (RerouteRow *row, gpointer user_data)
{
  GHashTable *listed = user_data;
  const char *domain = reroute_recipient_get_domain (row);

  /* Where it was known, those above it are. */
  if (g_hash_table_insert (listed, (gpointer) domain, GINT_TO_POINTER (TRUE)))
    while ((domain = reroute_domain_parent (domain)) != NULL &&
           !g_hash_table_contains (listed, domain))
      g_hash_table_insert (listed, (gpointer) domain, GINT_TO_POINTER (FALSE));
  return TRUE;
}

GHashTable *
reroute_check_find_listed (const RerouteRuleset *rules)
{
  GHashTable *listed = g_hash_table_new (g_str_hash, g_str_equal);

  reroute_ruleset_foreach (rules, REROUTE_PAGE_RECIPIENTS, listed_cb, listed);
  return listed;
}

/* --- where a recipient is asked for, and a password told --- */

gboolean
reroute_check_asks_strangers (const RerouteRuleset *rules, const RerouteRow *row)
{
  g_autofree char *text = g_strconcat ("user@", row->domain, NULL);
  g_autoptr (RerouteAddress) recipient = reroute_address_parse (text, FALSE, NULL);

  if (recipient == NULL)
    return FALSE;
  g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, recipient, NULL, NULL);
  return decision->admitting == row && decision->dns_domain != NULL &&
         !reroute_domain_is_literal (decision->dns_domain);
}

gboolean
reroute_check_is_this_machine (const RerouteHosts *hosts)
{
  for (gsize i = 0; i < hosts->n_hosts; i++)
    {
      const RerouteHost *host = &hosts->hosts[i];
      RerouteIp ip;

      if (!host->literal && g_ascii_strcasecmp (host->name, "localhost") != 0)
        return FALSE;
      if (host->literal && (!reroute_ip_parse (host->name, &ip) || !reroute_ip_is_loopback (&ip)))
        return FALSE;
    }
  return TRUE;
}

gboolean
reroute_check_waits_for_nobody (const RerouteRuleset *rules, const RerouteRow *row)
{
  const RerouteSettings *settings = reroute_ruleset_get_settings (rules);

  return row->queue_for_etrn &&
         *reroute_settings_get_text (settings, REROUTE_SETTING_PERMITTED_HOSTS) == '\0';
}
