/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A connection from a proxy, until its header has told whose it is. */

#pragma once

#include "service/relay/receive/receiver-private.h"

G_BEGIN_DECLS

/* @in_tls: TLS begins behind the header.  @fd: taken; the caller has counted @proxy in by
   reroute_admission_enter_proxy().  It stands in the receiver's list of arrivals until it becomes a
   session or ends. */
void
reroute_arrival_start (RerouteReceiver *receiver, int fd, const RerouteIp *proxy, gboolean in_tls);

/* The settings are others: ends those of a receiver whose proxy may say no longer whose they are.
 */
void reroute_arrivals_follow_settings (RerouteReceiver *receiver);
/* Ends all of a receiver's. */
void reroute_arrivals_end (RerouteReceiver *receiver);

G_END_DECLS
