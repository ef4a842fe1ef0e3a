/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_file_name_check:
 * @name: as it was typed, of a file on the server
 *
 * Whether it is a full file name, from the first “/” on, of one line and at most
 * REROUTE_LIMIT_PATH_OCTETS; not whether there is such a file.
 *
 * Errors: %REROUTE_ERROR_VALUE, quoting @name.
 */
gboolean reroute_file_name_check (const char *name, GError **error);

G_END_DECLS
