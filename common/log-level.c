/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log-level.c - categories of the relay's log, and how much is said of each
 *
 * The levels are those of the original's Diagnostics Logging page (exchange-reference.md 2.4).
 */

#include "config.h"

#include "common/log-level.h"

#include "common/domain-private.h"
#include "common/error.h"

#include <string.h>

#define DOMAIN_PREFIX "reroute-"

static const char *const categories[REROUTE_N_LOG_CATEGORIES] = {
  [REROUTE_LOG_SESSION] = "session",   [REROUTE_LOG_TLS] = "tls",
  [REROUTE_LOG_DELIVERY] = "delivery", [REROUTE_LOG_MILTER] = "milter",
  [REROUTE_LOG_SPOOL] = "spool",       [REROUTE_LOG_RULES] = "rules",
  [REROUTE_LOG_SERVICE] = "service",
};

static const char *const levels_by_name[REROUTE_N_LOG_LEVELS] = {
  [REROUTE_LOG_NONE] = "none",
  [REROUTE_LOG_MINIMUM] = "minimum",
  [REROUTE_LOG_MEDIUM] = "medium",
  [REROUTE_LOG_MAXIMUM] = "maximum",
};

/* Each G_LOG_DOMAIN of the relay, less its prefix; the busiest first. */
static const struct
{
  const char *domain;
  RerouteLogCategory category;
} domains[] = {
  { "deliver", REROUTE_LOG_DELIVERY },     { "session", REROUTE_LOG_SESSION },
  { "receive", REROUTE_LOG_SESSION },      { "smtp-server", REROUTE_LOG_SESSION },
  { "smtp-client", REROUTE_LOG_DELIVERY }, { "milter", REROUTE_LOG_MILTER },
  { "spool", REROUTE_LOG_SPOOL },          { "tls", REROUTE_LOG_TLS },
  { "rules-client", REROUTE_LOG_RULES },   { "bus", REROUTE_LOG_RULES },
};

const char *
reroute_log_category_to_string (RerouteLogCategory category)
{
  g_return_val_if_fail (category < REROUTE_N_LOG_CATEGORIES, NULL);

  return categories[category];
}

gboolean
reroute_log_category_from_string (const char *text, RerouteLogCategory *category)
{
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    if (g_ascii_strcasecmp (text, categories[i]) == 0)
      {
        *category = i;
        return TRUE;
      }
  return FALSE;
}

RerouteLogCategory
reroute_log_category_of (const char *domain)
{
  if (domain == NULL || !g_str_has_prefix (domain, DOMAIN_PREFIX))
    return REROUTE_LOG_SERVICE;
  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    if (strcmp (domains[i].domain, domain + strlen (DOMAIN_PREFIX)) == 0)
      return domains[i].category;
  return REROUTE_LOG_SERVICE;
}

const char *
reroute_log_level_to_string (RerouteLogLevel level)
{
  g_return_val_if_fail (level < REROUTE_N_LOG_LEVELS, NULL);

  return levels_by_name[level];
}

static gboolean
parse_one (const char *text, RerouteLogLevel *levels)
{
  g_auto (GStrv) sides = g_strsplit (text, "=", 2);
  RerouteLogCategory category;

  if (sides[0] == NULL || sides[1] == NULL ||
      !reroute_log_category_from_string (g_strstrip (sides[0]), &category))
    return FALSE;
  for (guint i = 0; i < REROUTE_N_LOG_LEVELS; i++)
    if (g_ascii_strcasecmp (g_strstrip (sides[1]), levels_by_name[i]) == 0)
      {
        levels[category] = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
reroute_log_levels_parse (const char *text, RerouteLogLevel *levels, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    levels[i] = REROUTE_LOG_MINIMUM;
  for (char **part = parts; *part != NULL; part++)
    {
      if (*g_strstrip (*part) == '\0' || parse_one (*part, levels))
        continue;
      g_autofree char *value = reroute_quote_value (*part, -1);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "%s is no level of the log: wanted like “session=medium”, of session, tls, "
                   "delivery, milter, spool, rules, service, and none, minimum, medium, maximum",
                   value);
      return FALSE;
    }
  return TRUE;
}

char *
reroute_log_levels_to_string (const RerouteLogLevel *levels)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    if (levels[i] != REROUTE_LOG_MINIMUM)
      g_string_append_printf (
        text, "%s%s=%s", text->len > 0 ? ", " : "", categories[i], levels_by_name[levels[i]]);
  return g_string_free (text, FALSE);
}
