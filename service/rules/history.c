/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history.c - the generations that were saved, with what each changed
 *
 * An image is a change of common/codec.h, serialised little-endian; it is validated on the way out
 * like anything else that is decoded.
 */

#include "config.h"

#include "service/rules/history.h"

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "service/rules/row-store.h"

/* --- images --- */

static void
bind_image (RerouteQuery *query, int index, const RerouteChange *change)
{
  g_autoptr (GVariant) variant = NULL;

  if (change == NULL)
    {
      reroute_query_bind_text (query, index, NULL);
      return;
    }
  variant = g_variant_ref_sink (reroute_change_to_variant (change));
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (variant);
      g_variant_unref (variant);
      variant = swapped;
    }
  reroute_query_bind_bytes (
    query, index, g_variant_get_data (variant), g_variant_get_size (variant));
}

/* @change stays %NULL where the column is. */
static gboolean
read_image (RerouteQuery *query, int column, RerouteChange **change, GError **error)
{
  g_autoptr (GBytes) bytes = reroute_query_dup_bytes (query, column);
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GError) failure = NULL;

  if (bytes == NULL)
    return TRUE;
  variant = g_variant_ref_sink (
    g_variant_new_from_bytes (G_VARIANT_TYPE (REROUTE_CHANGE_TYPE), bytes, FALSE));
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (variant);
      g_variant_unref (variant);
      variant = swapped;
    }
  *change = reroute_change_from_variant (variant, &failure);
  if (*change != NULL)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE_VERSION,
               "the history cannot be understood: %s",
               failure->message);
  return FALSE;
}

/* --- writing --- */

static gboolean
add_delta (
  RerouteStore *store, guint64 serial, guint number, const RerouteDelta *delta, GError **error)
{
  RerouteQuery *query =
    reroute_store_query (store,
                         "INSERT INTO change (serial, number, page, row_id, key, before, after) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         error);
  gboolean is_row = delta->id != 0;

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, (gint64) serial);
  reroute_query_bind_int64 (query, 2, number);
  reroute_query_bind_text (query, 3, is_row ? reroute_page_to_string (delta->page) : "");
  reroute_query_bind_int64 (query, 4, delta->id);
  reroute_query_bind_text (query, 5, is_row ? "" : delta->after->key);
  bind_image (query, 6, delta->before);
  bind_image (query, 7, delta->after);
  return reroute_query_run (query, error);
}

/* As it stands in the table. */
typedef struct
{
  guint64 serial;
  gint64 when_us;
  const char *who;
  const char *summary;
  const char *call; /* as RerouteProposal has it */
  guint n_changes;
} Generation;

static gboolean
add_generation (RerouteStore *store, const Generation *generation, GError **error)
{
  RerouteQuery *query =
    reroute_store_query (store, "INSERT INTO generation VALUES (?1, ?2, ?3, ?4, ?5, ?6)", error);

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, (gint64) generation->serial);
  reroute_query_bind_int64 (query, 2, generation->when_us);
  reroute_query_bind_text (query, 3, generation->who);
  reroute_query_bind_text (query, 4, generation->summary);
  reroute_query_bind_int64 (query, 5, generation->n_changes);
  reroute_query_bind_text (query, 6, generation->call);
  return reroute_query_run (query, error);
}

