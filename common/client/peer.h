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

/* (transfer full): what a person types to start it where the bus is. */
char *reroute_peer_dup_start_command (const ReroutePeer *peer, RerouteBus *bus);

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

/* Makes of @error, which says what of an answer is not understood, a %REROUTE_ERROR_PROTOCOL that
   says why and what to do. */
void reroute_peer_blame_version (const ReroutePeer *peer, GError *error);

/* A call that can be asked about after its answer was lost: its sender and the number of its
   message, which is a random one. */
typedef struct
{
  char *caller;
  guint32 number;
} ReroutePeerMark;

void reroute_peer_mark_free (ReroutePeerMark *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReroutePeerMark, reroute_peer_mark_free)

/**
 * reroute_peer_call_marked:
 * @mark: (out) (transfer full): %NULL with the bus away
 *
 * As reroute_peer_call() with REROUTE_LIMIT_CALL_INTERACTIVE_MS; it cannot be cancelled.
 */
void reroute_peer_call_marked (const ReroutePeer *peer,
                               RerouteBus *bus,
                               const char *method,
                               GVariant *arguments,
                               const GVariantType *reply_type,
                               ReroutePeerMark **mark,
                               GAsyncReadyCallback callback,
                               gpointer user_data);

/* As reroute_peer_call_finish().  @lost: (out): it failed, and may have acted all the same */
GVariant *reroute_peer_call_marked_finish (GAsyncResult *result, gboolean *lost, GError **error);

G_END_DECLS
