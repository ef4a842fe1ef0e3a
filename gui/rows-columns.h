/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/rows-model.h"

G_BEGIN_DECLS

/**
 * reroute_rows_columns_add:
 * @view: an empty list
 * @model: what is sorted when a header is clicked
 *
 * Gives @view the columns of that page, each measured for the language.
 */
void reroute_rows_columns_add (GtkColumnView *view,
                               RerouteRowsModel *model,
                               RerouteSheet *sheet,
                               ReroutePage page);

G_END_DECLS
