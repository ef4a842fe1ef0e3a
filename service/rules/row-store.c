/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-store.c - rows and settings as they stand in the tables of the database
 *
 * What is read is made by the same constructors as what a person types, so nothing that is not
 * valid ever comes out.
 */

#include "config.h"

#include "service/rules/row-store.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/recipient.h"
#include "service/rules/schema.h"

#define COMMON_COLUMNS                                                                             \
  "id, domain, exact, accept_from, enabled, comment, changed_by, changed_us, "                     \
  "leaves, recipient_check"
#define ROUTING_COLUMNS COMMON_COLUMNS ", action, target"
#define CONNECTIONS_COLUMNS                                                                        \
  COMMON_COLUMNS ", hosts, by_turns, tls, account, queue_for_etrn, certificate"
/* In the places of the common ones. */
#define RECIPIENTS_COLUMNS "id, address, 1, 'anyone', 1, comment, changed_by, changed_us, 0, 'none'"

enum
{
  COLUMN_ID,
  COLUMN_DOMAIN,
  COLUMN_EXACT,
  COLUMN_ACCEPT_FROM,
  COLUMN_ENABLED,
  COLUMN_COMMENT,
  COLUMN_CHANGED_BY,
  COLUMN_CHANGED_US,
  COLUMN_LEAVES,
  COLUMN_RECIPIENT_CHECK,
  COLUMN_ACTION,
  COLUMN_TARGET,
  COLUMN_HOSTS = COLUMN_ACTION,
  COLUMN_BY_TURNS = COLUMN_TARGET,
  COLUMN_TLS,
  COLUMN_ACCOUNT,
  COLUMN_QUEUE_FOR_ETRN,
  COLUMN_CERTIFICATE,
};

static const struct
{
  const char *after;
  const char *one;
  const char *count;
  const char *insert;
  const char *remove;
} statements[] = {
  [REROUTE_PAGE_ROUTING] = {
    .after = "SELECT " ROUTING_COLUMNS " FROM routing WHERE id > ?1 ORDER BY id LIMIT ?2",
    .one = "SELECT " ROUTING_COLUMNS " FROM routing WHERE id = ?1",
    .count = "SELECT count(*) FROM routing",
    .insert = "INSERT INTO routing (" ROUTING_COLUMNS ", search) "
              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    .remove = "DELETE FROM routing WHERE id = ?1",
  },
  [REROUTE_PAGE_CONNECTIONS] = {
    .after = "SELECT " CONNECTIONS_COLUMNS " FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2",
    .one = "SELECT " CONNECTIONS_COLUMNS " FROM connections WHERE id = ?1",
    .count = "SELECT count(*) FROM connections",
    .insert = "INSERT INTO connections (" CONNECTIONS_COLUMNS ", search) "
              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    .remove = "DELETE FROM connections WHERE id = ?1",
  },
  [REROUTE_PAGE_RECIPIENTS] = {
    .after = "SELECT " RECIPIENTS_COLUMNS " FROM recipients WHERE id > ?1 ORDER BY id LIMIT ?2",
    .one = "SELECT " RECIPIENTS_COLUMNS " FROM recipients WHERE id = ?1",
    .count = "SELECT count(*) FROM recipients",
    .insert = "INSERT INTO recipients (id, address, comment, changed_by, changed_us, search) "
              "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    .remove = "DELETE FROM recipients WHERE id = ?1",
  },
};

/* --- state and settings --- */

gboolean
reroute_row_store_get_state (RerouteStore *store,
                             guint64 *serial,
                             gint64 *next_row_id,
                             GError **error)
{
  RerouteQuery *query =
    reroute_store_query (store, "SELECT serial, next_row_id FROM state WHERE one = 1", error);
  g_autoptr (GError) failure = NULL;

  if (query == NULL)
    return FALSE;
  if (!reroute_query_step (query, &failure))
    {
      if (failure == NULL)
        g_set_error (&failure,
                     REROUTE_ERROR,
                     REROUTE_ERROR_STORE_VERSION,
                     "the database does not say which generation it holds");
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  *serial = (guint64) reroute_query_get_int64 (query, 0);
  if (next_row_id != NULL)
    *next_row_id = reroute_query_get_int64 (query, 1);
  return reroute_query_run (query, error);
}

gboolean
reroute_row_store_set_state (RerouteStore *store,
                             guint64 serial,
                             gint64 next_row_id,
                             GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store, "UPDATE state SET serial = ?1, next_row_id = ?2 WHERE one = 1", error);

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, (gint64) serial);
  reroute_query_bind_int64 (query, 2, next_row_id);
  return reroute_query_run (query, error);
}

