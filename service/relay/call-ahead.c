/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * call-ahead.c - the one way from receiving to delivering before a message is ours
 */

#include "config.h"

#include "service/relay/call-ahead.h"

void
reroute_call_ahead (RerouteDecision *decision,
                    guint worker,
                    RerouteReceiverAnswerFunc func,
                    gpointer func_data,
                    gpointer parts)
{
  reroute_scheduler_probe (
    ((const RerouteRelayParts *) parts)->scheduler, decision, worker, func, func_data);
}
