/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by session.c (octets and turns) and the session-*.c beside it, one for each thing that it
   does. */

#pragma once

#include "service/relay/receive/receiver-private.h"
#include "service/relay/receive/sasl-server.h"
#include "service/relay/receive/session.h"
#include "service/relay/smtp/server.h"
#include "service/relay/stream.h"

G_BEGIN_DECLS

typedef struct _RerouteSessionMilters RerouteSessionMilters;

struct _RerouteSession
{
  RerouteIo io;
  RerouteStream stream;
  RerouteTimer timer;
  RerouteFlush flush;
  GList link;       /* in the receiver's sessions */
  GList unfed_link; /* in those with unfed input; without data: it is not */
  gatomicrefcount ref_count;
  RerouteReceiver *receiver;
  RerouteSmtpServer *machine;
  RerouteTlsServer *tls; /* (nullable): what STARTTLS begins */
  RerouteIp host;        /* at the other end of the connection, or that its proxy names */
  gboolean has_proxy;    /* that has named it */
  RerouteIp proxy;       /* if it has one */
  gboolean may_xclient;  /* that host, by the setting xclient-hosts, as the session began */
  RerouteClient client;
  char *account;             /* (nullable): that the client has logged in to */
  char *mechanism;           /* (nullable): by which */
  RerouteAccounts *accounts; /* (nullable): that this login was checked by; not one that is told */
  gboolean login_is_told;    /* by XCLIENT: it is not the login of the host that says it */
  gboolean client_is_told;   /* by XCLIENT: its address; or it has begun a message */
  gboolean is_notice;        /* the reverse-path is null */
  gboolean permitted;        /* by the generation that decided last */
  gboolean put_off;          /* the client has made too many errors */
  RerouteReply *farewell;    /* (nullable): why it is to end, as things have changed */
  RerouteSpoolDraft *draft;
  RerouteSessionMilters *milters; /* NULL: there are none */

  GByteArray *pending; /* input behind what is not answered yet; NULL: none */
  gsize pending_taken;
  gint64 deadline_us;  /* by the receiver's clock */
  gboolean in_content; /* its time limit runs */
  gboolean closed;     /* the socket is gone */
  gboolean eof;        /* the client has said all it will say */
  gboolean blocked;    /* the client does not read its replies */
  gboolean lingering;  /* the last reply is sent */
  gboolean shaking;    /* hands, for TLS */

  /* Set by the spool's writer, read after the post. */
  RerouteMessage *committed;
  GError *commit_error;

  /* Of the receiver's thread for logins, between the push and the post. */
  RerouteSaslServer *sasl; /* (nullable): the exchange */
  GBytes *sasl_response;   /* (nullable) */
  RerouteSaslState sasl_state;
  GBytes *sasl_challenge; /* (nullable) */
};

RerouteSession *reroute_session_ref (RerouteSession *self);
void reroute_session_unref (RerouteSession *self);

/* After anything happened: feeds what waits; later in the worker's turn, sends what there is to say
   and sees what is next. */
void reroute_session_advance (RerouteSession *self);
/* Greets the client, once the milters have nothing against it. */
void reroute_session_greet (RerouteSession *self);
/* Ends with @reply, of 421, after the message that it is in the middle of.
   @reply: (transfer full) */
void reroute_session_dismiss (RerouteSession *self, RerouteReply *reply);
/* The socket is gone; what was received in part is dropped, a pending commit goes on. */
void reroute_session_close (RerouteSession *self);

/* --- session-machine.c --- */
/* (transfer full): by the receiver's settings, for this client */
RerouteSmtpServer *reroute_session_make_machine (RerouteSession *self);

/* --- session-deadline.c --- */
void reroute_session_set_deadline (RerouteSession *self, gint64 wait_us);
void reroute_session_restart_deadline (RerouteSession *self);
/* Within a content its octets count, not the replies to its chunks. */
void reroute_session_renew_deadline (RerouteSession *self);
/* Never further than the whole wait for content; the timer finds the later deadline. */
void reroute_session_credit_content (RerouteSession *self, gsize octets);

/* --- session-spool.c --- */
void reroute_session_begin_draft (RerouteSession *self);
/* Our trace line on top of the draft. */
void reroute_session_put_trace (RerouteSession *self, const RerouteEnvelope *envelope);
/* The draft goes to the spool, and the client is answered when it is there.
   @envelope: (transfer full) */
void reroute_session_commit (RerouteSession *self, RerouteEnvelope *envelope);

/* --- session-check.c --- */
/* From inside RCPT, which has admitted @recipient: its reply waits until the next hop of @decision
   has said whether it knows it, and then until the milters have spoken.
   @decision: (transfer full) (nullable): %NULL: no next hop is asked */
void reroute_session_check_recipient (RerouteSession *self,
                                      const RerouteAddress *recipient,
                                      RerouteDecision *decision);

/* --- session-auth.c --- */
void reroute_session_auth_cb (RerouteSmtpServer *machine,
                              const char *mechanism,
                              GBytes *response,
                              gpointer user_data);

/* --- session-xclient.c --- */
RerouteReply *reroute_session_xclient_cb (RerouteSmtpServer *machine,
                                          const RerouteSmtpServerXclient *said,
                                          gpointer user_data);

/* --- session-etrn.c --- */
gboolean reroute_session_offers_etrn_cb (RerouteSmtpServer *machine, gpointer user_data);
RerouteReply *
reroute_session_etrn_cb (RerouteSmtpServer *machine, const RerouteEtrn *wanted, gpointer user_data);

/* --- session-tls.c --- */
void reroute_session_begin_tls (RerouteSession *self);
/* When the socket is ready. */
void reroute_session_shake_hands (RerouteSession *self);

G_END_DECLS
