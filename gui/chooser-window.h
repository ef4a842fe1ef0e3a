/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * RerouteChooserWindow:
 *
 * Which computer is to be administered: this one, or another through ssh.  It stays until the other
 * one is connected, and says why it is not.
 *
 * Signal "chosen" (#RerouteBus or %NULL): it closes; the bus is connected, %NULL: of this
 * computer.  Not emitted for the computer that @sheet is of already.
 */
#define REROUTE_TYPE_CHOOSER_WINDOW (reroute_chooser_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteChooserWindow, reroute_chooser_window, REROUTE, CHOOSER_WINDOW, GtkWindow)

/* @sheet: its unsaved changes would be dropped: that is asked first */
RerouteChooserWindow *reroute_chooser_window_new (GtkWindow *parent, RerouteSheet *sheet);

G_END_DECLS
