/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ip.h"

#include <sys/socket.h>

G_BEGIN_DECLS

/* Both fill @storage and return how much of it counts. */
socklen_t
reroute_socket_address_fill (const RerouteIp *ip, guint16 port, struct sockaddr_storage *storage);
/* @path: at most REROUTE_LIMIT_SOCKET_PATH_OCTETS */
socklen_t reroute_socket_address_fill_path (const char *path, struct sockaddr_storage *storage);

/* FALSE: it is none of IP. */
gboolean reroute_socket_address_read (const struct sockaddr *address, RerouteIp *ip);

G_END_DECLS
