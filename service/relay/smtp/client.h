/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"
#include "service/relay/smtp/reply.h"

G_BEGIN_DECLS

/**
 * RerouteSmtpClient:
 *
 * The sending side of one SMTP session as a pure machine.  It pipelines MAIL, RCPT and DATA
 * where PIPELINING is offered.  It can speak LMTP instead.  The content itself is written by the
 * owner, between %REROUTE_SMTP_CLIENT_SEND_CONTENT and reroute_smtp_client_content_sent(); or,
 * where it goes by BDAT, chunk by chunk.
 */
typedef struct _RerouteSmtpClient RerouteSmtpClient;

typedef enum
{
  REROUTE_SMTP_CLIENT_WORKING,    /* needs input, or its output sent */
  REROUTE_SMTP_CLIENT_START_TLS,  /* STARTTLS was taken: shake hands, then tls_begun() */
  REROUTE_SMTP_CLIENT_START_AUTH, /* an account is demanded: choose of the offers, then begin_auth()
                                   */
  REROUTE_SMTP_CLIENT_AUTH_CHALLENGE, /* read the challenge, then respond() */
  REROUTE_SMTP_CLIENT_READY,          /* greeted, EHLO answered: takes a transaction */
  REROUTE_SMTP_CLIENT_SEND_CONTENT,   /* write the content in wire form and the final dot, then
                                         content_sent(); by chunks: what is left of one, or the next
                                       */
  REROUTE_SMTP_CLIENT_DONE, /* the transaction is over: read the replies; then READY for another */
  REROUTE_SMTP_CLIENT_CLOSED, /* QUIT was answered, or the session is of no use: see the session
                                 reply */
} RerouteSmtpClientState;

typedef struct
{
  const char *reverse_path;
  gboolean body_8bitmime;
  gboolean smtputf8;
  gboolean requiretls;           /* the owner knows that it is offered */
  gsize content_octets;          /* for SIZE; 0 not known */
  const char *const *recipients; /* rcpt_out, (array length=n_recipients) */
  guint n_recipients;
  const RerouteEnvelope
    *envelope;          /* (nullable): whose notices are asked for where DSN is offered */
  const guint *indices; /* with @envelope: where each recipient stands in it */
  gboolean probe;       /* ends behind RCPT: what the server says of the recipients is all */
  gboolean chunks;      /* by BDAT where CHUNKING is offered */
  const guint8 *head;   /* the content's first line, where reroute_smtp_client_wants_head() */
  gsize head_octets;    /* 0: none, and DATA then */
} RerouteSmtpTransaction;

typedef enum
{
  REROUTE_SMTP_CLIENT_TLS_NEVER,
  REROUTE_SMTP_CLIENT_TLS_IF_OFFERED,
  REROUTE_SMTP_CLIENT_TLS_ALWAYS, /* a server that does not take STARTTLS is of no use: 4.7.4 */
} RerouteSmtpClientTls;

typedef enum
{
  REROUTE_SMTP_CLIENT_AUTH_NEVER,
  REROUTE_SMTP_CLIENT_AUTH_IN_TLS, /* a server that does not do AUTH in TLS is of no use: 4.7.0 */
  REROUTE_SMTP_CLIENT_AUTH_ALWAYS, /* in clear text too */
} RerouteSmtpClientAuth;

RerouteSmtpClient *reroute_smtp_client_new (const char *hostname); /* without TLS and AUTH */
void reroute_smtp_client_free (RerouteSmtpClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSmtpClient, reroute_smtp_client_free)

/* Before the greeting has come. */
void reroute_smtp_client_set_tls (RerouteSmtpClient *self, RerouteSmtpClientTls tls);
void reroute_smtp_client_set_auth (RerouteSmtpClient *self, RerouteSmtpClientAuth auth);
/* Before the greeting has come: LHLO, and a reply to the final dot for each recipient (RFC 2033).
 */
void reroute_smtp_client_set_lmtp (RerouteSmtpClient *self);

/* Errors: %REROUTE_ERROR_PROTOCOL: nonsense, a reply over its limits, a reply before its time.
   A transaction that was open then is deferred by the owner. */
gboolean reroute_smtp_client_feed (RerouteSmtpClient *self,
                                   const guint8 *octets,
                                   gsize length,
                                   GError **error);
const guint8 *reroute_smtp_client_peek_output (RerouteSmtpClient *self, gsize *length);
void reroute_smtp_client_sent (RerouteSmtpClient *self, gsize length);

RerouteSmtpClientState reroute_smtp_client_get_state (const RerouteSmtpClient *self);
/* Whole replies so far: what moves a time limit on, as octets of one do not. */
guint64 reroute_smtp_client_get_n_replies (const RerouteSmtpClient *self);

