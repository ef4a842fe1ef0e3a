/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * reroute_https_host_new:
 * @name: what certificates must be for
 * @addresses: (element-type GSocketAddress): where it is, in the order to try
 *
 * A host of that name whose addresses are known: nobody is asked for them.
 *
 * Returns: (transfer full): a #GNetworkAddress, for TLS looks at its name
 */
GSocketConnectable *reroute_https_host_new (const char *name, guint16 port, GPtrArray *addresses);

G_END_DECLS
