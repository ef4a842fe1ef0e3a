/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/listener.h"

G_BEGIN_DECLS

/**
 * RerouteHandedSocket:
 *
 * A listening socket that the service manager made and handed over.  It is used when the settings
 * name every address that it receives on, and then in place of one of our own; connections that
 * come while the relay is restarted wait in it.  One that the settings do not name is shut down, so
 * that clients are refused and its port is free for us, until the settings name it or the relay
 * ends.
 */
struct _RerouteHandedSocket
{
  int fd;
  char *name; /* what the service manager calls it: "reroute-relayd.socket" */
  RerouteIp ip;
  guint16 port;
  gboolean is_dual; /* [::], and takes IPv4, too */
  gboolean is_down; /* shut down by us */
};

/**
 * reroute_handed_socket_new:
 * @fd: (transfer full): closed when this fails
 *
 * Errors: %REROUTE_ERROR_VALUE when it is no listening TCP socket; with @name and what to do.
 */
RerouteHandedSocket *reroute_handed_socket_new (int fd, const char *name, GError **error);

/* Listens again, so that the service manager has it back as it was, and closes our end. */
void reroute_handed_socket_free (RerouteHandedSocket *self);

/* The one to use for @endpoint when all of @endpoints are to be open.  @sockets: (nullable)
   (element-type RerouteHandedSocket); (transfer none) (nullable) */
RerouteHandedSocket *reroute_handed_sockets_find (const GPtrArray *sockets,
                                                  const char *const *endpoints,
                                                  const char *endpoint);

/* Frees @port of those that @endpoints do not name.  @port: 0: every port.  @sockets: (nullable) */
void reroute_handed_sockets_put_down (const GPtrArray *sockets,
                                      const char *const *endpoints,
                                      guint16 port);

/* Listens; one that does is left as it is.  FALSE: the system refuses, with errno. */
gboolean reroute_handed_socket_put_up (RerouteHandedSocket *self);

G_END_DECLS
