/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"

G_BEGIN_DECLS

/*
 * Many rows of one page, column by column: what travels where a table is moved as a whole, at a
 * hundredth of what the bus takes for the same rows one by one.
 *
 *   columns  a{sv}  by name, one element a row in each, in the order of the rows
 *            id ax, changed-us ax;
 *            exact ay, enabled ay, leaves ay, by-turns ay and queue-for-etrn ay (connections): 0 or
 * 1; domain ay, comment ay, changed-by ay, accept-from ay, recipient-check ay, action ay and target
 * ay (routing), hosts ay, tls ay, account ay and certificate ay (connections): UTF-8 texts, each
 * ended by NUL, one behind the other. A column that is absent has its default in every row: 0, "",
 * exact 0, enabled 1, accept-from "anyone", recipient-check "none", action "reroute"; hosts "" is
 * delivery by DNS. Of no rows there is no domain.
 */
#define REROUTE_COLUMNS_TYPE "a{sv}"

typedef struct _RerouteColumnsWriter RerouteColumnsWriter;

RerouteColumnsWriter *reroute_columns_writer_new (ReroutePage page);
void reroute_columns_writer_free (RerouteColumnsWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteColumnsWriter, reroute_columns_writer_free)

/* @row: of the writer's page */
void reroute_columns_writer_add (RerouteColumnsWriter *self, const RerouteRow *row);

/* At most what the columns will take, without their names. */
gsize reroute_columns_writer_get_octets (const RerouteColumnsWriter *self);

/* Returns: (transfer floating): the rows added so far */
GVariant *reroute_columns_writer_get_columns (const RerouteColumnsWriter *self);

/**
 * reroute_rows_from_columns:
 * @page: the page that the rows belong to
 * @columns: of the type %REROUTE_COLUMNS_TYPE, from a peer that is not trusted
 * @error: return location
 *
 * Every row goes through the constructor that a typed one goes through.
 *
 * Errors: %REROUTE_ERROR_PROTOCOL for columns that are unknown, come twice, have another type or
 *   another number of elements than rows; else those of the constructors.
 *
 * Returns: (transfer full) (element-type RerouteRow): in order, or %NULL
 */
GPtrArray *reroute_rows_from_columns (ReroutePage page, GVariant *columns, GError **error);

/* The id of the last row of @columns, which are not checked yet; 0 when they name none. */
gint64 reroute_columns_peek_last_id (GVariant *columns);

G_END_DECLS
