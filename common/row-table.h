/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/huge-pages.h"
#include "common/row.h"

G_BEGIN_DECLS

/**
 * RerouteRowTable:
 *
 * The rows of one page, found by id and by domain.  Reference-counted; a copy shares all that
 * does not differ, and a table that is held only once may be changed.
 */
typedef struct _RerouteRowTable RerouteRowTable;

/* @after is NULL for a row that is gone, @before for a new one.  FALSE stops. */
typedef gboolean (*RerouteRowDiffFunc) (RerouteRow *before, RerouteRow *after, gpointer user_data);
typedef gboolean (*RerouteRowTableFunc) (RerouteRow *row, gpointer user_data);

RerouteRowTable *reroute_row_table_new (void);
RerouteRowTable *reroute_row_table_ref (RerouteRowTable *self);
void reroute_row_table_unref (RerouteRowTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRowTable, reroute_row_table_unref)

/* @self itself when nobody else holds it, else a copy; (transfer full) both ways. */
RerouteRowTable *reroute_row_table_make_mutable (RerouteRowTable *self);

/* Adds @row, or replaces the row of its id; a reference is taken. */
void reroute_row_table_put (RerouteRowTable *self, RerouteRow *row);
/* So many rows more are about to come: the table grows once. */
void reroute_row_table_reserve (RerouteRowTable *self, gsize n_more);
/* Notes where the rows lie, and the index by domain: what a look-up reads. */
void reroute_row_table_note_pages (const RerouteRowTable *self, RerouteHugePages *pages);
gboolean reroute_row_table_remove (RerouteRowTable *self, gint64 id);

gsize reroute_row_table_get_n_rows (const RerouteRowTable *self);
/* Enabled rows whose mail waits for ETRN. */
gsize reroute_row_table_get_n_queue_for_etrn (const RerouteRowTable *self);
RerouteRow *reroute_row_table_get (const RerouteRowTable *self, gint64 id);

/* The row of exactly this domain and match, enabled or not; the oldest of several. */
RerouteRow *
reroute_row_table_find (const RerouteRowTable *self, const char *domain, gboolean exact);

/* Another row of the domain and match of @row. */
RerouteRow *reroute_row_table_find_other (const RerouteRowTable *self, const RerouteRow *row);

/* The enabled row that acts for @domain: exact, else the longest suffix.  Allocates nothing. */
RerouteRow *reroute_row_table_lookup (const RerouteRowTable *self, const char *domain);

gboolean reroute_row_table_foreach (const RerouteRowTable *self,
                                    RerouteRowTableFunc func,
                                    gpointer user_data);

/* What leads from @before to @after; parts that both share cost nothing. */
void reroute_row_table_diff (const RerouteRowTable *before,
                             const RerouteRowTable *after,
                             RerouteRowDiffFunc func,
                             gpointer user_data);

G_END_DECLS
