/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REROUTE_TYPE_APPLICATION (reroute_application_get_type ())
G_DECLARE_FINAL_TYPE (RerouteApplication, reroute_application, REROUTE, APPLICATION, GtkApplication)

RerouteApplication *reroute_application_new (void);

G_END_DECLS