/* In state READY or DONE.  The strings must live until the transaction is over.  What the server
   can by no means get (SMTPUTF8, 8BITMIME not offered) is DONE at once, with a 554 of our own for
   every recipient. */
void reroute_smtp_client_begin (RerouteSmtpClient *self, const RerouteSmtpTransaction *transaction);
void reroute_smtp_client_content_sent (RerouteSmtpClient *self);
/* --- client-chunks.c --- */
/* In state READY or DONE: a transaction by chunks has to bring the content's first line: the server
   has not shown yet that it knows BDAT. */
gboolean reroute_smtp_client_wants_head (const RerouteSmtpClient *self);
/* How many octets of a content are such a line; 0: it does not begin with one that every server
   would refuse if it took it for a command. */
gsize reroute_smtp_client_find_head (const guint8 *content, gsize length);
/* In state SEND_CONTENT: whether by chunks, and not by DATA. */
gboolean reroute_smtp_client_goes_by_chunks (const RerouteSmtpClient *self);
/* By chunks: octets of the content that have gone as its head. */
gsize reroute_smtp_client_get_head_sent (const RerouteSmtpClient *self);
/* Octets of the open chunk that are to be sent behind the output; 0: put the next one. */
gsize reroute_smtp_client_get_chunk_left (const RerouteSmtpClient *self);
/* @length: of the next piece of the content, not dot-stuffed; not 0 */
void reroute_smtp_client_put_chunk (RerouteSmtpClient *self, gsize length, gboolean last);
/* Octets of it have left; the output went before them. */
void reroute_smtp_client_chunk_sent (RerouteSmtpClient *self, gsize length);
/* After a session that ended in a transaction: whether it did over the first BDAT that the server
   was told, or over a refusal of a chunk that had not left, so that it may do better with DATA. */
gboolean reroute_smtp_client_has_tripped (const RerouteSmtpClient *self);

/* In state START_TLS: hands are shaken.  What the server said before is forgotten. */
void reroute_smtp_client_tls_begun (RerouteSmtpClient *self);
/* --- client-auth.c --- */
/* "SCRAM-SHA-256 PLAIN", in capitals; "" when AUTH is not offered. */
const char *reroute_smtp_client_get_auth_offers (const RerouteSmtpClient *self);
/* In state START_AUTH.  @initial: (nullable): what is said before anything is asked */
void
reroute_smtp_client_begin_auth (RerouteSmtpClient *self, const char *mechanism, GBytes *initial);
/* In state AUTH_CHALLENGE: what the server asks; (transfer none), until the answer. */
GBytes *reroute_smtp_client_get_challenge (const RerouteSmtpClient *self);
void reroute_smtp_client_respond (RerouteSmtpClient *self, GBytes *response);

void reroute_smtp_client_quit (RerouteSmtpClient *self);
/* Whether EHLO, LHLO or HELO was answered, in clear text or in TLS. */
gboolean reroute_smtp_client_is_greeted (const RerouteSmtpClient *self);
/* READY or DONE, and the server has not spoken out of turn: takes another transaction. */
gboolean reroute_smtp_client_is_reusable (const RerouteSmtpClient *self);

/* State DONE: the reply that decides recipient @index: to MAIL, RCPT, DATA or the end of data,
   whichever refused it, or the 2xx to the end of data; of a probe NULL when RCPT was taken.  After
   a session that ended in a transaction: what was said of it until then, NULL: nothing.  (transfer
   none) (nullable) */
const RerouteReply *reroute_smtp_client_get_recipient_reply (const RerouteSmtpClient *self,
                                                             guint index);
/* Of a probe: whether it was RCPT that refused recipient @index, and not MAIL. */
gboolean reroute_smtp_client_is_refused (const RerouteSmtpClient *self, guint index);
/* The refusing greeting or EHLO/HELO reply, a 421 in mid-session; NULL when there was none. */
const RerouteReply *reroute_smtp_client_get_session_reply (const RerouteSmtpClient *self);
gboolean reroute_smtp_client_offers_requiretls (const RerouteSmtpClient *self);
/* The session ended because TLS is demanded, and the server does not do STARTTLS. */
gboolean reroute_smtp_client_lacks_tls (const RerouteSmtpClient *self);
gboolean reroute_smtp_client_offers_8bitmime (const RerouteSmtpClient *self);
gboolean reroute_smtp_client_offers_smtputf8 (const RerouteSmtpClient *self);
gboolean reroute_smtp_client_offers_dsn (const RerouteSmtpClient *self);
/* "while sending RCPT", and whether the content's end was sent, so that the message may arrive
 * twice. */
const char *reroute_smtp_client_phase (const RerouteSmtpClient *self);
gboolean reroute_smtp_client_may_have_delivered (const RerouteSmtpClient *self);

G_END_DECLS
