/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * proposal.c - what an edit makes of a generation
 *
 * The edit is reduced to what really differs, new rows get their ids, changed ones who
 * changed them and when.  So what is checked, stored, announced and held in memory is one and the
 * same.
 */

#include "config.h"

#include "service/rules/proposal.h"

#include "common/change-set.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/shortened.h"

/* A delta in the making. */
typedef struct
{
  ReroutePage page;
  gint64 id;
  RerouteRow *before;  /* (nullable): borrowed from the base */
  RerouteRow *after;   /* (nullable): owned */
  RerouteChange *sets; /* (nullable): owned; of a setting, with… */
  RerouteChange *was;  /* …the value before */
} Difference;

typedef struct
{
  RerouteProposal *proposal;
  GArray *differences; /* (element-type Difference) */
  gboolean restores;
  guint n_added;
  guint n_changed;
  guint n_removed;
  guint n_set;
} Draft;

void
reroute_delta_free (RerouteDelta *self)
{
  g_clear_pointer (&self->before, reroute_change_unref);
  g_clear_pointer (&self->after, reroute_change_unref);
  g_free (self);
}

RerouteChange *
reroute_delta_dup_change (const RerouteDelta *self)
{
  if (self->after != NULL)
    return reroute_change_ref (self->after);
  return reroute_change_new_remove (self->page, self->id);
}

void
reroute_proposal_free (RerouteProposal *self)
{
  g_clear_pointer (&self->base, reroute_ruleset_unref);
  g_clear_pointer (&self->next, reroute_ruleset_unref);
  g_ptr_array_unref (self->deltas);
  g_free (self->who);
  g_free (self->where);
  g_free (self->call);
  g_free (self->summary);
  g_free (self);
}

static void
clear_difference (gpointer data)
{
  Difference *self = data;

  g_clear_pointer (&self->after, reroute_row_unref);
  g_clear_pointer (&self->sets, reroute_change_unref);
  g_clear_pointer (&self->was, reroute_change_unref);
}

static void
add_row_difference (
  Draft *draft, ReroutePage page, gint64 id, RerouteRow *before, RerouteRow *after)
{
  Difference difference = { .page = page, .id = id, .before = before, .after = after };

  g_array_append_val (draft->differences, difference);
}

static RerouteDelta *
make_delta (Difference *difference)
{
  RerouteDelta *delta = g_new0 (RerouteDelta, 1);

  delta->page = difference->page;
  delta->id = difference->id;
  if (difference->sets != NULL)
    {
      delta->before = g_steal_pointer (&difference->was);
      delta->after = g_steal_pointer (&difference->sets);
      return delta;
    }
  if (difference->before != NULL)
    delta->before = reroute_change_new_put (difference->before);
  if (difference->after != NULL)
    delta->after = reroute_change_new_put (difference->after);
  return delta;
}

static gboolean
refuse_absent (ReroutePage page, gint64 id, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_ENTRY,
               "the table %s has no row %" G_GINT64_FORMAT
               ": someone else removed it, or it never was",
               reroute_page_to_string (page),
               id);
  return FALSE;
}

static gboolean
draft_remove (Draft *draft, const RerouteChange *change, GError **error)
{
  RerouteRow *old = reroute_ruleset_get_row (draft->proposal->base, change->page, change->id);

  if (old == NULL)
    return draft->restores || refuse_absent (change->page, change->id, error);
  add_row_difference (draft, change->page, change->id, old, NULL);
  draft->n_removed++;
  return TRUE;
}

