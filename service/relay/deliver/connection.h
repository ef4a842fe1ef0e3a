/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/secret.h"
#include "common/settings.h"
#include "service/relay/deliver/next-hop.h"
#include "service/relay/deliver/tls-client.h"
#include "service/relay/deliver/tls-verdict.h"
#include "service/relay/deliver/tokens.h"
#include "service/relay/smtp/client.h"
#include "service/relay/spool/spool.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteConnection:
 *
 * One outgoing SMTP session: a socket, its time limits and the client machine.  Lives on one
 * worker's thread.
 */
typedef struct _RerouteConnection RerouteConnection;

/* Each is the last thing the connection does before it returns: the owner may free it there. */
typedef struct
{
  void (*ready) (RerouteConnection *connection,
                 gpointer user_data); /* greeted: takes a transaction */
  void (*done) (RerouteConnection *connection,
                gpointer user_data); /* the transaction is over: ask the machine */
  /* Of no use any more, @reply says why: the server's own words, or ours with a 4xx code. */
  void (*failed) (RerouteConnection *connection, const RerouteReply *reply, gpointer user_data);
} RerouteConnectionHandler;

/* Copied, or a reference is taken. */
typedef struct
{
  const RerouteEndpoint *endpoint;
  RerouteSettings *settings;
  const char *hostname; /* what EHLO says */
  RerouteTlsClient *tls;
  RerouteTlsLevel tls_level;
  gboolean requires_tls; /* with a certificate for the host's very name, unless TLSA records say
                            which (RFC 8689 4.2.1); tls_level is VERIFIED then */
  RerouteClientCertificate *certificate; /* (nullable): that is shown in TLS, which is demanded */
  RerouteSecret *secret;                 /* (nullable): to log in with */
  RerouteTokens *tokens;                 /* borrowed: where the secret is a command */
} RerouteConnectionConfig;

/* Begins to connect. */
RerouteConnection *reroute_connection_new (RerouteWorker *worker,
                                           const RerouteConnectionConfig *config,
                                           const RerouteConnectionHandler *handler,
                                           gpointer user_data);
void reroute_connection_free (RerouteConnection *self); /* closes the socket */

/* Begins a transaction, after ready or done.  @transaction's strings and @message must live until
 * it is over.  @spool, @message: NULL for a probe, which has no content. */
void reroute_connection_send (RerouteConnection *self,
                              RerouteSpool *spool,
                              RerouteMessage *message,
                              const RerouteSmtpTransaction *transaction,
                              RerouteSettings *settings);

/* Says QUIT; failed() is called when that is answered or has taken too long, perhaps before this
 * returns. */
void reroute_connection_quit (RerouteConnection *self);

RerouteSmtpClient *reroute_connection_get_machine (RerouteConnection *self);
/* "TLSv1.3 with cipher …, verified"; NULL: in clear text; (transfer full) */
char *reroute_connection_dup_tls (RerouteConnection *self);
/* How TLS went; @reason (out) (nullable) (transfer none): of a failure.  @sending (out): our
   address of the connection, as far as it is known.  Returns: NONE: it did not come to it */
RerouteTlsVerdict reroute_connection_get_tls_verdict (const RerouteConnection *self,
                                                      const char **reason,
                                                      RerouteIp *sending);
/* (nullable): NULL in clear text; (transfer none) */
gnutls_session_t reroute_connection_get_tls_session (const RerouteConnection *self);
/* As reroute_tls_client_verify(), of a connection in TLS, whatever its level demands. */
gboolean reroute_connection_verify (RerouteConnection *self,
                                    const char *const *names,
                                    RerouteTlsVerdict *verdict,
                                    GError **error);
/* After failed(): whether it was TLS that failed, of a host for which neither @level nor DANE nor a
   policy demands it. */
gboolean reroute_connection_may_go_in_clear (const RerouteConnection *self, RerouteTlsLevel level);
/* After failed(): whether TLS was to be had as it is demanded. */
gboolean reroute_connection_has_failed_tls (const RerouteConnection *self);
/* After failed(): whether it is we who had no socket, no address to come from, or could not read
   the content: that says nothing about the host. */
gboolean reroute_connection_failed_here (const RerouteConnection *self);
/* Whether it was ready for a transaction. */
gboolean reroute_connection_was_ready (const RerouteConnection *self);
/* After failed(): whether the host answers, and it is TLS that failed, or comes after who we are
   was shown or told there: with other mail it may not fail. */
gboolean reroute_connection_was_denied (const RerouteConnection *self);
/* Of the last transaction: whether it came as far as its content. */
gboolean reroute_connection_has_sent_content (const RerouteConnection *self);
/* Whether it is @certificate, or none, that is shown on it. */
gboolean reroute_connection_shows (const RerouteConnection *self,
                                   const RerouteClientCertificate *certificate);
const RerouteEndpoint *reroute_connection_get_endpoint (const RerouteConnection *self);
char *
reroute_connection_dup_label (const RerouteConnection *self); /* "mx1.example.net[192.0.2.1]:25" */

G_END_DECLS
