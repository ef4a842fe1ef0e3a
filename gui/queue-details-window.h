/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * RerouteQueueDetailsWindow:
 *
 * One message of the queue: where it is from, what was said to each recipient, its header section.
 */
#define REROUTE_TYPE_QUEUE_DETAILS_WINDOW (reroute_queue_details_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteQueueDetailsWindow, reroute_queue_details_window, REROUTE, QUEUE_DETAILS_WINDOW, GtkWindow)

/* Of the message @id, which the relay is asked for at once. */
RerouteQueueDetailsWindow *
reroute_queue_details_window_new (GtkWindow *parent, RerouteSheet *sheet, guint64 id);

G_END_DECLS
