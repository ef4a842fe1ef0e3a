/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipient.c - one row of the lists of recipients that exist
 *
 * RFC 5321 section 2.4 leaves the case of a local part to its own host; no mail system in use tells
 * two mailboxes apart by it, and a list that did would refuse honest mail.
 *
 * Standards: RFC 5321 section 4.1.2 (a quoted string means its content), RFC 5233 (user+detail).
 */

#include "config.h"

#include "common/recipient.h"

#include "common/domain-private.h"
#include "common/error.h"
#include "common/row-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define SUBADDRESS '+'

/* The inside of the quotation marks where it could stand without them; else the whole. */
static void
strip_quotes (const char **local_part, gsize *n_octets)
{
  const char *text = *local_part;
  gsize n = *n_octets;

  if (n <= 2 || text[0] != '"' || text[n - 1] != '"')
    return;
  if (strcspn (text + 1, "@ <>()[]\\,;:\"") != n - 2)
    return;
  *local_part = text + 1;
  *n_octets = n - 2;
}

char *
reroute_recipient_dup_key (const RerouteAddress *address, gsize n_local, const char *domain)
{
  g_return_val_if_fail (address != NULL && domain != NULL, NULL);

  const char *local_part = address->local_part;
  strip_quotes (&local_part, &n_local);
  g_autofree char *folded = NULL;
  g_autofree char *text = g_strndup (local_part, n_local);
  if (g_str_is_ascii (text))
    folded = g_ascii_strdown (text, -1);
  else
    {
      g_autofree char *cased = g_utf8_casefold (text, -1);
      folded = g_utf8_normalize (cased, -1, G_NORMALIZE_NFC);
    }
  return g_strconcat (folded, "@", domain, NULL);
}

gsize
reroute_recipient_get_base_octets (const RerouteAddress *address)
{
  g_return_val_if_fail (address != NULL, 0);

  const char *local_part = address->local_part;
  const char *tag = *local_part != '"' ? strchr (local_part, SUBADDRESS) : NULL;
  return tag != NULL && tag > local_part ? (gsize) (tag - local_part) : strlen (local_part);
}

static RerouteAddress *
parse (const char *text, GError **error)
{
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, TRUE, error);

  if (address == NULL || *address->key != '\0')
    return g_steal_pointer (&address);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_ADDRESS,
               _ ("address “%s” has no domain: “@” and a domain belong behind it"), text);
  return NULL;
}

RerouteRow *
reroute_recipient_new (const RerouteRowFields *fields, GError **error)
{
  RerouteRowParts parts;
  g_autoptr (RerouteAddress) address = NULL;
  g_autofree char *key = NULL;

  g_return_val_if_fail (fields != NULL, NULL);

  address = parse (fields->domain != NULL ? fields->domain : "", error);
  if (address == NULL)
    return NULL;
  key = reroute_recipient_dup_key (address, strlen (address->local_part), address->key);
  if (!reroute_row_parts_init_recipient (&parts, fields, key, error))
    return NULL;
  return reroute_row_assemble (&parts);
}

const char *
reroute_recipient_get_domain (const RerouteRow *row)
{
  g_return_val_if_fail (row != NULL && row->page == REROUTE_PAGE_RECIPIENTS, NULL);

  return strrchr (row->domain, '@') + 1;
}

static gboolean
is_below (const char *sub, const char *domain)
{
  gsize n_sub = strlen (sub);
  gsize n = strlen (domain);

  return g_str_has_suffix (sub, domain) && (n_sub == n || sub[n_sub - n - 1] == '.');
}

gboolean
reroute_recipient_is_below (const RerouteRow *row, const char *domain)
{
  g_return_val_if_fail (domain != NULL, FALSE);

  return is_below (reroute_recipient_get_domain (row), domain);
}

char *
reroute_recipient_filter_dup_domain (const char *filter, const char **word)
{
  g_return_val_if_fail (filter != NULL && word != NULL, NULL);

  if (filter[0] != '@')
    return NULL;
  gsize n_octets = strcspn (filter + 1, " ");
  g_autofree char *domain = g_strndup (filter + 1, n_octets);
  *word = filter + 1 + n_octets;
  *word += strspn (*word, " ");
  return reroute_domain_normalize (domain, NULL);
}

RerouteRow *
reroute_recipient_parse_line (const char *line, const char *domain, GError **error)
{
  g_return_val_if_fail (line != NULL && domain != NULL, NULL);

  g_autofree char *text = g_strstrip (g_strdup (line));
  gboolean has_domain = strrchr (text, '@') != NULL && !g_str_has_suffix (text, "\"");
  g_autofree char *whole =
    has_domain || *text == '\0' ? g_strdup (text) : g_strconcat (text, "@", domain, NULL);
  RerouteRowFields fields = { .domain = whole, .enabled = TRUE };
  g_autoptr (RerouteRow) row = reroute_recipient_new (&fields, error);
  if (row == NULL || reroute_recipient_is_below (row, domain))
    return g_steal_pointer (&row);
  g_autofree char *value = reroute_quote_value (text, -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_ADDRESS,
               /* Translators: an address, a domain */
               _ ("address %s is not of “%s” or a domain below it"), value, domain);
  return NULL;
}