static gboolean
draft_put (Draft *draft, const RerouteChange *change, GError **error)
{
  RerouteProposal *proposal = draft->proposal;
  RerouteRow *old = NULL;
  gint64 id = change->id;

  if (id < 0)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "a row cannot have the id %" G_GINT64_FORMAT ": 0 adds a row",
                   id);
      return FALSE;
    }
  if (id == 0)
    id = proposal->next_row_id++;
  else
    old = reroute_ruleset_get_row (proposal->base, change->page, id);
  if (old != NULL && reroute_row_equal (old, change->row))
    return TRUE;
  if (old == NULL && change->id != 0 && !draft->restores)
    return refuse_absent (change->page, id, error);
  add_row_difference (draft,
                      change->page,
                      id,
                      old,
                      reroute_row_stamp (change->row, id, proposal->who, proposal->when_us));
  if (old != NULL)
    draft->n_changed++;
  else
    draft->n_added++;
  return TRUE;
}

static gboolean
draft_set (Draft *draft, const RerouteChange *change, GError **error)
{
  RerouteSettings *settings = reroute_ruleset_get_settings (draft->proposal->base);
  const RerouteSettingSpec *spec = reroute_setting_find (change->key, error);
  const char *value = change->value;
  const char *old = NULL;
  Difference difference = { 0 };

  if (spec == NULL)
    return FALSE;
  if (!reroute_settings_is_default (settings, spec->id))
    old = reroute_settings_get_text (settings, spec->id);
  if (value != NULL && g_str_equal (value, spec->default_value))
    value = NULL;
  if (g_strcmp0 (old, value) == 0)
    return TRUE;
  difference.was = reroute_change_new_set (spec->key, old, error);
  if (difference.was != NULL)
    difference.sets = reroute_change_new_set (spec->key, value, error);
  if (difference.sets == NULL)
    {
      clear_difference (&difference);
      return FALSE;
    }
  g_array_append_val (draft->differences, difference);
  draft->n_set++;
  return TRUE;
}

static gboolean
draft_change (Draft *draft, const RerouteChange *change, GError **error)
{
  switch (change->kind)
    {
    case REROUTE_CHANGE_PUT:
      return draft_put (draft, change, error);
    case REROUTE_CHANGE_REMOVE:
      return draft_remove (draft, change, error);
    case REROUTE_CHANGE_SET:
      return draft_set (draft, change, error);
    case REROUTE_CHANGE_REMOVE_MANY:
      break; /* never decoded */
    }
  g_return_val_if_reached (FALSE);
}

/* A domain may move from a row that goes to one that comes. */
static int
compare_deltas (gconstpointer a, gconstpointer b)
{
  const RerouteDelta *left = *(RerouteDelta *const *) a, *right = *(RerouteDelta *const *) b;

  return (left->after != NULL) - (right->after != NULL);
}

static gsize
count_added (const RerouteProposal *self, ReroutePage page)
{
  gsize n = 0;

  for (guint i = 0; i < self->deltas->len; i++)
    {
      const RerouteDelta *delta = self->deltas->pdata[i];
      n += delta->id != 0 && delta->page == page && delta->before == NULL;
    }
  return n;
}

static gboolean
build_next (RerouteProposal *self, GError **error)
{
  g_autoptr (RerouteRulesetBuilder) builder = NULL;

  if (self->deltas->len == 0)
    {
      self->next = reroute_ruleset_ref (self->base);
      return TRUE;
    }
  builder = reroute_ruleset_builder_new (self->base);
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    reroute_ruleset_builder_reserve (builder, page, count_added (self, page));
  for (guint i = 0; i < self->deltas->len; i++)
    {
      g_autoptr (RerouteChange) change = reroute_delta_dup_change (self->deltas->pdata[i]);
      if (!reroute_ruleset_builder_apply (builder, change, error))
        return FALSE;
    }
  self->next = reroute_ruleset_builder_build (builder, reroute_ruleset_get_serial (self->base) + 1);
  return TRUE;
}

static const char *
get_page_title (ReroutePage page)
{
  static const char *const titles[REROUTE_N_PAGES] = { "Routing", "E-Mail Domain", "Recipients" };

  return titles[page];
}

