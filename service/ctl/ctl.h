/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <json-glib/json-glib.h>

#include "common/client/bus.h"
#include "common/client/reroute-dbus.h"
#include "common/ruleset-check.h"

G_BEGIN_DECLS

/* What every verb gets: the bus, its proxies, and how to print. */
typedef struct
{
  GDBusConnection *bus;
  RerouteDBusRules1 *rules; /* use reroute_ctl_get_rules() */
  RerouteDBusRelay1 *relay; /* use reroute_ctl_get_relay() */
  gboolean json;
} RerouteCtl;

/* A verb: one line of the table in verbs.c. */
typedef struct
{
  const char *name;      /* "routing add" */
  const char *arguments; /* "DOMAIN (--reroute-to=DOMAIN|--inbound|--relay) [--exact]" */
  const char *summary;
  /* FALSE with an error: exit 1; of the domain G_OPTION_ERROR: exit 2. */
  gboolean (*run) (RerouteCtl *ctl, int argc, char **argv, GError **error);
} RerouteVerb;

/* (array length=n_verbs) */
const RerouteVerb *reroute_ctl_get_verbs (gsize *n_verbs);

/* The verb that @argv begins with, and how many words its name has; NULL: there is none. */
const RerouteVerb *reroute_ctl_find_verb (int argc, char **argv, int *n_words);

void reroute_ctl_clear (RerouteCtl *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteCtl, reroute_ctl_clear)

/* Errors: %REROUTE_ERROR_UNAVAILABLE, with what to do. */
RerouteDBusRules1 *reroute_ctl_get_rules (RerouteCtl *self, GError **error);
RerouteDBusRelay1 *reroute_ctl_get_relay (RerouteCtl *self, GError **error);

/**
 * reroute_ctl_parse:
 * @entries: (nullable) (array zero-terminated=1): the verb's own options; --json comes for free
 * @minimum, @maximum: how many words may stay
 *
 * Takes the options off @argv; argv[0] is the verb's last word.
 *
 * Errors: of the domain G_OPTION_ERROR.
 */
gboolean reroute_ctl_parse (RerouteCtl *self,
                            const GOptionEntry *entries,
                            int *argc,
                            char ***argv,
                            int minimum,
                            int maximum,
                            GError **error);

/* Takes ownership of what a builder holds and prints it. */
void reroute_ctl_print_json (JsonBuilder *builder);

/* The verbs, one file each. */
#define REROUTE_CTL_VERB(name) gboolean reroute_ctl_##name (RerouteCtl *ctl, int argc, char **argv, GError **error)
REROUTE_CTL_VERB (status);
REROUTE_CTL_VERB (routing_list);
REROUTE_CTL_VERB (routing_add);
REROUTE_CTL_VERB (routing_edit);
REROUTE_CTL_VERB (routing_remove);
REROUTE_CTL_VERB (connections_list);
REROUTE_CTL_VERB (connections_add);
REROUTE_CTL_VERB (connections_edit);
REROUTE_CTL_VERB (connections_remove);
REROUTE_CTL_VERB (settings_list);
REROUTE_CTL_VERB (settings_get);
REROUTE_CTL_VERB (settings_set);
REROUTE_CTL_VERB (explain);
REROUTE_CTL_VERB (check);
REROUTE_CTL_VERB (history);
REROUTE_CTL_VERB (revert);
REROUTE_CTL_VERB (import);
REROUTE_CTL_VERB (export);
REROUTE_CTL_VERB (queue_list);
REROUTE_CTL_VERB (queue_show);
REROUTE_CTL_VERB (queue_retry);
REROUTE_CTL_VERB (queue_delete);

G_END_DECLS
