/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"

G_BEGIN_DECLS

/* How the client has spoken. */
typedef struct
{
  gboolean esmtp;
  const char *tls; /* (nullable): "TLSv1.3 with cipher …"; NULL: in clear text */
  gboolean authenticated;
} RerouteTraceSession;

/**
 * reroute_trace_header_format:
 * @queue_id: shown after "id"; @token: ends the id, this installation's own
 *
 * The Received line (RFC 5321 4.4), folded, CR LF at the end; "for" only for a single recipient
 * that ASCII can name.
 *
 * Returns: (transfer full): in wire form
 */
char *reroute_trace_header_format (const RerouteEnvelope *envelope,
                                   const char *hostname,
                                   const RerouteTraceSession *session,
                                   const char *queue_id,
                                   const char *token,
                                   gint64 received_us);

G_END_DECLS