/* The newest generation that is to be forgotten; 0: none. */
static gboolean
find_forgotten (RerouteStore *store, guint64 most_changes, gint64 *serial, GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store, "SELECT serial, n_changes FROM generation ORDER BY serial DESC", error);
  g_autoptr (GError) failure = NULL;
  guint64 n = 0, n_changes = 0;

  if (query == NULL)
    return FALSE;
  *serial = 0;
  while (*serial == 0 && reroute_query_step (query, &failure))
    {
      n_changes += (guint64) reroute_query_get_int64 (query, 1);
      n++;
      if (n > REROUTE_LIMIT_HISTORY_GENERATIONS ||
          (n > REROUTE_LIMIT_HISTORY_LEAST && n_changes > most_changes))
        *serial = reroute_query_get_int64 (query, 0);
    }
  if (failure == NULL)
    return reroute_query_run (query, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
reroute_history_forget (RerouteStore *store, guint64 most_changes, GError **error)
{
  static const char *const statements[] = {
    "DELETE FROM change WHERE serial <= ?1",
    "DELETE FROM generation WHERE serial <= ?1",
  };
  gint64 serial = 0;

  if (!find_forgotten (store, most_changes, &serial, error))
    return FALSE;
  for (guint i = 0; serial > 0 && i < G_N_ELEMENTS (statements); i++)
    {
      RerouteQuery *query = reroute_store_query (store, statements[i], error);

      if (query == NULL)
        return FALSE;
      reroute_query_bind_int64 (query, 1, serial);
      if (!reroute_query_run (query, error))
        return FALSE;
    }
  return TRUE;
}

static Generation
get_generation (const RerouteProposal *proposal)
{
  return (Generation){
    .serial = reroute_ruleset_get_serial (proposal->next),
    .when_us = proposal->when_us,
    .who = proposal->who,
    .summary = proposal->summary,
    .call = proposal->call,
    .n_changes = proposal->deltas->len,
  };
}

gboolean
reroute_history_add (RerouteStore *store, const RerouteProposal *proposal, GError **error)
{
  Generation generation = get_generation (proposal);
  guint64 serial = generation.serial;

  if (!add_generation (store, &generation, error))
    return FALSE;
  for (guint i = 0; i < proposal->deltas->len; i++)
    if (!add_delta (store, serial, i, proposal->deltas->pdata[i], error))
      return FALSE;
  return reroute_history_forget (store, REROUTE_LIMIT_HISTORY_CHANGES, error);
}

/* --- reading --- */

gboolean
reroute_history_read (RerouteStore *store,
                      guint64 before,
                      guint limit,
                      RerouteHistoryFunc func,
                      gpointer user_data,
                      GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store,
    "SELECT serial, when_us, who, summary, n_changes FROM generation WHERE serial < ?1 "
    "ORDER BY serial DESC LIMIT ?2",
    error);
  g_autoptr (GError) failure = NULL;
  gboolean wanted = TRUE;

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (
    query, 1, before == 0 || before > G_MAXINT64 ? G_MAXINT64 : (gint64) before);
  reroute_query_bind_int64 (query, 2, limit);
  while (wanted && reroute_query_step (query, &failure))
    wanted = func ((guint64) reroute_query_get_int64 (query, 0),
                   reroute_query_get_int64 (query, 1),
                   reroute_query_get_text (query, 2),
                   reroute_query_get_text (query, 3),
                   (guint) reroute_query_get_int64 (query, 4),
                   user_data);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
refuse_serial (guint64 serial, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_SERIAL,
               "generation %" G_GUINT64_FORMAT " is not kept in the history",
               serial);
  return FALSE;
}

/* How many generations are kept from @first to @last, and how many changes they have. */
static gboolean
count_generations (RerouteStore *store,
                   guint64 first,
                   guint64 last,
                   guint64 *count,
                   guint64 *n_changes,
                   GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store,
    "SELECT count(*), coalesce(sum(n_changes), 0) FROM generation WHERE serial BETWEEN ?1 AND ?2",
    error);

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, (gint64) first);
  reroute_query_bind_int64 (query, 2, (gint64) last);
  if (!reroute_query_step (query, error))
    return FALSE;
  *count = (guint64) reroute_query_get_int64 (query, 0);
  *n_changes = (guint64) reroute_query_get_int64 (query, 1);
  return reroute_query_run (query, error);
}

gboolean
reroute_history_reaches (RerouteStore *store, guint64 serial, guint64 *n_changes, GError **error)
{
  guint64 newest = 0, count = 0;

  if (!reroute_row_store_get_state (store, &newest, NULL, error))
    return FALSE;
  if (serial > newest)
    return refuse_serial (serial, error);
  if (!count_generations (store, serial + 1, newest, &count, n_changes, error))
    return FALSE;
  return count == newest - serial || refuse_serial (serial, error);
}

