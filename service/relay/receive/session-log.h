/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/reply.h"
#include "service/relay/spool/message.h"

G_BEGIN_DECLS

/* What a session says in the log; text of a client's is made harmless. */
void reroute_session_log_accepted (const RerouteMessage *message, const char *id);
void reroute_session_log_not_stored (const RerouteIp *client, const GError *error);
void reroute_session_log_refused (const RerouteIp *client,
                                  const RerouteAddress *recipient,
                                  const RerouteReply *reply);
/* @phase: "while waiting for RCPT" */
void reroute_session_log_lost (const RerouteIp *client, const char *why, const char *phase);

G_END_DECLS
