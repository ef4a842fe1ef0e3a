/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * supervisor.c - what the service manager is told
 */

#include "config.h"

#include "service/relay/supervisor.h"

#include "service/relay/receive/listener.h"

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

void
reroute_supervisor_notify (const char *state)
{
#ifdef HAVE_LIBSYSTEMD
  sd_notify (0, state);
#endif
}

void
reroute_supervisor_report (const GPtrArray *listeners, RerouteRuleset *ruleset)
{
  g_autofree char *labels = reroute_listeners_dup_labels (listeners);
  g_autofree char *serial = ruleset != NULL
                              ? g_strdup_printf ("rules of generation %" G_GUINT64_FORMAT,
                                                 reroute_ruleset_get_serial (ruleset))
                              : g_strdup ("no rules yet");
  g_autofree char *status = g_strdup_printf ("STATUS=Receiving on %s; %s", labels, serial);

  reroute_supervisor_notify (status);
}
