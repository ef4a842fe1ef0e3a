/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"
#include "service/rules/restoration.h"
#include "service/rules/rulebook.h"

G_BEGIN_DECLS

/**
 * RerouteCommitter:
 *
 * The way of an edit to a generation: reduced to what differs, judged, stored, announced.  The work
 * is done in threads of its own; saving is done one at a time.  An edit that was made on another
 * generation than the newest when its turn comes is stale.
 */
typedef struct _RerouteCommitter RerouteCommitter;

/* In the main thread, after the generation became the newest. */
typedef void (*RerouteSavedFunc) (const RerouteProposal *proposal, gpointer user_data);

/* @relay: asked where the MX of a domain leads */
RerouteCommitter *reroute_committer_new (RerouteRulebook *rulebook,
                                         RerouteRelayClient *relay,
                                         RerouteSavedFunc saved,
                                         gpointer user_data);
void reroute_committer_free (RerouteCommitter *self);

typedef enum
{
  REROUTE_ORDER_COMMIT,
  REROUTE_ORDER_REVERT,  /* the edit is what leads back to a generation */
  REROUTE_ORDER_RESTORE, /* the edit is what leads to a backup */
  REROUTE_ORDER_CHECK,   /* judged only */
  REROUTE_ORDER_EXPLAIN,
} RerouteOrderKind;

/* What a caller wants of an edit. */
typedef struct
{
  RerouteOrderKind kind;
  guint uid;   /* of the caller */
  char *where; /* (nullable): RerouteCaller */
  char *call;  /* COMMIT, REVERT: reroute_outcomes_name() */
  GPtrArray
    *changes; /* (element-type RerouteChange); NULL for REVERT; NULL for CHECK judges everything */
  RerouteRestoration *restoration; /* (nullable): RESTORE; CHECK of what that would change */
  guint64 expected_serial;         /* COMMIT, REVERT, RESTORE */
  char **confirmed;                /* COMMIT, REVERT, RESTORE: keys of findings */
  guint64 serial;                  /* REVERT: the generation that comes back */
  char *address;                   /* EXPLAIN */
  char *client;                    /* EXPLAIN: "" decides without admission */
  gboolean authenticated;          /* EXPLAIN */
} RerouteOrder;

void reroute_order_free (RerouteOrder *self);

/**
 * reroute_committer_run_async:
 * @order: (transfer full)
 */
void reroute_committer_run_async (RerouteCommitter *self,
                                  RerouteOrder *order,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);

/* (transfer full): the out arguments of the Rules1 method: Commit, Revert, RestoreCommit, Check or
   Explain */
GVariant *
reroute_committer_run_finish (RerouteCommitter *self, GAsyncResult *result, GError **error);

G_END_DECLS
