/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* What the command line of reroute-relayd says; what an administrator sets is in the settings. */
typedef struct
{
  gboolean session;
  char *bus;
  char *spool;
  char *token_commands;  /* (nullable): --token-commands */
  char *alarm_commands;  /* (nullable): --alarm-commands */
  char **listen;         /* (nullable) (array zero-terminated=1): instead of the setting */
  char **metrics_listen; /* (nullable) (array zero-terminated=1): instead of the setting */
  char **dns;            /* (nullable) (array zero-terminated=1): instead of the setting */
  char *trust_anchor;    /* (nullable): a file of DNS records to validate from */
  guint16 mx_port;
  guint16 mta_sts_port;
  gboolean check;
  gboolean version;
  gboolean no_sandbox;
  gboolean exit_after_startup;
} RerouteRelayOptions;

/**
 * reroute_relay_options_parse:
 * @arguments: (inout) (array zero-terminated=1): as for main()
 *
 * Errors: %G_OPTION_ERROR, %REROUTE_ERROR_VALUE; nothing is left in @self then.
 */
gboolean reroute_relay_options_parse (RerouteRelayOptions *self, char ***arguments, GError **error);
void reroute_relay_options_clear (RerouteRelayOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteRelayOptions, reroute_relay_options_clear)

/* (transfer full): where the queue is: --spool, else the place for that bus. */
char *reroute_relay_options_dup_spool (const RerouteRelayOptions *self);

/* (transfer full): where programs that print tokens are: --token-commands, else the place for that
   bus. */
char *reroute_relay_options_dup_token_commands (const RerouteRelayOptions *self);
/* Likewise of programs that are told of alarms: --alarm-commands. */
char *reroute_relay_options_dup_alarm_commands (const RerouteRelayOptions *self);

/* Where to receive, as reroute_listener_open() wants it.  @ruleset: (nullable) */
GStrv reroute_relay_options_list_endpoints (const RerouteRelayOptions *self,
                                            RerouteRuleset *ruleset);

G_END_DECLS