gboolean
reroute_history_has (RerouteStore *store, guint64 serial, GError **error)
{
  guint64 count = 0, n_changes = 0;

  if (serial > G_MAXINT64)
    return refuse_serial (serial, error);
  if (!count_generations (store, serial, serial, &count, &n_changes, error))
    return FALSE;
  return count == 1 || refuse_serial (serial, error);
}

gboolean
reroute_history_find_call (
  RerouteStore *store, guint64 since, const char *call, guint64 *serial, GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store,
    "SELECT coalesce (max (serial), 0) FROM generation WHERE serial > ?1 AND call = ?2",
    error);

  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, (gint64) since);
  reroute_query_bind_text (query, 2, call);
  if (!reroute_query_step (query, error))
    return FALSE;
  *serial = (guint64) reroute_query_get_int64 (query, 0);
  return reroute_query_run (query, error);
}

static gboolean
read_delta (RerouteQuery *query, RerouteDelta *delta, GError **error)
{
  const char *page = reroute_query_get_text (query, 0);

  delta->id = reroute_query_get_int64 (query, 1);
  if (delta->id != 0 && !reroute_page_from_string (page, &delta->page, error))
    return FALSE;
  return read_image (query, 2, &delta->before, error) &&
         read_image (query, 3, &delta->after, error);
}

/* Where the change number @offset after @since stands, behind all that there is when there are
   fewer: an OFFSET would count through all before it. */
