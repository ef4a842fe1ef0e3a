/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history-text.c - what changed in a generation, in words
 */

#include "config.h"

#include "gui/history-text.h"

#include "gui/row-text.h"

#include <glib/gi18n.h>

#define NOTHING "–"

/* What an entry has, in the order in which it is told; each is a bit. */
typedef enum
{
  FIELD_DOMAIN,
  FIELD_ENABLED,
  FIELD_TARGET,
  FIELD_BY_TURNS,
  FIELD_QUEUE_FOR_ETRN,
  FIELD_TLS,
  FIELD_ACCOUNT,
  FIELD_CERTIFICATE,
  FIELD_ACCEPT_FROM,
  FIELD_RECIPIENT_CHECK,
  FIELD_LEAVES,
  FIELD_COMMENT,
  N_FIELDS
} Field;

#define TARGET_BIT (1u << FIELD_TARGET)

/* The side that names the row or the setting. */
static const RerouteChange *
get_named (const RerouteDifference *difference)
{
  const RerouteChange *after = difference->after;

  return after != NULL && after->kind != REROUTE_CHANGE_REMOVE ? after : difference->before;
}

char *
reroute_difference_dup_page (const RerouteDifference *difference)
{
  const RerouteChange *named = get_named (difference);

  if (named == NULL || named->kind != REROUTE_CHANGE_PUT)
    return g_strdup (_ ("Setting"));
  if (named->row->page == REROUTE_PAGE_RECIPIENTS)
    return g_strdup (_ ("Recipients"));
  return g_strdup (named->row->page == REROUTE_PAGE_ROUTING ? _ ("Routing") : _ ("Connections"));
}

char *
reroute_difference_dup_name (const RerouteDifference *difference)
{
  const RerouteChange *named = get_named (difference);

  if (named == NULL)
    return g_strdup ("");
  return named->kind == REROUTE_CHANGE_PUT
           ? reroute_row_dup_cell (named->row, REROUTE_COLUMN_DOMAIN)
           : g_strdup (named->key);
}

/* --- the fields of an entry --- */

/* clang-format off */
static const char *const domain_captions[] = {
  [REROUTE_PAGE_ROUTING]     = N_("Sent To"),
  [REROUTE_PAGE_CONNECTIONS] = N_("E-Mail Domain"),
  [REROUTE_PAGE_RECIPIENTS]  = N_("Address"),
};

/* One that has none speaks for itself. */
static const char *const captions[N_FIELDS] = {
  [FIELD_ENABLED]         = N_("Entry is on"),
  [FIELD_QUEUE_FOR_ETRN]  = N_("Queue messages for ETRN"),
  [FIELD_TLS]             = N_("TLS"),
  [FIELD_ACCOUNT]         = N_("Account"),
  [FIELD_CERTIFICATE]     = N_("Certificate"),
  [FIELD_ACCEPT_FROM]     = N_("Accept From"),
  [FIELD_RECIPIENT_CHECK] = N_("Recipient Check"),
  [FIELD_LEAVES]          = N_("Leaves"),
  [FIELD_COMMENT]         = N_("Comment"),
};
/* clang-format on */

/* (nullable) */
static const char *
get_caption (ReroutePage page, Field field)
{
  if (field == FIELD_DOMAIN)
    return _ (domain_captions[page]);
  if (field == FIELD_TARGET)
    return page == REROUTE_PAGE_ROUTING ? _ ("Route To") : _ ("Deliver Using");
  return captions[field] != NULL ? _ (captions[field]) : NULL;
}

/* (nullable): of an E-Mail Domain row */
static const RerouteEmailDomain *
get_email_domain (const RerouteRow *row)
{
  return row->page == REROUTE_PAGE_CONNECTIONS ? (const RerouteEmailDomain *) row : NULL;
}

/* (nullable) */
static const RerouteHosts *
get_hosts (const RerouteRow *row)
{
  const RerouteEmailDomain *domain = get_email_domain (row);

  return domain != NULL ? domain->hosts : NULL;
}

static char *
dup_yes_or_no (gboolean yes)
{
  return g_strdup (yes ? C_ ("column", "Yes") : C_ ("column", "No"));
}

