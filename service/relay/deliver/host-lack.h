/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/delivery.h"

G_BEGIN_DECLS

/* The status for mail that demands TLS of a host where there is none that is verified. */
#define REROUTE_HOST_LACKS_TLS "5.7.10"

/* Whether a message that demands TLS all the way demands it of this host: not where it stays within
   the machine. */
gboolean reroute_host_must_keep_tls (const RerouteEndpoint *endpoint,
                                     const RerouteEnvelope *envelope);

/* Whether a message that demands TLS all the way may not even be offered to this host, for nobody
   vouches for its name (RFC 8689 4.2.1). */
gboolean reroute_host_is_doubtful (const RerouteEndpoint *endpoint,
                                   const RerouteEnvelope *envelope);

/* The status of a refusal that a host would earn us; NULL: it has what the message needs. */
const char *reroute_host_find_lack (RerouteConnection *connection, const RerouteDelivery *delivery);

/* (transfer full): what the sender is told when no host has it. */
RerouteReply *reroute_host_make_refusal (const char *status);

G_END_DECLS
