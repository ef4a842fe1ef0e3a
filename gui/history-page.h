/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/page.h"

G_BEGIN_DECLS

#define REROUTE_TYPE_HISTORY_PAGE (reroute_history_page_get_type ())
G_DECLARE_FINAL_TYPE (RerouteHistoryPage, reroute_history_page, REROUTE, HISTORY_PAGE, GtkBox)

G_END_DECLS
