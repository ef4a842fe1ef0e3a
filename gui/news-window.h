/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteNewsWindow:
 *
 * What someone else saved meanwhile, beside what it was before.
 */
#define REROUTE_TYPE_NEWS_WINDOW (reroute_news_window_get_type ())
G_DECLARE_FINAL_TYPE (RerouteNewsWindow, reroute_news_window, REROUTE, NEWS_WINDOW, GtkWindow)

void reroute_news_window_show (GtkWindow *parent, RerouteSheet *sheet);

G_END_DECLS
