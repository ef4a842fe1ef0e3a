/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by connection.c (the socket and the machine), connection-open.c, connection-tls.c,
   connection-auth.c and connection-content.c. */

#pragma once

#include "service/relay/deliver/connection.h"
#include "service/relay/deliver/sasl-client.h"
#include "service/relay/knock.h"
#include "service/relay/smtp/dots.h"
#include "service/relay/stream.h"

G_BEGIN_DECLS

struct _RerouteConnection
{
  RerouteWorker *worker;
  RerouteIo io;
  RerouteStream stream;
  RerouteTimer timer;
  RerouteKnock knock;
  RerouteFlush flush;
  RerouteEndpoint endpoint;
  RerouteSettings *settings;
  RerouteSmtpClient *machine;
  const RerouteConnectionHandler *handler;
  gpointer user_data;
  RerouteReply *failure; /* to be told at the next turn */

  RerouteTlsClient *tls;
  RerouteTlsLevel tls_level;
  gboolean requires_tls;
  RerouteClientCertificate *certificate; /* (nullable): that is shown */
  char *session_key;                     /* that the TLS session is kept under */
  gboolean session_kept;
  gboolean shaking; /* hands, for TLS */
  gboolean tls_failed;
  RerouteTlsVerdict tls_verdict;
  char *tls_reason; /* of a failure; (nullable) */

  RerouteSecret *secret;              /* (nullable): what is logged in with */
  RerouteTokens *tokens;              /* borrowed */
  RerouteSaslClient *sasl;            /* (nullable): the exchange */
  RerouteTokenRequest *token_request; /* (nullable): the exchange waits for it */

  gboolean failed_here; /* no socket or source was to be had, or the content not to be read */
  gboolean connecting;
  gboolean was_ready; /* for a transaction */
  gboolean idle;      /* no transaction is open: input means the end */

  /* The content of the transaction, while it is sent. */
  RerouteSpool *spool;
  RerouteMessage *message;
  GBytes *head;     /* its first line; NULL: BDAT is not tried with it */
  GBytes *piece;    /* what of it is in hand, by chunks without stuffed dots; (nullable) */
  gsize piece_sent; /* octets of it that were handed to the socket */
  gsize offset;     /* in wire form, of what comes behind the piece */
  RerouteDots dots; /* there */
  gsize dot_sent;   /* octets of the final dot */
  gboolean content_begun;
  gsize content_passed; /* octets that the socket took since the time limit was looked at */
  gint64
    content_due_us; /* monotonic: the limit, while the socket keeps us waiting; 0: it does not */
};

typedef enum
{
  REROUTE_SEND_ALL,     /* nothing is left to send */
  REROUTE_SEND_BLOCKED, /* the socket takes no more now */
  REROUTE_SEND_FAILED,
} RerouteSendResult;

/* Tells the owner; @self may be gone afterwards.  Takes @reply. */
void reroute_connection_fail (RerouteConnection *self, RerouteReply *reply);
/* A 451 of our own that names the host; (transfer full) */
RerouteReply *
reroute_connection_trouble (const RerouteConnection *self, const char *status, const char *what);
/* connection-open.c: begins to connect.  Returns 0, or an errno when it is clear at once that there
   is no connection to be had. */
int reroute_connection_begin (RerouteConnection *self);
/* Our address of a connection over TCP; unspecified when there is none. */
RerouteIp reroute_connection_get_source (const RerouteConnection *self);
/* Sends what there is to send, then goes by the machine's state. */
void reroute_connection_pump (RerouteConnection *self);

/* --- connection-content.c --- */
/* @message: (nullable) */
void reroute_connection_set_content (RerouteConnection *self,
                                     RerouteSpool *spool,
                                     RerouteMessage *message);
/* Puts the first line of the content into @transaction, which then lives until the content is
   forgotten; none when it cannot be had, or is of no use there. */
void reroute_connection_find_head (RerouteConnection *self, RerouteSmtpTransaction *transaction);
/* In state SEND_CONTENT: as much as the socket takes, up to a change of the state.
   Errors: of reroute_spool_load(), with %REROUTE_SEND_FAILED; there may be none then */
RerouteSendResult reroute_connection_send_content (RerouteConnection *self, GError **error);
void reroute_connection_forget_content (RerouteConnection *self);

/* --- connection-tls.c --- */
/* Before it connects. */
void reroute_connection_set_tls (RerouteConnection *self, const RerouteConnectionConfig *config);
void reroute_connection_begin_tls (RerouteConnection *self);
/* When the socket is ready. */
void reroute_connection_shake_hands (RerouteConnection *self);
/* A session begins without TLS, or ends because there is none: told where the domain's policy is on
   trial. */
void reroute_connection_note_clear_text (RerouteConnection *self);
void reroute_connection_fail_tls (RerouteConnection *self, const char *why);
/* A session is ready for its first transaction. */
void reroute_connection_count_session (RerouteConnection *self);

/* --- connection-auth.c --- */
/* Behind reroute_connection_set_tls().  @secret: (nullable); @tokens: borrowed */
void reroute_connection_set_secret (RerouteConnection *self,
                                    RerouteSecret *secret,
                                    RerouteTokens *tokens);
/* Each returns FALSE when @self may be gone. */
gboolean reroute_connection_begin_auth (RerouteConnection *self);
gboolean reroute_connection_answer_challenge (RerouteConnection *self);
gboolean reroute_connection_end_auth (RerouteConnection *self); /* greeted: whether all was said */
/* The session has ended: a token that was said in vain is of no use any more. */
void reroute_connection_forget_token (RerouteConnection *self);

G_END_DECLS
