/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/stream.h"

#include <sys/epoll.h>

G_BEGIN_DECLS

typedef struct
{
  struct sockaddr_storage address;
  socklen_t octets;
} LoadEndpoint;

gboolean load_endpoint_parse (LoadEndpoint *self, const char *text, GError **error);
int load_endpoint_listen (const LoadEndpoint *self, GError **error);
int load_endpoint_connect (const LoadEndpoint *self);

void load_watch (int epoll, int operation, int fd, guint32 events, gpointer data);
RerouteHandshake load_shake_hands (int epoll, RerouteStream *stream, gpointer data);
int load_wait (int epoll, struct epoll_event *events, int n_events, gint64 until_ns);

G_END_DECLS
