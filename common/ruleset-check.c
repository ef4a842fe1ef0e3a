/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-check.c - what is wrong with a set of rules, or worth saying
 *
 * With a base, only rows that differ and their neighbours (the rows that act for the same domains)
 * are judged, so an edit costs the same in a table of ten rows and of a million.  The sentences
 * are in finding.c.
 */

#include "config.h"

#include "common/ruleset-check.h"
#include "common/finding-private.h"
#include "common/ruleset-check-private.h"

#include "common/domain.h"
#include "common/limits.h"
#include "common/own-endpoint.h"
#include "common/recipient.h"

#include <string.h>

/* Of one code; a person reads them. */
#define FINDINGS_PER_CODE 200
/* An edit of more rows is judged with the whole table, which is faster than its neighbours. */
#define SMALL_EDIT_ROWS 10000

gboolean
reroute_check_differs (const RerouteCheck *check, RerouteSettingId id)
{
  return check->base == NULL ||
         !g_str_equal (reroute_settings_get_text (check->settings, id),
                       reroute_settings_get_text (reroute_ruleset_get_settings (check->base), id));
}

RerouteFinding *
reroute_check_say (
  RerouteCheck *check, const char *code, const char *first, const char *second, const char *third)
{
  const char *const arguments[] = { first, second, third, NULL };
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (check->counts, code));

  g_hash_table_insert (check->counts, (gpointer) code, GUINT_TO_POINTER (count + 1));
  if (count >= FINDINGS_PER_CODE)
    {
      check->n_more++;
      return NULL;
    }
  RerouteFinding *finding = reroute_finding_new (code, arguments);
  g_ptr_array_add (check->findings, finding);
  return finding;
}

void
reroute_check_say_of (RerouteCheck *check,
                      const RerouteRow *row,
                      const char *code,
                      const char *first,
                      const char *second)
{
  RerouteFinding *finding = reroute_check_say (check, code, first, second, NULL);

  if (finding != NULL)
    reroute_finding_add_row (finding, row);
}

gboolean
reroute_check_is_first (RerouteCheck *check, const char *kind, ReroutePage page, gint64 id)
{
  return g_hash_table_add (
    check->seen,
    g_strdup_printf ("%s %s %" G_GINT64_FORMAT, kind, reroute_page_to_string (page), id));
}

/* --- one row --- */

static void
check_duplicate (RerouteCheck *check, RerouteRow *row)
{
  RerouteRow *other = reroute_ruleset_find_other_row (check->rules, row);

  if (other == NULL)
    return;
  g_autofree char *label = reroute_row_dup_label (row);
  g_autofree char *mark = g_strdup_printf ("duplicate %s", label);
  if (!reroute_check_is_first (check, mark, row->page, 0))
    return;
  const char *code = row->page == REROUTE_PAGE_ROUTING ? "duplicate" : "duplicate-hosts";
  RerouteFinding *finding = reroute_check_say (check, code, label, NULL, NULL);
  if (finding == NULL)
    return;
  reroute_finding_add_row (finding, other);
  reroute_finding_add_row (finding, row);
}

static void
check_disabled (RerouteCheck *check, RerouteRow *row)
{
  RerouteRow *acting = reroute_ruleset_lookup (check->rules, row->page, row->domain);
  g_autofree char *label = reroute_row_dup_label (row);

  if (acting == NULL)
    {
      reroute_check_say_of (check, row, "never-acts-disabled-alone", label, NULL);
      return;
    }
  g_autofree char *acting_label = reroute_row_dup_label (acting);
  RerouteFinding *finding =
    reroute_check_say (check, "never-acts-disabled", label, acting_label, NULL);
  if (finding == NULL)
    return;
  reroute_finding_add_row (finding, row);
  reroute_finding_add_row (finding, acting);
}

/* @row: (nullable): whose host this is; NULL for a setting */
static void
check_host (RerouteCheck *check, const RerouteHost *host, RerouteRow *row)
{
  g_autofree char *endpoint = reroute_own_endpoint (check->settings, host);
  RerouteFinding *finding =
    endpoint != NULL ? reroute_check_say (check, "own-port", endpoint, NULL, NULL) : NULL;

  if (finding != NULL && row != NULL)
    reroute_finding_add_row (finding, row);
}

static void
check_hosts (RerouteCheck *check, const RerouteHosts *hosts, RerouteRow *row)
{
  for (gsize i = 0; hosts != NULL && i < hosts->n_hosts; i++)
    check_host (check, &hosts->hosts[i], row);
}

