/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * RerouteRangeList:
 *
 * A setting that is a list of address ranges: a field to add one or several, the list, and Remove.
 */
#define REROUTE_TYPE_RANGE_LIST (reroute_range_list_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRangeList, reroute_range_list, REROUTE, RANGE_LIST, GtkBox)

/* Captions with their mnemonics; translated. */
typedef struct
{
  const char *caption;
  const char *add;
  const char *remove;
} RerouteRangeListLabels;

GtkWidget *reroute_range_list_new (RerouteSheet *sheet,
                                   RerouteSettingId id,
                                   const RerouteRangeListLabels *labels);

/* Adds what is typed; FALSE: it is wrong, so it says why and has the focus. */
gboolean reroute_range_list_flush (RerouteRangeList *self);

G_END_DECLS
