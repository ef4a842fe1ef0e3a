/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/banner.h"
#include "gui/sheet.h"

G_BEGIN_DECLS

/* @settled: what is absent is worth a word.  Its buttons do "sheet.compare", "sheet.copy-command",
   "sheet.reconnect" and "sheet.choose-computer". */
void reroute_sheet_banner_show (RerouteBanner *banner, RerouteSheet *sheet, gboolean settled);

G_END_DECLS
