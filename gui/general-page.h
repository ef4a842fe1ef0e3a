/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/page.h"

G_BEGIN_DECLS

#define REROUTE_TYPE_GENERAL_PAGE (reroute_general_page_get_type ())
G_DECLARE_FINAL_TYPE (RerouteGeneralPage, reroute_general_page, REROUTE, GENERAL_PAGE, GtkBox)

G_END_DECLS
