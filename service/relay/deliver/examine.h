/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/resolver.h"
#include "service/relay/deliver/scheduler.h"

G_BEGIN_DECLS

/* What an examination of the relay has the scheduler find out.  Each is called from the main thread
   and ended by reroute_scheduler_call_finish(). */

/* (uas): a RerouteDnsStatus; addresses, texts, exchangers or names; of FAILED the reason. */
void reroute_scheduler_look_up_async (RerouteScheduler *self,
                                      RerouteDnsKind kind,
                                      const char *name,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);

/* (as): the addresses of this machine, loopback left out, and those of the setting own-addresses.
 */
void reroute_scheduler_list_addresses_async (RerouteScheduler *self,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);

/* --- visits: connections that are greeted, and told goodbye --- */

typedef enum
{
  REROUTE_VISIT_ANSWERED,
  REROUTE_VISIT_FAILED,
  REROUTE_VISIT_UNRESOLVED, /* DNS names no host */
} RerouteVisitState;

/**
 * reroute_scheduler_visit_hosts_async:
 * @domain: where to; "": to hosts that mail went to or waits for, else to those that the rules name
 *
 * (a(sus)): for each host a RerouteVisitState, and why it does not answer; of what cannot be looked
 * up the domain or host.  Takes REROUTE_LIMIT_VISIT_S and the time of a look-up.
 */
void reroute_scheduler_visit_hosts_async (RerouteScheduler *self,
                                          const char *domain,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);

/**
 * reroute_scheduler_visit_address_async:
 * @name: of the host, for TLS
 * @in_tls: STARTTLS is wanted, and what is shown is told
 *
 * (sa{sv}): why it does not answer, or does not come to TLS, "" otherwise; of the certificate names
 * as, from x, until x (seconds since 1970), for-name b, self-signed b, doubt s (why it cannot be
 * verified; "": it can).
 */
void reroute_scheduler_visit_address_async (RerouteScheduler *self,
                                            const char *name,
                                            const RerouteIp *ip,
                                            guint16 port,
                                            gboolean in_tls,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);

G_END_DECLS
