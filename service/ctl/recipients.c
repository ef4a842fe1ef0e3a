/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipients.c - reroutectl recipients list | add | remove | import: the lists that the check
 * “list” of an entry asks
 *
 * A list belongs to a domain: the addresses of it and of the domains below it.
 */

#include "config.h"

#include "service/ctl/rows.h"

#include "common/byte-order-mark.h"
#include "common/domain.h"
#include "common/error.h"
#include "common/recipient.h"
#include "service/ctl/edit.h"
#include "service/ctl/output.h"
#include "service/ctl/refusal.h"
#include "service/ctl/table.h"

#include <glib/gi18n.h>
#include <string.h>

/* A list as it is saved, and what shall become of it. */
typedef struct
{
  char *domain;
  guint64 serial;
  GHashTable *saved; /* (element-type utf8 RerouteRow): by address */
  GHashTable *kept;  /* (element-type utf8): addresses that stay or come */
  GPtrArray *changes;
  guint n_added, n_removed;
} List;

static void
list_clear (List *self)
{
  g_clear_pointer (&self->domain, g_free);
  g_clear_pointer (&self->saved, g_hash_table_unref);
  g_clear_pointer (&self->kept, g_hash_table_unref);
  g_clear_pointer (&self->changes, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (List, list_clear)

/* "test.com", or "#test.com" as its entry is called. */
static char *
dup_domain (const char *name, GError **error)
{
  char *domain = reroute_row_normalize_domain (name, NULL, error);

  reroute_ctl_reword_row (error, name, NULL);
  return domain;
}

static gboolean
take_saved (RerouteRow *row, gpointer user_data)
{
  List *list = user_data;

  g_hash_table_insert (list->saved, row->domain, reroute_row_ref (row));
  return TRUE;
}

/* What List takes for the list of @domain. */
static char *
dup_filter (const char *domain)
{
  return g_strconcat ("@", domain, NULL);
}

static gboolean
open_list (RerouteCtl *ctl, const char *name, List *list, GError **error)
{
  g_autofree char *filter = NULL;

  list->domain = dup_domain (name, error);
  list->saved = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reroute_row_unref);
  list->kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  list->changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  if (list->domain == NULL)
    return FALSE;
  filter = dup_filter (list->domain);
  return reroute_ctl_foreach_row (
    ctl, REROUTE_PAGE_RECIPIENTS, filter, take_saved, list, &list->serial, error);
}

/* FALSE with an error: it is no address of the list. */
static gboolean
plan_addition (List *list, const char *text, GError **error)
{
  g_autoptr (RerouteRow) row = reroute_recipient_parse_line (text, list->domain, error);

  if (row == NULL)
    return FALSE;
  if (g_hash_table_add (list->kept, g_strdup (row->domain)) &&
      !g_hash_table_contains (list->saved, row->domain))
    {
      g_ptr_array_add (list->changes, reroute_change_new_put (row));
      list->n_added++;
    }
  return TRUE;
}

static void
plan_removal (List *list, const RerouteRow *row)
{
  g_ptr_array_add (list->changes, reroute_change_new_remove (row->page, row->id));
  list->n_removed++;
}

static gboolean
asks_list (RerouteCtl *ctl, ReroutePage page, const char *name)
{
  guint64 serial;
  g_autoptr (RerouteRow) row = reroute_ctl_find_row (ctl, page, name, &serial, NULL);

  return row != NULL && row->recipient_check == REROUTE_RECIPIENT_CHECK_LIST;
}

/* Whether an entry of the list's domain, or of one above it, asks it. */
static gboolean
is_asked (RerouteCtl *ctl, const List *list)
{
  g_autofree char *exact = g_strconcat ("#", list->domain, NULL);
  gboolean found = FALSE;

  for (guint page = 0; page < REROUTE_N_ENTRY_PAGES && !found; page++)
    {
      found = asks_list (ctl, page, exact);
      for (const char *each = list->domain; each != NULL && !found;
           each = reroute_domain_parent (each))
        found = asks_list (ctl, page, each);
    }
  return found;
}

static void
print_unasked (const List *list)
{
  g_autofree char *note = g_strdup_printf (
    /* Translators: %s is a domain; the commands stay as they are */
    _ ("note: no entry asks this list yet: “reroutectl connections edit %s --recipient-check=list” has it asked, or “routing edit”"),
       list->domain);

  g_printerr ("%s\n", note);
}

static void
print_counts (const List *list)
{
  g_autofree char *text = g_strdup_printf (
    /* Translators: numbers of addresses; “added: %'u, …” where words must agree with them */
    _ ("%'u added, %'u removed"), list->n_added, list->n_removed);

  g_print ("%s\n", text);
}

/* Saves what was planned and says how much it was. */
static gboolean
save (RerouteCtl *ctl, List *list, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!reroute_ctl_apply (ctl, list->changes, list->serial, REROUTE_CTL_AGREED_NOTHING, error))
    return FALSE;
  if (list->n_added > 0 && !is_asked (ctl, list))
    print_unasked (list);
  if (!ctl->json)
    {
      print_counts (list);
      return TRUE;
    }
  json_builder_begin_object (builder);
  reroute_ctl_add_int (builder, "added", list->n_added);
  reroute_ctl_add_int (builder, "removed", list->n_removed);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
  return TRUE;
}

/* --- list --- */

