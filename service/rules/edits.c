/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edits.c - the edits that are open, each bound to who opened it
 *
 * What is staged is only ever appended to an array that no snapshot shares: a worker thread may
 * read a snapshot while the edit grows.
 */

#include "config.h"

#include "service/rules/edits.h"

#include "common/error.h"
#include "common/limits.h"

typedef struct
{
  char *owner;
  GPtrArray *changes; /* (element-type RerouteChange) */
  gboolean shared;    /* a snapshot holds the array, too */
  gboolean admitted;  /* its owner may change rules */
} Edit;

typedef struct
{
  guint n_edits;
  guint watch;
} Owner;

struct _RerouteEdits
{
  GHashTable *edits;  /* (element-type uint Edit): by number */
  GHashTable *owners; /* (element-type utf8 Owner): by unique name */
  guint last;
};

static void
edit_free (gpointer data)
{
  Edit *edit = data;

  g_free (edit->owner);
  g_ptr_array_unref (edit->changes);
  g_free (edit);
}

static void
owner_free (gpointer data)
{
  Owner *owner = data;

  g_bus_unwatch_name (owner->watch);
  g_free (owner);
}

RerouteEdits *
reroute_edits_new (void)
{
  RerouteEdits *self = g_new0 (RerouteEdits, 1);

  self->edits = g_hash_table_new_full (NULL, NULL, NULL, edit_free);
  self->owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, owner_free);
  return self;
}

void
reroute_edits_free (RerouteEdits *self)
{
  g_hash_table_unref (self->owners);
  g_hash_table_unref (self->edits);
  g_free (self);
}

static gboolean
is_of_owner (gpointer number, gpointer edit, gpointer owner)
{
  return g_str_equal (((Edit *) edit)->owner, owner);
}

static void
owner_left_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  RerouteEdits *self = user_data;
  g_autofree char *owner = g_strdup (name);

  g_hash_table_foreach_remove (self->edits, is_of_owner, owner);
  g_hash_table_remove (self->owners, owner);
}

static Owner *
find_owner (RerouteEdits *self, GDBusConnection *connection, const char *name)
{
  Owner *owner = g_hash_table_lookup (self->owners, name);

  if (owner != NULL)
    return owner;
  owner = g_new0 (Owner, 1);
  owner->watch = g_bus_watch_name_on_connection (
    connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, owner_left_cb, self, NULL);
  g_hash_table_insert (self->owners, g_strdup (name), owner);
  return owner;
}

static guint
find_free_number (RerouteEdits *self)
{
  do
    self->last++;
  while (self->last == 0 || g_hash_table_contains (self->edits, GUINT_TO_POINTER (self->last)));
  return self->last;
}

guint
reroute_edits_begin (RerouteEdits *self,
                     GDBusConnection *connection,
                     const char *name,
                     GError **error)
{
  Owner *owner = find_owner (self, connection, name);
  Edit *edit = NULL;
  guint number = 0;

  if (owner->n_edits >= REROUTE_LIMIT_EDITS_PER_CALLER)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_TOO_LARGE,
                   "%u edits are open already: commit or discard one first",
                   owner->n_edits);
      return 0;
    }
  number = find_free_number (self);
  edit = g_new0 (Edit, 1);
  edit->owner = g_strdup (name);
  edit->changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  owner->n_edits++;
  g_hash_table_insert (self->edits, GUINT_TO_POINTER (number), edit);
  return number;
}

static Edit *
find_edit (RerouteEdits *self, const char *owner, guint number, GError **error)
{
  Edit *edit = g_hash_table_lookup (self->edits, GUINT_TO_POINTER (number));

  if (edit != NULL && g_str_equal (edit->owner, owner))
    return edit;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_EDIT,
               "edit %u is not open for this caller: begin a new one",
               number);
  return NULL;
}

GPtrArray *
reroute_edits_dup_changes (RerouteEdits *self, const char *owner, guint number, GError **error)
{
  Edit *edit = find_edit (self, owner, number, error);

  if (edit == NULL)
    return NULL;
  edit->shared = TRUE;
  return g_ptr_array_ref (edit->changes);
}

static void
make_own_array (Edit *edit)
{
  GPtrArray *own = NULL;

  if (!edit->shared)
    return;
  own = g_ptr_array_new_full (edit->changes->len, (GDestroyNotify) reroute_change_unref);
  for (guint i = 0; i < edit->changes->len; i++)
    g_ptr_array_add (own, reroute_change_ref (edit->changes->pdata[i]));
  g_ptr_array_unref (edit->changes);
  edit->changes = own;
  edit->shared = FALSE;
}

gboolean
reroute_edits_stage (
  RerouteEdits *self, const char *owner, guint number, GPtrArray *changes, GError **error)
{
  Edit *edit = find_edit (self, owner, number, error);

  if (edit == NULL)
    return FALSE;
  if (edit->changes->len + changes->len > REROUTE_LIMIT_CHANGES_PER_EDIT)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_TOO_LARGE,
                   "an edit holds at most %d changes: commit it in parts",
                   REROUTE_LIMIT_CHANGES_PER_EDIT);
      return FALSE;
    }
  edit->admitted = TRUE;
  make_own_array (edit);
  for (guint i = 0; i < changes->len; i++)
    g_ptr_array_add (edit->changes, reroute_change_ref (changes->pdata[i]));
  return TRUE;
}

gboolean
reroute_edits_is_admitted (RerouteEdits *self, const char *owner, guint number)
{
  const Edit *edit = find_edit (self, owner, number, NULL);

  return edit != NULL && edit->admitted;
}

gboolean
reroute_edits_discard (RerouteEdits *self, const char *owner, guint number, GError **error)
{
  Owner *who = NULL;

  if (find_edit (self, owner, number, error) == NULL)
    return FALSE;
  who = g_hash_table_lookup (self->owners, owner);
  g_hash_table_remove (self->edits, GUINT_TO_POINTER (number));
  if (--who->n_edits == 0)
    g_hash_table_remove (self->owners, owner);
  return TRUE;
}
