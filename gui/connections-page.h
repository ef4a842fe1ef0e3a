/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/page.h"

G_BEGIN_DECLS

#define REROUTE_TYPE_CONNECTIONS_PAGE (reroute_connections_page_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteConnectionsPage, reroute_connections_page, REROUTE, CONNECTIONS_PAGE, GtkBox)

G_END_DECLS
