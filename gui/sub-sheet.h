/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteSubSheet:
 *
 * A dialog of the property sheet for some of its settings.  What is typed stands in the sheet's
 * edit at once; OK keeps it there, once every field is right, and Cancel takes it back.
 */
#define REROUTE_TYPE_SUB_SHEET (reroute_sub_sheet_get_type ())
G_DECLARE_FINAL_TYPE (RerouteSubSheet, reroute_sub_sheet, REROUTE, SUB_SHEET, GtkWindow)

/* @help_topic: of help-window.c; static. */
RerouteSubSheet *reroute_sub_sheet_new (GtkWindow *parent,
                                        RerouteSheet *sheet,
                                        const char *title,
                                        const char *help_topic);
/* @content: (transfer floating): its setting entries are opened on the sheet. */
void reroute_sub_sheet_set_content (RerouteSubSheet *self, GtkWidget *content);

G_END_DECLS
