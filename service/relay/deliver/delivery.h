/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"
#include "common/secret.h"
#include "service/relay/deliver/connection.h"
#include "service/relay/deliver/next-hop.h"
#include "service/relay/deliver/tokens.h"
#include "service/relay/smtp/reply.h"
#include "service/relay/spool/spool.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/* Of recipients that share some, of mailboxes.c. */
typedef struct _RerouteMailboxes RerouteMailboxes;

/* The rows behind a decision; each may be NULL. */
typedef struct
{
  RerouteRow *admitting; /* that matches the recipient as received */
  RerouteRow *deciding;  /* the last one that acted */
} RerouteDecidedBy;

/* References to the same rows. */
RerouteDecidedBy reroute_decided_by_copy (const RerouteDecidedBy *self);
void reroute_decided_by_clear (RerouteDecidedBy *self);

/**
 * RerouteDelivery:
 *
 * One try: a message, recipients of it that share a next hop, and the endpoints to try in order.
 * The scheduler makes it, a worker's pool carries it out and gives it back with a reply for each
 * recipient.
 */
typedef struct
{
  RerouteMessage *message;
  guint n_recipients;
  char *reverse_path; /* that leaves; NULL: the envelope's */
  guint *recipients;  /* indices in the envelope */
  char **rcpt_out;    /* what leaves, in the same order */
  GArray *endpoints;  /* (element-type RerouteEndpoint) */
  RerouteTlsLevel tls_level;
  char *account;                         /* (nullable): that is logged in to, with the secret */
  RerouteSecret *secret;                 /* (nullable): a reference */
  RerouteTokens *tokens;                 /* borrowed: for a secret that is a command */
  RerouteClientCertificate *certificate; /* (nullable): a reference: that is shown in TLS */
  gboolean reports_tls;                  /* the pool fills in tls_results */
  RerouteDecidedBy *entries;             /* (nullable): of each recipient; they hold references */
  gpointer scheduler_data;               /* the scheduler's own */
  RerouteMailboxes *mailboxes;           /* (nullable): each recipient has one of its own */

  /* filled in by the pool */
  RerouteReply **replies; /* one for each recipient, a connection that failed is our own 4xx; all
                             NULL: nothing was tried, for the relay is stopping */
  GPtrArray *failures; /* (element-type RerouteHostFailure): for each endpoint NULL, or why it has
                          to wait */
  gboolean destination_failed; /* all of them did */
  gboolean lacks_extension;    /* the hosts that were reached cannot take a message like this */
  int answered;                /* the endpoint whose replies these are; -1: none */
  gboolean offers_dsn;         /* that endpoint: it sends notices of its own (RFC 3461) */
  char *relay;         /* "mx1.example.net[192.0.2.1]:25": who answered, or was tried last */
  char *tls;           /* of the connection to it: "TLSv1.3 with cipher …"; NULL: clear text */
  GArray *tls_results; /* (element-type RerouteSessionTls): of the sessions that were begun; NULL:
                          none */
} RerouteDelivery;

/* No connection, banner or EHLO, or 421; or the host answers, and denies what the mail demands; or
   the session was lost in the transaction. */
typedef struct
{
  RerouteReply *reply;
  gboolean is_denial;
  gboolean was_ready; /* the session, for the transaction */
} RerouteHostFailure;

/* How TLS went in a session. */
typedef struct
{
  guint endpoint;
  RerouteTlsVerdict verdict;
  char *reason; /* (nullable) */
  RerouteIp sending;
} RerouteSessionTls;

/* A refusal of a whole session is no verdict on a recipient: another day the host may take it.
   (transfer full) */
RerouteReply *reroute_delivery_soften (const RerouteReply *reply);

/* Borrowed: the reverse-path as it leaves, rewritten or as it came. */
const char *reroute_delivery_get_reverse_path (const RerouteDelivery *self);

/* Whether what leaves needs SMTPUTF8: the header section, the reverse-path, a recipient or its
   ORCPT (RFC 6531 3.4). */
gboolean reroute_delivery_needs_smtputf8 (const RerouteDelivery *self);

/* What its mail demands of a connection to the endpoint. */
gboolean reroute_delivery_requires_tls (const RerouteDelivery *self,
                                        const RerouteEndpoint *endpoint);
RerouteTlsLevel reroute_delivery_get_level (const RerouteDelivery *self,
                                            const RerouteEndpoint *endpoint);

/* On the worker: the recipients of @transaction, each mailbox once. */
void reroute_delivery_name_recipients (RerouteDelivery *self, RerouteSmtpTransaction *transaction);

/* On the worker: the endpoint has to wait. */
void reroute_delivery_note_failure (RerouteDelivery *self,
                                    guint endpoint,
                                    const RerouteReply *reply,
                                    gboolean is_denial,
                                    gboolean was_ready);

/* On the worker: the connection is to the host that is tried. */
void reroute_delivery_note_relay (RerouteDelivery *self, RerouteConnection *connection);

/* On the worker, behind a transaction: keeps what was said of each recipient.  Where the end of the
   content was sent and not all of it was answered it may have arrived: what was said by then holds,
   be it that a recipient was refused or, by LMTP, that it was delivered.  @otherwise: (nullable):
   for the others; NULL: none, as if they had not been tried */
void reroute_delivery_note_replies (RerouteDelivery *self,
                                    const RerouteSmtpClient *machine,
                                    const RerouteReply *otherwise);

/* On the worker, behind a transaction: whether the host puts off all recipients. */
gboolean reroute_delivery_is_put_off (const RerouteDelivery *self,
                                      const RerouteSmtpClient *machine);

/* On the worker: adds to tls_results, where it is wanted. */
void reroute_delivery_note_tls (RerouteDelivery *self,
                                guint endpoint,
                                const RerouteConnection *connection);

/* Borrowed; nobody where it is not kept. */
RerouteDecidedBy reroute_delivery_get_decided_by (const RerouteDelivery *self, guint index);

void reroute_delivery_free (RerouteDelivery *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteDelivery, reroute_delivery_free)

/* A delivery with room for @n_recipients, all else to be filled in. @message: a reference is taken
 */
RerouteDelivery *reroute_delivery_new (RerouteMessage *message, guint n_recipients);

/* The outgoing connections of one worker. */
typedef struct _ReroutePool ReroutePool;

/* Called on the worker when a delivery is over; takes it back. */
typedef void (*ReroutePoolFunc) (RerouteDelivery *delivery, gpointer user_data);

/* @hostname: of the machine, where the setting is empty; copied.  @n_connections: (inout): atomic:
   the connections of all pools; borrowed */
ReroutePool *reroute_pool_new (RerouteWorker *worker,
                               RerouteSpool *spool,
                               const char *hostname,
                               int *n_connections,
                               ReroutePoolFunc done,
                               gpointer user_data);
void reroute_pool_free (ReroutePool *self);
/* On the worker's thread: takes the delivery; reuses an idle connection to one of its endpoints,
 * else connects. */
void reroute_pool_deliver (ReroutePool *self, RerouteDelivery *delivery, RerouteRuleset *ruleset);
/* On the worker's thread: ends the connections that rest. */
void reroute_pool_close_idle (ReroutePool *self);
/* On the worker's thread, at shutdown: what has not had its final dot is given back deferred; the
 * rest is waited for until @grace_us. */
void reroute_pool_drain (ReroutePool *self, gint64 grace_us);

G_END_DECLS
