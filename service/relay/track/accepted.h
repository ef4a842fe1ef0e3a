/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/message.h"
#include "service/relay/track/tracker.h"

G_BEGIN_DECLS

/* The message is ours.  @tracker: (nullable); @account: (nullable): that its client has logged in
   to.  The envelope is unpacked. */
void reroute_track_accepted (RerouteTracker *tracker,
                             const RerouteMessage *message,
                             const char *account);

G_END_DECLS