static void
check_target (RerouteCheck *check, RerouteRow *row)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
  g_autofree char *address = reroute_domain_dup_literal_address (entry->target_key);
  RerouteHost host = { .name = address, .port = REROUTE_DEFAULT_SMTP_PORT, .literal = TRUE };

  if (address != NULL)
    check_host (check, &host, row);
}

static void
check_routing_row (RerouteCheck *check, RerouteRow *row)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;

  if (entry->action == REROUTE_ROUTING_REROUTE)
    {
      reroute_check_chain (check, row);
      check_target (check, row);
    }
  if (!check->reroute)
    return;
  if (entry->action == REROUTE_ROUTING_INBOUND && check->inbound_missing && !check->inbound_said)
    {
      check->inbound_said = TRUE;
      reroute_check_say_of (check, row, "inbound-host-missing", row->domain, NULL);
    }
  if (entry->action == REROUTE_ROUTING_RELAY)
    reroute_check_relayed (check, row);
}

static gboolean
is_list_empty (RerouteCheck *check, const RerouteRow *row)
{
  if (check->listed == NULL)
    check->listed = reroute_check_find_listed (check->rules);
  gpointer has_own = NULL;
  if (!g_hash_table_lookup_extended (check->listed, row->domain, NULL, &has_own))
    return TRUE;
  return row->exact && !GPOINTER_TO_INT (has_own);
}

static void
check_recipients (RerouteCheck *check, RerouteRow *row)
{
  const char *code = NULL;

  if (row->recipient_check == REROUTE_RECIPIENT_CHECK_LIST && is_list_empty (check, row))
    code = "list-empty";
  else if (row->recipient_check == REROUTE_RECIPIENT_CHECK_CALL_AHEAD &&
           reroute_check_asks_strangers (check->rules, row))
    code = "call-ahead-by-dns";
  if (code == NULL)
    return;
  g_autofree char *label = reroute_row_dup_label (row);
  reroute_check_say_of (check, row, code, label, NULL);
}

/* A password goes to this machine without TLS, to no other; a certificate of ours demands TLS. */
static void
check_account (RerouteCheck *check, RerouteRow *row)
{
  const RerouteEmailDomain *domain = (const RerouteEmailDomain *) row;
  RerouteTlsLevel tls = row->tls != REROUTE_TLS_UNSET ? row->tls : check->default_tls;

  if (tls != REROUTE_TLS_NONE || *domain->account == '\0' || *domain->certificate != '\0' ||
      domain->hosts == NULL || reroute_check_is_this_machine (domain->hosts) ||
      !reroute_check_is_first (check, "account", row->page, row->id))
    return;
  g_autofree char *label = reroute_row_dup_label (row);
  reroute_check_say_of (check, row, "account-without-tls", label, domain->account);
}

static void
check_etrn (RerouteCheck *check, RerouteRow *row)
{
  if (!reroute_check_waits_for_nobody (check->rules, row) ||
      !reroute_check_is_first (check, "etrn", row->page, row->id))
    return;
  g_autofree char *label = reroute_row_dup_label (row);
  reroute_check_say_of (check, row, "etrn-nobody", label, NULL);
}

static void
judge (RerouteCheck *check, RerouteRow *row)
{
  if (!check->whole && !reroute_check_is_first (check, "row", row->page, row->id))
    return;
  check_duplicate (check, row);
  if (!row->enabled)
    {
      check_disabled (check, row);
      return;
    }
  check_recipients (check, row);
  if (row->page == REROUTE_PAGE_ROUTING)
    check_routing_row (check, row);
  else if (row->page == REROUTE_PAGE_CONNECTIONS)
    {
      reroute_check_reached (check, row);
      check_account (check, row);
      check_etrn (check, row);
      check_hosts (check, ((RerouteEmailDomain *) row)->hosts, row);
    }
}

/* --- anyone, for a domain that is not ours --- */

static void
check_anyone (RerouteCheck *check, RerouteRow *before, RerouteRow *after)
{
  const char *code = reroute_check_anyone (before, after, check->mx_facts);
  RerouteFinding *finding = NULL;

  if (g_strcmp0 (code, "anyone-not-asked") == 0)
    g_hash_table_insert (check->not_asked, after->domain, after);
  else if (code != NULL)
    finding = reroute_check_say (check, code, after->domain, NULL, NULL);
  if (finding == NULL)
    return;
  g_free (finding->key);
  finding->key = reroute_row_dup_anyone_key (after);
  reroute_finding_add_row (finding, after);
}

