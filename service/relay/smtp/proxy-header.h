/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ip.h"

G_BEGIN_DECLS

/* The longest header of the kinds that are read: version 2 with some extensions behind it. */
#define REROUTE_PROXY_HEADER_OCTETS 536

typedef enum
{
  REROUTE_PROXY_UNFINISHED, /* sound as far as it goes */
  REROUTE_PROXY_CLIENT,     /* tells whose connection it is */
  REROUTE_PROXY_ITSELF,     /* the proxy's own connection: a health check */
  REROUTE_PROXY_BAD,
} RerouteProxyResult;

/**
 * reroute_proxy_header_parse:
 * @octets: what came on the connection so far
 * @taken: (out): with CLIENT and ITSELF: octets of the header; what follows is the client's
 * @client: (out): with CLIENT: its address
 *
 * What a proxy in front of us writes before the client's octets, in version 1 (a line) or 2
 * (binary).  Another protocol than TCP, an address of the wrong form, or more octets than
 * %REROUTE_PROXY_HEADER_OCTETS is BAD.
 *
 * Source: HAProxy, "The PROXY protocol, versions 1 & 2", sections 2.1 and 2.2.
 */
RerouteProxyResult
reroute_proxy_header_parse (const guint8 *octets, gsize length, gsize *taken, RerouteIp *client);

G_END_DECLS
