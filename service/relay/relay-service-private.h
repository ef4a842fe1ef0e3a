/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by relay-service.c and relay-service-*.c. */

#pragma once

#include "service/relay/relay-service.h"

#include "common/client/authority.h"
#include "common/client/dbus-relay1.h"

G_BEGIN_DECLS

typedef struct _RerouteRelayMethod RerouteRelayMethod;

/* What a signal of the skeleton is connected with. */
typedef struct
{
  RerouteRelayService *service;
  const RerouteRelayMethod *method;
} RerouteRelayHandler;

struct _RerouteRelayService
{
  GObject parent_instance;

  const RerouteRelayParts *parts; /* NULL when it is closed */
  RerouteDBusRelay1 *skeleton;
  RerouteAuthority *authority;
  GCancellable *cancellable;
  RerouteRelayHandler *handlers;
  guint figures_id;
  guint n_examinations;         /* under way */
  RerouteSchedulerFigures told; /* by the last StatusChanged; without dns */
  guint64 told_serial;
};

/* One call, from its arrival to its reply. */
typedef struct
{
  RerouteRelayService *service;
  const RerouteRelayMethod *method;
  GDBusMethodInvocation *invocation; /* consumed by the reply */
  GVariant *arguments;
  RerouteCaller caller; /* who asks */
} RerouteRelayCall;

struct _RerouteRelayMethod
{
  const char *signal;
  const char *action; /* (nullable): of polkit; NULL: free to read */
  void (*run) (RerouteRelayCall *call);
  gboolean is_logged; /* who calls it, and from where */
};

/* Each ends the call. */
void reroute_relay_call_reply (RerouteRelayCall *call, GVariant *value);
void reroute_relay_call_fail (RerouteRelayCall *call, GError *error); /* @error: (transfer full) */

/* For what the scheduler answers: the reply is its own. */
void reroute_relay_call_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data);

/* Errors: %REROUTE_ERROR_TOO_LARGE: @what is it */
gboolean reroute_relay_call_check_text (const char *what, const char *text, GError **error);

/* The methods of the queue, of tracking, of certificates, of the examination and of the reports
   about TLS. */
void reroute_relay_run_queue (RerouteRelayCall *call);
void reroute_relay_run_queue_groups (RerouteRelayCall *call);
void reroute_relay_run_queue_group (RerouteRelayCall *call);
void reroute_relay_run_queue_message (RerouteRelayCall *call);
void reroute_relay_run_queue_retry (RerouteRelayCall *call);
void reroute_relay_run_queue_hold (RerouteRelayCall *call);
void reroute_relay_run_queue_release (RerouteRelayCall *call);
void reroute_relay_run_queue_return (RerouteRelayCall *call);
void reroute_relay_run_queue_delete (RerouteRelayCall *call);
void reroute_relay_run_track (RerouteRelayCall *call);
void reroute_relay_run_track_message (RerouteRelayCall *call);
void reroute_relay_run_judge_certificates (RerouteRelayCall *call);
void reroute_relay_run_examine (RerouteRelayCall *call);
void reroute_relay_run_tls_report (RerouteRelayCall *call);
void reroute_relay_run_send_tls_reports (RerouteRelayCall *call);

G_END_DECLS
