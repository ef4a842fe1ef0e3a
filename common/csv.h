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

void reroute_csv_error_free (RerouteCsvError *self);

/**
 * reroute_csv_parse:
 * @text: UTF-8 with a header line (RFC 4180): page,domain,match,action,target,accept_from,enabled,
 *   comment,order; columns go by name, absent ones and empty fields take their default, unknown
 *   columns are refused
 * @length: of @text, in octets
 * @said: (nullable) (element-type RerouteRow): rows whose field accept_from is not empty are added
 * @errors: (out) (nullable) (element-type RerouteCsvError): one for each bad line, by line; %NULL
 *   when there is none
 *
 * A line of the page recipients has an address as its domain, and a comment.  Defaults: page
 * routing; match subdomains; action reroute on the Routing page, on the other host with a target
 * and dns without one; accept_from anyone; enabled yes; order in-order (the other is by-turns).
 *
 * Returns: (transfer full) (nullable) (element-type RerouteRow): the rows, or %NULL when a line is
 *   bad
 */
GPtrArray *reroute_csv_parse (const char *text, gsize length, GHashTable *said, GPtrArray **errors);

void reroute_csv_append_header (GString *out);
void reroute_csv_append_row (GString *out, const RerouteRow *row);

G_END_DECLS
