/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"

G_BEGIN_DECLS

/**
 * reroute_own_endpoint:
 * @settings: hostname, listen and own-addresses are asked
 * @host: a host as it was typed
 *
 * Whether mail for @host would come back to this very server: it is a loopback address,
 * “localhost”, the name of this server or one of its further addresses, and its port one that we
 * listen on.
 *
 * Returns: (transfer full) (nullable): the address and port, or %NULL when it is someone else
 */
char *reroute_own_endpoint (const RerouteSettings *settings, const RerouteHost *host);

G_END_DECLS
