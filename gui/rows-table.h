/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/rows-section.h"

G_BEGIN_DECLS

/* The lines of a list, section by section: first those that the edit adds, then a section for each
   page of REROUTE_LIMIT_PAGE_ROWS saved rows. */
typedef struct
{
  RerouteRowsSection *added;
  GPtrArray *sections; /* (element-type RerouteRowsSection): at least one */
  guint total;         /* saved rows that the filter lets through */
  GArray *starts;      /* (element-type guint): where each of @sections begins, and the end */
  gboolean counted;    /* @starts is right */
} RerouteRowsTable;

void reroute_rows_table_init (RerouteRowsTable *self);
void reroute_rows_table_clear (RerouteRowsTable *self);

/* Lets go of everything; an empty section remains. */
void reroute_rows_table_empty (RerouteRowsTable *self);
/* To be called whenever a section has another length. */
void reroute_rows_table_recount (RerouteRowsTable *self);

guint reroute_rows_table_get_n_lines (RerouteRowsTable *self);
/* The position of the first line of the section of that number. */
guint reroute_rows_table_get_start (RerouteRowsTable *self, guint index);
/* The saved rows of the section of that number. */
guint reroute_rows_table_get_nominal (RerouteRowsTable *self, guint index);

/* The section with the line at @position, which becomes the position in it; @index (out): its
   number, -1 for the one that the edit adds.  NULL: there is no such line. */
RerouteRowsSection *
reroute_rows_table_find_line (RerouteRowsTable *self, guint *position, int *index);

/* Where the row of that id stands, or the one of its domain and match (rows-section.h);
   G_MAXUINT: it is not among those that are read. */
guint reroute_rows_table_find_row (RerouteRowsTable *self, const RerouteRow *row);

G_END_DECLS