/* “added test.com to Routing”, “test.com (Routing)”: what a single change did. */
static char *
summarize_one (const RerouteDelta *delta)
{
  const RerouteChange *shown = delta->after != NULL ? delta->after : delta->before;
  g_autofree char *label = NULL;

  if (shown->kind == REROUTE_CHANGE_SET)
    return shown->value != NULL ? g_strdup_printf ("%s set to %s", shown->key, shown->value)
                                : g_strdup_printf ("%s set to its default", shown->key);
  label = reroute_row_dup_label (shown->row);
  return g_strdup_printf ("%s: %s %s",
                          get_page_title (delta->page),
                          label,
                          delta->before == NULL  ? "added"
                          : delta->after == NULL ? "removed"
                                                 : "changed");
}

static char *
summarize (const Draft *draft)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const struct
  {
    guint n;
    const char *one;
    const char *many;
  } parts[] = {
    { draft->n_added, "entry added", "entries added" },
    { draft->n_changed, "entry changed", "entries changed" },
    { draft->n_removed, "entry removed", "entries removed" },
    { draft->n_set, "setting", "settings" },
  };

  if (draft->proposal->deltas->len == 1)
    return summarize_one (draft->proposal->deltas->pdata[0]);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].n > 0)
      g_string_append_printf (text,
                              "%s%u %s",
                              text->len > 0 ? ", " : "",
                              parts[i].n,
                              parts[i].n == 1 ? parts[i].one : parts[i].many);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Only when all is known: the rows, which stay, then lie side by side in memory, and what goes
   with the edit leaves no holes between them. */
static gboolean
draft_changes (Draft *draft, GPtrArray *changes, GError **error)
{
  g_autoptr (GArray) differences = g_array_new (FALSE, FALSE, sizeof (Difference));

  g_array_set_clear_func (differences, clear_difference);
  draft->differences = differences;
  for (guint i = 0; i < changes->len; i++)
    if (!draft_change (draft, changes->pdata[i], error))
      return FALSE;
  for (guint i = 0; i < differences->len; i++)
    g_ptr_array_add (draft->proposal->deltas,
                     make_delta (&g_array_index (differences, Difference, i)));
  return TRUE;
}

RerouteProposal *
reroute_proposal_new (RerouteRuleset *base,
                      GPtrArray *changes,
                      const RerouteProposalOrigin *origin,
                      GError **error)
{
  g_autoptr (RerouteProposal) self = g_new0 (RerouteProposal, 1);
  g_autoptr (GPtrArray) squashed = reroute_changes_squash (changes);
  Draft draft = { .proposal = self, .restores = origin->restores };

  self->base = reroute_ruleset_ref (base);
  self->deltas = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_delta_free);
  self->first_new_id = origin->next_row_id;
  self->next_row_id = origin->next_row_id;
  self->who = g_strdup (origin->who);
  self->where = g_strdup (origin->where);
  self->call = g_strdup (origin->call != NULL ? origin->call : "");
  self->when_us = origin->when_us;
  if (!draft_changes (&draft, squashed, error))
    return NULL;
  if (draft.n_removed > 0)
    g_ptr_array_sort (self->deltas, compare_deltas);
  if (!build_next (self, error))
    return NULL;
  g_autofree char *summary = summarize (&draft);
  self->summary = reroute_dup_shortened (summary, REROUTE_LIMIT_SUMMARY_OCTETS);
  return g_steal_pointer (&self);
}

void
reroute_proposal_name_new_rows (const RerouteProposal *self, GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];

      for (guint k = 0; finding->rows != NULL && k < finding->rows->len; k++)
        {
          RerouteRowRef *row = &g_array_index (finding->rows, RerouteRowRef, k);
          if (row->id >= self->first_new_id)
            row->id = -(row->id - self->first_new_id + 1);
        }
    }
}

GPtrArray *
reroute_proposal_dup_changes (const RerouteProposal *self)
{
  GPtrArray *changes =
    g_ptr_array_new_full (self->deltas->len, (GDestroyNotify) reroute_change_unref);

  for (guint i = 0; i < self->deltas->len; i++)
    g_ptr_array_add (changes, reroute_delta_dup_change (self->deltas->pdata[i]));
  return changes;
}
