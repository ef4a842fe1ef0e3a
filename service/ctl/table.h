/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Rows of text in aligned columns, for a terminal. */
typedef struct _RerouteTable RerouteTable;

/* @titles: (array zero-terminated=1) */
RerouteTable *reroute_table_new (const char *const *titles);
void reroute_table_free (RerouteTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTable, reroute_table_free)

/* One string for each title, %NULL-terminated; a missing one is "". */
void reroute_table_add (RerouteTable *self, ...) G_GNUC_NULL_TERMINATED;

/* Prints titles and rows; nothing when there are no rows. */
void reroute_table_print (RerouteTable *self);

/* "2026-11-23 14:02": wall clock microseconds in local time; "" for 0. */
char *reroute_table_format_time (gint64 time_us);

G_END_DECLS
