/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * errands.c - what receiving asks of delivering besides taking messages over
 */

#include "config.h"

#include "service/relay/errands.h"

static void
check (RerouteDecision *decision,
       guint worker,
       RerouteReceiverAnswerFunc func,
       gpointer func_data,
       gpointer parts)
{
  reroute_scheduler_probe (
    ((const RerouteRelayParts *) parts)->scheduler, decision, worker, func, func_data);
}

static void
etrn (const RerouteEtrn *wanted,
      guint worker,
      RerouteReceiverEtrnFunc func,
      gpointer func_data,
      gpointer parts)
{
  reroute_scheduler_etrn (
    ((const RerouteRelayParts *) parts)->scheduler, wanted, worker, func, func_data);
}

void
reroute_errands_set_up (RerouteReceiverConfig *config, RerouteRelayParts *parts)
{
  config->check = check;
  config->etrn = etrn;
  config->errand_data = parts;
  config->tracker = parts->tracker;
}
