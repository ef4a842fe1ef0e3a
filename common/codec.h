/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset-check.h"

G_BEGIN_DECLS

/*
 * The forms that travel over D-Bus.  Every decoder validates: a peer is never trusted.
 *
 *   row      (sxsbba{sv})   page, id, domain, exact, enabled, the rest by name:
 *                           comment s, changed-by s, changed-us x;
 *                           routing and connections: accept-from s, leaves b, recipient-check s;
 *                           routing: action s, target s;
 *                           connections: deliver s ("dns", "host"), hosts s, by-turns b,
 *                           tls s, account s, queue-for-etrn b,
 *                           certificate s.
 *                           Of a recipient the domain is its address.
 *                           A name that is absent has its default.
 *   change   (sv)           "put", row | "remove", (sx) page and id | "set", (ss) key and value |
 *                           "reset", s key; in an edit also "remove-many", (sax) page and ids
 *   finding  (sssasassa(sx)) level, code, sentence, arguments, path, key, rows
 *   steps    a(sssx)        code, sentence, page, row id
 */
#define REROUTE_ROW_TYPE "(sxsbba{sv})"
#define REROUTE_CHANGE_TYPE "(sv)"
#define REROUTE_FINDING_TYPE "(sssasassa(sx))"
#define REROUTE_STEP_TYPE "(sssx)"

GVariant *reroute_row_to_variant (const RerouteRow *row);
RerouteRow *reroute_row_from_variant (GVariant *variant, GError **error);

GVariant *reroute_change_to_variant (const RerouteChange *change);
RerouteChange *reroute_change_from_variant (GVariant *variant, GError **error);

/* a(sv) both ways; (element-type RerouteChange).  "remove-many" becomes a REMOVE of each id. */
GVariant *reroute_changes_to_variant (GPtrArray *changes);
GPtrArray *reroute_changes_from_variant (GVariant *variant, GError **error);

/* A "put" of each row of the page that is called @page; the columns of common/row-columns.h. */
GPtrArray *reroute_changes_from_columns (const char *page, GVariant *columns, GError **error);

GVariant *reroute_findings_to_variant (GPtrArray *findings);
GPtrArray *reroute_findings_from_variant (GVariant *variant, GError **error);

GVariant *reroute_steps_to_variant (GPtrArray *steps);
GPtrArray *reroute_steps_from_variant (GVariant *variant, GError **error);

G_END_DECLS
