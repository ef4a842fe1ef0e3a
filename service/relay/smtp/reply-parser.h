/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/line.h"
#include "service/relay/smtp/reply.h"

G_BEGIN_DECLS

/* Puts the lines of a server's replies together.  What a reply may cost is bounded: its lines, the
   octets of each, and the text that is kept. */
typedef struct
{
  RerouteLine line;
  guint code; /* of the reply that is read now; 0 between two */
  guint n_lines;
  char status[12];
  GString *text;
  RerouteReply *before; /* (nullable): the last whole one, to be shared */
} RerouteReplyParser;

void reroute_reply_parser_init (RerouteReplyParser *self);
void reroute_reply_parser_clear (RerouteReplyParser *self);

/**
 * reroute_reply_parser_feed:
 * @taken: (out): octets that belong to this reply
 * @reply: (out) (transfer full) (nullable): the reply when it is whole, else %NULL
 *
 * Errors: %REROUTE_ERROR_PROTOCOL: no code, another code in a later line, over a limit
 */
gboolean reroute_reply_parser_feed (RerouteReplyParser *self,
                                    const guint8 *octets,
                                    gsize length,
                                    gsize *taken,
                                    RerouteReply **reply,
                                    GError **error);

G_END_DECLS