/* "" where it has none */
static char *
dup_value (const RerouteRow *row, Field field)
{
  const RerouteEmailDomain *domain = get_email_domain (row);
  const RerouteHosts *hosts = get_hosts (row);

  switch (field)
    {
    case FIELD_DOMAIN:
      return reroute_row_dup_name (row);
    case FIELD_ENABLED:
      return dup_yes_or_no (row->enabled);
    case FIELD_TARGET:
      return reroute_row_dup_cell (row, REROUTE_COLUMN_TARGET);
    case FIELD_BY_TURNS:
      return g_strdup (hosts != NULL && hosts->by_turns ? _ ("Taken by turns")
                                                        : _ ("Tried from top to bottom"));
    case FIELD_QUEUE_FOR_ETRN:
      return dup_yes_or_no (row->queue_for_etrn);
    case FIELD_TLS:
      return reroute_row_dup_cell (row, REROUTE_COLUMN_TLS);
    case FIELD_ACCOUNT:
      return g_strdup (domain != NULL ? domain->account : "");
    case FIELD_CERTIFICATE:
      return g_strdup (domain != NULL ? domain->certificate : "");
    case FIELD_ACCEPT_FROM:
      return reroute_row_dup_cell (row, REROUTE_COLUMN_ACCEPT_FROM);
    case FIELD_RECIPIENT_CHECK:
      return reroute_row_dup_cell (row, REROUTE_COLUMN_RECIPIENT_CHECK);
    case FIELD_LEAVES:
      return dup_yes_or_no (row->leaves);
    case FIELD_COMMENT:
    default:
      return g_strdup (row->comment);
    }
}

static gboolean
differs (const RerouteRow *a, const RerouteRow *b, Field field)
{
  const RerouteHosts *hosts_a = get_hosts (a);
  const RerouteHosts *hosts_b = get_hosts (b);
  g_autofree char *value_a = NULL;
  g_autofree char *value_b = NULL;

  /* Its cell tells of the certificate, too. */
  if (field == FIELD_TLS)
    return a->tls != b->tls;
  if (field == FIELD_BY_TURNS)
    return hosts_a != NULL && hosts_b != NULL && hosts_a->by_turns != hosts_b->by_turns;
  value_a = dup_value (a, field);
  value_b = dup_value (b, field);
  return !g_str_equal (value_a, value_b);
}

/* "Comment: by contract" */
static char *
dup_field (const RerouteRow *row, Field field)
{
  const char *caption = get_caption (row->page, field);
  g_autofree char *value = dup_value (row, field);
  g_autofree char *isolated = reroute_dup_isolated (value[0] != '\0' ? value : NOTHING);

  if (caption == NULL)
    return g_steal_pointer (&value);
  /* Translators: what an entry has, and its value: “Comment: by contract” */
  return g_strdup_printf (_ ("%s: %s"), caption, isolated);
}

guint
reroute_rows_get_differing (const RerouteRow *a, const RerouteRow *b)
{
  guint fields = 0;

  if (a == NULL || b == NULL || a->page != b->page)
    return 0;
  for (Field field = 0; field < N_FIELDS; field++)
    if (differs (a, b, field))
      fields |= 1u << field;
  return fields;
}

char *
reroute_row_dup_fields (const RerouteRow *row, guint fields)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_return_val_if_fail (row != NULL, NULL);

  if ((fields & ~TARGET_BIT) == 0)
    return dup_value (row, FIELD_TARGET);
  for (Field field = 0; field < N_FIELDS; field++)
    {
      g_autofree char *part = (fields & (1u << field)) != 0 ? dup_field (row, field) : NULL;

      if (part != NULL)
        g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", part);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

guint
reroute_difference_get_fields (const RerouteDifference *difference)
{
  return reroute_rows_get_differing (reroute_change_get_row (difference->before),
                                     reroute_change_get_row (difference->after));
}

char *
reroute_change_dup_content (const RerouteChange *change, guint fields)
{
  const RerouteSettingSpec *spec = NULL;

  if (change == NULL || change->kind == REROUTE_CHANGE_REMOVE)
    return g_strdup (NOTHING);
  if (change->kind == REROUTE_CHANGE_PUT)
    return reroute_row_dup_fields (change->row, fields);
  spec = reroute_setting_find (change->key, NULL);
  return g_strdup (change->value != NULL ? change->value : spec != NULL ? spec->default_value : "");
}
