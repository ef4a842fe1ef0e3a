/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/scheduler.h"
#include "service/relay/deliver/tls-results.h"

G_BEGIN_DECLS

/**
 * RerouteTlsReporter:
 *
 * Collects how TLS went with the hosts of other domains, keeps it in the spool, and sends it to the
 * domains that ask for it, day by day, where the setting tls-report wants that.  Lives on the
 * scheduler's thread.
 */
typedef struct _RerouteTlsReporter RerouteTlsReporter;

/* Reads what was kept; a damaged file is logged and passed over.  @loopback: reports may go to
   addresses of this machine: for tests */
RerouteTlsReporter *reroute_tls_reporter_new (RerouteScheduler *scheduler, gboolean loopback);
/* Ends what is on its way and keeps the results. */
void reroute_tls_reporter_close (RerouteTlsReporter *self);
/* After the worker has stopped. */
void reroute_tls_reporter_free (RerouteTlsReporter *self);

/* There are other settings: where they want no reports, what was collected is forgotten. */
void reroute_tls_reporter_update (RerouteTlsReporter *self);
gboolean reroute_tls_reporter_is_on (const RerouteTlsReporter *self);

/* Counts a session of today; nothing while it is off. */
void reroute_tls_reporter_add (RerouteTlsReporter *self,
                               const char *domain,
                               const RerouteTlsResult *result);
/* Borrowed. */
RerouteTlsResults *reroute_tls_reporter_get_results (RerouteTlsReporter *self);

/* Sends the reports of the days before, and with @today what there is of today; each is forgotten
   when it was delivered, or when its domain wants none.  Returns: how many are begun */
guint reroute_tls_reporter_send (RerouteTlsReporter *self, gboolean today);

G_END_DECLS
