/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows.c - rows of either page: find, list, put, remove
 */

#include "config.h"

#include "service/ctl/rows.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/ctl/edit.h"
#include "service/ctl/refusal.h"
#include "service/ctl/table.h"

#include <glib/gi18n.h>

typedef struct
{
  RerouteRowFunc func;
  gpointer user_data;
} Visitor;

#define ANY_SERIAL G_MAXUINT64

/* @serial: (inout): the generation of all of them */
static gboolean
foreach_row (RerouteCtl *ctl,
             ReroutePage page,
             const char *filter,
             const Visitor *visitor,
             guint64 *serial,
             GError **error)
{
  guint offset = 0;
  guint total;

  do
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (RerouteRowPage) rows = NULL;

      reroute_rules_client_list_async (ctl->rules,
                                       page,
                                       filter,
                                       "domain",
                                       offset,
                                       REROUTE_LIMIT_PAGE_ROWS,
                                       NULL,
                                       reroute_ctl_wait_cb,
                                       &result);
      rows = reroute_rules_client_list_finish (ctl->rules, reroute_ctl_wait (&result), error);
      if (rows == NULL)
        return FALSE;
      if (*serial != ANY_SERIAL && rows->serial != *serial)
        {
          g_set_error_literal (
            error,
            REROUTE_ERROR,
            REROUTE_ERROR_STALE_SERIAL,
            _ ("somebody saved other rules while these were read: run it again"));
          return FALSE;
        }
      *serial = rows->serial;
      total = rows->total;
      offset += rows->rows->len;
      for (guint i = 0; i < rows->rows->len; i++)
        {
          if (!visitor->func (rows->rows->pdata[i], visitor->user_data))
            return TRUE;
        }
      if (rows->rows->len == 0)
        break;
    }
  while (offset < total);
  return TRUE;
}

gboolean
reroute_ctl_foreach_row (RerouteCtl *ctl,
                         ReroutePage page,
                         const char *filter,
                         RerouteRowFunc func,
                         gpointer user_data,
                         guint64 *serial,
                         GError **error)
{
  const Visitor visitor = { func, user_data };

  *serial = ANY_SERIAL;
  return foreach_row (ctl, page, filter, &visitor, serial, error);
}

gboolean
reroute_ctl_foreach_row_of_all (RerouteCtl *ctl,
                                RerouteRowFunc func,
                                gpointer user_data,
                                GError **error)
{
  const Visitor visitor = { func, user_data };
  guint64 serial = ANY_SERIAL;

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    if (!foreach_row (ctl, page, "", &visitor, &serial, error))
      return FALSE;
  return TRUE;
}

typedef struct
{
  const char *domain;
  gboolean exact;
  RerouteRow *found;
} Search;

static gboolean
is_wanted (RerouteRow *row, gpointer user_data)
{
  Search *search = user_data;

  if (row->exact != search->exact || !g_str_equal (row->domain, search->domain))
    return TRUE;
  search->found = reroute_row_ref (row);
  return FALSE;
}

RerouteRow *
reroute_ctl_find_row (
  RerouteCtl *ctl, ReroutePage page, const char *name, guint64 *serial, GError **error)
{
  gboolean exact = FALSE;
  g_autofree char *domain = reroute_row_normalize_domain (name, &exact, error);
  Search search = { domain, exact, NULL };
  g_autofree char *filter = NULL;

  if (domain == NULL)
    {
      reroute_ctl_reword_row (error, name, NULL);
      return NULL;
    }
  filter = g_strconcat ("=", domain, NULL);
  if (!reroute_ctl_foreach_row (ctl, page, filter, is_wanted, &search, serial, error))
    return NULL;
  if (search.found == NULL)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_NO_SUCH_ENTRY,
                 page == REROUTE_PAGE_ROUTING
                 ? _ ("there is no row “%s” on the Routing page: “reroutectl routing list” shows what is there, with a leading # where a row is for one domain only")
                 : _ ("there is no row “%s” on the Connections page: “reroutectl connections list” shows what is there, with a leading # where a row is for one domain only"),
                      name);
  return search.found;
}

