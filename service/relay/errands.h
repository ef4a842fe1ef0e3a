/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/* Sets the functions of @config by which what receives asks what delivers.  @parts: borrowed; its
   scheduler is there before a session is. */
void reroute_errands_set_up (RerouteReceiverConfig *config, RerouteRelayParts *parts);

G_END_DECLS
