/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/change.h"

G_BEGIN_DECLS

/**
 * sample_edit:
 * @lines: one change a line: "put CSV" adds a row of the columns
 *   page,domain,match,action,target,accept_from,enabled,comment (those at the end may be absent),
 *   "put ID CSV" replaces the row of that id, "remove PAGE ID", "set KEY VALUE", "reset KEY"
 *
 * Returns: (transfer full) (element-type RerouteChange)
 */
GPtrArray *sample_edit (const char *lines);

G_END_DECLS
