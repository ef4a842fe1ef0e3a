/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row.c - what the rows of both pages share
 *
 * A row and its strings are one allocation: there may be a million of them.
 */

#include "config.h"

#include "common/row.h"
#include "common/row-private.h"

#include "common/domain-private.h"
#include "common/domain.h"
#include "common/email-domain.h"
#include "common/error.h"
#include "common/file-name.h"
#include "common/limits.h"
#include "common/verifier.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const page_names[] = { "routing", "connections", "recipients" };
static const char *const accept_from_names[] = { "anyone", "permitted" };
static const char *const tls_names[] = { "", "none", "opportunistic", "encrypted", "verified" };
static const char *const check_names[] = { "none", "call-ahead", "list" };

static gboolean
check_text (const char *text, const char *noun, GError **error)
{
  g_autofree char *value = NULL;

  if (strlen (text) > REROUTE_LIMIT_COMMENT_OCTETS)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   /* Translators: a column, “comment”, which is not translated; numbers */
                   _ ("%s is %lu octets long: at most %d are possible"),
                      noun,
                      (gulong) strlen (text),
                      REROUTE_LIMIT_COMMENT_OCTETS);
      return FALSE;
    }
  gboolean valid = g_utf8_validate (text, -1, NULL);
  for (const char *p = text; valid && *p != '\0'; p++)
    valid = !g_ascii_iscntrl (*p) || *p == '\t';
  if (valid)
    return TRUE;
  value = reroute_quote_value (text, -1);
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_VALUE,
    /* Translators: a column, “comment”, which is not translated; what stands in it */
    _ ("%s %s has a line break or another control character: one line of text is possible"),
       noun,
       value);
  return FALSE;
}

/* What people paste for "this domain": "@x", "*@x"; "#x" means this domain only. */
static const char *
skip_pasted (const char *text, gboolean *exact)
{
  while (g_ascii_isspace (*text))
    text++;
  if (*text == '#')
    {
      *exact = TRUE;
      text++;
    }
  if (g_str_has_prefix (text, "*@"))
    text += 2;
  else if (*text == '@')
    text++;
  return text;
}

/* @domain: of REROUTE_LIMIT_DOMAIN_OCTETS + 1 octets */
static gboolean
normalize_typed (const char *text, const char *noun, char *domain, gboolean *exact, GError **error)
{
  RerouteNameRules rules = { noun, REROUTE_ERROR_DOMAIN, FALSE };

  return reroute_name_normalize_into (skip_pasted (text, exact), &rules, domain, error) > 0;
}

static gboolean
refuse_on_routing (const char *name, GError **error)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "%s is a matter of the page “connections”, not of “routing”",
               name);
  return FALSE;
}

static gboolean
check_certificate (ReroutePage page, const char *name, GError **error)
{
  if (*name == '\0')
    return TRUE;
  if (page == REROUTE_PAGE_ROUTING)
    return refuse_on_routing ("certificate", error);
  if (reroute_file_name_check (name, error))
    return TRUE;
  g_prefix_error (error, "certificate: ");
  return FALSE;
}

gboolean
reroute_row_parts_init (RerouteRowParts *parts,
                        ReroutePage page,
                        const RerouteRowFields *fields,
                        const char *noun,
                        char *domain,
                        GError **error)
{
  const char *typed = fields->domain != NULL ? fields->domain : "";

  memset (parts, 0, sizeof *parts);
  parts->page = page;
  parts->fields = *fields;
  parts->fields.exact = fields->exact != FALSE;
  parts->fields.enabled = fields->enabled != FALSE;
  parts->fields.account = fields->account != NULL ? fields->account : "";
  parts->fields.certificate = fields->certificate != NULL ? fields->certificate : "";
  parts->fields.comment = fields->comment != NULL ? fields->comment : "";
  parts->fields.changed_by = fields->changed_by != NULL ? fields->changed_by : "";

  if (!normalize_typed (typed, noun, domain, &parts->fields.exact, error))
    return FALSE;
  parts->fields.domain = domain;
  if (fields->accept_from != REROUTE_ACCEPT_FROM_ANYONE &&
      fields->accept_from != REROUTE_ACCEPT_FROM_PERMITTED)
    {
      g_set_error (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "accept-from is “anyone” or “permitted”");
      return FALSE;
    }
  if ((guint) fields->tls >= G_N_ELEMENTS (tls_names) ||
      (page == REROUTE_PAGE_ROUTING && fields->tls != REROUTE_TLS_UNSET))
    return refuse_on_routing ("tls", error);
  if (fields->queue_for_etrn && page == REROUTE_PAGE_ROUTING)
    return refuse_on_routing ("queue-for-etrn", error);
  if (*parts->fields.account != '\0' && page == REROUTE_PAGE_ROUTING)
    return refuse_on_routing ("account", error);
  if (*parts->fields.account != '\0' && !reroute_account_check_name (parts->fields.account, error))
    return FALSE;
  return check_certificate (page, parts->fields.certificate, error) &&
         check_text (parts->fields.comment, "comment", error) &&
         check_text (parts->fields.changed_by, "changed-by", error);
}

