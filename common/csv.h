/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* What is wrong with one line. */
typedef struct
{
  guint line; /* 1 is the header */
  char *message;
} RerouteCsvError;

/**
 * reroute_csv_parse:
 * @text: UTF-8 with a header line (RFC 4180): page,domain,match,action,target,accept_from,enabled,
 *   comment,order; columns go by name, absent ones take their default, unknown ones are refused
 * @errors: (out) (element-type RerouteCsvError): one for each bad line
 *
 * Returns: (transfer full) (nullable) (element-type RerouteRow): the rows, or %NULL when a line is
 * bad
 */
GPtrArray *reroute_csv_parse (const char *text, gsize length, GPtrArray **errors);

void reroute_csv_append_header (GString *out);
void reroute_csv_append_row (GString *out, const RerouteRow *row);

G_END_DECLS
