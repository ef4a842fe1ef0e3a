/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* Tells systemd, or what else set NOTIFY_SOCKET, how the relay is: "READY=1"; sd_notify(3).  Nobody
   need listen. */
void reroute_supervisor_notify (const char *state);

/* Where mail is received and by which rules, for systemctl(1) status.  @listeners: (element-type
   RerouteListener); @ruleset: (nullable) */
void reroute_supervisor_report (const GPtrArray *listeners, RerouteRuleset *ruleset);

G_END_DECLS
