/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"
#include "service/rules/store.h"

G_BEGIN_DECLS

/* Rows and settings in the store.  Errors: as of the store, and %REROUTE_ERROR_STORE_VERSION for a
   row or setting that this program does not understand. */

/* Everything, as one generation; @next_row_id (out): the id that the next new row is given. */
RerouteRuleset *reroute_row_store_load (RerouteStore *store, gint64 *next_row_id, GError **error);

gboolean reroute_row_store_get_state (RerouteStore *store,
                                      guint64 *serial,
                                      gint64 *next_row_id,
                                      GError **error);
gboolean reroute_row_store_set_state (RerouteStore *store,
                                      guint64 serial,
                                      gint64 next_row_id,
                                      GError **error);

/* Around a change of most rows of a page: the indexes are sorted once instead of searched for each
   row.  Within one transaction. */
gboolean reroute_row_store_drop_indexes (RerouteStore *store, ReroutePage page, GError **error);
gboolean reroute_row_store_make_indexes (RerouteStore *store, ReroutePage page, GError **error);

/* The row must not be there: a row that changes is removed first. */
gboolean reroute_row_store_add (RerouteStore *store, const RerouteRow *row, GError **error);
gboolean
reroute_row_store_remove (RerouteStore *store, ReroutePage page, gint64 id, GError **error);

/* @value: (nullable): %NULL is the default */
gboolean
reroute_row_store_set (RerouteStore *store, const char *key, const char *value, GError **error);

/* Called with each row or setting; FALSE stops. */
typedef gboolean (*RerouteRowStoreFunc) (RerouteRow *row, gpointer user_data);
typedef void (*RerouteSettingStoreFunc) (const char *key, const char *value, gpointer user_data);

/* By rising id, those over @after_id, at most @limit. */
gboolean reroute_row_store_read_after (RerouteStore *store,
                                       ReroutePage page,
                                       gint64 after_id,
                                       guint limit,
                                       RerouteRowStoreFunc func,
                                       gpointer user_data,
                                       GError **error);
gboolean reroute_row_store_read_settings (RerouteStore *store,
                                          RerouteSettingStoreFunc func,
                                          gpointer user_data,
                                          GError **error);

/* (transfer full): one row */
RerouteRow *
reroute_row_store_read (RerouteStore *store, ReroutePage page, gint64 id, GError **error);

gboolean
reroute_row_store_count (RerouteStore *store, ReroutePage page, guint *count, GError **error);

/* Whether @sort is a column that a list can be sorted by, perhaps with "-" in front.
   Errors: %REROUTE_ERROR_VALUE naming those that are. */
gboolean reroute_row_store_check_sort (const char *sort, GError **error);

/* Whether all rows have to be looked at to sort them by @sort, which the above let pass: then
   reroute_row_store_list_filtered() with the filter "" is for it. */
gboolean reroute_row_store_has_no_index (const char *sort);

/* (transfer full) (element-type gint64): ids in the order of @sort, from @offset, at most @limit */
GArray *reroute_row_store_list (RerouteStore *store,
                                ReroutePage page,
                                const char *sort,
                                guint offset,
                                guint limit,
                                GError **error);

/* The same for all rows that @filter stands in, without case, or of the domain or the list of
   recipients that it names. */
GArray *reroute_row_store_list_filtered (
  RerouteStore *store, ReroutePage page, const char *sort, const char *filter, GError **error);

G_END_DECLS
