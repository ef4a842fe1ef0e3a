/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * answers.c - the Rules1 methods that only read the database
 *
 * A page of an unfiltered list comes from the index of its column.  A filter, or a column that is
 * seldom sorted by, has to look at every row, so what it let through is kept in order, and the next
 * page of the same list costs no more than its rows.
 */

#include "config.h"

#include "service/rules/answers.h"

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/row-columns.h"
#include "common/shortened.h"
#include "service/rules/history.h"
#include "service/rules/outcomes.h"
#include "service/rules/row-store.h"

#define CACHED_LISTS 4
#define REPLY_MARGIN_OCTETS 50000 /* the widest row or difference, and the rest of the message */

/* --- arguments --- */

static gboolean
check_limit (guint limit, guint least, guint most, GError **error)
{
  if (limit >= least && limit <= most)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "limit %u is out of range: wanted %u to %u",
               limit,
               least,
               most);
  return FALSE;
}

/* An array that stops growing before the reply is too large. */
typedef struct
{
  GVariantBuilder builder;
  gsize octets;
  guint n;
} Packer;

/* FALSE: there is no room for more. */
static gboolean
pack (Packer *packer, GVariant *value)
{
  packer->octets += g_variant_get_size (value);
  packer->n++;
  g_variant_builder_add_value (&packer->builder, value);
  return packer->octets < REROUTE_LIMIT_REPLY_OCTETS - REPLY_MARGIN_OCTETS;
}

static gboolean
pack_row (RerouteRow *row, gpointer user_data)
{
  return pack (user_data, reroute_row_to_variant (row));
}

/* --- lists --- */

typedef struct
{
  guint64 serial;
  ReroutePage page;
  char *sort;
  char *filter;
  GArray *ids; /* (element-type gint64) */
} CachedList;

struct _RerouteListCache
{
  GMutex lock;
  GQueue lists; /* (element-type CachedList): latest first */
};

static void
cached_list_free (gpointer data)
{
  CachedList *list = data;

  g_free (list->sort);
  g_free (list->filter);
  g_array_unref (list->ids);
  g_free (list);
}

RerouteListCache *
reroute_list_cache_new (void)
{
  RerouteListCache *self = g_new0 (RerouteListCache, 1);

  g_mutex_init (&self->lock);
  return self;
}

