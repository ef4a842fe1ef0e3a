/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "Mon, 23 Nov 2026 22:32:05 +0100" (RFC 5322 3.3) in the local time zone, English in any locale;
   (transfer full). Any thread.  @time_us: wall clock. */
char *reroute_date_format (gint64 time_us);

G_END_DECLS
