/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-lists.c - the rows of a table in the order of a column
 */

#include "config.h"

#include "service/rules/row-store.h"

#include "common/error.h"
#include "common/recipient.h"

/* A filter reads the whole table, and is the faster for not going through an index. */
/* clang-format off */
#define LIST(table, order) \
  { \
    "SELECT id FROM " table " ORDER BY " order " LIMIT ?1 OFFSET ?2", \
    "SELECT id FROM " table " NOT INDEXED WHERE instr (search, ?1) > 0 ORDER BY " order, \
    "SELECT id FROM " table " WHERE domain = ?1 ORDER BY " order, \
    NULL, \
  }
#define RECIPIENTS_LIST(order) \
  { \
    "SELECT id FROM recipients ORDER BY " order " LIMIT ?1 OFFSET ?2", \
    "SELECT id FROM recipients NOT INDEXED WHERE instr (search, ?1) > 0 ORDER BY " order, \
    "SELECT id FROM recipients WHERE address = ?1 ORDER BY " order, \
    "SELECT id FROM recipients NOT INDEXED WHERE instr (search, ?1) > 0 " \
    "AND (substr (address, -length (?2)) = ?2 OR substr (address, -length (?3)) = ?3) ORDER BY " order, \
  }
/* What recipients do not differ by leaves them in the order of their addresses. */
#define LISTS(order, connections_order, recipients_order) \
  { \
    [REROUTE_PAGE_ROUTING] = LIST ("routing", order), \
    [REROUTE_PAGE_CONNECTIONS] = LIST ("connections", connections_order), \
    [REROUTE_PAGE_RECIPIENTS] = RECIPIENTS_LIST (recipients_order), \
  }

/* By how much is asked of TLS. */
#define TLS_RANK \
  "CASE tls WHEN '' THEN 0 WHEN 'none' THEN 1 WHEN 'opportunistic' THEN 2 WHEN 'encrypted' THEN 3 ELSE 4 END"

static const struct
{
  const char *sort;
  struct
  {
    const char *plain;
    const char *filtered;
    const char *of_domain;
    const char *of_list; /* NULL: of no page but the recipients */
  } pages[REROUTE_N_PAGES];
  gboolean has_no_index;
} lists[] = {
  { "domain",       LISTS ("domain, exact", "domain, exact", "address") },
  { "-domain",      LISTS ("domain DESC, exact DESC", "domain DESC, exact DESC", "address DESC") },
  { "target",       LISTS ("target, domain, exact", "hosts, domain, exact", "address") },
  { "-target",      LISTS ("target DESC, domain DESC, exact DESC",
                           "hosts DESC, domain DESC, exact DESC", "address DESC") },
  { "accept-from",  LISTS ("accept_from, domain, exact", "accept_from, domain, exact", "address") },
  { "-accept-from", LISTS ("accept_from DESC, domain DESC, exact DESC",
                           "accept_from DESC, domain DESC, exact DESC", "address DESC") },
  { "comment",      LISTS ("comment, domain, exact", "comment, domain, exact", "comment, address") },
  { "-comment",     LISTS ("comment DESC, domain DESC, exact DESC",
                           "comment DESC, domain DESC, exact DESC", "comment DESC, address DESC") },
  /* What Routing entries do not have leaves them in the order of their domains. */
  { "tls",          LISTS ("domain, exact", TLS_RANK ", domain, exact", "address"), TRUE },
  { "-tls",         LISTS ("domain DESC, exact DESC", TLS_RANK " DESC, domain DESC, exact DESC", "address DESC"), TRUE },
  { "account",      LISTS ("domain, exact", "account, domain, exact", "address"), TRUE },
  { "-account",     LISTS ("domain DESC, exact DESC", "account DESC, domain DESC, exact DESC", "address DESC"), TRUE },
  { "recipient-check",  LISTS ("recipient_check, domain, exact", "recipient_check, domain, exact", "address"), TRUE },
  { "-recipient-check", LISTS ("recipient_check DESC, domain DESC, exact DESC",
                               "recipient_check DESC, domain DESC, exact DESC", "address DESC"), TRUE },
  { "leaves",       LISTS ("leaves, domain, exact", "leaves, domain, exact", "address"), TRUE },
  { "-leaves",      LISTS ("leaves DESC, domain DESC, exact DESC",
                           "leaves DESC, domain DESC, exact DESC", "address DESC"), TRUE },
  { "changed",      LISTS ("changed_us, id", "changed_us, id", "changed_us, id") },
  { "-changed",     LISTS ("changed_us DESC, id DESC", "changed_us DESC, id DESC", "changed_us DESC, id DESC") },
  { "id",           LISTS ("id", "id", "id") },
  { "-id",          LISTS ("id DESC", "id DESC", "id DESC") },
};
/* clang-format on */

