/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"
#include "service/relay/client-certificate-keeper.h"
#include "service/relay/deliver/scheduler.h"
#include "service/relay/descriptors.h"
#include "service/relay/options.h"
#include "service/relay/receive/receiver.h"
#include "service/relay/receive/tls-keeper.h"
#include "service/relay/secrets-keeper.h"

G_BEGIN_DECLS

/**
 * RerouteMonitor:
 *
 * The pages for programs that watch the relay, over HTTP on loopback addresses: see monitor.h.
 */
typedef struct _RerouteMonitor RerouteMonitor;

/* The parts of a relay that its D-Bus face and its monitor ask; all belong to relay.c. */
typedef struct
{
  const RerouteRelayOptions *options;
  RerouteBus *bus;
  RerouteSpool *spool;
  RerouteTracker *tracker;
  RerouteScheduler *scheduler;
  RerouteAdmission *admission;
  RerouteWorker **workers; /* (array length=n_workers) */
  guint n_workers;
  RerouteRuleset *ruleset; /* NULL until the first was loaded */
  gint64 rules_us;         /* wall clock: when it came into force */
  GPtrArray *listeners;    /* (element-type RerouteListener) */
  RerouteTlsKeeper *tls;
  RerouteClientCertificateKeeper *certificates;
  RerouteDescriptorShare descriptors; /* of the ruleset */
  RerouteSecretsKeeper *secrets;
  RerouteMonitor *monitor;
  const char *hostname; /* as it greets */
  gboolean is_stopping;
} RerouteRelayParts;

/**
 * reroute_relay_run:
 * @token_helper: (transfer full): see reroute_token_helper_start()
 *
 * Runs the relay until SIGTERM or SIGINT; a second one ends it at once.
 *
 * Returns: whether it started and stopped as it should; else @error is set
 */
gboolean reroute_relay_run (const RerouteRelayOptions *options, int token_helper, GError **error);

G_END_DECLS
