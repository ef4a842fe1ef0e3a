/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by rules-service.c and rules-service-copies.c. */

#pragma once

#include "service/rules/rules-service.h"

#include "common/client/authority.h"
#include "common/client/dbus-rules1.h"
#include "common/client/relay-client.h"
#include "service/rules/answers.h"
#include "service/rules/commit.h"
#include "service/rules/copies.h"
#include "service/rules/edits.h"
#include "service/rules/outcomes.h"

G_BEGIN_DECLS

struct _RerouteRulesService
{
  GObject parent_instance;

  RerouteBus *bus;
  RerouteRulebook *rulebook;
  RerouteDBusRules1 *skeleton;
  RerouteAuthority *authority;
  RerouteRelayClient *relay;
  RerouteCommitter *committer;
  RerouteEdits *edits;
  RerouteCopies *copies;
  RerouteOutcomes *outcomes;
  RerouteListCache *cache;
  GPtrArray *lists; /* (element-type RerouteRulesCall): of List, that run */

  GCancellable *cancellable; /* of everything that stopping ends */
  guint n_calls;
  void (*stopped) (gpointer user_data); /* (nullable) */
  gpointer stopped_data;
};

typedef struct _RerouteRulesMethod RerouteRulesMethod;

/* One call, from its arrival to its reply. */
typedef struct
{
  RerouteRulesService *service;
  const RerouteRulesMethod *method;
  GDBusMethodInvocation *invocation; /* consumed by the reply */
  GVariant *arguments;
  GCancellable *cancellable;
  RerouteCaller caller;
  guint edit;    /* that a "saved" closes; 0: none */
  char *name;    /* (nullable): of one that saves, for Outcome */
  guint64 saved; /* the generation that it made; 0: none */
} RerouteRulesCall;

struct _RerouteRulesMethod
{
  const char *name;
  const char *signal;
  const char *action; /* (nullable): of polkit; NULL: free to read */
  void (*run) (RerouteRulesCall *call);
  RerouteAnswerFunc answer; /* (nullable): of those that only read the database */
};

/* Each ends the call. */
void reroute_rules_call_reply (RerouteRulesCall *call, GVariant *value);
void reroute_rules_call_fail (RerouteRulesCall *call, GError *error); /* @error: (transfer full) */

const char *reroute_rules_call_get_sender (RerouteRulesCall *call);

/* In the name of who calls.  @order: (transfer full) */
void reroute_rules_call_place_order (RerouteRulesCall *call,
                                     RerouteOrder *order,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);

/* Whether what was ordered is saved, for Outcome.  @reply: as Commit's */
gboolean reroute_rules_call_note_saved (RerouteRulesCall *call, GVariant *reply);

/* The methods of backups. */
void reroute_rules_run_backup_begin (RerouteRulesCall *call);
void reroute_rules_run_backup_read (RerouteRulesCall *call);
void reroute_rules_run_backup_end (RerouteRulesCall *call);
void reroute_rules_run_restore_begin (RerouteRulesCall *call);
void reroute_rules_run_restore_write (RerouteRulesCall *call);
void reroute_rules_run_restore_check (RerouteRulesCall *call);
void reroute_rules_run_restore_commit (RerouteRulesCall *call);
void reroute_rules_run_restore_end (RerouteRulesCall *call);

G_END_DECLS