/* One for all of them; its rows are bounded. */
static void
say_not_asked (RerouteCheck *check)
{
  guint n = g_hash_table_size (check->not_asked);
  g_autofree char *count = g_strdup_printf ("%u", n);
  GHashTableIter iter;
  gpointer row;

  if (n == 0)
    return;
  RerouteFinding *finding = reroute_check_say (check, "anyone-not-asked", count, NULL, NULL);
  g_free (finding->key);
  finding->key = g_strdup (REROUTE_KEY_NOT_ASKED);
  g_hash_table_iter_init (&iter, check->not_asked);
  while (finding->rows->len < FINDINGS_PER_CODE && g_hash_table_iter_next (&iter, NULL, &row))
    reroute_finding_add_row (finding, row);
}

/* --- which rows --- */

static void
add_neighbour (RerouteCheck *check, RerouteRow *row)
{
  if (row != NULL)
    g_hash_table_add (check->rows, row);
}

/* The entries that act, or would, for a domain whose entry or list differs. */
static void
add_neighbours (RerouteCheck *check, const RerouteRow *row)
{
  gboolean is_entry = row->page != REROUTE_PAGE_RECIPIENTS;
  const char *domain = is_entry ? row->domain : reroute_recipient_get_domain (row);
  const char *parent = reroute_domain_parent (domain);

  for (guint page = 0; page < REROUTE_N_ENTRY_PAGES; page++)
    {
      add_neighbour (check, reroute_ruleset_lookup (check->rules, page, domain));
      add_neighbour (check, reroute_ruleset_find_row (check->rules, page, domain, TRUE));
      add_neighbour (check, reroute_ruleset_find_row (check->rules, page, domain, FALSE));
      if (parent != NULL)
        add_neighbour (check, reroute_ruleset_lookup (check->rules, page, parent));
    }
}

static gboolean
changed_cb (RerouteRow *before, RerouteRow *after, gpointer user_data)
{
  RerouteCheck *check = user_data;

  check_anyone (check, before, after);
  if (check->whole)
    return TRUE;
  if (after != NULL)
    {
      judge (check, after);
      add_neighbours (check, after);
    }
  if (before != NULL)
    add_neighbours (check, before);
  return TRUE;
}

static gboolean
row_cb (RerouteRow *row, gpointer user_data)
{
  RerouteCheck *check = user_data;

  if (check->base == NULL)
    check_anyone (check, NULL, row);
  judge (check, row);
  return TRUE;
}

static gboolean
inbound_cb (RerouteRow *row, gpointer user_data)
{
  RerouteCheck *check = user_data;

  if (row->enabled && ((RerouteRoutingEntry *) row)->action == REROUTE_ROUTING_INBOUND)
    check_routing_row (check, row);
  return !check->inbound_said;
}

static gboolean
hosts_cb (RerouteRow *row, gpointer user_data)
{
  if (row->enabled && reroute_check_is_first (user_data, "row", row->page, row->id))
    check_hosts (user_data, ((RerouteEmailDomain *) row)->hosts, row);
  return TRUE;
}

static gboolean
targets_cb (RerouteRow *row, gpointer user_data)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;

  if (row->enabled && entry->action == REROUTE_ROUTING_REROUTE &&
      reroute_domain_is_literal (entry->target_key) &&
      reroute_check_is_first (user_data, "row", row->page, row->id))
    check_target (user_data, row);
  return TRUE;
}

static gboolean
etrn_cb (RerouteRow *row, gpointer user_data)
{
  if (row->enabled)
    check_etrn (user_data, row);
  return TRUE;
}

static gboolean
account_cb (RerouteRow *row, gpointer user_data)
{
  if (row->enabled && row->tls == REROUTE_TLS_UNSET)
    check_account (user_data, row);
  return TRUE;
}

