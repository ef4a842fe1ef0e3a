/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REROUTE_STATE_WIDTH 30 /* of a column of such icons, in pixels */

/* What stands before a line; all %NULL: nothing. */
typedef struct
{
  const char *icon;
  const char *css_class; /* (nullable): "state-error", "state-warning" */
  const char *name;      /* translated: the icon in words */
} RerouteStateLook;

void reroute_state_icon_show (GtkImage *image, const RerouteStateLook *look);

G_END_DECLS
