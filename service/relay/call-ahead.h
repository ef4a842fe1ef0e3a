/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/* The check of a RerouteReceiverConfig: what receives asks what delivers.  @parts: the
   RerouteRelayParts */
void reroute_call_ahead (RerouteDecision *decision,
                         guint worker,
                         RerouteReceiverAnswerFunc func,
                         gpointer func_data,
                         gpointer parts);

G_END_DECLS
