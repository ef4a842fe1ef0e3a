/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <json-glib/json-glib.h>

#include "common/client/relay-client.h"
#include "common/client/rules-client.h"

G_BEGIN_DECLS

/* What every verb gets: the two services, and how to print. */
typedef struct
{
  gboolean session;      /* --session */
  const char *address;   /* --bus, or NULL */
  RerouteRemote *remote; /* (nullable): --host */
  RerouteBus *bus;       /* open once the options were understood */
  RerouteRulesClient *rules;
  RerouteRelayClient *relay;
  gboolean json;
  gboolean last_is_file; /* the last word of the verb is the name of a file */
  GPtrArray *words;      /* (nullable) (element-type utf8): of the verb */
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

/* Whether the name of @verb, or of any, begins with the @n words. */
gboolean reroute_ctl_is_verb_of (const RerouteVerb *verb, int n, char **words);
gboolean reroute_ctl_is_beginning (int n, char **words);

void reroute_ctl_clear (RerouteCtl *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteCtl, reroute_ctl_clear)

/* Errors: %REROUTE_ERROR_UNAVAILABLE, with what to do */
gboolean reroute_ctl_open_bus (RerouteCtl *self, GError **error);

/* A command at a prompt does one thing at a time: start a call with reroute_ctl_wait_cb and a
   GAsyncResult* that is NULL, then wait for it. */
void reroute_ctl_wait_cb (GObject *source, GAsyncResult *result, gpointer user_data);
GAsyncResult *reroute_ctl_wait (GAsyncResult **result);

/**
 * reroute_ctl_parse:
 * @entries: (nullable) (array zero-terminated=1): the verb's own options; --json comes for free
 * @minimum, @maximum: how many words may stay
 *
 * Takes the options off @argv, whose first word is the verb's last, makes UTF-8 of the words that
 * stay, and opens the bus.
 *
 * Errors: of the domain G_OPTION_ERROR; %REROUTE_ERROR_UNAVAILABLE, with what to do.
 */
gboolean reroute_ctl_parse (RerouteCtl *self,
                            const GOptionEntry *entries,
                            int *argc,
                            char ***argv,
                            int minimum,
                            int maximum,
                            GError **error);

/* Names the word of @argv that an error of the domain G_CONVERT_ERROR is about: wrong usage. */
void reroute_ctl_reword_encoding (int argc, char **argv, GError **error);

/* Prints what a builder holds; adds a named string, which may be NULL. */
void reroute_ctl_print_json (JsonBuilder *builder);
void reroute_ctl_add_string (JsonBuilder *builder, const char *name, const char *value);
void reroute_ctl_add_int (JsonBuilder *builder, const char *name, gint64 value);
void reroute_ctl_add_boolean (JsonBuilder *builder, const char *name, gboolean value);

/* The id of a message as the log and the lists show it, in hexadecimal. */
gboolean reroute_ctl_parse_message_id (const char *text, guint64 *id, GError **error);
/* What stands in the file @name, or comes from the standard input when it is "-"; a NUL behind it.
   Errors: of the domain G_FILE_ERROR.  @length: of it, in octets */
char *reroute_ctl_read_input (const char *name, gsize *length, GError **error);

/* The verbs, one file each. */
#define REROUTE_CTL_VERB(name)                                                                     \
  gboolean reroute_ctl_##name (RerouteCtl *ctl, int argc, char **argv, GError **error)
REROUTE_CTL_VERB (status);
REROUTE_CTL_VERB (routing_list);
REROUTE_CTL_VERB (routing_add);
REROUTE_CTL_VERB (routing_edit);
REROUTE_CTL_VERB (routing_remove);
REROUTE_CTL_VERB (connections_list);
REROUTE_CTL_VERB (connections_add);
REROUTE_CTL_VERB (connections_edit);
REROUTE_CTL_VERB (connections_remove);
REROUTE_CTL_VERB (recipients_list);
REROUTE_CTL_VERB (recipients_add);
REROUTE_CTL_VERB (recipients_remove);
REROUTE_CTL_VERB (recipients_import);
REROUTE_CTL_VERB (account_list);
REROUTE_CTL_VERB (account_add);
REROUTE_CTL_VERB (account_remove);
REROUTE_CTL_VERB (settings_list);
REROUTE_CTL_VERB (settings_get);
REROUTE_CTL_VERB (settings_set);
REROUTE_CTL_VERB (explain);
REROUTE_CTL_VERB (tls_report);
REROUTE_CTL_VERB (check);
REROUTE_CTL_VERB (doctor);
REROUTE_CTL_VERB (history);
REROUTE_CTL_VERB (revert);
REROUTE_CTL_VERB (import);
REROUTE_CTL_VERB (export);
REROUTE_CTL_VERB (backup);
REROUTE_CTL_VERB (restore);
REROUTE_CTL_VERB (log);
REROUTE_CTL_VERB (track);
REROUTE_CTL_VERB (track_show);
REROUTE_CTL_VERB (queue_list);
REROUTE_CTL_VERB (queue_show);
REROUTE_CTL_VERB (queue_retry);
REROUTE_CTL_VERB (queue_hold);
REROUTE_CTL_VERB (queue_release);
REROUTE_CTL_VERB (queue_return);
REROUTE_CTL_VERB (queue_delete);

G_END_DECLS
