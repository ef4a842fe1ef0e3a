/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rulebook.c - the database and the newest generation in memory, which move on together
 */

#include "config.h"

#include "service/rules/rulebook.h"

#include "common/error.h"
#include "service/rules/history.h"
#include "service/rules/row-store.h"
#include "service/rules/store-file.h"

#define BULK_MIN_ROWS 1000

struct _RerouteRulebook
{
  char *path;
  RerouteStoreFileId file; /* that the writer has open */
  RerouteStore *writer;
  RerouteRuleset *ruleset;
  gint64 next_row_id;

  GMutex lock;     /* of the readers */
  GQueue *readers; /* (element-type RerouteStore): those that are idle */
};

/* The rows and settings of the file.  Errors: with its name, and what to do. */
static RerouteRuleset *
load (RerouteStore *store, const char *path, gint64 *next_row_id, GError **error)
{
  g_autoptr (GError) failure = NULL;
  RerouteRuleset *ruleset = reroute_row_store_load (store, next_row_id, &failure);

  if (ruleset != NULL)
    return ruleset;
  if (g_error_matches (failure, REROUTE_ERROR, REROUTE_ERROR_STORE_VERSION))
    {
      g_autofree char *why = g_strdup_printf ("cannot be used (%s)", failure->message);

      reroute_store_file_refuse (error, path, FALSE, why);
    }
  else
    g_propagate_prefixed_error (
      error, g_steal_pointer (&failure), "cannot use database “%s”: ", path);
  return NULL;
}

RerouteRulebook *
reroute_rulebook_open (const char *path, GError **error)
{
  g_autoptr (RerouteRulebook) self = g_new0 (RerouteRulebook, 1);

  self->path = g_strdup (path);
  g_mutex_init (&self->lock);
  self->readers = g_queue_new ();
  self->writer = reroute_store_open (path, REROUTE_STORE_WRITE, NULL, error);
  if (self->writer == NULL || !reroute_store_file_identify (path, &self->file, error))
    return NULL;
  self->ruleset = load (self->writer, path, &self->next_row_id, error);
  return self->ruleset != NULL ? g_steal_pointer (&self) : NULL;
}

void
reroute_rulebook_close (RerouteRulebook *self)
{
  g_queue_free_full (self->readers, (GDestroyNotify) reroute_store_close);
  g_clear_pointer (&self->writer, reroute_store_close);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

static gboolean
judge (RerouteRuleset *ruleset, GError **error)
{
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (ruleset, NULL, NULL);
  const RerouteFinding *worst = findings->len > 0 ? findings->pdata[0] : NULL;

  if (worst == NULL || worst->level != REROUTE_FINDING_ERROR)
    return TRUE;
  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_FINDINGS, "%s", worst->sentence);
  return FALSE;
}

gboolean
reroute_rulebook_check (const char *path, char **summary, GError **error)
{
  g_autoptr (RerouteStore) store = reroute_store_open (path, REROUTE_STORE_EXAMINE, NULL, error);
  g_autoptr (RerouteRuleset) ruleset = NULL;

  if (store == NULL)
    return FALSE;
  if (reroute_store_is_new (store))
    {
      *summary = g_strdup_printf ("%s: empty; it gets its tables at the first start", path);
      return TRUE;
    }
  ruleset = load (store, path, NULL, error);
  if (ruleset == NULL)
    return FALSE;
  if (!judge (ruleset, error))
    {
      g_prefix_error (error, "database “%s”: ", path);
      return FALSE;
    }
  *summary = g_strdup_printf ("%s: generation %" G_GUINT64_FORMAT ", %" G_GSIZE_FORMAT
                              " Routing entries, %" G_GSIZE_FORMAT
                              " E-Mail Domain entries, %" G_GSIZE_FORMAT " listed recipients",
                              path,
                              reroute_ruleset_get_serial (ruleset),
                              reroute_ruleset_get_n_rows (ruleset, REROUTE_PAGE_ROUTING),
                              reroute_ruleset_get_n_rows (ruleset, REROUTE_PAGE_CONNECTIONS),
                              reroute_ruleset_get_n_rows (ruleset, REROUTE_PAGE_RECIPIENTS));
  return TRUE;
}

RerouteRuleset *
reroute_rulebook_get_ruleset (RerouteRulebook *self)
{
  return self->ruleset;
}

gint64
reroute_rulebook_get_next_row_id (RerouteRulebook *self)
{
  return self->next_row_id;
}

guint64
reroute_rulebook_get_serial (RerouteRulebook *self)
{
  return reroute_ruleset_get_serial (self->ruleset);
}

/* Whether so many rows of the page change that its indexes are the faster for being made anew. */
static gboolean
is_bulk (const RerouteProposal *proposal, ReroutePage page)
{
  gsize n_rows = reroute_ruleset_get_n_rows (proposal->next, page);
  gsize n = 0;

  for (guint i = 0; i < proposal->deltas->len; i++)
    {
      const RerouteDelta *delta = proposal->deltas->pdata[i];
      n += delta->id != 0 && delta->page == page;
    }
  return n >= BULK_MIN_ROWS && n >= n_rows / 2;
}

