/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * errands.c - what receiving asks of delivering besides taking messages over
 */

#include "config.h"

#include "service/relay/errands.h"

void
reroute_errand_check (RerouteDecision *decision,
                      guint worker,
                      RerouteReceiverAnswerFunc func,
                      gpointer func_data,
                      gpointer parts)
{
  reroute_scheduler_probe (
    ((const RerouteRelayParts *) parts)->scheduler, decision, worker, func, func_data);
}

void
reroute_errand_etrn (const RerouteEtrn *wanted,
                     guint worker,
                     RerouteReceiverEtrnFunc func,
                     gpointer func_data,
                     gpointer parts)
{
  reroute_scheduler_etrn (
    ((const RerouteRelayParts *) parts)->scheduler, wanted, worker, func, func_data);
}
