/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"
#include "service/relay/smtp/etrn.h"
#include "service/relay/smtp/reply.h"

G_BEGIN_DECLS

/**
 * RerouteSmtpServer:
 *
 * The receiving side of one SMTP session as a pure machine: octets in, replies and events out; no
 * socket, clock or disk.  The session object feeds it and sends what it puts out.
 */
typedef struct _RerouteSmtpServer RerouteSmtpServer;

/* What XCLIENT has said of the client; what it left out is as it was. */
typedef struct
{
  gboolean has_ip;
  RerouteIp ip; /* zeroed when it is not known */
  gboolean has_login;
  char *login; /* NULL when the client has not logged in */
  char *helo;  /* (nullable) */
  gboolean esmtp;
} RerouteSmtpServerXclient;

/*
 * The owner's side.  A function that returns a reply refuses with it (421 closes the session too);
 * NULL goes on with the machine's own reply.  From inside, reroute_smtp_server_finish_data(),
 * reroute_smtp_server_hold(), reroute_smtp_server_finish_held(), the two that answer AUTH and
 * reroute_smtp_server_set_client() are the only functions that may change the machine.
 *
 * Behind reroute_smtp_server_hold() the answer to HELO, MAIL, RCPT, ETRN or XCLIENT comes by
 * reroute_smtp_server_finish_held(), now or later; until then no further input is taken, and the
 * name, the envelope or the recipient that was given stays as it is.
 */
typedef struct
{
  /* MAIL was valid.  The envelope holds reverse-path and parameters. */
  RerouteReply *(*mail) (RerouteSmtpServer *machine,
                         const RerouteEnvelope *envelope,
                         gpointer user_data);
  /* RCPT was valid.  Fill @admitted_by when it is taken, or may be, before it is answered. */
  RerouteReply *(*rcpt) (RerouteSmtpServer *machine,
                         const RerouteAddress *recipient,
                         RerouteRowRef *admitted_by,
                         gpointer user_data);
  /* DATA (or the first BDAT): about to say 354.  Return a 4xx to refuse. */
  RerouteReply *(*data) (RerouteSmtpServer *machine,
                         const RerouteEnvelope *envelope,
                         gpointer user_data);
  /* Octets of the content in wire form: whole verified lines or parts of them, CR LF line ends,
   * still dot-stuffed. */
  void (*content) (RerouteSmtpServer *machine,
                   const guint8 *octets,
                   gsize length,
                   gpointer user_data);
  /* End of data.  @envelope becomes the owner's.  Answer now or later by
     reroute_smtp_server_finish_data(); until then no further input is taken. */
  void (*end_of_data) (RerouteSmtpServer *machine, RerouteEnvelope *envelope, gpointer user_data);
  /* The content that was begun will not be completed: drop it. */
  void (*abort_data) (RerouteSmtpServer *machine, gpointer user_data);
  /* AUTH: @mechanism begins, in capitals, with what the client says first (nullable); NULL: what it
     says to the last challenge.  Answer now or later by reroute_smtp_server_continue_auth() or
     reroute_smtp_server_finish_auth(); until then no further input is taken. */
  void (*auth) (RerouteSmtpServer *machine,
                const char *mechanism,
                GBytes *response,
                gpointer user_data);
  /* XCLIENT was valid: the client is somebody else from here on.  Say who by
     reroute_smtp_server_set_client(); a refusal ends the session. */
  RerouteReply *(*xclient) (RerouteSmtpServer *machine,
                            const RerouteSmtpServerXclient *said,
                            gpointer user_data);
  /* Whether ETRN is offered to the client now.  (nullable): to none */
  gboolean (*offers_etrn) (RerouteSmtpServer *machine, gpointer user_data);
  /* ETRN was valid, and is offered.  The answer, or NULL behind a hold. */
  RerouteReply *(*etrn) (RerouteSmtpServer *machine, const RerouteEtrn *wanted, gpointer user_data);
  /* HELO or EHLO was valid.  (nullable): each is taken */
  RerouteReply *(*helo) (RerouteSmtpServer *machine, const char *name, gpointer user_data);
  /* A reply of 400 or more is put out, except to chunks behind a refused one.  (nullable) */
  void (*rejected) (RerouteSmtpServer *machine, guint code, gpointer user_data);
  /* The content of the transaction is refused with @reply, or with what is returned instead;
     @is_loop: for it was here before.  (nullable).  @reply: (transfer full)
     Returns: (transfer full) */
  RerouteReply *(*content_refused) (RerouteSmtpServer *machine,
                                    const RerouteEnvelope *envelope,
                                    gboolean is_loop,
                                    RerouteReply *reply,
                                    gpointer user_data);
} RerouteSmtpServerHandler;

/* What the machine needs to know; copied. */
typedef struct
{
  const char *hostname;
  gint64 max_message_octets;
  guint max_recipients;
  guint max_bad_commands;       /* with an error in them, then 421; 0: no limit, as below */
  guint max_junk_commands;      /* that lead to no message */
  guint max_refused_recipients; /* of the session */
  RerouteIp client_ip;
  gboolean client_permitted; /* may send a bare LF, source routes */
  gboolean offers_tls;       /* STARTTLS */
  gboolean offers_xclient;   /* XCLIENT, to a host that is trusted */
  gboolean knows_requiretls; /* offers it in TLS, and heeds TLS-Required (RFC 8689) */
  const char
    *auth_mechanisms; /* (nullable): that are offered in TLS: "SCRAM-SHA-256 PLAIN"; borrowed
                       */
} RerouteSmtpServerConfig;

