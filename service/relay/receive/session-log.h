/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/sasl-server.h"
#include "service/relay/smtp/reply.h"
#include "service/relay/spool/message.h"

G_BEGIN_DECLS

/* What a session says in the log; text of a client's is made harmless. */

/* @account: (nullable): that the client has logged in to; @message: (nullable): %NULL: it was not
   stored, for @error.  Returns: (transfer full): what the client is told */
RerouteReply *reroute_session_log_commit (const RerouteIp *client,
                                          const char *account,
                                          const RerouteMessage *message,
                                          const GError *error);
void reroute_session_log_refused (const RerouteIp *client,
                                  const RerouteAddress *recipient,
                                  const RerouteReply *reply);
void reroute_session_log_content_refused (const RerouteIp *client,
                                          const RerouteEnvelope *envelope,
                                          const RerouteReply *reply);
/* A content that was here before, which somebody has to do something about.
   @entries: (element-type RerouteRow): that have admitted its recipients */
void reroute_session_log_loop (const RerouteIp *client,
                               const RerouteEnvelope *envelope,
                               const GPtrArray *entries,
                               const RerouteReply *reply);
/* How an exchange of a client that logs in has ended. */
void reroute_session_log_login (const RerouteIp *client,
                                const RerouteSaslServer *sasl,
                                const RerouteReply *reply);
/* @account: (nullable): that the client has logged in to; @reply: what ends the session */
void reroute_session_log_dismissed (const RerouteIp *client,
                                    const char *account,
                                    const RerouteReply *reply);
/* @phase: "while waiting for RCPT" */
void reroute_session_log_lost (const RerouteIp *client, const char *why, const char *phase);

G_END_DECLS
