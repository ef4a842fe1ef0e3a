/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_web_address_check:
 * @text: as it was typed
 *
 * Whether something may be posted there: https, or http to this machine itself; no password in it,
 * for settings are no secret; at most REROUTE_LIMIT_WEB_ADDRESS_OCTETS.
 *
 * Errors: %REROUTE_ERROR_VALUE, quoting @text.
 */
gboolean reroute_web_address_check (const char *text, GError **error);

G_END_DECLS