gboolean
reroute_row_store_set (RerouteStore *store, const char *key, const char *value, GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store,
    value != NULL ? "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2"
                  : "DELETE FROM setting WHERE key = ?1",
    error);

  if (query == NULL)
    return FALSE;
  reroute_query_bind_text (query, 1, key);
  if (value != NULL)
    reroute_query_bind_text (query, 2, value);
  return reroute_query_run (query, error);
}

gboolean
reroute_row_store_read_settings (RerouteStore *store,
                                 RerouteSettingStoreFunc func,
                                 gpointer user_data,
                                 GError **error)
{
  RerouteQuery *query = reroute_store_query (store, "SELECT key, value FROM setting", error);
  g_autoptr (GError) failure = NULL;

  if (query == NULL)
    return FALSE;
  while (reroute_query_step (query, &failure))
    func (reroute_query_get_text (query, 0), reroute_query_get_text (query, 1), user_data);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* --- indexes --- */

static gboolean
run_statement (RerouteStore *store, const char *sql, GError **error)
{
  RerouteQuery *query = reroute_store_query (store, sql, error);

  return query != NULL && reroute_query_run (query, error);
}

gboolean
reroute_row_store_drop_indexes (RerouteStore *store, ReroutePage page, GError **error)
{
  for (const RerouteSchemaIndex *index = reroute_schema_get_indexes (page); index->drop != NULL;
       index++)
    if (!run_statement (store, index->drop, error))
      return FALSE;
  return TRUE;
}

gboolean
reroute_row_store_make_indexes (RerouteStore *store, ReroutePage page, GError **error)
{
  for (const RerouteSchemaIndex *index = reroute_schema_get_indexes (page); index->make != NULL;
       index++)
    if (!run_statement (store, index->make, error))
      return FALSE;
  return TRUE;
}

/* --- writing rows --- */

static void
append_line (GString *text, const char *line)
{
  g_string_append (text, line);
  g_string_append_c (text, '\n');
}

/* As it is shown, where that is another spelling. */
static void
append_shown (GString *text, const char *name)
{
  g_autofree char *shown = reroute_domain_to_unicode (name);

  if (!g_str_equal (shown, name))
    append_line (text, shown);
}

static void
append_shown_hosts (GString *text, const RerouteHosts *hosts)
{
  for (gsize i = 0; hosts != NULL && i < hosts->n_hosts; i++)
    append_shown (text, hosts->hosts[i].name);
}

/* What a filter looks in, case-folded. */
static char *
make_search (const RerouteRow *row, const char *target)
{
  gboolean marked = row->exact && row->page != REROUTE_PAGE_RECIPIENTS;
  g_autoptr (GString) text = g_string_new (marked ? "#" : NULL);

  append_line (text, row->domain);
  append_shown (text, row->domain);
  append_line (text, target);
  if (row->page == REROUTE_PAGE_CONNECTIONS)
    append_shown_hosts (text, ((const RerouteEmailDomain *) row)->hosts);
  g_string_append (text, row->comment);
  if (!g_str_is_ascii (text->str))
    return g_utf8_casefold (text->str, text->len);
  g_string_ascii_down (text);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
add_recipient (RerouteQuery *query, const RerouteRow *row, GError **error)
{
  g_autofree char *search = make_search (row, "");

  reroute_query_bind_int64 (query, 1, row->id);
  reroute_query_bind_text (query, 2, row->domain);
  reroute_query_bind_text (query, 3, row->comment);
  reroute_query_bind_text (query, 4, row->changed_by);
  reroute_query_bind_int64 (query, 5, row->changed_us);
  reroute_query_bind_text (query, 6, search);
  return reroute_query_run (query, error);
}

gboolean
reroute_row_store_add (RerouteStore *store, const RerouteRow *row, GError **error)
{
  RerouteQuery *query = reroute_store_query (store, statements[row->page].insert, error);
  g_autofree char *hosts = NULL;
  g_autofree char *search = NULL;
  const char *target = "";
  int search_index = 2 + COLUMN_TARGET;

  if (query == NULL)
    return FALSE;
  if (row->page == REROUTE_PAGE_RECIPIENTS)
    return add_recipient (query, row, error);
  reroute_query_bind_int64 (query, 1 + COLUMN_ID, row->id);
  reroute_query_bind_text (query, 1 + COLUMN_DOMAIN, row->domain);
  reroute_query_bind_int64 (query, 1 + COLUMN_EXACT, row->exact);
  reroute_query_bind_text (
    query, 1 + COLUMN_ACCEPT_FROM, reroute_accept_from_to_string (row->accept_from));
  reroute_query_bind_int64 (query, 1 + COLUMN_ENABLED, row->enabled);
  reroute_query_bind_text (query, 1 + COLUMN_COMMENT, row->comment);
  reroute_query_bind_text (query, 1 + COLUMN_CHANGED_BY, row->changed_by);
  reroute_query_bind_int64 (query, 1 + COLUMN_CHANGED_US, row->changed_us);
  reroute_query_bind_int64 (query, 1 + COLUMN_LEAVES, row->leaves);
  reroute_query_bind_text (
    query, 1 + COLUMN_RECIPIENT_CHECK, reroute_recipient_check_to_string (row->recipient_check));
  if (row->page == REROUTE_PAGE_ROUTING)
    {
      const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
      target = entry->target != NULL ? entry->target : "";
      reroute_query_bind_text (
        query, 1 + COLUMN_ACTION, reroute_routing_action_to_string (entry->action));
      reroute_query_bind_text (query, 1 + COLUMN_TARGET, target);
    }
  else
    {
      const RerouteEmailDomain *domain = (const RerouteEmailDomain *) row;
      hosts = domain->hosts != NULL ? reroute_hosts_to_string (domain->hosts) : g_strdup ("");
      target = hosts;
      reroute_query_bind_text (query, 1 + COLUMN_HOSTS, hosts);
      reroute_query_bind_int64 (
        query, 1 + COLUMN_BY_TURNS, domain->hosts != NULL && domain->hosts->by_turns);
      reroute_query_bind_text (query, 1 + COLUMN_TLS, reroute_tls_level_to_string (row->tls));
      reroute_query_bind_text (query, 1 + COLUMN_ACCOUNT, domain->account);
      reroute_query_bind_int64 (query, 1 + COLUMN_QUEUE_FOR_ETRN, row->queue_for_etrn);
      reroute_query_bind_text (query, 1 + COLUMN_CERTIFICATE, domain->certificate);
      search_index = 2 + COLUMN_CERTIFICATE;
    }
  search = make_search (row, target);
  reroute_query_bind_text (query, search_index, search);
  return reroute_query_run (query, error);
}

gboolean
reroute_row_store_remove (RerouteStore *store, ReroutePage page, gint64 id, GError **error)
{
  RerouteQuery *query = reroute_store_query (store, statements[page].remove, error);

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, id);
  return reroute_query_run (query, error);
}

/* --- reading rows --- */

static RerouteRow *
make_routing_entry (RerouteQuery *query, const RerouteRowFields *fields, GError **error)
{
  const char *target = reroute_query_get_text (query, COLUMN_TARGET);
  RerouteRoutingAction action = REROUTE_ROUTING_INBOUND;

  if (!reroute_routing_action_from_string (
        reroute_query_get_text (query, COLUMN_ACTION), &action, error))
    return NULL;
  return (RerouteRow *) reroute_routing_entry_new (
    fields, action, action == REROUTE_ROUTING_REROUTE ? target : NULL, error);
}

static RerouteRow *
make_email_domain (RerouteQuery *query, RerouteRowFields *fields, GError **error)
{
  const char *text = reroute_query_get_text (query, COLUMN_HOSTS);
  g_autoptr (RerouteHosts) hosts = NULL;

  if (*text != '\0')
    {
      hosts =
        reroute_hosts_parse (text, reroute_query_get_int64 (query, COLUMN_BY_TURNS) != 0, error);
      if (hosts == NULL)
        return NULL;
    }
  if (!reroute_tls_level_from_string (
        reroute_query_get_text (query, COLUMN_TLS), &fields->tls, error))
    return NULL;
  fields->account = reroute_query_get_text (query, COLUMN_ACCOUNT);
  fields->certificate = reroute_query_get_text (query, COLUMN_CERTIFICATE);
  fields->queue_for_etrn = reroute_query_get_int64 (query, COLUMN_QUEUE_FOR_ETRN) != 0;
  return (RerouteRow *) reroute_email_domain_new (fields, hosts, error);
}

static RerouteRow *
make_row (RerouteQuery *query, ReroutePage page, GError **error)
{
  RerouteRowFields fields = {
    .id = reroute_query_get_int64 (query, COLUMN_ID),
    .domain = reroute_query_get_text (query, COLUMN_DOMAIN),
    .exact = reroute_query_get_int64 (query, COLUMN_EXACT) != 0,
    .enabled = reroute_query_get_int64 (query, COLUMN_ENABLED) != 0,
    .leaves = reroute_query_get_int64 (query, COLUMN_LEAVES) != 0,
    .comment = reroute_query_get_text (query, COLUMN_COMMENT),
    .changed_by = reroute_query_get_text (query, COLUMN_CHANGED_BY),
    .changed_us = reroute_query_get_int64 (query, COLUMN_CHANGED_US),
  };
  g_autoptr (GError) failure = NULL;
  RerouteRow *row = NULL;

  if (fields.id <= 0)
    g_set_error (&failure, REROUTE_ERROR, REROUTE_ERROR_VALUE, "an id is a positive number");
  else if (reroute_accept_from_from_string (
             reroute_query_get_text (query, COLUMN_ACCEPT_FROM), &fields.accept_from, &failure) &&
           reroute_recipient_check_from_string (
             reroute_query_get_text (query, COLUMN_RECIPIENT_CHECK),
             &fields.recipient_check,
             &failure))
    row = page == REROUTE_PAGE_RECIPIENTS ? reroute_recipient_new (&fields, &failure)
          : page == REROUTE_PAGE_ROUTING  ? make_routing_entry (query, &fields, &failure)
                                          : make_email_domain (query, &fields, &failure);
  if (row == NULL)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_STORE_VERSION,
                 "row %" G_GINT64_FORMAT " of the table %s cannot be understood: %s",
                 fields.id,
                 reroute_page_to_string (page),
                 failure->message);
  return row;
}