/* A domain may move from one row to another: what was there goes before anything comes. */
static gboolean
write_deltas (RerouteStore *store, const RerouteProposal *proposal, GError **error)
{
  for (guint i = 0; i < proposal->deltas->len; i++)
    {
      const RerouteDelta *delta = proposal->deltas->pdata[i];

      if (delta->id != 0 && delta->before != NULL &&
          !reroute_row_store_remove (store, delta->page, delta->id, error))
        return FALSE;
    }
  for (guint i = 0; i < proposal->deltas->len; i++)
    {
      const RerouteDelta *delta = proposal->deltas->pdata[i];
      const RerouteChange *after = delta->after;

      if (after == NULL)
        continue;
      if (delta->id != 0 && !reroute_row_store_add (store, after->row, error))
        return FALSE;
      if (delta->id == 0 && !reroute_row_store_set (store, after->key, after->value, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_rows (RerouteStore *store, const RerouteProposal *proposal, GError **error)
{
  gboolean bulk[REROUTE_N_PAGES];

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    {
      bulk[page] = is_bulk (proposal, page);
      if (bulk[page] && !reroute_row_store_drop_indexes (store, page, error))
        return FALSE;
    }
  if (!write_deltas (store, proposal, error))
    return FALSE;
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    if (bulk[page] && !reroute_row_store_make_indexes (store, page, error))
      return FALSE;
  return TRUE;
}

/* @from: (nullable): where the history comes from */
static gboolean
write_all (RerouteStore *store, const RerouteProposal *proposal, RerouteStore *from, GError **error)
{
  if (!reroute_store_begin (store, error))
    return FALSE;
  if (write_rows (store, proposal, error) &&
      (from != NULL ? reroute_history_take_over (store, from, proposal, error)
                    : reroute_history_add (store, proposal, error)) &&
      reroute_row_store_set_state (
        store, reroute_ruleset_get_serial (proposal->next), proposal->next_row_id, error))
    return reroute_store_commit (store, error);
  reroute_store_rollback (store);
  return FALSE;
}

static gboolean
save (RerouteRulebook *self, const RerouteProposal *proposal, RerouteStore *from, GError **error)
{
  gboolean saved = reroute_store_file_check_same (self->path, &self->file, error) &&
                   write_all (self->writer, proposal, from, error);

  if (proposal->deltas->len >= REROUTE_LARGE_EDIT_CHANGES)
    reroute_store_release_memory (self->writer);
  return saved;
}

gboolean
reroute_rulebook_save (RerouteRulebook *self, const RerouteProposal *proposal, GError **error)
{
  g_return_val_if_fail (proposal->base == self->ruleset, FALSE);

  return save (self, proposal, NULL, error);
}

gboolean
reroute_rulebook_adopt (RerouteRulebook *self,
                        const RerouteProposal *proposal,
                        RerouteStore *from,
                        GError **error)
{
  g_return_val_if_fail (proposal->base == self->ruleset && from != NULL, FALSE);
  g_return_val_if_fail (reroute_ruleset_get_serial (proposal->base) == 0, FALSE);

  return save (self, proposal, from, error);
}

const char *
reroute_rulebook_get_path (RerouteRulebook *self)
{
  return self->path;
}

gboolean
reroute_rulebook_copy (RerouteRulebook *self,
                       const char *path,
                       GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (RerouteStore) reader = NULL;
  RerouteQuery *query = NULL;

  if (!reroute_store_file_check_same (self->path, &self->file, error))
    return FALSE;
  reader = reroute_store_open (self->path, REROUTE_STORE_READ, cancellable, error);
  if (reader == NULL)
    return FALSE;
  query = reroute_store_query (reader, "VACUUM INTO ?1", error);
  if (query == NULL)
    return FALSE;
  reroute_query_bind_text (query, 1, path);
  if (reroute_query_run (query, error))
    return TRUE;
  g_prefix_error (error, "cannot copy the rules to “%s”, where room may be short: ", path);
  return FALSE;
}

void
reroute_rulebook_advance (RerouteRulebook *self, const RerouteProposal *proposal)
{
  reroute_ruleset_ref (proposal->next);
  reroute_ruleset_unref (self->ruleset);
  self->ruleset = proposal->next;
  self->next_row_id = proposal->next_row_id;
}

RerouteStore *
reroute_rulebook_borrow_reader (RerouteRulebook *self, GError **error)
{
  g_autoptr (RerouteStore) reader = NULL;

  if (!reroute_store_file_check_same (self->path, &self->file, error))
    return NULL;
  g_mutex_lock (&self->lock);
  reader = g_queue_pop_head (self->readers);
  g_mutex_unlock (&self->lock);
  if (reader == NULL)
    reader = reroute_store_open (self->path, REROUTE_STORE_READ, NULL, error);
  if (reader == NULL || !reroute_store_begin (reader, error))
    return NULL;
  return g_steal_pointer (&reader);
}

void
reroute_rulebook_return_reader (RerouteRulebook *self, RerouteStore *reader)
{
  reroute_store_rollback (reader);
  reroute_store_set_cancellable (reader, NULL);
  g_mutex_lock (&self->lock);
  g_queue_push_head (self->readers, reader);
  g_mutex_unlock (&self->lock);
}
