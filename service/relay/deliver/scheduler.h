/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "service/relay/deliver/client-certificate.h"
#include "service/relay/deliver/delivery.h"
#include "service/relay/deliver/secrets.h"
#include "service/relay/smtp/etrn.h"
#include "service/relay/smtp/srs.h"
#include "service/relay/track/tracker.h"

G_BEGIN_DECLS

/**
 * RerouteScheduler:
 *
 * Decides when and where every recipient is tried: the resolver, the retry schedule, destinations
 * with their back-off and leases, and the index of what waits, all on the first worker's thread.
 */
typedef struct _RerouteScheduler RerouteScheduler;

typedef struct
{
  RerouteSpool *spool;            /* borrowed */
  RerouteTracker *tracker;        /* (nullable): borrowed */
  const char *const *dns_servers; /* --dns; NULL: the setting */
  const char *trust_anchor;       /* (nullable): a file; --trust-anchor */
  int token_helper;               /* (transfer full): see reroute_tokens_new() */
  guint16 mx_port;                /* 25 unless --mx-port */
  guint16 mta_sts_port;           /* 443 unless --mta-sts-port */
  guint16 listen_port;            /* of --listen; 0: the ports of the setting */
  const char *hostname;           /* of the machine, where the setting is empty; copied */
  RerouteWorker **workers;        /* (array length=n_workers): not started yet */
  guint n_workers;

  /* Back-pressure, from any thread: TRUE when more messages wait for a connection than the bound
     and the next hops are not to blame, FALSE at half of it.  Receiving stops in between.
     (nullable) */
  void (*pressure) (gboolean high, gpointer user_data);
  gpointer user_data;
} RerouteSchedulerConfig;

RerouteScheduler *reroute_scheduler_new (const RerouteSchedulerConfig *config, GError **error);
/* Any thread, once, before stop().  @entries: (element-type RerouteSpoolEntry) (transfer full):
   what the spool had at start */
void reroute_scheduler_restore (RerouteScheduler *self, GPtrArray *entries);
/* Finishes or defers what is in hand, within @grace_us; then every worker's pool is gone.  The
   workers are stopped after it. */
void reroute_scheduler_stop (RerouteScheduler *self, gint64 grace_us);
/* After the workers have stopped. */
void reroute_scheduler_free (RerouteScheduler *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteScheduler, reroute_scheduler_free)

/* Any thread.  Before the first one nothing is delivered.  Recipients that wait because their entry
   was removed are decided again; deferred ones are decided anew at their next try. */
void reroute_scheduler_set_ruleset (RerouteScheduler *self, RerouteRuleset *ruleset);

/* Any thread.  Reads again which name servers and addresses this machine has, and decides anew what
   waits for a connection. */
void reroute_scheduler_reload (RerouteScheduler *self);

/* Any thread.  @srs: (nullable): what rewrites senders of mail that leaves our organisation, from
   the next decision on; a reference is taken */
void reroute_scheduler_set_srs (RerouteScheduler *self, RerouteSrs *srs);

/* Any thread.  What next hops are shown in TLS from now on, and what cannot be shown; a reference
   is taken. */
void reroute_scheduler_set_client_certificates (RerouteScheduler *self,
                                                RerouteClientCertificates *certificates);
/* Any thread.  What is logged in with at next hops from now on; a reference is taken. */
void reroute_scheduler_set_secrets (RerouteScheduler *self, RerouteSecrets *secrets);

/* Any thread: a message that was just committed; delivered on @worker. */
void reroute_scheduler_submit (RerouteScheduler *self, RerouteMessage *message, guint worker);

/* On the worker that asked.  @unknown: there is no such recipient; FALSE: there is, or nobody can
   tell. */
typedef void (*RerouteSchedulerProbeFunc) (gboolean unknown, gpointer user_data);
/* Any thread, before stop(): asks the next hop of @decision (transfer full) whether it knows the
   recipient; @func runs on @worker, within REROUTE_LIMIT_PROBE_S. */
void reroute_scheduler_probe (RerouteScheduler *self,
                              RerouteDecision *decision,
                              guint worker,
                              RerouteSchedulerProbeFunc func,
                              gpointer user_data);

