/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

G_BEGIN_DECLS

/* (transfer full): what the footer says: what is saved, what is not, what goes on. */
char *reroute_sheet_dup_state (RerouteSheet *sheet);

G_END_DECLS
