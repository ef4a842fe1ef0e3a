/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/tls-client.h"
#include "tests/bench/endpoint.h"

G_BEGIN_DECLS

#define LOAD_REPLY_LINE_OCTETS 1024 /* kept of a line that is incomplete */

/* A connection of the source: what goes out, and replies that come in. */
typedef struct
{
  RerouteStream stream; /* its descriptor: or -1 */
  int epoll;
  gpointer data;    /* of its events */
  gboolean writing; /* something is left to be sent */
  GString *before;  /* text that goes before the lines of a message */
  GString *after;   /* and behind them */
  struct iovec parts[3];
  guint part; /* the first that is not sent whole */
  char line[LOAD_REPLY_LINE_OCTETS];
  gsize n_line;
} LoadConnection;

void load_connection_init (LoadConnection *self);
void load_connection_clear (LoadConnection *self);

gboolean
load_connection_open (LoadConnection *self, const LoadEndpoint *endpoint, int epoll, gpointer data);
void load_connection_close (LoadConnection *self);
gboolean load_connection_begin_tls (LoadConnection *self, RerouteTlsClient *client);

void load_connection_send (LoadConnection *self, const char *lines, gsize octets);
void load_connection_flush (LoadConnection *self);
gboolean
load_connection_next_reply (LoadConnection *self, const char **data, gsize *octets, guint *code);

G_END_DECLS
