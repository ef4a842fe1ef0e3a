/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/row-item.h"
#include "gui/row-text.h"

G_BEGIN_DECLS

/* A run of lines of a list: those of one page of saved rows, or those that the edit adds. */
typedef struct
{
  GPtrArray *rows;  /* (element-type RerouteRow): as saved; NULL: not read */
  GPtrArray *items; /* (element-type RerouteRowItem) (nullable elements): what is shown */
  GArray *ids; /* (element-type gint64) (nullable): of the saved rows, where only they are read */
  gboolean stale; /* to be read again */
  guint n_news;   /* of the model, when the rows were asked for */
  gboolean asked; /* is being read */
  gboolean ids_wanted;
  guint64 used; /* when it was looked at last, on the model's clock */
} RerouteRowsSection;

/* What a section shows now instead of what it showed. */
typedef struct
{
  guint position; /* in the section */
  guint removed;
  guint added;
} RerouteRowsSplice;

RerouteRowsSection *reroute_rows_section_new (guint n_items);
void reroute_rows_section_free (RerouteRowsSection *self);

/* Lets go of what was read; the number of lines stays. */
void reroute_rows_section_forget (RerouteRowsSection *self);

/**
 * reroute_rows_section_show:
 * @rows: (element-type RerouteRow): what is to be shown
 *
 * What stays keeps its item, so that selection and scrolling hold; lines that were not read yet
 * become the rows in their places.
 */
RerouteRowsSplice reroute_rows_section_show (RerouteRowsSection *self, GPtrArray *rows);

/* (transfer none): made on demand. */
RerouteRowItem *reroute_rows_section_get_item (RerouteRowsSection *self, guint position);
/* The line of that id; for a row of the edit's own also the one of its domain and match.
   G_MAXUINT when there is none. */
guint reroute_rows_section_find (RerouteRowsSection *self, const RerouteRow *row);
/* @sections: (element-type RerouteRowsSection).  Which of those that are read was looked at last,
   but for @except; -1: none. */
int reroute_rows_find_last_used (GPtrArray *sections, int except);

/* All of them are to be read again. */
void reroute_rows_mark_stale (GPtrArray *sections);
/* @a, @b: (element-type RerouteRow); @b: (nullable).  The same rows, with the same in them. */
gboolean reroute_rows_are_equal (GPtrArray *a, GPtrArray *b);
/* Puts a row that rulesd does not have yet where it would sort it. */
void reroute_rows_insert_sorted (GPtrArray *rows,
                                 RerouteRow *row,
                                 RerouteColumn column,
                                 gboolean descending);
/* What is said about the rows is another thing. */
void reroute_rows_section_refresh (RerouteRowsSection *self);
/* Forgets the sections that were not looked at for longest, until at most @most are read.  Those
   that the edit makes shorter stay, as their length would be forgotten with them. */
void reroute_rows_let_go (GPtrArray *sections, guint most);

G_END_DECLS
