/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): what rulesd wrote of a generation ("2 entries added"), in the reader's language;
   as it came when it is of no pattern that is known here. */
char *reroute_summary_dup_text (const char *summary);

G_END_DECLS
