/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Bus names, object paths and interface names (design.md section 4). */

#pragma once

#define REROUTE_RULES_BUS_NAME "org.reroute.Rules"
#define REROUTE_RULES_PATH "/org/reroute/Rules"
#define REROUTE_RULES_INTERFACE "org.reroute.Rules1"

#define REROUTE_RELAY_BUS_NAME "org.reroute.Relay"
#define REROUTE_RELAY_PATH "/org/reroute/Relay"
#define REROUTE_RELAY_INTERFACE "org.reroute.Relay1"

#define REROUTE_ACTION_RULES_MODIFY "org.reroute.rules.modify"
#define REROUTE_ACTION_QUEUE_MANAGE "org.reroute.queue.manage"
#define REROUTE_ACTION_QUEUE_VIEW "org.reroute.queue.view"

/* Who is in it may do all of that without a password: data/, polkit rules. */
#define REROUTE_ADMIN_GROUP "reroute-admin"