char *
reroute_ctl_row_action (const RerouteRow *row)
{
  if (row->page == REROUTE_PAGE_ROUTING)
    return g_strdup (reroute_routing_action_to_string (((RerouteRoutingEntry *) row)->action));
  return g_strdup (((RerouteEmailDomain *) row)->hosts != NULL ? "host" : "dns");
}

char *
reroute_ctl_row_target (const RerouteRow *row)
{
  const RerouteEmailDomain *email_domain = (const RerouteEmailDomain *) row;

  if (row->page == REROUTE_PAGE_ROUTING)
    return g_strdup (((RerouteRoutingEntry *) row)->target);
  return email_domain->hosts != NULL ? reroute_hosts_to_string (email_domain->hosts) : NULL;
}

static void
add_hosts (JsonBuilder *builder, const RerouteHosts *hosts)
{
  json_builder_set_member_name (builder, "hosts");
  json_builder_begin_array (builder);
  for (gsize i = 0; hosts != NULL && i < hosts->n_hosts; i++)
    {
      json_builder_begin_object (builder);
      reroute_ctl_add_string (builder, "name", hosts->hosts[i].name);
      reroute_ctl_add_int (builder, "port", hosts->hosts[i].port);
      reroute_ctl_add_boolean (builder, "mx", hosts->hosts[i].mx);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static gboolean
row_to_json (RerouteRow *row, gpointer user_data)
{
  JsonBuilder *builder = user_data;
  g_autofree char *action = reroute_ctl_row_action (row);
  g_autofree char *target = reroute_ctl_row_target (row);

  json_builder_begin_object (builder);
  reroute_ctl_add_int (builder, "id", row->id);
  reroute_ctl_add_string (builder, "page", reroute_page_to_string (row->page));
  reroute_ctl_add_string (builder, "domain", row->domain);
  reroute_ctl_add_string (builder, "match", row->exact ? "exact" : "subdomains");
  reroute_ctl_add_boolean (builder, "exact", row->exact);
  reroute_ctl_add_string (builder, "action", action);
  reroute_ctl_add_string (builder, "target", target != NULL ? target : "");
  reroute_ctl_add_string (builder, "accept_from", reroute_accept_from_to_string (row->accept_from));
  reroute_ctl_add_string (builder, "enabled", row->enabled ? "yes" : "no");
  reroute_ctl_add_string (builder, "comment", row->comment);
  reroute_ctl_add_string (builder, "leaves", row->leaves ? "yes" : "no");
  reroute_ctl_add_string (
    builder, "recipient_check", reroute_recipient_check_to_string (row->recipient_check));
  if (row->page == REROUTE_PAGE_CONNECTIONS)
    {
      const RerouteHosts *hosts = ((RerouteEmailDomain *) row)->hosts;

      reroute_ctl_add_string (
        builder, "order", hosts != NULL && hosts->by_turns ? "by-turns" : "in-order");
      add_hosts (builder, hosts);
      reroute_ctl_add_string (builder, "tls", reroute_tls_level_to_string (row->tls));
      reroute_ctl_add_string (builder, "account", ((RerouteEmailDomain *) row)->account);
      reroute_ctl_add_string (builder, "queue_for_etrn", row->queue_for_etrn ? "yes" : "no");
      reroute_ctl_add_string (builder, "certificate", ((RerouteEmailDomain *) row)->certificate);
    }
  reroute_ctl_add_string (builder, "changed_by", row->changed_by);
  reroute_ctl_add_int (builder, "changed_us", row->changed_us);
  json_builder_end_object (builder);
  return TRUE;
}

static gboolean
row_to_table (RerouteRow *row, gpointer user_data)
{
  g_autofree char *label = reroute_row_dup_label (row);
  g_autofree char *action = reroute_ctl_row_action (row);
  g_autofree char *target = reroute_ctl_row_target (row);

  reroute_table_add (user_data,
                     label,
                     row->enabled ? action : "off",
                     target != NULL ? target : "",
                     reroute_accept_from_to_string (row->accept_from),
                     row->comment,
                     NULL);
  return TRUE;
}

gboolean
reroute_ctl_list_rows (RerouteCtl *ctl, ReroutePage page, const char *filter, GError **error)
{
  const char *const titles[] = { C_ ("heading", "DOMAIN"),  C_ ("heading", "ACTION"),
                                 C_ ("heading", "TARGET"),  C_ ("heading", "ACCEPT FROM"),
                                 C_ ("heading", "COMMENT"), NULL };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  guint64 serial;

  json_builder_begin_array (builder);
  if (!reroute_ctl_foreach_row (ctl,
                                page,
                                filter,
                                ctl->json ? row_to_json : row_to_table,
                                ctl->json ? (gpointer) builder : (gpointer) table,
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

gboolean
reroute_ctl_remove_row (RerouteCtl *ctl, ReroutePage page, const char *name, GError **error)
{
  guint64 serial = 0;
  g_autoptr (RerouteRow) row = reroute_ctl_find_row (ctl, page, name, &serial, error);
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);

  if (row == NULL)
    return FALSE;
  g_ptr_array_add (changes, reroute_change_new_remove (page, row->id));
  return reroute_ctl_apply (ctl, changes, serial, REROUTE_CTL_AGREED_ALL, error);
}

void
reroute_ctl_row_options_clear (RerouteRowOptions *self)
{
  g_clear_pointer (&self->accept_from, g_free);
  g_clear_pointer (&self->comment, g_free);
  g_clear_pointer (&self->leaves, g_free);
  g_clear_pointer (&self->recipient_check, g_free);
}

gboolean
reroute_ctl_take_yes_no (const char *option, const char *text, gboolean *value, GError **error)
{
  if (text == NULL)
    return TRUE;
  if (!g_str_equal (text, "yes") && !g_str_equal (text, "no"))
    {
      g_set_error (error,
                   G_OPTION_ERROR,
                   G_OPTION_ERROR_FAILED,
                   /* Translators: %s is an option */
                   _ ("%s is “yes” or “no”"), option);
      return FALSE;
    }
  *value = g_str_equal (text, "yes");
  return TRUE;
}

gboolean
reroute_ctl_row_options_apply (const RerouteRowOptions *self,
                               RerouteRowFields *fields,
                               GError **error)
{
  if (self->on && self->off)
    {
      g_set_error_literal (
        error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _ ("--on and --off exclude each other"));
      return FALSE;
    }
  if (self->accept_from != NULL &&
      !reroute_accept_from_from_string (self->accept_from, &fields->accept_from, error))
    return FALSE;
  if (self->recipient_check != NULL &&
      !reroute_recipient_check_from_string (self->recipient_check, &fields->recipient_check, error))
    return FALSE;
  if (!reroute_ctl_take_yes_no ("--leaves", self->leaves, &fields->leaves, error))
    return FALSE;
  if (self->comment != NULL)
    fields->comment = self->comment;
  if (self->exact)
    fields->exact = TRUE;
  if (self->on)
    fields->enabled = TRUE;
  if (self->off)
    fields->enabled = FALSE;
  return TRUE;
}

gboolean
reroute_ctl_put_row (
  RerouteCtl *ctl, gpointer row, guint64 serial, const RerouteRowOptions *options, GError **error)
{
  g_autoptr (RerouteRow) owned = row;
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  RerouteCtlAgreed agreed = REROUTE_CTL_AGREED_NOTHING;

  if (g_strcmp0 (options->accept_from, "anyone") == 0)
    agreed = REROUTE_CTL_AGREED_ANYONE;
  if (options->confirm)
    agreed = REROUTE_CTL_AGREED_ALL;
  g_ptr_array_add (changes, reroute_change_new_put (owned));
  return reroute_ctl_apply (ctl, changes, serial, agreed, error);
}
