/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/banner.h"
#include "gui/sheet.h"

G_BEGIN_DECLS

#define REROUTE_RELAY_COMMAND "systemctl start reroute-relayd"

/* @problem: (nullable): why the last Apply failed; @settled: an absent relay is worth a word */
void reroute_sheet_banner_show (RerouteBanner *banner,
                                RerouteSheet *sheet,
                                const char *problem,
                                gboolean settled);

G_END_DECLS
