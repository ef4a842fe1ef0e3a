/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REROUTE_TYPE_SECURITY_PAGE (reroute_security_page_get_type ())
G_DECLARE_FINAL_TYPE (RerouteSecurityPage, reroute_security_page, REROUTE, SECURITY_PAGE, GtkBox)

G_END_DECLS
