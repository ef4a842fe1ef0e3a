/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "common/client/bus.h"

G_BEGIN_DECLS

/**
 * RerouteWindow:
 *
 * The property sheet: Internet Mail Service (HOST) Properties.
 *
 * Signal "computer-chosen" (#RerouteBus or %NULL): another computer is to be administered in place
 * of this one; its bus is connected, %NULL: the computer that the program runs on.
 */
#define REROUTE_TYPE_WINDOW (reroute_window_get_type ())
G_DECLARE_FINAL_TYPE (RerouteWindow, reroute_window, REROUTE, WINDOW, GtkApplicationWindow)

RerouteWindow *reroute_window_new (GtkApplication *application, RerouteBus *bus);

/* (transfer none) */
RerouteBus *reroute_window_get_bus (RerouteWindow *self);

G_END_DECLS