/* On the worker that asked.  @n_started: messages; -1: the queue cannot be asked now */
typedef void (*RerouteSchedulerEtrnFunc) (int n_started, gpointer user_data);
/* Any thread, before stop(): tries what waits for ETRN and leaves for the domain; @func runs on
   @worker, before the tries have ended. */
void reroute_scheduler_etrn (RerouteScheduler *self,
                             const RerouteEtrn *wanted,
                             guint worker,
                             RerouteSchedulerEtrnFunc func,
                             gpointer user_data);

typedef struct
{
  guint64 messages, recipients, received, delivered, deferred, failed;
  guint64 held;      /* recipients */
  guint64 retried;   /* recipients that wait behind a try */
  guint64 pressures; /* how often back-pressure began */
  guint64 changes;   /* of the queue: it looks as it did while this stays */
  gint64 oldest_us;  /* when the oldest message came, by the wall clock as it is; 0: none waits */
  guint connections;
  gboolean is_pressed;  /* back-pressure */
  gboolean is_restored; /* what the spool had at start is among the messages */
  char *dns; /* "system", "127.0.0.1:5300", with "insecure" when DNSSEC is not to be had */
} RerouteSchedulerFigures;
void reroute_scheduler_get_figures (
  RerouteScheduler *self,
  RerouteSchedulerFigures *figures); /* any thread, before stop(); dns is (transfer full) */

/* The verbs of org.reroute.Relay1, from the main thread; the answers are the methods' out values as
 * tuples.  Those about the queue wait until it is restored. */
/* @arguments: (ssuu): the in values of Relay1.Queue
   Errors: %REROUTE_ERROR_VALUE: there is no such order. */
void reroute_scheduler_queue_async (RerouteScheduler *self,
                                    GVariant *arguments,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
/* @arguments: (ssuu): the in values of Relay1.QueueGroups; (ssssuu): of Relay1.QueueGroup
   Errors: %REROUTE_ERROR_VALUE: there are no such groups, or no such order. */
void reroute_scheduler_queue_groups_async (RerouteScheduler *self,
                                           GVariant *arguments,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
void reroute_scheduler_queue_group_async (RerouteScheduler *self,
                                          GVariant *arguments,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
void reroute_scheduler_show_async (RerouteScheduler *self,
                                   guint64 id,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

/* What is done with mail that waits. */
typedef enum
{
  REROUTE_QUEUE_ACTION_RETRY,
  REROUTE_QUEUE_ACTION_HOLD,
  REROUTE_QUEUE_ACTION_RELEASE,
  REROUTE_QUEUE_ACTION_RETURN,
  REROUTE_QUEUE_ACTION_DELETE,
} RerouteQueueAction;

/* @selection: (ata{sv}): the in values of Relay1.QueueRetry and its like
   Errors: %REROUTE_ERROR_VALUE: it names nothing, or by a name that is none. */
void reroute_scheduler_act_async (RerouteScheduler *self,
                                  RerouteQueueAction action,
                                  GVariant *selection,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
void reroute_scheduler_explain_async (RerouteScheduler *self,
                                      const char *address,
                                      const RerouteClient *client,
                                      RerouteRuleset *ruleset,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
/* (a{sb}as): as Relay1.MxLeadsHere answers.  Comes after %REROUTE_LIMIT_MX_WAIT_MS at the latest,
   with what is known by then; a domain that is not stands in neither.  @domains: copied */
void reroute_scheduler_mx_leads_here_async (RerouteScheduler *self,
                                            const char *const *domains,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);
/* @domain: in normal form; "": all */
void reroute_scheduler_tls_report_async (RerouteScheduler *self,
                                         const char *domain,
                                         guint offset,
                                         guint limit,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* Also what there is of @today. */
void reroute_scheduler_send_tls_reports_async (RerouteScheduler *self,
                                               gboolean today,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
/* (a(sx)a(ss)): the hosts of entries and settings that take no mail, and since when: see
   RerouteDownHosts; and those that mail which leaves our organisation is not sent to any more, with
   the code and status of the last refusal, "550 5.7.1" */
void reroute_scheduler_list_down_async (RerouteScheduler *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
/* (transfer full): NULL with an error: %REROUTE_ERROR_NO_SUCH_ENTRY … */
GVariant *
reroute_scheduler_call_finish (RerouteScheduler *self, GAsyncResult *result, GError **error);

G_END_DECLS