static void
check_settings (RerouteCheck *check)
{
  gboolean inbound = reroute_check_differs (check, REROUTE_SETTING_INBOUND_HOST);
  gboolean reroute = reroute_check_differs (check, REROUTE_SETTING_REROUTE);
  gboolean own = reroute_check_differs (check, REROUTE_SETTING_LISTEN) ||
                 reroute_check_differs (check, REROUTE_SETTING_OWN_ADDRESSES) ||
                 reroute_check_differs (check, REROUTE_SETTING_HOSTNAME);
  const char *postmaster = reroute_settings_get_text (check->settings, REROUTE_SETTING_POSTMASTER);

  if ((inbound || reroute_check_differs (check, REROUTE_SETTING_POSTMASTER)) &&
      *postmaster == '\0' && check->inbound_missing)
    reroute_check_say (check, "postmaster-missing", NULL, NULL, NULL);
  reroute_check_settings_alone (check);
  if (reroute && !check->reroute)
    reroute_check_say (check, "reroute-off", NULL, NULL, NULL);
  if ((inbound || reroute) && check->inbound_missing && check->reroute && !check->inbound_said)
    reroute_ruleset_foreach (check->rules, REROUTE_PAGE_ROUTING, inbound_cb, check);
  if (own || inbound)
    check_hosts (
      check, reroute_settings_get_hosts (check->settings, REROUTE_SETTING_INBOUND_HOST), NULL);
  if (own || reroute_check_differs (check, REROUTE_SETTING_DEFAULT_DELIVERY))
    check_hosts (
      check, reroute_settings_get_hosts (check->settings, REROUTE_SETTING_DEFAULT_DELIVERY), NULL);
  if (reroute_check_differs (check, REROUTE_SETTING_PERMITTED_HOSTS) &&
      reroute_ruleset_queues_for_etrn (check->rules))
    reroute_ruleset_foreach (check->rules, REROUTE_PAGE_CONNECTIONS, etrn_cb, check);
  if (reroute_check_differs (check, REROUTE_SETTING_TLS_LEVEL) &&
      check->default_tls == REROUTE_TLS_NONE)
    reroute_ruleset_foreach (check->rules, REROUTE_PAGE_CONNECTIONS, account_cb, check);
  if (own && !check->whole)
    {
      reroute_ruleset_foreach (check->rules, REROUTE_PAGE_CONNECTIONS, hosts_cb, check);
      reroute_ruleset_foreach (check->rules, REROUTE_PAGE_ROUTING, targets_cb, check);
    }
  reroute_check_ranges (check);
}

static gboolean
count_cb (RerouteRow *before, RerouteRow *after, gpointer user_data)
{
  guint *n = user_data;

  return ++*n <= SMALL_EDIT_ROWS;
}

static gboolean
is_large_edit (RerouteCheck *check)
{
  guint n = 0;

  for (guint page = 0; page < REROUTE_N_PAGES && n <= SMALL_EDIT_ROWS; page++)
    reroute_ruleset_foreach_change (check->rules, check->base, page, count_cb, &n);
  return n > SMALL_EDIT_ROWS;
}

static void
check_rows (RerouteCheck *check)
{
  GHashTableIter iter;
  gpointer row;

  check->whole = check->base == NULL || is_large_edit (check);
  for (guint page = 0; page < REROUTE_N_PAGES; page++)
    {
      if (check->base != NULL)
        reroute_ruleset_foreach_change (check->rules, check->base, page, changed_cb, check);
      if (check->whole)
        reroute_ruleset_foreach (check->rules, page, row_cb, check);
    }
  g_hash_table_iter_init (&iter, check->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    judge (check, row);
  reroute_check_leading (check);
}

static int
compare_levels (gconstpointer a, gconstpointer b)
{
  const RerouteFinding *x = *(RerouteFinding *const *) a;
  const RerouteFinding *y = *(RerouteFinding *const *) b;

  return x->level != y->level ? (int) x->level - (int) y->level : strcmp (x->sentence, y->sentence);
}

GPtrArray *
reroute_ruleset_check (const RerouteRuleset *self,
                       const RerouteRuleset *base,
                       RerouteMxFacts *mx_facts)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) rows = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) not_asked = g_hash_table_new (g_str_hash, g_str_equal);
  RerouteSettings *settings = reroute_ruleset_get_settings (self);
  RerouteCheck check = {
    .rules = self,
    .base = base,
    .settings = settings,
    .mx_facts = mx_facts,
    .findings = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_finding_free),
    .counts = counts,
    .seen = seen,
    .rows = rows,
    .not_asked = not_asked,
    .reroute = reroute_settings_get_boolean (settings, REROUTE_SETTING_REROUTE),
    .default_tls = reroute_ruleset_get_tls_level (self),
    .inbound_missing = reroute_settings_get_hosts (settings, REROUTE_SETTING_INBOUND_HOST) == NULL,
  };

  check_rows (&check);
  say_not_asked (&check);
  check_settings (&check);
  g_clear_pointer (&check.listed, g_hash_table_unref);
  if (check.n_more > 0)
    {
      g_autofree char *n_more = g_strdup_printf ("%u", check.n_more);
      reroute_check_say (&check, "more", n_more, NULL, NULL);
    }
  g_ptr_array_sort (check.findings, compare_levels);
  return check.findings;
}
