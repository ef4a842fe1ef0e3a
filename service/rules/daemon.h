/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The command line of reroute-rulesd. */
typedef struct
{
  gboolean session;
  char *address;  /* (nullable): of a bus */
  char *database; /* (nullable): default: below REROUTE_STATE_DIR, or the user's state folder */
  gboolean check;
  gboolean exit_after_startup;
} RerouteRulesOptions;

/**
 * reroute_rules_daemon_run:
 *
 * Opens the database, then the bus, then owns the name, and serves until SIGTERM or SIGINT.  A bus
 * other than the system's that stays away ends it, too: whoever needs rulesd has its bus start it.
 *
 * Errors: those of the database and of the bus; one sentence for a person.
 */
gboolean reroute_rules_daemon_run (const RerouteRulesOptions *options, GError **error);

G_END_DECLS