void
reroute_list_cache_free (RerouteListCache *self)
{
  g_queue_clear_full (&self->lists, cached_list_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static GArray *
find_cached (
  RerouteListCache *self, guint64 serial, ReroutePage page, const char *sort, const char *filter)
{
  GArray *ids = NULL;

  g_mutex_lock (&self->lock);
  for (GList *link = self->lists.head; link != NULL && ids == NULL; link = link->next)
    {
      const CachedList *list = link->data;
      if (list->serial == serial && list->page == page && g_str_equal (list->sort, sort) &&
          g_str_equal (list->filter, filter))
        ids = g_array_ref (list->ids);
    }
  g_mutex_unlock (&self->lock);
  return ids;
}

static void
keep_cached (RerouteListCache *self, CachedList *list)
{
  CachedList *oldest = NULL;

  g_mutex_lock (&self->lock);
  g_queue_push_head (&self->lists, list);
  if (self->lists.length > CACHED_LISTS)
    oldest = g_queue_pop_tail (&self->lists);
  g_mutex_unlock (&self->lock);
  if (oldest != NULL)
    cached_list_free (oldest);
}

typedef struct
{
  RerouteStore *reader;
  RerouteListCache *cache;
  guint64 serial;
  ReroutePage page;
  const char *filter;
  const char *sort;
  guint offset;
  guint limit;
} ListRequest;

static GArray *
find_filtered (const ListRequest *request, GError **error)
{
  GArray *ids =
    find_cached (request->cache, request->serial, request->page, request->sort, request->filter);
  CachedList *list = NULL;

  if (ids != NULL)
    return ids;
  ids = reroute_row_store_list_filtered (
    request->reader, request->page, request->sort, request->filter, error);
  if (ids == NULL)
    return NULL;
  list = g_new0 (CachedList, 1);
  list->serial = request->serial;
  list->page = request->page;
  list->sort = g_strdup (request->sort);
  list->filter = g_strdup (request->filter);
  list->ids = g_array_ref (ids);
  keep_cached (request->cache, list);
  return ids;
}

/* The ids from @first of the array on that the page wants. */
static GArray *
find_ids (const ListRequest *request, guint *first, guint *total, GError **error)
{
  GArray *ids = NULL;

  if (*request->filter != '\0' || reroute_row_store_has_no_index (request->sort))
    {
      ids = find_filtered (request, error);
      *first = request->offset;
      *total = ids != NULL ? ids->len : 0;
      return ids;
    }
  *first = 0;
  if (!reroute_row_store_count (request->reader, request->page, total, error))
    return NULL;
  return reroute_row_store_list (
    request->reader, request->page, request->sort, request->offset, request->limit, error);
}

static gboolean
pack_rows (const ListRequest *request, GArray *ids, guint first, Packer *packer, GError **error)
{
  gboolean room = TRUE;

  for (guint i = first; room && i < ids->len && i - first < request->limit; i++)
    {
      g_autoptr (RerouteRow) row = reroute_row_store_read (
        request->reader, request->page, g_array_index (ids, gint64, i), error);
      if (row == NULL)
        return FALSE;
      room = pack_row (row, packer);
    }
  return TRUE;
}

static gboolean
read_list_request (GVariant *arguments, guint most, ListRequest *request, GError **error)
{
  const char *page = NULL;

  g_variant_get (arguments,
                 "(&s&s&suu)",
                 &page,
                 &request->filter,
                 &request->sort,
                 &request->offset,
                 &request->limit);
  return reroute_page_from_string (page, &request->page, error) &&
         reroute_row_store_check_sort (request->sort, error) &&
         check_limit (request->limit, 0, most, error) &&
         reroute_row_store_get_state (request->reader, &request->serial, NULL, error);
}

GVariant *
reroute_answer_list (RerouteStore *reader,
                     RerouteListCache *cache,
                     GVariant *arguments,
                     GError **error)
{
  ListRequest request = { .reader = reader, .cache = cache };
  g_autoptr (GArray) ids = NULL;
  guint first = 0, total = 0;
  Packer packer = { .n = 0 };

  if (!read_list_request (arguments, REROUTE_LIMIT_PAGE_ROWS, &request, error))
    return NULL;
  ids = find_ids (&request, &first, &total, error);
  if (ids == NULL)
    return NULL;
  g_variant_builder_init (&packer.builder, G_VARIANT_TYPE ("a" REROUTE_ROW_TYPE));
  if (!pack_rows (&request, ids, first, &packer, error))
    {
      g_variant_builder_clear (&packer.builder);
      return NULL;
    }
  return g_variant_new (
    "(tu@a" REROUTE_ROW_TYPE ")", request.serial, total, g_variant_builder_end (&packer.builder));
}

GVariant *
reroute_answer_list_ids (RerouteStore *reader,
                         RerouteListCache *cache,
                         GVariant *arguments,
                         GError **error)
{
  ListRequest request = { .reader = reader, .cache = cache };
  g_autoptr (GArray) ids = NULL;
  guint first = 0, total = 0, n = 0;

  if (!read_list_request (arguments, REROUTE_LIMIT_PAGE_IDS, &request, error))
    return NULL;
  ids = find_ids (&request, &first, &total, error);
  if (ids == NULL)
    return NULL;
  if (first < ids->len)
    n = MIN (request.limit, ids->len - first);
  return g_variant_new (
    "(tu@ax)",
    request.serial,
    total,
    g_variant_new_fixed_array (
      G_VARIANT_TYPE_INT64, n > 0 ? (gint64 *) ids->data + first : NULL, n, sizeof (gint64)));
}

typedef struct
{
  ReroutePage page;
  gint64 after_id;
  guint limit;
  guint64 serial;
} LoadRequest;

static gboolean
read_load_request (RerouteStore *reader, GVariant *arguments, LoadRequest *request, GError **error)
{
  const char *name = NULL;

  g_variant_get (arguments, "(&sxu)", &name, &request->after_id, &request->limit);
  if (!reroute_page_from_string (name, &request->page, error) ||
      !check_limit (request->limit, 1, REROUTE_LIMIT_PAGE_ROWS, error) ||
      !reroute_row_store_get_state (reader, &request->serial, NULL, error))
    return FALSE;
  if (request->after_id >= 0)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "id %" G_GINT64_FORMAT " is out of range: wanted 0 or an id of a row",
               request->after_id);
  return FALSE;
}

GVariant *
reroute_answer_load (RerouteStore *reader,
                     RerouteListCache *cache,
                     GVariant *arguments,
                     GError **error)
{
  LoadRequest request = { .limit = 0 };
  Packer packer = { .n = 0 };

  if (!read_load_request (reader, arguments, &request, error))
    return NULL;
  g_variant_builder_init (&packer.builder, G_VARIANT_TYPE ("a" REROUTE_ROW_TYPE));
  if (!reroute_row_store_read_after (
        reader, request.page, request.after_id, request.limit, pack_row, &packer, error))
    {
      g_variant_builder_clear (&packer.builder);
      return NULL;
    }
  return g_variant_new (
    "(t@a" REROUTE_ROW_TYPE ")", request.serial, g_variant_builder_end (&packer.builder));
}

static gboolean
write_row (RerouteRow *row, gpointer user_data)
{
  reroute_columns_writer_add (user_data, row);
  return reroute_columns_writer_get_octets (user_data) <
         REROUTE_LIMIT_REPLY_OCTETS - REPLY_MARGIN_OCTETS;
}

GVariant *
reroute_answer_load_columns (RerouteStore *reader,
                             RerouteListCache *cache,
                             GVariant *arguments,
                             GError **error)
{
  LoadRequest request = { .limit = 0 };
  g_autoptr (RerouteColumnsWriter) writer = NULL;

  if (!read_load_request (reader, arguments, &request, error))
    return NULL;
  writer = reroute_columns_writer_new (request.page);
  if (!reroute_row_store_read_after (
        reader, request.page, request.after_id, request.limit, write_row, writer, error))
    return NULL;
  return g_variant_new (
    "(t@" REROUTE_COLUMNS_TYPE ")", request.serial, reroute_columns_writer_get_columns (writer));
}

static void
add_setting (const char *key, const char *value, gpointer user_data)
{
  g_variant_builder_add (user_data, "{ss}", key, value);
}

GVariant *
reroute_answer_settings (RerouteStore *reader,
                         RerouteListCache *cache,
                         GVariant *arguments,
                         GError **error)
{
  guint64 serial = 0;
  GVariantBuilder builder;

  if (!reroute_row_store_get_state (reader, &serial, NULL, error))
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  if (!reroute_row_store_read_settings (reader, add_setting, &builder, error))
    {
      g_variant_builder_clear (&builder);
      return NULL;
    }
  return g_variant_new ("(ta{ss})", serial, &builder);
}

/* --- history --- */

static gboolean
pack_change (const RerouteDelta *delta, gpointer user_data)
{
  g_autoptr (RerouteChange) change = reroute_delta_dup_change (delta);

  return pack (user_data, reroute_change_to_variant (change));
}

GVariant *
reroute_answer_changes_since (RerouteStore *reader,
                              RerouteListCache *cache,
                              GVariant *arguments,
                              GError **error)
{
  RerouteHistoryRange range = { .since = 0 };
  guint64 total = 0;
  g_autoptr (GError) failure = NULL;
  gboolean reaches = FALSE;
  Packer packer = { .n = 0 };

  g_variant_get (arguments, "(tuu)", &range.since, &range.offset, &range.limit);
  if (!check_limit (range.limit, 1, REROUTE_LIMIT_PAGE_ROWS, error) ||
      !reroute_row_store_get_state (reader, &range.until, NULL, error))
    return NULL;
  reaches = reroute_history_reaches (reader, range.since, &total, &failure);
  if (failure != NULL && !g_error_matches (failure, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_SERIAL))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  g_variant_builder_init (&packer.builder, G_VARIANT_TYPE ("a" REROUTE_CHANGE_TYPE));
  if (reaches && range.offset < total &&
      !reroute_history_read_deltas (reader, &range, pack_change, &packer, error))
    {
      g_variant_builder_clear (&packer.builder);
      return NULL;
    }
  return g_variant_new ("(st@a(sv)b)",
                        reaches ? "changes" : "load",
                        range.until,
                        g_variant_builder_end (&packer.builder),
                        reaches && (guint64) range.offset + packer.n < total);
}

static gboolean
pack_generation (guint64 serial,
                 gint64 when_us,
                 const char *who,
                 const char *summary,
                 guint n_changes,
                 gpointer user_data)
{
  g_autofree char *shown_who = reroute_dup_shortened (who, REROUTE_LIMIT_SUMMARY_OCTETS);
  g_autofree char *shown = reroute_dup_shortened (summary, REROUTE_LIMIT_SUMMARY_OCTETS);

  return pack (user_data, g_variant_new ("(txssu)", serial, when_us, shown_who, shown, n_changes));
}

GVariant *
reroute_answer_history (RerouteStore *reader,
                        RerouteListCache *cache,
                        GVariant *arguments,
                        GError **error)
{
  guint64 before = 0;
  guint limit = 0;
  Packer packer = { .n = 0 };

  g_variant_get (arguments, "(tu)", &before, &limit);
  if (!check_limit (limit, 1, REROUTE_LIMIT_PAGE_ROWS, error))
    return NULL;
  g_variant_builder_init (&packer.builder, G_VARIANT_TYPE ("a(txssu)"));
  if (!reroute_history_read (reader, before, limit, pack_generation, &packer, error))
    {
      g_variant_builder_clear (&packer.builder);
      return NULL;
    }
  return g_variant_new ("(@a(txssu))", g_variant_builder_end (&packer.builder));
}

gboolean
reroute_list_is_superseded (GVariant *earlier, GVariant *later)
{
  const char *page[2], *filter[2], *sort[2];

  g_variant_get (earlier, "(&s&s&suu)", &page[0], &filter[0], &sort[0], NULL, NULL);
  g_variant_get (later, "(&s&s&suu)", &page[1], &filter[1], &sort[1], NULL, NULL);
  return g_str_equal (page[0], page[1]) &&
         !(g_str_equal (filter[0], filter[1]) && g_str_equal (sort[0], sort[1]));
}

GVariant *
reroute_answer_outcome (RerouteStore *reader,
                        RerouteListCache *cache,
                        GVariant *arguments,
                        GError **error)
{
  const char *sender = NULL;
  guint number = 0;
  guint64 expected = 0, newest = 0;
  guint64 saved = 0;
  g_autofree char *name = NULL;

  g_variant_get (arguments, "(&sut)", &sender, &number, &expected);
  name = reroute_outcomes_name (sender, number);
  if (expected < G_MAXINT64 && !reroute_history_find_call (reader, expected, name, &saved, error))
    return NULL;
  if (saved != 0)
    return g_variant_new ("(st)", "saved", saved);
  if (!reroute_row_store_get_state (reader, &newest, NULL, error))
    return NULL;
  return g_variant_new ("(st)", "not-saved", newest);
}

static GVariant *
make_image (const RerouteChange *change)
{
  GVariant *variant = change != NULL ? reroute_change_to_variant (change) : NULL;

  return g_variant_new_array (
    G_VARIANT_TYPE (REROUTE_CHANGE_TYPE), &variant, change != NULL ? 1 : 0);
}

static gboolean
pack_delta (const RerouteDelta *delta, gpointer user_data)
{
  return pack (
    user_data,
    g_variant_new ("(@a(sv)@a(sv))", make_image (delta->before), make_image (delta->after)));
}

GVariant *
reroute_answer_history_changes (RerouteStore *reader,
                                RerouteListCache *cache,
                                GVariant *arguments,
                                GError **error)
{
  RerouteHistoryRange range = { .since = 0 };
  Packer packer = { .n = 0 };

  g_variant_get (arguments, "(tuu)", &range.until, &range.offset, &range.limit);
  if (!check_limit (range.limit, 1, REROUTE_LIMIT_PAGE_ROWS, error) ||
      !reroute_history_has (reader, range.until, error))
    return NULL;
  range.since = range.until - 1;
  g_variant_builder_init (&packer.builder, G_VARIANT_TYPE ("a(a(sv)a(sv))"));
  if (!reroute_history_read_deltas (reader, &range, pack_delta, &packer, error))
    {
      g_variant_builder_clear (&packer.builder);
      return NULL;
    }
  return g_variant_new ("(@a(a(sv)a(sv)))", g_variant_builder_end (&packer.builder));
}