gboolean
reroute_row_parts_init_recipient (RerouteRowParts *parts,
                                  const RerouteRowFields *fields,
                                  const char *key,
                                  GError **error)
{
  memset (parts, 0, sizeof *parts);
  parts->page = REROUTE_PAGE_RECIPIENTS;
  parts->fields = (RerouteRowFields){
    .id = fields->id,
    .domain = key,
    .exact = TRUE,
    .enabled = TRUE,
    .comment = fields->comment != NULL ? fields->comment : "",
    .changed_by = fields->changed_by != NULL ? fields->changed_by : "",
    .changed_us = fields->changed_us,
  };
  if (!fields->enabled || fields->accept_from != REROUTE_ACCEPT_FROM_ANYONE || fields->leaves ||
      fields->queue_for_etrn || fields->tls != REROUTE_TLS_UNSET ||
      fields->recipient_check != REROUTE_RECIPIENT_CHECK_NONE ||
      (fields->account != NULL && *fields->account != '\0') ||
      (fields->certificate != NULL && *fields->certificate != '\0'))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "recipient “%s” has an address and a comment: the rest is a matter of entries",
                   key);
      return FALSE;
    }
  return check_text (parts->fields.comment, "comment", error) &&
         check_text (parts->fields.changed_by, "changed-by", error);
}

/* Puts @text at *@at, which moves behind it; "" takes no room. */
static char *
place (char **at, const char *text)
{
  static char empty[1];

  if (*text == '\0')
    return empty;
  gsize n = strlen (text) + 1;
  char *placed = memcpy (*at, text, n);
  *at += n;
  return placed;
}

static gsize
room_for (const char *text)
{
  return text != NULL && *text != '\0' ? strlen (text) + 1 : 0;
}

gpointer
reroute_row_assemble (const RerouteRowParts *parts)
{
  const RerouteRowFields *fields = &parts->fields;
  static const gsize sizes[REROUTE_N_PAGES] = {
    [REROUTE_PAGE_ROUTING] = sizeof (RerouteRoutingEntry),
    [REROUTE_PAGE_CONNECTIONS] = sizeof (RerouteEmailDomain),
    [REROUTE_PAGE_RECIPIENTS] = sizeof (RerouteRow),
  };
  gboolean connections = parts->page == REROUTE_PAGE_CONNECTIONS;
  gsize size = sizes[parts->page];
  gboolean same_target = parts->target != NULL && g_str_equal (parts->target, parts->target_key);
  gsize room = room_for (fields->domain) + room_for (fields->comment) + room_for (parts->target) +
               (same_target ? 0 : room_for (parts->target_key)) +
               (connections ? room_for (fields->account) + room_for (fields->certificate) : 0);
  RerouteRow *row = g_malloc0 (size + room);
  char *at = (char *) row + size;

  g_atomic_ref_count_init (&row->ref_count);
  row->page = parts->page;
  row->id = fields->id;
  row->exact = fields->exact != FALSE;
  row->accept_from = fields->accept_from;
  row->enabled = fields->enabled != FALSE;
  row->leaves = fields->leaves != FALSE;
  row->queue_for_etrn = fields->queue_for_etrn != FALSE;
  row->tls = fields->tls;
  row->recipient_check = fields->recipient_check;
  row->changed_us = fields->changed_us;
  row->domain = place (&at, fields->domain);
  row->comment = place (&at, fields->comment);
  /* A few people change a million rows.  Never freed: GLib's interned GRefString loses its last
     reference and is found by another thread at the same time. */
  row->changed_by = g_intern_string (fields->changed_by);
  if (connections)
    {
      RerouteEmailDomain *email_domain = (RerouteEmailDomain *) row;
      email_domain->hosts = parts->hosts != NULL ? reroute_hosts_ref (parts->hosts) : NULL;
      email_domain->account = place (&at, fields->account);
      email_domain->certificate = place (&at, fields->certificate);
      return row;
    }
  if (parts->page != REROUTE_PAGE_ROUTING)
    return row;
  RerouteRoutingEntry *entry = (RerouteRoutingEntry *) row;
  entry->action = parts->action;
  if (parts->target != NULL)
    {
      entry->target = place (&at, parts->target);
      entry->target_key = same_target ? entry->target : place (&at, parts->target_key);
    }
  return row;
}