static gboolean
locate (RerouteStore *store,
        guint64 since,
        guint offset,
        guint64 *serial,
        guint64 *number,
        GError **error)
{
  RerouteQuery *query = reroute_store_query (
    store, "SELECT serial, n_changes FROM generation WHERE serial > ?1 ORDER BY serial", error);
  g_autoptr (GError) failure = NULL;
  gboolean found = FALSE;

  if (query == NULL)
    return FALSE;
  *number = offset;
  reroute_query_bind_int64 (query, 1, (gint64) since);
  while (!found && reroute_query_step (query, &failure))
    {
      guint64 n_changes = (guint64) reroute_query_get_int64 (query, 1);

      *serial = (guint64) reroute_query_get_int64 (query, 0);
      found = *number < n_changes;
      if (!found)
        *number -= n_changes;
    }
  if (!found)
    *serial = G_MAXINT64;
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
reroute_history_read_deltas (RerouteStore *store,
                             const RerouteHistoryRange *range,
                             RerouteDeltaFunc func,
                             gpointer user_data,
                             GError **error)
{
  RerouteQuery *query = NULL;
  g_autoptr (GError) failure = NULL;
  guint64 serial = 0, number = 0;
  gboolean wanted = TRUE;

  if (!locate (store, range->since, range->offset, &serial, &number, error))
    return FALSE;
  query = reroute_store_query (
    store,
    "SELECT page, row_id, before, after FROM change "
    "WHERE (serial, number) >= (?1, ?2) AND serial <= ?3 ORDER BY serial, number LIMIT ?4",
    error);
  if (query == NULL)
    return FALSE;
  reroute_query_bind_int64 (query, 1, (gint64) serial);
  reroute_query_bind_int64 (query, 2, (gint64) number);
  reroute_query_bind_int64 (query, 3, (gint64) range->until);
  reroute_query_bind_int64 (query, 4, range->limit);
  while (wanted && reroute_query_step (query, &failure))
    {
      RerouteDelta *delta = g_new0 (RerouteDelta, 1);
      wanted = read_delta (query, delta, &failure) && func (delta, user_data);
      reroute_delta_free (delta);
    }
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Deltas come oldest first and the first image of a row is the one to go back to: laid down in
   reverse, it is the last change, which is the one that counts. */
static gboolean
collect_before (const RerouteDelta *delta, gpointer user_data)
{
  g_ptr_array_add (user_data,
                   delta->before != NULL ? reroute_change_ref (delta->before)
                                         : reroute_change_new_remove (delta->page, delta->id));
  return TRUE;
}

GPtrArray *
reroute_history_undo (RerouteStore *store, guint64 serial, GError **error)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  RerouteHistoryRange range = { .since = serial, .until = G_MAXINT64, .limit = G_MAXINT };
  guint64 n_changes = 0;

  if (!reroute_history_reaches (store, serial, &n_changes, error) ||
      !reroute_history_read_deltas (store, &range, collect_before, changes, error))
    return NULL;
  for (guint i = 0; i < changes->len / 2; i++)
    {
      gpointer swapped = changes->pdata[i];
      changes->pdata[i] = changes->pdata[changes->len - 1 - i];
      changes->pdata[changes->len - 1 - i] = swapped;
    }
  return g_steal_pointer (&changes);
}

/* --- copying --- */

typedef struct
{
  RerouteStore *from;
  RerouteStore *to;
  Generation generation; /* that is being copied */
  GError *error;
} Copying;

static gboolean
refuse_copy (Copying *copying, const char *why)
{
  g_set_error (&copying->error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE_VERSION,
               "generation %" G_GUINT64_FORMAT " of the history %s",
               copying->generation.serial,
               why);
  return FALSE;
}

static gboolean
is_image_of (const RerouteDelta *delta, const RerouteChange *image)
{
  return image->kind == REROUTE_CHANGE_PUT && image->row->page == delta->page &&
         image->row->id == delta->id;
}

/* Whether a difference is one that rulesd writes. */
static gboolean
is_whole (const RerouteDelta *delta)
{
  if (delta->id != 0)
    return (delta->before != NULL || delta->after != NULL) &&
           (delta->before == NULL || is_image_of (delta, delta->before)) &&
           (delta->after == NULL || is_image_of (delta, delta->after));
  return delta->before != NULL && delta->after != NULL &&
         delta->before->kind == REROUTE_CHANGE_SET && delta->after->kind == REROUTE_CHANGE_SET &&
         g_str_equal (delta->before->key, delta->after->key);
}

static gboolean
copy_delta (const RerouteDelta *delta, gpointer user_data)
{
  Copying *copying = user_data;
  Generation *generation = &copying->generation;

  if (!is_whole (delta))
    return refuse_copy (copying, "has a change that contradicts itself");
  return add_delta (
    copying->to, generation->serial, generation->n_changes++, delta, &copying->error);
}

static gboolean
copy_generation (guint64 serial,
                 gint64 when_us,
                 const char *who,
                 const char *summary,
                 guint n_changes,
                 gpointer user_data)
{
  Copying *copying = user_data;
  RerouteHistoryRange range = { .since = serial - 1, .until = serial, .limit = G_MAXINT };

  copying->generation = (Generation){
    .serial = serial, .when_us = when_us, .who = who, .summary = summary, .call = ""
  };
  if (serial < 1 || !g_utf8_validate (who, -1, NULL) || !g_utf8_validate (summary, -1, NULL))
    refuse_copy (copying, "cannot be understood");
  else if (reroute_history_read_deltas (
             copying->from, &range, copy_delta, copying, &copying->error) &&
           copying->error == NULL)
    {
      if (copying->generation.n_changes != n_changes)
        refuse_copy (copying, "counts its changes wrongly");
      else
        add_generation (copying->to, &copying->generation, &copying->error);
    }
  return copying->error == NULL;
}

gboolean
reroute_history_take_over (RerouteStore *store,
                           RerouteStore *from,
                           const RerouteProposal *proposal,
                           GError **error)
{
  Copying copying = { .from = from, .to = store };
  Generation last = get_generation (proposal);

  last.n_changes = 0;
  if (!reroute_history_read (from, last.serial, G_MAXINT, copy_generation, &copying, error))
    {
      g_clear_error (&copying.error);
      return FALSE;
    }
  if (copying.error != NULL)
    {
      g_propagate_error (error, copying.error);
      return FALSE;
    }
  return add_generation (store, &last, error) &&
         reroute_history_forget (store, REROUTE_LIMIT_HISTORY_CHANGES, error);
}
