/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/milter/message.h"
#include "service/relay/smtp/envelope.h"
#include "service/relay/smtp/reply.h"

G_BEGIN_DECLS

/**
 * RerouteMilterMachine:
 *
 * Our side of the conversation with one milter about one SMTP session, as a pure machine: what is
 * asked in, octets out; octets in, a verdict out.  The owner asks for one thing at a time.
 */
typedef struct _RerouteMilterMachine RerouteMilterMachine;

typedef enum
{
  REROUTE_MILTER_WORKING,  /* has output, or waits for replies */
  REROUTE_MILTER_GOES_ON,  /* what was asked is answered: nothing against it */
  REROUTE_MILTER_REFUSES,  /* see the reply */
  REROUTE_MILTER_DISCARDS, /* the message is to be dropped, and its sender told that all is well */
} RerouteMilterVerdict;

/* Of the SMTP session; copied. */
typedef struct
{
  const char *hostname;    /* ours */
  const char *client_name; /* (nullable): NULL: its address stands for it */
  RerouteIp client_ip;
  const char *tls; /* (nullable): "TLSv1.3 with cipher …" */
} RerouteMilterSession;

/* How the client has logged in. */
typedef struct
{
  const char *mechanism;
  const char *account;
} RerouteMilterLogin;

RerouteMilterMachine *reroute_milter_machine_new (const RerouteMilterSession *session);
void reroute_milter_machine_free (RerouteMilterMachine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMilterMachine, reroute_milter_machine_free)

/* What the owner asks.  The first thing that is asked begins with the client; HELO is asked again
   for each HELO, with @tls (nullable), "TLSv1.3 with cipher …".  Both are copied. */
void reroute_milter_machine_ask_connect (RerouteMilterMachine *self);
void
reroute_milter_machine_ask_helo (RerouteMilterMachine *self, const char *helo, const char *tls);
/* The arguments must live until there is a verdict.  @queue_id is copied; @login: (nullable) */
void reroute_milter_machine_ask_mail (RerouteMilterMachine *self,
                                      const RerouteEnvelope *envelope,
                                      const RerouteMilterLogin *login);
void reroute_milter_machine_ask_rcpt (RerouteMilterMachine *self, const RerouteAddress *address);
void reroute_milter_machine_ask_message (RerouteMilterMachine *self,
                                         RerouteMilterMessage *message,
                                         const char *queue_id);
/* The session is over; nothing is answered. */
void reroute_milter_machine_quit (RerouteMilterMachine *self);

/* Errors: %REROUTE_ERROR_PROTOCOL: what the milter says is nonsense, nothing that it may say now,
   or too much (limits.h); %REROUTE_ERROR_SPOOL: a new body cannot be kept.  The machine is of no
   use then. */
gboolean reroute_milter_machine_feed (RerouteMilterMachine *self,
                                      const guint8 *octets,
                                      gsize length,
                                      GError **error);
/* What is to be sent; nothing when a reply is awaited.
   Errors: %REROUTE_ERROR_SPOOL: the body cannot be read */
gboolean reroute_milter_machine_peek_output (RerouteMilterMachine *self,
                                             const guint8 **octets,
                                             gsize *length,
                                             GError **error);
void reroute_milter_machine_sent (RerouteMilterMachine *self, gsize length);

RerouteMilterVerdict reroute_milter_machine_get_verdict (const RerouteMilterMachine *self);
const RerouteReply *reroute_milter_machine_get_reply (const RerouteMilterMachine *self);
/* Whether it has begun to change the message that is asked about: then it cannot be gone without.
 */
gboolean reroute_milter_machine_has_changed (const RerouteMilterMachine *self);
gboolean reroute_milter_machine_is_negotiated (const RerouteMilterMachine *self);
/* Whole replies so far: what moves a time limit on. */
guint64 reroute_milter_machine_get_n_replies (const RerouteMilterMachine *self);
/* Why the message is to be held; NULL: it is not. */
const char *reroute_milter_machine_get_quarantine (const RerouteMilterMachine *self);

G_END_DECLS
