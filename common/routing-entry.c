/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * routing-entry.c - one row of the Routing page
 *
 * Source: Q190710; help page xog05015.
 */

#include "config.h"

#include "common/routing-entry.h"
#include "common/row-private.h"

#include "common/domain-private.h"
#include "common/error.h"
#include "common/limits.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const action_names[] = { "inbound", "reroute", "relay" };
static const RerouteNameRules target_rules = { "target", REROUTE_ERROR_DOMAIN, FALSE };

/* The target as it will stand behind a recipient's "@": as typed, without blanks and outer dots,
   an address in brackets. */
static char *
dup_target (const char *typed, const char *key)
{
  if (reroute_domain_is_literal (key))
    return g_strdup (key);

  char *target = g_strstrip (g_strdup (typed));
  if (*target == '.')
    memmove (target, target + 1, strlen (target));
  if (g_str_has_suffix (target, "."))
    target[strlen (target) - 1] = '\0';
  return target;
}

RerouteRoutingEntry *
reroute_routing_entry_new (const RerouteRowFields *fields,
                           RerouteRoutingAction action,
                           const char *target,
                           GError **error)
{
  RerouteRowParts parts;
  char domain[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  char target_key[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  g_autofree char *shown_target = NULL;

  g_return_val_if_fail (fields != NULL, NULL);

  if (!reroute_row_parts_init (
        &parts, REROUTE_PAGE_ROUTING, fields, "sent-to domain", domain, error))
    return NULL;
  gboolean has_target = target != NULL && target[strspn (target, " \t")] != '\0';
  if ((guint) action >= G_N_ELEMENTS (action_names))
    {
      g_set_error (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "action is “inbound”, “reroute” or “relay”");
      return NULL;
    }
  if (action == REROUTE_ROUTING_REROUTE && !has_target)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("target is empty: write the domain that mail for “%s” is rerouted to"),
                      domain);
      return NULL;
    }
  if (action != REROUTE_ROUTING_REROUTE && has_target)
    {
      g_autofree char *value = reroute_quote_value (target, -1);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   /* Translators: a domain, the word for the action */
                   _ ("target %s is of no use: only the action “reroute” has a target, not “%s”"),
                      value,
                      action_names[action]);
      return NULL;
    }
  parts.action = action;
  if (has_target)
    {
      if (reroute_name_normalize_into (target, &target_rules, target_key, error) == 0)
        return NULL;
      if (!g_str_equal (target, target_key))
        shown_target = dup_target (target, target_key);
      parts.target = shown_target != NULL ? shown_target : target_key;
      parts.target_key = target_key;
    }
  return reroute_row_assemble (&parts);
}

const char *
reroute_routing_action_to_string (RerouteRoutingAction action)
{
  g_return_val_if_fail ((guint) action < G_N_ELEMENTS (action_names), NULL);

  return action_names[action];
}

gboolean
reroute_routing_action_from_string (const char *text, RerouteRoutingAction *action, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (action_names); i++)
    if (g_strcmp0 (text, action_names[i]) == 0)
      {
        *action = (RerouteRoutingAction) i;
        return TRUE;
      }
  g_autofree char *value = reroute_quote_value (text != NULL ? text : "", -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: what was typed, between quotation marks */
               _ ("action %s is unknown: “inbound”, “reroute” and “relay” are possible"), value);
  return FALSE;
}
