/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"
#include "common/ruleset.h"

G_BEGIN_DECLS

/**
 * RerouteRelayClient:
 *
 * The other side of org.reroute.Relay1.  Errors as for RerouteRulesClient;
 * %REROUTE_ERROR_UNAVAILABLE when the relay is not running: it is never started by a call.
 *
 * Properties: available (boolean, notified): the relay stands on the bus; followed from
 *   reroute_relay_client_watch() on.
 * Signals: status-changed (guint64 serial): as Relay1.StatusChanged; alarms-changed (#GVariant):
 *   the property Relay1.Alarms; both from watch on.
 */
#define REROUTE_TYPE_RELAY_CLIENT (reroute_relay_client_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRelayClient, reroute_relay_client, REROUTE, RELAY_CLIENT, GObject)

RerouteRelayClient *reroute_relay_client_new (RerouteBus *bus);

void reroute_relay_client_watch (RerouteRelayClient *self);
/* (transfer none) */
RerouteBus *reroute_relay_client_get_bus (RerouteRelayClient *self);
gboolean reroute_relay_client_get_available (RerouteRelayClient *self);

/* (transfer full): a{sv} as Relay1.Status documents; g_variant_lookup() reads it */
void reroute_relay_client_status_async (RerouteRelayClient *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
GVariant *
reroute_relay_client_status_finish (RerouteRelayClient *self, GAsyncResult *result, GError **error);

/**
 * reroute_relay_client_explain_async:
 * @client: an IP address, "" decides without admission
 * @changes: (nullable) (element-type RerouteChange): unsaved changes to decide under, under 1 MB as
 * they travel
 */
void reroute_relay_client_explain_async (RerouteRelayClient *self,
                                         const char *address,
                                         const char *client,
                                         gboolean authenticated,
                                         GPtrArray *changes,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* (transfer full): a{sv} as Relay1.Explain documents; @steps (out) (element-type RerouteStep) */
GVariant *reroute_relay_client_explain_finish (RerouteRelayClient *self,
                                               GAsyncResult *result,
                                               GPtrArray **steps,
                                               GError **error);

/* @domains: (array zero-terminated=1): at most 100.  Waits 3 s at most.
   (transfer full) (element-type utf8 RerouteMxFact): without those that DNS did not answer for in
   time
   */
void reroute_relay_client_mx_leads_here_async (RerouteRelayClient *self,
                                               const char *const *domains,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
GHashTable *reroute_relay_client_mx_leads_here_finish (RerouteRelayClient *self,
                                                       GAsyncResult *result,
                                                       GError **error);

/* --- accounts --- */

/* @name, @value: as Relay1.SetSecret documents. */
void reroute_relay_client_set_secret_async (RerouteRelayClient *self,
                                            const char *name,
                                            const char *value,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);
gboolean reroute_relay_client_set_secret_finish (RerouteRelayClient *self,
                                                 GAsyncResult *result,
                                                 GError **error);
void reroute_relay_client_list_secrets_async (RerouteRelayClient *self,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
/* (transfer full) (array zero-terminated=1) */
GStrv reroute_relay_client_list_secrets_finish (RerouteRelayClient *self,
                                                GAsyncResult *result,
                                                GError **error);

/* --- certificates --- */

/**
 * reroute_relay_client_judge_certificates_async:
 * @shown_to, @certificates, @keys: as Relay1.JudgeCertificates documents
 *
 * Asks no person for a right that is missing: it may be called while she types.
 */
void reroute_relay_client_judge_certificates_async (RerouteRelayClient *self,
                                                    const char *shown_to,
                                                    const char *const *certificates,
                                                    const char *const *keys,
                                                    GCancellable *cancellable,
                                                    GAsyncReadyCallback callback,
                                                    gpointer user_data);
/* @remark: (out) (transfer full) (nullable): of the relay's, in English; NULL: they serve */
gboolean reroute_relay_client_judge_certificates_finish (RerouteRelayClient *self,
                                                         GAsyncResult *result,
                                                         char **remark,
                                                         GError **error);

/* --- reports about TLS --- */

/* @domain: "": all */
void reroute_relay_client_tls_report_async (RerouteRelayClient *self,
                                            const char *domain,
                                            guint offset,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);
/* (transfer full): total and rows as Relay1.TlsReport documents: (ua(ssssttas)) */
GVariant *reroute_relay_client_tls_report_finish (RerouteRelayClient *self,
                                                  GAsyncResult *result,
                                                  GError **error);
void reroute_relay_client_send_tls_reports_async (RerouteRelayClient *self,
                                                  gboolean today,
                                                  GCancellable *cancellable,
                                                  GAsyncReadyCallback callback,
                                                  gpointer user_data);
gboolean reroute_relay_client_send_tls_reports_finish (RerouteRelayClient *self,
                                                       GAsyncResult *result,
                                                       guint *count,
                                                       GError **error);

/* --- the queue --- */

typedef struct
{
  char *address;      /* as received */
  char *state;        /* "waiting", "active", "held" */
  gint64 next_try_us; /* wall clock; 0: none */
  guint tries;
  char *last_reply;
} RerouteQueuedRecipient;

typedef struct
{
  guint64 id;
  gint64 received_us; /* wall clock */
  char *reverse_path;
  guint64 octets;
  GPtrArray *recipients; /* (element-type RerouteQueuedRecipient) */
} RerouteQueuedMessage;

typedef struct
{
  guint total;         /* messages that the filter lets through */
  GPtrArray *messages; /* (element-type RerouteQueuedMessage): in the order that was asked for */
} RerouteQueuePage;

void reroute_queued_recipient_free (gpointer recipient); /* a RerouteQueuedRecipient */
void reroute_queued_message_free (gpointer message);     /* a RerouteQueuedMessage */
void reroute_queue_page_free (RerouteQueuePage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteQueuePage, reroute_queue_page_free)

/* What is asked of the queue, of its groups, or of one of them; as Relay1.Queue, QueueGroups and
   QueueGroup document. */
typedef struct
{
  const char *by;    /* of groups: "next-hop" or "entry" */
  const char *key;   /* of one group */
  const char *text;  /* that stands in the keys; of messages: as in Relay1.Queue */
  const char *order; /* (nullable): of messages; NULL: by arrival */
  guint offset;
  guint limit;
} RerouteQueueQuestion;

/* The messages of the whole queue: neither "by" nor "key". */
void reroute_relay_client_queue_async (RerouteRelayClient *self,
                                       const RerouteQueueQuestion *question,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
RerouteQueuePage *
reroute_relay_client_queue_finish (RerouteRelayClient *self, GAsyncResult *result, GError **error);

/* Messages of which recipients go the same way. */
typedef struct
{
  char *key; /* "": nowhere, or decided by no row */
  guint n_messages;
  guint n_held;
  guint64 octets;
  gint64 oldest_us;   /* wall clock */
  gint64 next_try_us; /* wall clock; 0: none */
  char *last_failure;
} RerouteQueueGroup;

void reroute_queue_group_free (gpointer group);

void reroute_relay_client_queue_groups_async (RerouteRelayClient *self,
                                              const RerouteQueueQuestion *question,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
/* (transfer full) (element-type RerouteQueueGroup); @total: groups without a limit */
GPtrArray *reroute_relay_client_queue_groups_finish (RerouteRelayClient *self,
                                                     GAsyncResult *result,
                                                     guint *total,
                                                     GError **error);

/* The messages of a group; reroute_relay_client_queue_finish() ends it. */
void reroute_relay_client_queue_group_async (RerouteRelayClient *self,
                                             const RerouteQueueQuestion *question,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);

/* (transfer full): a{sv} as Relay1.QueueMessage documents */
void reroute_relay_client_queue_message_async (RerouteRelayClient *self,
                                               guint64 id,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
GVariant *reroute_relay_client_queue_message_finish (RerouteRelayClient *self,
                                                     GAsyncResult *result,
                                                     GError **error);

/* (transfer full) (element-type RerouteQueuedRecipient): those of that answer */
GPtrArray *reroute_queued_recipients_from_values (GVariant *values);

typedef enum
{
  REROUTE_QUEUE_RETRY,
  REROUTE_QUEUE_HOLD,
  REROUTE_QUEUE_RELEASE,
  REROUTE_QUEUE_RETURN,
  REROUTE_QUEUE_DELETE,
} RerouteQueueVerb;

/* As Relay1.QueueRetry documents. */
typedef struct
{
  const guint64 *ids; /* (array length=n_ids) */
  gsize n_ids;        /* 0: every message */
  GVariant *filter;   /* (nullable): a{sv}, floating or not; NULL: every recipient */
} RerouteQueueSelection;

/* Messages. */
typedef struct
{
  guint done;   /* what was asked for was done, to a recipient at least */
  guint busy;   /* a recipient was on its way just then and left alone */
  guint silent; /* RETURN: a recipient stays, as nobody may be told */
} RerouteQueueCounts;

void reroute_relay_client_queue_act_async (RerouteRelayClient *self,
                                           RerouteQueueVerb verb,
                                           const RerouteQueueSelection *selection,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
gboolean reroute_relay_client_queue_act_finish (RerouteRelayClient *self,
                                                GAsyncResult *result,
                                                RerouteQueueCounts *counts,
                                                GError **error);

G_END_DECLS
