/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REROUTE_TYPE_TRACKING_PAGE (reroute_tracking_page_get_type ())
G_DECLARE_FINAL_TYPE (RerouteTrackingPage, reroute_tracking_page, REROUTE, TRACKING_PAGE, GtkBox)

G_END_DECLS
