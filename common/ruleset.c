/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset.c - a generation of rules and settings, and how one is made from another
 *
 * The decision is in ruleset-decide.c, what is wrong with a generation in ruleset-check.c.
 */

#include "config.h"

#include "common/ruleset.h"

#include "common/error.h"
#include "common/huge-pages.h"
#include "common/recipient.h"
#include "common/row-table.h"

#include <string.h>

struct _RerouteRuleset
{
  guint64 serial;
  RerouteSettings *settings;
  RerouteRowTable *pages[REROUTE_N_PAGES];
  gint64 next_new_id;  /* negative: for the next row that is not stored yet */
  guint longest_chain; /* atomic: the one thing that is noted later */
};

struct _RerouteRulesetBuilder
{
  RerouteSettings *settings;
  RerouteRowTable *pages[REROUTE_N_PAGES];
  gint64 next_new_id;
};

static RerouteRuleset *
make (guint64 serial, RerouteSettings *settings, RerouteRowTable **pages, gint64 next_new_id)
{
  RerouteRuleset *self = g_atomic_rc_box_new0 (RerouteRuleset);

  self->serial = serial;
  self->settings = settings;
  self->next_new_id = next_new_id;
  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    self->pages[i] = pages[i];
  return self;
}

RerouteRuleset *
reroute_ruleset_new_empty (void)
{
  RerouteRowTable *pages[REROUTE_N_PAGES];

  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    pages[i] = reroute_row_table_new ();
  return make (0, reroute_settings_new (), pages, -1);
}

RerouteRuleset *
reroute_ruleset_ref (RerouteRuleset *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear_ruleset (gpointer data)
{
  RerouteRuleset *self = data;

  reroute_settings_unref (self->settings);
  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    reroute_row_table_unref (self->pages[i]);
}

void
reroute_ruleset_unref (RerouteRuleset *self)
{
  g_atomic_rc_box_release_full (self, clear_ruleset);
}

RerouteRulesetBuilder *
reroute_ruleset_builder_new (RerouteRuleset *base)
{
  g_return_val_if_fail (base != NULL, NULL);

  RerouteRulesetBuilder *self = g_new0 (RerouteRulesetBuilder, 1);
  self->settings = reroute_settings_ref (base->settings);
  self->next_new_id = base->next_new_id;
  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    self->pages[i] = reroute_row_table_ref (base->pages[i]);
  return self;
}

void
reroute_ruleset_builder_free (RerouteRulesetBuilder *self)
{
  g_return_if_fail (self != NULL);

  reroute_settings_unref (self->settings);
  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    reroute_row_table_unref (self->pages[i]);
  g_free (self);
}

static RerouteRowTable *
open_page (RerouteRulesetBuilder *self, ReroutePage page)
{
  self->pages[page] = reroute_row_table_make_mutable (self->pages[page]);
  return self->pages[page];
}

void
reroute_ruleset_builder_reserve (RerouteRulesetBuilder *self, ReroutePage page, gsize n_more)
{
  g_return_if_fail (self != NULL && page < REROUTE_N_PAGES);

  if (n_more > 0)
    reroute_row_table_reserve (open_page (self, page), n_more);
}

static gboolean
fail_no_such_entry (ReroutePage page, gint64 id, GError **error)
{
  static const char *const titles[REROUTE_N_PAGES] = { "Routing", "Connections", "Recipients" };

  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_NO_SUCH_ENTRY,
               "the %s page has no entry with the id %" G_GINT64_FORMAT
               ": it may have been removed "
               "meanwhile",
               titles[page],
               id);
  return FALSE;
}

gboolean
reroute_ruleset_builder_put (RerouteRulesetBuilder *self, RerouteRow *row, GError **error)
{
  g_return_val_if_fail (self != NULL && row != NULL, FALSE);

  for (ReroutePage page = 0; row->id != 0 && page < REROUTE_N_PAGES; page++)
    if (page != row->page && reroute_row_table_get (self->pages[page], row->id) != NULL)
      return fail_no_such_entry (row->page, row->id, error);
  if (row->id != 0)
    {
      self->next_new_id = MIN (self->next_new_id, row->id - 1);
      reroute_row_table_put (open_page (self, row->page), row);
      return TRUE;
    }
  g_autoptr (RerouteRow) fresh =
               reroute_row_stamp (row, self->next_new_id, row->changed_by, row->changed_us);
  self->next_new_id--;
  reroute_row_table_put (open_page (self, row->page), fresh);
  return TRUE;
}

