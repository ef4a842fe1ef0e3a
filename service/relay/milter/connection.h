/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/milter-spec.h"
#include "service/relay/milter/machine.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteMilterConnection:
 *
 * A milter that is asked about one SMTP session: a socket, its time limits, and the machine.  Lives
 * on its worker's thread.
 */
typedef struct _RerouteMilterConnection RerouteMilterConnection;

/* The last thing that a connection does in a turn: the owner may free it there. */
typedef struct
{
  void (*answered) (RerouteMilterConnection *connection, gpointer user_data); /* see the machine */
  /* Of no use any more.  @why: one line */
  void (*failed) (RerouteMilterConnection *connection, const char *why, gpointer user_data);
} RerouteMilterConnectionHandler;

/* Begins to connect.  @spec: borrowed, outlives the connection */
RerouteMilterConnection *
reroute_milter_connection_new (RerouteWorker *worker,
                               const RerouteMilterSpec *spec,
                               const RerouteMilterSession *session,
                               const RerouteMilterConnectionHandler *handler,
                               gpointer user_data);
/* Says QUIT, if the socket takes it at once, and closes. */
void reroute_milter_connection_free (RerouteMilterConnection *self);

RerouteMilterMachine *reroute_milter_connection_get_machine (RerouteMilterConnection *self);
/* The machine was asked something; answered() or failed() follows in a later turn. @in_content: the
   time limit for content counts. */
void reroute_milter_connection_ask (RerouteMilterConnection *self, gboolean in_content);
/* The milter has hung up while nothing was asked. */
gboolean reroute_milter_connection_is_lost (const RerouteMilterConnection *self);

G_END_DECLS
