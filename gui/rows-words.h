/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"

G_BEGIN_DECLS

/* What a list of rows says of itself, in the reader's language. */

/* Its name for a screen reader. */
const char *reroute_rows_get_name (ReroutePage page);
const char *reroute_rows_get_search_hint (ReroutePage page);
/* In bold in the list when it has no row at all. */
const char *reroute_rows_get_empty_title (ReroutePage page);
/* (transfer full): in a list without a line; @word: what is searched for, "" when nothing is */
char *reroute_rows_dup_empty_text (ReroutePage page, const char *word);
/* (transfer full): how long it is */
char *reroute_rows_dup_count (ReroutePage page, guint n);

/* (transfer full): @rows (element-type RerouteRow) as the clipboard has them, a line each */
char *reroute_rows_dup_text (ReroutePage page, GPtrArray *rows);

G_END_DECLS