typedef struct
{
  JsonBuilder *builder;
  RerouteTable *table;
} Listing;

static gboolean
show_recipient (RerouteRow *row, gpointer user_data)
{
  Listing *listing = user_data;

  reroute_table_add (listing->table, row->domain, row->comment, NULL);
  json_builder_begin_object (listing->builder);
  reroute_ctl_add_int (listing->builder, "id", row->id);
  reroute_ctl_add_string (listing->builder, "address", row->domain);
  reroute_ctl_add_string (listing->builder, "comment", row->comment);
  reroute_ctl_add_string (listing->builder, "changed_by", row->changed_by);
  reroute_ctl_add_int (listing->builder, "changed_us", row->changed_us);
  json_builder_end_object (listing->builder);
  return TRUE;
}

gboolean
reroute_ctl_recipients_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  const char *const titles[] = { C_ ("heading", "ADDRESS"), C_ ("heading", "COMMENT"), NULL };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autofree char *domain = NULL;
  g_autofree char *filter = NULL;
  Listing listing = { builder, table };
  guint64 serial = 0;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 1, error))
    return FALSE;
  if (argc > 1)
    {
      domain = dup_domain (argv[1], error);
      if (domain == NULL)
        return FALSE;
      filter = dup_filter (domain);
    }
  json_builder_begin_array (builder);
  if (!reroute_ctl_foreach_row (ctl,
                                REROUTE_PAGE_RECIPIENTS,
                                filter != NULL ? filter : "",
                                show_recipient,
                                &listing,
                                &serial,
                                error))
    return FALSE;
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  else
    reroute_table_print (table);
  return TRUE;
}

/* --- add, remove --- */

gboolean
reroute_ctl_recipients_add (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (List) list = { 0 };

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 2, G_MAXINT, error) ||
      !open_list (ctl, argv[1], &list, error))
    return FALSE;
  for (int i = 2; i < argc; i++)
    if (!plan_addition (&list, argv[i], error))
      return FALSE;
  return save (ctl, &list, error);
}

static gboolean
plan_named_removal (List *list, const char *text, GError **error)
{
  g_autoptr (RerouteRow) row = reroute_recipient_parse_line (text, list->domain, error);

  if (row == NULL)
    return FALSE;
  const RerouteRow *saved = g_hash_table_lookup (list->saved, row->domain);
  if (saved == NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_NO_SUCH_ENTRY,
                   /* Translators: an address; its domain, twice */
                   _ ("“%s” is not on the list of “%s”: “reroutectl recipients list %s” shows it"),
                      row->domain,
                      list->domain,
                      list->domain);
      return FALSE;
    }
  if (g_hash_table_add (list->kept, g_strdup (row->domain)))
    plan_removal (list, saved);
  return TRUE;
}

gboolean
reroute_ctl_recipients_remove (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (List) list = { 0 };

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 2, G_MAXINT, error) ||
      !open_list (ctl, argv[1], &list, error))
    return FALSE;
  for (int i = 2; i < argc; i++)
    if (!plan_named_removal (&list, argv[i], error))
      return FALSE;
  return save (ctl, &list, error);
}

/* --- import --- */

/* @text: UTF-8, an address a line; a byte order mark, blank lines, and those that begin with "#",
   say nothing */
static gboolean
plan_lines (List *list, const char *name, const char *text, GError **error)
{
  gsize n_skipped = reroute_get_byte_order_mark_octets (text, strlen (text));
  g_auto (GStrv) lines = g_strsplit (text + n_skipped, "\n", -1);
  guint n_bad = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = g_strstrip (lines[i]);
      g_autoptr (GError) failure = NULL;
      g_autofree char *message = NULL;

      if (*line == '\0' || *line == '#' || plan_addition (list, line, &failure))
        continue;
      message = reroute_ctl_dup_plain (failure->message);
      g_printerr ("%s:%u: %s\n", name, i + 1, message);
      n_bad++;
    }
  if (n_bad == 0)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: a number, the name of a file */
               ngettext ("nothing was changed: %'u line of “%s” is not understood",
                         "nothing was changed: %'u lines of “%s” are not understood",
                         n_bad),
               n_bad,
               name);
  return FALSE;
}

static void
plan_rest (List *list)
{
  GHashTableIter iter;
  gpointer address, row;

  g_hash_table_iter_init (&iter, list->saved);
  while (g_hash_table_iter_next (&iter, &address, &row))
    if (!g_hash_table_contains (list->kept, address))
      plan_removal (list, row);
}

gboolean
reroute_ctl_recipients_import (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean replace = FALSE;
  const GOptionEntry entries[] = {
    { "replace", 0, 0, G_OPTION_ARG_NONE, &replace, NULL, NULL },
    { NULL },
  };
  g_auto (List) list = { 0 };
  g_autofree char *text = NULL;
  gsize length = 0;

  ctl->last_is_file = TRUE;
  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 2, 2, error))
    return FALSE;
  text = reroute_ctl_read_input (argv[2], &length, error);
  if (text == NULL)
    return FALSE;
  if (!g_utf8_validate_len (text, length, NULL))
    {
      g_set_error (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, _ ("“%s” is not UTF-8 text"), argv[2]);
      return FALSE;
    }
  if (!open_list (ctl, argv[1], &list, error) || !plan_lines (&list, argv[2], text, error))
    return FALSE;
  if (replace)
    plan_rest (&list);
  return save (ctl, &list, error);
}
