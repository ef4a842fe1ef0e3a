/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"

G_BEGIN_DECLS

/* A daemon on the bus: where it stands, and what a person is told when it does not. */
typedef struct
{
  const char *bus_name;
  const char *path;
  const char *interface;
  const char *program; /* "reroute-rulesd" */
  gboolean activated;  /* the bus starts it on demand */
} ReroutePeer;

extern const ReroutePeer reroute_peer_rules;
extern const ReroutePeer reroute_peer_relay;

/**
 * reroute_peer_call:
 * @arguments: (transfer floating): the tuple of in arguments
 * @reply_type: the tuple that must come back
 * @timeout_ms: over REROUTE_LIMIT_CALL_MS lets polkit ask the person meanwhile
 *
 * One method call.  With the bus away it fails at once.
 */
void reroute_peer_call (const ReroutePeer *peer,
                        RerouteBus *bus,
                        const char *method,
                        GVariant *arguments,
                        const GVariantType *reply_type,
                        int timeout_ms,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);

/**
 * reroute_peer_call_finish:
 *
 * Errors: as the daemon gave them, without the remote prefix; %REROUTE_ERROR_UNAVAILABLE with a
 *   sentence that says what is away and what to do; %REROUTE_ERROR_PROTOCOL when the daemon knows
 *   no such method or other arguments of it; %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the tuple of out arguments
 */
GVariant *reroute_peer_call_finish (GAsyncResult *result, GError **error);

G_END_DECLS
