/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_ctl_read_password:
 * @user: (nullable): whose password; asked twice on the terminal, which shows nothing of it.
 *   %NULL: the first line of standard input is taken, whatever that is
 *
 * Errors: %REROUTE_ERROR_VALUE: they differ, nothing was said, or there is no terminal to ask on.
 *
 * Returns: (transfer full): reroute_ctl_free_password() it
 */
char *reroute_ctl_read_password (const char *user, GError **error);
void reroute_ctl_free_password (char *password);

G_END_DECLS