gpointer
reroute_row_ref (gpointer row)
{
  RerouteRow *self = row;

  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_row_unref (gpointer row)
{
  RerouteRow *self = row;

  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->page == REROUTE_PAGE_CONNECTIONS)
    g_clear_pointer (&((RerouteEmailDomain *) self)->hosts, reroute_hosts_unref);
  g_free (self);
}

gboolean
reroute_row_equal (const RerouteRow *a, const RerouteRow *b)
{
  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  if (a == b)
    return TRUE;
  if (a->page != b->page || a->id != b->id || a->exact != b->exact ||
      a->accept_from != b->accept_from || a->enabled != b->enabled || a->leaves != b->leaves ||
      a->queue_for_etrn != b->queue_for_etrn || a->tls != b->tls ||
      a->recipient_check != b->recipient_check || !g_str_equal (a->domain, b->domain) ||
      !g_str_equal (a->comment, b->comment))
    return FALSE;
  if (a->page == REROUTE_PAGE_CONNECTIONS)
    return reroute_hosts_equal (((const RerouteEmailDomain *) a)->hosts,
                                ((const RerouteEmailDomain *) b)->hosts) &&
           g_str_equal (((const RerouteEmailDomain *) a)->account,
                        ((const RerouteEmailDomain *) b)->account) &&
           g_str_equal (((const RerouteEmailDomain *) a)->certificate,
                        ((const RerouteEmailDomain *) b)->certificate);
  if (a->page == REROUTE_PAGE_RECIPIENTS)
    return TRUE;
  const RerouteRoutingEntry *x = (const RerouteRoutingEntry *) a;
  const RerouteRoutingEntry *y = (const RerouteRoutingEntry *) b;
  return x->action == y->action && g_strcmp0 (x->target, y->target) == 0;
}

RerouteRowFields
reroute_row_get_fields (const RerouteRow *row)
{
  const RerouteEmailDomain *email_domain =
    row->page == REROUTE_PAGE_CONNECTIONS ? (const RerouteEmailDomain *) row : NULL;
  RerouteRowFields fields = {
    .id = row->id,
    .domain = row->domain,
    .exact = row->exact,
    .accept_from = row->accept_from,
    .enabled = row->enabled,
    .leaves = row->leaves,
    .queue_for_etrn = row->queue_for_etrn,
    .tls = row->tls,
    .recipient_check = row->recipient_check,
    .account = email_domain != NULL ? email_domain->account : "",
    .certificate = email_domain != NULL ? email_domain->certificate : "",
    .comment = row->comment,
    .changed_by = row->changed_by,
    .changed_us = row->changed_us,
  };

  return fields;
}

gpointer
reroute_row_stamp (const RerouteRow *row, gint64 id, const char *changed_by, gint64 changed_us)
{
  g_return_val_if_fail (row != NULL, NULL);

  RerouteRowParts parts = { .page = row->page, .fields = reroute_row_get_fields (row) };
  if (row->page == REROUTE_PAGE_ROUTING)
    {
      const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
      parts.action = entry->action;
      parts.target = entry->target;
      parts.target_key = entry->target_key;
    }
  else if (row->page == REROUTE_PAGE_CONNECTIONS)
    parts.hosts = ((const RerouteEmailDomain *) row)->hosts;
  parts.fields.id = id;
  parts.fields.changed_by = changed_by != NULL ? changed_by : "";
  parts.fields.changed_us = changed_us;
  return reroute_row_assemble (&parts);
}

