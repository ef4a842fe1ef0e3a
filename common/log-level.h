/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a line of the relay's log is about. */
typedef enum
{
  REROUTE_LOG_SESSION,  /* clients: connections, commands, what was taken or refused */
  REROUTE_LOG_TLS,      /* certificates */
  REROUTE_LOG_DELIVERY, /* next hops, DNS, MTA-STS, notices */
  REROUTE_LOG_MILTER,   /* mail filters */
  REROUTE_LOG_SPOOL,
  REROUTE_LOG_RULES,   /* generations, and the bus that they come over */
  REROUTE_LOG_SERVICE, /* the relay itself, its accounts, SRS, and all else */
  REROUTE_N_LOG_CATEGORIES,
} RerouteLogCategory;

/* How much is said; each is more than the one before.  Warnings are said always. */
typedef enum
{
  REROUTE_LOG_NONE,
  REROUTE_LOG_MINIMUM, /* each message, each delivery */
  REROUTE_LOG_MEDIUM,  /* and each refusal */
  REROUTE_LOG_MAXIMUM, /* and what helps to find a fault */
  REROUTE_N_LOG_LEVELS,
} RerouteLogLevel;

const char *reroute_log_category_to_string (RerouteLogCategory category); /* "session" */
/* FALSE: there is none of that name. */
gboolean reroute_log_category_from_string (const char *text, RerouteLogCategory *category);
/* The category of what is logged under @domain, a G_LOG_DOMAIN; SERVICE for an unknown one. */
RerouteLogCategory reroute_log_category_of (const char *domain);

const char *reroute_log_level_to_string (RerouteLogLevel level); /* "minimum" */

/**
 * reroute_log_levels_parse:
 * @text: "session=medium, delivery=maximum"; what is not named is minimum
 * @levels: (out) (array length=REROUTE_N_LOG_CATEGORIES)
 *
 * Errors: %REROUTE_ERROR_VALUE with the element and what is wanted
 */
gboolean reroute_log_levels_parse (const char *text, RerouteLogLevel *levels, GError **error);
/* (transfer full): what differs from minimum, in the order of the categories. */
char *reroute_log_levels_to_string (const RerouteLogLevel *levels);

G_END_DECLS
