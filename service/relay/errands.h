/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/* The functions of a RerouteReceiverConfig by which what receives asks what delivers.  @parts: the
   RerouteRelayParts */
void reroute_errand_check (RerouteDecision *decision,
                           guint worker,
                           RerouteReceiverAnswerFunc func,
                           gpointer func_data,
                           gpointer parts);
void reroute_errand_etrn (const RerouteEtrn *wanted,
                          guint worker,
                          RerouteReceiverEtrnFunc func,
                          gpointer func_data,
                          gpointer parts);

G_END_DECLS