gboolean
reroute_row_store_read_after (RerouteStore *store,
                              ReroutePage page,
                              gint64 after_id,
                              guint limit,
                              RerouteRowStoreFunc func,
                              gpointer user_data,
                              GError **error)
{
  RerouteQuery *query = reroute_store_query (store, statements[page].after, error);
  g_autoptr (GError) failure = NULL;
  gboolean wanted = TRUE;

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, after_id);
  reroute_query_bind_int64 (query, 2, limit);
  while (wanted && reroute_query_step (query, &failure))
    {
      g_autoptr (RerouteRow) row = make_row (query, page, &failure);
      wanted = row != NULL && func (row, user_data);
    }
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

RerouteRow *
reroute_row_store_read (RerouteStore *store, ReroutePage page, gint64 id, GError **error)
{
  RerouteQuery *query = reroute_store_query (store, statements[page].one, error);
  g_autoptr (GError) failure = NULL;
  RerouteRow *row = NULL;

  if (query == NULL)
    return NULL;
  reroute_query_bind_int64 (query, 1, id);
  if (reroute_query_step (query, &failure))
    row = make_row (query, page, &failure);
  else if (failure == NULL)
    g_set_error (&failure,
                 REROUTE_ERROR,
                 REROUTE_ERROR_STORE_VERSION,
                 "an index names row %" G_GINT64_FORMAT ", which is not there",
                 id);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return row;
}

