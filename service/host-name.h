/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* (transfer full): what this machine calls itself, as a domain. */
char *reroute_host_name_find (void);

/* (transfer full): @ruleset where it sets a host name, else one with @machine for it.  So every
   part has the same, and mail to the postmaster of this machine is known as ours (RFC 5321 4.5.1).
 */
RerouteRuleset *reroute_host_name_fill_in (RerouteRuleset *ruleset, const char *machine);

G_END_DECLS
