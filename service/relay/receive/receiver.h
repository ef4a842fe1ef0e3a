/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/accounts.h"
#include "service/relay/receive/admission.h"
#include "service/relay/receive/listener.h"
#include "service/relay/receive/tls-server.h"
#include "service/relay/smtp/etrn.h"
#include "service/relay/spool/spool.h"
#include "service/relay/track/tracker.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteReceiver:
 *
 * The receiving half of one worker: its share of the listening sockets, and its sessions.
 */
typedef struct _RerouteReceiver RerouteReceiver;

/* On the worker that asked.  @unknown: the recipient does not exist; FALSE: it does, or nobody can
   tell. */
typedef void (*RerouteReceiverAnswerFunc) (gboolean unknown, gpointer user_data);

/* On the worker that asked.  @n_started: messages; -1: the queue cannot be asked now */
typedef void (*RerouteReceiverEtrnFunc) (int n_started, gpointer user_data);

typedef struct
{
  RerouteSpool *spool;         /* borrowed */
  RerouteTracker *tracker;     /* (nullable): borrowed */
  RerouteAdmission *admission; /* borrowed */
  const char *hostname;        /* of the machine, where the setting is empty; copied */

  /* On the worker, after the commit and the 250: the message is ours.  @message is borrowed. */
  void (*accepted) (RerouteMessage *message, guint worker, gpointer user_data);
  /* On the worker, after reroute_receiver_drain(): no session is left. */
  void (*drained) (guint worker, gpointer user_data);
  gpointer user_data;

  /* Asks the next hop of @decision (transfer full) whether it knows the recipient.  (nullable): it
     is not asked */
  void (*check) (RerouteDecision *decision,
                 guint worker,
                 RerouteReceiverAnswerFunc func,
                 gpointer func_data,
                 gpointer errand_data);
  /* Tries what waits for ETRN.  (nullable): ETRN is not offered */
  void (*etrn) (const RerouteEtrn *wanted,
                guint worker,
                RerouteReceiverEtrnFunc func,
                gpointer func_data,
                gpointer errand_data);
  gpointer errand_data;
} RerouteReceiverConfig;

RerouteReceiver *reroute_receiver_new (RerouteWorker *worker, const RerouteReceiverConfig *config);
/* After the worker has stopped. */
void reroute_receiver_free (RerouteReceiver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteReceiver, reroute_receiver_free)

/* The rest may be called by any thread and takes effect in that order. */

/* The generation that the next RCPT is decided by. */
void reroute_receiver_set_ruleset (RerouteReceiver *self, RerouteRuleset *ruleset);

/* @tls: (nullable): what sessions that begin from now on offer; a reference is taken */
void reroute_receiver_set_tls (RerouteReceiver *self, RerouteTlsServer *tls);

/* @srs: (nullable): whose addresses are taken as those of the senders in them; a reference is taken
 */
void reroute_receiver_set_srs (RerouteReceiver *self, RerouteSrs *srs);

/* @accounts: (nullable): who may log in; %NULL: AUTH is not offered; a reference is taken */
void reroute_receiver_set_accounts (RerouteReceiver *self, RerouteAccounts *accounts);

/* @listeners: (element-type RerouteListener): a reference is taken; do not change it */
void reroute_receiver_set_listeners (RerouteReceiver *self, GPtrArray *listeners);

/* Back-pressure: while paused no session reads and nothing is accepted. */
void reroute_receiver_set_paused (RerouteReceiver *self, gboolean paused);

/**
 * reroute_receiver_drain:
 * @grace_us: how long a message that is under way may take
 *
 * Accepts no more and ends every session: with 421 4.3.2 at once, or after the message that it is
 * in the middle of.  A session whose commit is pending waits for it, however long that takes.
 */
void reroute_receiver_drain (RerouteReceiver *self, gint64 grace_us);

G_END_DECLS