RerouteSmtpServer *reroute_smtp_server_new (const RerouteSmtpServerConfig *config,
                                            const RerouteSmtpServerHandler *handler,
                                            gpointer user_data);
void reroute_smtp_server_free (RerouteSmtpServer *self);
/* Takes the five limits of @config: those of a message hold from the next MAIL on, the others at
   once. */
void reroute_smtp_server_set_limits (RerouteSmtpServer *self,
                                     const RerouteSmtpServerConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSmtpServer, reroute_smtp_server_free)

/* Puts out the greeting; @refusal instead of it ends the session (421, 554 …).  Octets that were
   there before are fed first: an early talker is refused with 554. */
void reroute_smtp_server_greet (RerouteSmtpServer *self, const RerouteReply *refusal);

gboolean reroute_smtp_server_is_new (const RerouteSmtpServer *self); /* not greeted */

/**
 * reroute_smtp_server_feed:
 *
 * Returns: how many octets were taken; fewer than @length while the owner's answer to the end of
 *   data, to what is held or to AUTH is awaited: feed the rest again behind it, before new
 *   octets.  A session that has ended takes everything and discards it.
 */
gsize reroute_smtp_server_feed (RerouteSmtpServer *self, const guint8 *octets, gsize length);

/* STARTTLS was answered: once the output is sent the owner shakes hands, and says how it went by
   reroute_smtp_server_set_tls(), or closes.  Octets that are fed in between are dropped. */
gboolean reroute_smtp_server_wants_tls (const RerouteSmtpServer *self);
/* From here on the session is in TLS, by STARTTLS or from its beginning; what the client said
   before is forgotten.  @tls: "TLSv1.3 with cipher …" */
void reroute_smtp_server_set_tls (RerouteSmtpServer *self, const char *tls);
const char *reroute_smtp_server_get_tls (const RerouteSmtpServer *self); /* NULL: clear text */

/* From inside helo, mail, rcpt, etrn or xclient, which then returns NULL. */
void reroute_smtp_server_hold (RerouteSmtpServer *self);
/* @reply: (nullable): the refusal of a name, a sender, a recipient or a client, NULL takes it; the
   answer to ETRN.  A session that was closed meanwhile says nothing. */
void reroute_smtp_server_finish_held (RerouteSmtpServer *self, const RerouteReply *reply);
void reroute_smtp_server_finish_data (RerouteSmtpServer *self, const RerouteReply *reply);

/* The owner's answer to AUTH: a challenge, or the end.  A reply of 235 makes the client a permitted
   one; after REROUTE_LIMIT_AUTH_FAILURES others the session ends.  Does nothing once it has. */
void
reroute_smtp_server_continue_auth (RerouteSmtpServer *self, const guint8 *octets, gsize length);
void reroute_smtp_server_finish_auth (RerouteSmtpServer *self, const RerouteReply *reply);
gboolean reroute_smtp_server_is_authenticated (const RerouteSmtpServer *self);

/* From inside xclient: whose session it is, whether that client is a permitted one, and whether it
   counts as logged in. */
void reroute_smtp_server_set_client (RerouteSmtpServer *self,
                                     const RerouteIp *ip,
                                     gboolean permitted,
                                     gboolean authenticated);

/* Octets to send, in order; taken off by reroute_smtp_server_sent(). */
const guint8 *reroute_smtp_server_peek_output (RerouteSmtpServer *self, gsize *length);
void reroute_smtp_server_sent (RerouteSmtpServer *self, gsize length);

/* For the owner to end a session: time limit, shutdown.  While the reply to the end of data is
   owed, @reply (nullable) follows behind that one, and the session closes then. */
void reroute_smtp_server_close (RerouteSmtpServer *self, const RerouteReply *reply);

gboolean
reroute_smtp_server_wants_close (const RerouteSmtpServer *self);      /* after the output is sent */
gboolean reroute_smtp_server_is_idle (const RerouteSmtpServer *self); /* no transaction open */
/* The owner owes a reply: no input is taken. */
gboolean reroute_smtp_server_awaits_finish (const RerouteSmtpServer *self);
/* Octets that are no commands are on their way, or more chunks of a message. */
gboolean reroute_smtp_server_in_data (const RerouteSmtpServer *self);
gboolean reroute_smtp_server_has_quit (const RerouteSmtpServer *self); /* the client asked for it */
const char *reroute_smtp_server_get_helo (const RerouteSmtpServer *self); /* "" before HELO */
gboolean reroute_smtp_server_is_esmtp (const RerouteSmtpServer *self);    /* EHLO was used */
/* What ends the id of our own Received lines: more than REROUTE_LIMIT_OWN_RECEIVED_LINES with it
 * are a loop. */
void reroute_smtp_server_set_token (RerouteSmtpServer *self, const char *token);
const char *
reroute_smtp_server_phase (const RerouteSmtpServer *self); /* "while waiting for RCPT", for logs */

G_END_DECLS