gboolean
reroute_ruleset_builder_apply (RerouteRulesetBuilder *self,
                               const RerouteChange *change,
                               GError **error)
{
  g_return_val_if_fail (self != NULL && change != NULL, FALSE);
  g_return_val_if_fail (change->kind != REROUTE_CHANGE_REMOVE_MANY, FALSE);

  if (change->kind == REROUTE_CHANGE_PUT)
    return reroute_ruleset_builder_put (self, change->row, error);
  if (change->kind == REROUTE_CHANGE_REMOVE)
    return reroute_row_table_remove (open_page (self, change->page), change->id) ||
           fail_no_such_entry (change->page, change->id, error);

  RerouteSettings *settings =
    reroute_settings_with (self->settings, change->key, change->value, error);
  if (settings == NULL)
    return FALSE;
  reroute_settings_unref (self->settings);
  self->settings = settings;
  return TRUE;
}

RerouteRuleset *
reroute_ruleset_builder_build (RerouteRulesetBuilder *self, guint64 serial)
{
  RerouteRowTable *pages[REROUTE_N_PAGES];

  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    pages[i] = reroute_row_table_ref (self->pages[i]);
  return make (serial, reroute_settings_ref (self->settings), pages, self->next_new_id);
}

guint64
reroute_ruleset_get_serial (const RerouteRuleset *self)
{
  return self->serial;
}

RerouteSettings *
reroute_ruleset_get_settings (const RerouteRuleset *self)
{
  return self->settings;
}

RerouteTlsLevel
reroute_ruleset_get_tls_level (const RerouteRuleset *self)
{
  g_return_val_if_fail (self != NULL, REROUTE_TLS_NONE);

  /* The choices of the setting are the levels, in their order. */
  return REROUTE_TLS_NONE +
         (RerouteTlsLevel) reroute_settings_get_number (self->settings, REROUTE_SETTING_TLS_LEVEL);
}

gsize
reroute_ruleset_get_n_rows (const RerouteRuleset *self, ReroutePage page)
{
  g_return_val_if_fail (self != NULL && page < REROUTE_N_PAGES, 0);

  return reroute_row_table_get_n_rows (self->pages[page]);
}

gboolean
reroute_ruleset_queues_for_etrn (const RerouteRuleset *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return reroute_row_table_get_n_queue_for_etrn (self->pages[REROUTE_PAGE_CONNECTIONS]) > 0;
}

guint
reroute_ruleset_get_longest_chain (const RerouteRuleset *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return g_atomic_int_get (&self->longest_chain);
}

void
reroute_ruleset_note_longest_chain (const RerouteRuleset *self, guint n_entries)
{
  g_return_if_fail (self != NULL);

  g_atomic_int_set (&((RerouteRuleset *) self)->longest_chain, n_entries);
}

RerouteRow *
reroute_ruleset_get_row (const RerouteRuleset *self, ReroutePage page, gint64 id)
{
  g_return_val_if_fail (self != NULL && page < REROUTE_N_PAGES, NULL);

  return reroute_row_table_get (self->pages[page], id);
}

RerouteRow *
reroute_ruleset_find_row (const RerouteRuleset *self,
                          ReroutePage page,
                          const char *domain,
                          gboolean exact)
{
  g_return_val_if_fail (self != NULL && page < REROUTE_N_PAGES && domain != NULL, NULL);

  return reroute_row_table_find (self->pages[page], domain, exact);
}

RerouteRow *
reroute_ruleset_find_other_row (const RerouteRuleset *self, const RerouteRow *row)
{
  g_return_val_if_fail (self != NULL && row != NULL, NULL);

  return reroute_row_table_find_other (self->pages[row->page], row);
}

RerouteRow *
reroute_ruleset_lookup (const RerouteRuleset *self, ReroutePage page, const char *domain)
{
  g_return_val_if_fail (self != NULL && page < REROUTE_N_PAGES && domain != NULL, NULL);

  return reroute_row_table_lookup (self->pages[page], domain);
}

