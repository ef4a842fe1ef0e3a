/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/rows-model.h"

G_BEGIN_DECLS

/* A list of rows, and which of their columns it has. */
typedef enum
{
  REROUTE_ROWS_ROUTING,     /* of the Routing page */
  REROUTE_ROWS_CONNECTIONS, /* E-Mail Domain */
  REROUTE_ROWS_SECURITY,    /* the same rows, with what protects their mail */
  REROUTE_ROWS_RECIPIENTS,  /* a list of recipients */
} RerouteRowsLook;

/* The page that the rows of a list belong to. */
ReroutePage reroute_rows_look_get_page (RerouteRowsLook look);

/**
 * reroute_rows_columns_add:
 * @view: an empty list
 * @model: what is sorted when a header is clicked
 *
 * Gives @view its columns, each measured for the language.
 */
void reroute_rows_columns_add (GtkColumnView *view,
                               RerouteRowsModel *model,
                               RerouteSheet *sheet,
                               RerouteRowsLook look);

G_END_DECLS
