/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/next-hop.h"

G_BEGIN_DECLS

/**
 * RerouteDownHosts:
 *
 * Hosts that take no mail, by the name that an entry or a setting has for them and their port, and
 * since when; and those that take some, and deny a login or TLS to other.  One that mail has not
 * been sent to for a while is forgotten.
 */
typedef struct _RerouteDownHosts RerouteDownHosts;

RerouteDownHosts *reroute_down_hosts_new (void);
void reroute_down_hosts_free (RerouteDownHosts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteDownHosts, reroute_down_hosts_free)

/* It did not take mail; it is asked again after @wait_us.  @denied: (nullable): the account that it
   does not let in, or "TLS"; NULL: whatever the mail is.  @now_us: wall clock.  Of more than
   REROUTE_LIMIT_DOWN_HOSTS at a time the last ones are not kept. */
void reroute_down_hosts_add (RerouteDownHosts *self,
                             const RerouteEndpoint *host,
                             const char *denied,
                             gint64 now_us,
                             gint64 wait_us);
/* It has answered, or granted it. */
void
reroute_down_hosts_remove (RerouteDownHosts *self, const RerouteEndpoint *host, const char *denied);
/* (transfer floating): a(sx): "mx1.example.net:25", "smtp.example.net:587 (ACCOUNT)", since when
   (wall clock) */
GVariant *reroute_down_hosts_list (RerouteDownHosts *self, gint64 now_us);

G_END_DECLS