static int
find_list (const char *sort)
{
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (g_str_equal (lists[i].sort, sort))
      return (int) i;
  return -1;
}

gboolean
reroute_row_store_check_sort (const char *sort, GError **error)
{
  if (find_list (sort) >= 0)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "cannot sort by “%s”: wanted domain, target, accept-from, comment, tls, account, "
               "recipient-check, leaves, changed or id, with “-” in front to turn the order round",
               sort);
  return FALSE;
}

gboolean
reroute_row_store_has_no_index (const char *sort)
{
  return lists[find_list (sort)].has_no_index;
}

static GArray *
collect_ids (RerouteQuery *query, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) failure = NULL;

  while (reroute_query_step (query, &failure))
    {
      gint64 id = reroute_query_get_int64 (query, 0);
      g_array_append_val (ids, id);
    }
  if (failure == NULL)
    return g_steal_pointer (&ids);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

GArray *
reroute_row_store_list (RerouteStore *store,
                        ReroutePage page,
                        const char *sort,
                        guint offset,
                        guint limit,
                        GError **error)
{
  RerouteQuery *query =
    reroute_store_query (store, lists[find_list (sort)].pages[page].plain, error);

  if (query == NULL)
    return NULL;
  reroute_query_bind_int64 (query, 1, limit);
  reroute_query_bind_int64 (query, 2, offset);
  return collect_ids (query, error);
}

/* What @word stands in of the addresses of @domain and the domains below it. */
static GArray *
collect_list (
  RerouteStore *store, const char *statement, const char *domain, const char *word, GError **error)
{
  g_autofree char *folded = g_utf8_casefold (word, -1);
  g_autofree char *of_domain = g_strconcat ("@", domain, NULL);
  g_autofree char *below = g_strconcat (".", domain, NULL);
  RerouteQuery *query = reroute_store_query (store, statement, error);

  if (query == NULL)
    return NULL;
  reroute_query_bind_text (query, 1, folded);
  reroute_query_bind_text (query, 2, of_domain);
  reroute_query_bind_text (query, 3, below);
  return collect_ids (query, error);
}

GArray *
reroute_row_store_list_filtered (
  RerouteStore *store, ReroutePage page, const char *sort, const char *filter, GError **error)
{
  const char *word = NULL;
  g_autofree char *list_domain =
    page == REROUTE_PAGE_RECIPIENTS ? reroute_recipient_filter_dup_domain (filter, &word) : NULL;
  g_autofree char *domain = reroute_row_filter_dup_domain (filter);
  g_autofree char *folded = domain == NULL ? g_utf8_casefold (filter, -1) : NULL;
  int list = find_list (sort);
  RerouteQuery *query = NULL;

  if (list_domain != NULL)
    return collect_list (store, lists[list].pages[page].of_list, list_domain, word, error);
  query = reroute_store_query (store,
                               domain != NULL ? lists[list].pages[page].of_domain
                                              : lists[list].pages[page].filtered,
                               error);
  if (query == NULL)
    return NULL;
  reroute_query_bind_text (query, 1, domain != NULL ? domain : folded);
  return collect_ids (query, error);
}