gboolean
reroute_row_store_count (RerouteStore *store, ReroutePage page, guint *count, GError **error)
{
  RerouteQuery *query = reroute_store_query (store, statements[page].count, error);

  if (query == NULL || !reroute_query_step (query, error))
    return FALSE;
  *count = (guint) reroute_query_get_int64 (query, 0);
  return reroute_query_run (query, error);
}

/* --- loading everything --- */

typedef struct
{
  RerouteRulesetBuilder *builder;
  GError *error;
} Loading;

static gboolean
load_row (RerouteRow *row, gpointer user_data)
{
  Loading *loading = user_data;

  return reroute_ruleset_builder_put (loading->builder, row, &loading->error);
}

static void
load_setting (const char *key, const char *value, gpointer user_data)
{
  Loading *loading = user_data;
  g_autoptr (RerouteChange) change = NULL;

  if (loading->error != NULL)
    return;
  change = reroute_change_new_set (key, value, &loading->error);
  if (change != NULL)
    reroute_ruleset_builder_apply (loading->builder, change, &loading->error);
}

RerouteRuleset *
reroute_row_store_load (RerouteStore *store, gint64 *next_row_id, GError **error)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);
  Loading loading = { .builder = builder };
  guint64 serial = 0;

  if (!reroute_row_store_get_state (store, &serial, next_row_id, error) ||
      !reroute_row_store_read_settings (store, load_setting, &loading, error))
    return NULL;
  for (ReroutePage page = 0; loading.error == NULL && page < REROUTE_N_PAGES; page++)
    if (!reroute_row_store_read_after (store, page, 0, G_MAXINT, load_row, &loading, error))
      return NULL;
  if (loading.error != NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_STORE_VERSION,
                   "the database cannot be understood: %s",
                   loading.error->message);
      g_error_free (loading.error);
      return NULL;
    }
  return reroute_ruleset_builder_build (builder, serial);
}
