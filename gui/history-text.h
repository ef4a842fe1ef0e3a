/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"

G_BEGIN_DECLS

/* All texts (transfer full), translated. */

/* Of a difference: "Routing", "#example.com" or a setting's key. */
char *reroute_difference_dup_page (const RerouteDifference *difference);
char *reroute_difference_dup_name (const RerouteDifference *difference);

/* The fields that differ, as bits for reroute_row_dup_fields(); none where one is %NULL. */
guint reroute_rows_get_differing (const RerouteRow *a, const RerouteRow *b);
/* Of what it was and what it is. */
guint reroute_difference_get_fields (const RerouteDifference *difference);

/* "Route To: example.com; Comment: by contract": those @fields; where none or the target alone is
   to be told, "example.com". */
char *reroute_row_dup_fields (const RerouteRow *row, guint fields);
/* One side of a difference: those @fields of an entry, or the value of a setting; "–" for nothing.
   @change: (nullable) */
char *reroute_change_dup_content (const RerouteChange *change, guint fields);

G_END_DECLS