void
reroute_ruleset_foreach (const RerouteRuleset *self,
                         ReroutePage page,
                         RerouteRowFunc func,
                         gpointer user_data)
{
  g_return_if_fail (self != NULL && page < REROUTE_N_PAGES && func != NULL);

  reroute_row_table_foreach (self->pages[page], func, user_data);
}

void
reroute_ruleset_use_huge_pages (const RerouteRuleset *self)
{
  g_return_if_fail (self != NULL);

  g_autoptr (RerouteHugePages) pages = reroute_huge_pages_new ();
  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    reroute_row_table_note_pages (self->pages[i], pages);
  reroute_huge_pages_ask (pages);
}

void
reroute_ruleset_foreach_change (const RerouteRuleset *self,
                                const RerouteRuleset *base,
                                ReroutePage page,
                                RerouteRowChangeFunc func,
                                gpointer user_data)
{
  g_return_if_fail (self != NULL && base != NULL && page < REROUTE_N_PAGES && func != NULL);

  if (self->pages[page] != base->pages[page])
    reroute_row_table_diff (base->pages[page], self->pages[page], func, user_data);
}

RerouteRow *
reroute_ruleset_find_admitting (const RerouteRuleset *self, const char *domain)
{
  g_return_val_if_fail (self != NULL && domain != NULL, NULL);

  const RerouteSettings *settings = self->settings;
  RerouteRow *row = NULL;

  if (reroute_settings_get_boolean (settings, REROUTE_SETTING_REROUTE))
    row = reroute_ruleset_lookup (self, REROUTE_PAGE_ROUTING, domain);
  if (row == NULL)
    row = reroute_ruleset_lookup (self, REROUTE_PAGE_CONNECTIONS, domain);
  return row;
}

gboolean
reroute_ruleset_is_ours (const RerouteRuleset *self, const char *domain)
{
  g_return_val_if_fail (self != NULL && domain != NULL, FALSE);

  const RerouteSettings *settings = self->settings;
  const RerouteRow *row;

  if (*domain == '\0' ||
      g_str_equal (domain, reroute_settings_get_text (settings, REROUTE_SETTING_HOSTNAME)))
    return TRUE;
  row = reroute_ruleset_find_admitting (self, domain);
  if (row == NULL)
    return FALSE;
  /* What only permitted hosts may send to is the way out to somebody else's domain, unless its mail
     stays with us. */
  return row->accept_from == REROUTE_ACCEPT_FROM_ANYONE ||
         (row->page == REROUTE_PAGE_ROUTING &&
          ((const RerouteRoutingEntry *) row)->action == REROUTE_ROUTING_INBOUND);
}

/* Under the domain as received, or that of the entry; with what stands behind a “+” or without. */
gboolean
reroute_ruleset_lists (const RerouteRuleset *self,
                       const RerouteRow *entry,
                       const RerouteAddress *recipient)
{
  g_return_val_if_fail (self != NULL && entry != NULL && recipient != NULL, FALSE);

  const char *const domains[] = { recipient->key, entry->domain };
  gsize n_whole = strlen (recipient->local_part);
  gsize n_base = reroute_recipient_get_base_octets (recipient);
  guint n_domains = g_str_equal (domains[0], domains[1]) ? 1 : 2;

  for (guint i = 0; i < n_domains; i++)
    {
      g_autofree char *whole = reroute_recipient_dup_key (recipient, n_whole, domains[i]);
      if (reroute_ruleset_find_row (self, REROUTE_PAGE_RECIPIENTS, whole, TRUE) != NULL)
        return TRUE;
      if (n_base == n_whole)
        continue;
      g_autofree char *base = reroute_recipient_dup_key (recipient, n_base, domains[i]);
      if (reroute_ruleset_find_row (self, REROUTE_PAGE_RECIPIENTS, base, TRUE) != NULL)
        return TRUE;
    }
  return FALSE;
}

gboolean
reroute_ruleset_permits (const RerouteRuleset *self, const RerouteClient *client)
{
  g_return_val_if_fail (self != NULL && client != NULL, FALSE);

  return client->authenticated ||
         reroute_settings_contains (self->settings, REROUTE_SETTING_PERMITTED_HOSTS, &client->ip);
}