char *
reroute_row_normalize_domain (const char *text, gboolean *exact, GError **error)
{
  char domain[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  gboolean ignored = FALSE;

  g_return_val_if_fail (text != NULL, NULL);

  if (!normalize_typed (text, "domain", domain, exact != NULL ? exact : &ignored, error))
    return NULL;
  return g_strdup (domain);
}

char *
reroute_row_filter_dup_domain (const char *filter)
{
  g_return_val_if_fail (filter != NULL, NULL);

  if (filter[0] != '=')
    return NULL;
  char *domain = reroute_domain_normalize (filter + 1, NULL);
  return domain != NULL ? domain : g_strdup (filter + 1);
}

char *
reroute_row_dup_label (const RerouteRow *row)
{
  g_return_val_if_fail (row != NULL, NULL);

  gboolean marked = row->exact && row->page != REROUTE_PAGE_RECIPIENTS;
  return g_strconcat (marked ? "#" : "", row->domain, NULL);
}

const char *
reroute_page_to_string (ReroutePage page)
{
  g_return_val_if_fail (page < REROUTE_N_PAGES, NULL);

  return page_names[page];
}

gboolean
reroute_page_from_string (const char *text, ReroutePage *page, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (page_names); i++)
    if (g_strcmp0 (text, page_names[i]) == 0)
      {
        *page = (ReroutePage) i;
        return TRUE;
      }
  g_autofree char *value = reroute_quote_value (text != NULL ? text : "", -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: what was typed, between quotation marks */
               _ ("page %s is unknown: “routing”, “connections” and “recipients” are possible"),
                  value);
  return FALSE;
}

const char *
reroute_accept_from_to_string (RerouteAcceptFrom accept_from)
{
  g_return_val_if_fail (accept_from < G_N_ELEMENTS (accept_from_names), NULL);

  return accept_from_names[accept_from];
}

gboolean
reroute_accept_from_from_string (const char *text, RerouteAcceptFrom *accept_from, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (accept_from_names); i++)
    if (g_strcmp0 (text, accept_from_names[i]) == 0)
      {
        *accept_from = (RerouteAcceptFrom) i;
        return TRUE;
      }
  g_autofree char *value = reroute_quote_value (text != NULL ? text : "", -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: what was typed, between quotation marks */
               _ ("accept-from %s is unknown: “anyone” and “permitted” are possible"), value);
  return FALSE;
}

const char *
reroute_tls_level_to_string (RerouteTlsLevel level)
{
  g_return_val_if_fail ((guint) level < G_N_ELEMENTS (tls_names), NULL);

  return tls_names[level];
}

gboolean
reroute_tls_level_from_string (const char *text, RerouteTlsLevel *level, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (tls_names); i++)
    if (g_strcmp0 (text, tls_names[i]) == 0)
      {
        *level = (RerouteTlsLevel) i;
        return TRUE;
      }
  g_autofree char *value = reroute_quote_value (text != NULL ? text : "", -1);
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_VALUE,
    /* Translators: what was typed, between quotation marks */
    _ ("tls %s is unknown: “none”, “opportunistic”, “encrypted” and “verified” are possible"),
       value);
  return FALSE;
}

const char *
reroute_recipient_check_to_string (RerouteRecipientCheck check)
{
  g_return_val_if_fail ((guint) check < G_N_ELEMENTS (check_names), NULL);

  return check_names[check];
}

gboolean
reroute_recipient_check_from_string (const char *text, RerouteRecipientCheck *check, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (check_names); i++)
    if (g_strcmp0 (text, check_names[i]) == 0)
      {
        *check = (RerouteRecipientCheck) i;
        return TRUE;
      }
  g_autofree char *value = reroute_quote_value (text != NULL ? text : "", -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: what was typed, between quotation marks */
               _ ("recipient-check %s is unknown: “none”, “call-ahead” and “list” are possible"),
                  value);
  return FALSE;
}
