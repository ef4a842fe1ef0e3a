/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_COMMAND_MAX_PARAMETERS 16

/* "SIZE=1000"; both point into the command line. */
typedef struct
{
  const char *keyword;
  const char *value; /* NULL: no "=" */
} RerouteCommandParameter;

/* The argument of MAIL or RCPT, taken apart in place. */
typedef struct
{
  char *path; /* inside of the angle brackets */
  guint n_parameters;
  RerouteCommandParameter parameters[REROUTE_COMMAND_MAX_PARAMETERS];
} RerouteCommandPath;

typedef enum
{
  REROUTE_COMMAND_PATH_VALID,
  REROUTE_COMMAND_PATH_SYNTAX,     /* no "FROM:<…>" or "TO:<…>" */
  REROUTE_COMMAND_PATH_PARAMETERS, /* malformed, repeated or too many */
} RerouteCommandPathResult;

/**
 * reroute_command_check_octets:
 *
 * Whether a command line may be looked at at all: neither a control character (NUL, CR, C1, …) nor
 * octets that are not UTF-8.
 */
gboolean reroute_command_check_octets (const char *line, gsize length);

/**
 * reroute_command_split:
 * @line: a checked line; a NUL is written behind the verb, blanks at the end are cut off
 *
 * Returns: (transfer none): the argument; "" when there is none
 */
char *reroute_command_split (char *line);

/**
 * reroute_command_parse_path:
 * @argument: what follows the verb; written to
 * @prefix: "FROM:" or "TO:"
 *
 * Source: RFC 5321 4.1.1.2, 4.1.1.3 and 4.1.2.
 */
RerouteCommandPathResult
reroute_command_parse_path (char *argument, const char *prefix, RerouteCommandPath *path);

/* Digits alone, up to 20 of them (RFC 1870 3): no sign, blank or hexadecimal.  What is over 64 bits
   gives G_MAXUINT64. */
gboolean reroute_command_parse_number (const char *text, guint64 *number);

G_END_DECLS
