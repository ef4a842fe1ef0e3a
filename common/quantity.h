/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "4h", "90s": the shortest exact text of a duration. */
char *reroute_duration_to_string (gint64 seconds);

/* "90s", "15m", "4h", "5d", "1h30m"; a number without a unit is refused.
   Errors: %REROUTE_ERROR_VALUE. */
gboolean reroute_duration_parse (const char *text, gint64 *seconds, GError **error);

/* "50 MiB", "1000 KiB", "4096". */
char *reroute_octets_to_string (gint64 octets);

/* The same, and "50M", "50 MB" (decimal); nothing behind it counts octets.
   Errors: %REROUTE_ERROR_VALUE. */
gboolean reroute_octets_parse (const char *text, gint64 *octets, GError **error);

G_END_DECLS
