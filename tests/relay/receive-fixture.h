/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A receiver on a worker of its own, with a real spool and a real socket, and a client for it. */

#pragma once

#include "service/relay/receive/receiver.h"

G_BEGIN_DECLS

typedef struct
{
  char *directory;
  RerouteSpool *spool;
  RerouteAdmission *admission;
  RerouteWorker *worker;
  RerouteReceiver *receiver;
  GPtrArray *listeners;  /* (element-type RerouteListener) */
  GAsyncQueue *accepted; /* (element-type RerouteMessage) */
  GAsyncQueue *drained;
} ReceiveFixture;

/* @rules: (transfer full) (nullable) */
void receive_fixture_init (ReceiveFixture *self, RerouteRuleset *rules);
/* The same before the receiver is told of its listeners. */
void receive_fixture_init_closed (ReceiveFixture *self, RerouteRuleset *rules);
void receive_fixture_clear (ReceiveFixture *self);
/* Waits until the worker has done what it was told. */
void receive_fixture_sync (ReceiveFixture *self);
void receive_fixture_set_rules (ReceiveFixture *self, RerouteRuleset *rules); /* (transfer full) */
/* Waits until the receiver says that it is drained; it need not say so again. */
void receive_fixture_await_drained (ReceiveFixture *self);
/* (transfer full): the next message that was accepted */
RerouteMessage *receive_fixture_pop (ReceiveFixture *self);
/* (transfer full): the content of a message, terminated */
char *receive_fixture_read (ReceiveFixture *self, RerouteMessage *message);

guint16 receive_fixture_get_port (const ReceiveFixture *self); /* of the first listener */
/* A client that is connected, was greeted and has said EHLO. */
int receive_fixture_greet (const ReceiveFixture *self);

/* A blocking client; every wait ends after ten seconds, in a failure. */
int client_connect (guint16 port);
void client_send (int fd, const char *octets, gssize length);
/* (transfer full): one line, without its CR LF */
char *client_read_line (int fd);
/* Reads one whole reply. */
void client_expect (int fd, const char *start);
/* @commands: lines parted by "\n", each answered by one reply whose start stands behind " -> " */
void client_talk (int fd, const char *commands);
void client_expect_end (int fd);
/* Whether something is there to be read, within so many milliseconds. */
gboolean client_wait (int fd, int wait_ms);

G_END_DECLS
