/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/page.h"

G_BEGIN_DECLS

#define REROUTE_TYPE_ROUTING_PAGE (reroute_routing_page_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRoutingPage, reroute_routing_page, REROUTE, ROUTING_PAGE, GtkBox)

G_END_DECLS
