/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/peer.h"

G_BEGIN_DECLS

/* Who has the name of a daemon on the bus, and what it says of itself. */
typedef struct
{
  guint32 pid;
  guint32 uid;
  char *version;  /* of the program */
  guint32 schema; /* of the database; 0: the daemon has none, or does not say */
} ReroutePeerFacts;

void reroute_peer_facts_free (ReroutePeerFacts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReroutePeerFacts, reroute_peer_facts_free)

/* Starts nothing. */
void reroute_peer_facts_load_async (const ReroutePeer *peer,
                                    RerouteBus *bus,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
/* (transfer full) (nullable): %NULL with the bus's own words when nobody has the name. */
ReroutePeerFacts *reroute_peer_facts_load_finish (GAsyncResult *result, GError **error);

G_END_DECLS
