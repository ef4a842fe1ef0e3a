/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ip.h"

G_BEGIN_DECLS

typedef struct _RerouteHandedSocket RerouteHandedSocket;

/**
 * RerouteListener:
 *
 * A listening socket that the workers share; reference-counted, the last one closes it.
 */
typedef struct
{
  gatomicrefcount ref_count;
  int fd;
  char *endpoint; /* as it was asked for: "127.0.0.1:0", "tls/127.0.0.1:465" */
  char *label;    /* as it came out: "127.0.0.1:2525", "127.0.0.1:465 (TLS)" */
  RerouteIp ip;
  guint16 port;
  gboolean in_tls;             /* from the first octet */
  RerouteHandedSocket *handed; /* (nullable): borrowed: the service manager's, see there */
} RerouteListener;

#define REROUTE_LISTENER_IN_TLS "tls/" /* in front of an endpoint: TLS from the first octet */

/**
 * reroute_listener_open:
 * @endpoint: "ADDRESS:PORT" or "[IPv6]:PORT", %REROUTE_LISTENER_IN_TLS in front of it for TLS;
 *   port 0 takes any that is free
 *
 * Binds and listens.  An IPv6 socket takes IPv6 alone.
 *
 * Errors: %REROUTE_ERROR_VALUE when @endpoint is none; %REROUTE_ERROR_HOST when the machine has no
 *   such address; %REROUTE_ERROR_UNAVAILABLE when the system refuses; with the address and what to
 *   do about it.
 */
RerouteListener *reroute_listener_open (const char *endpoint, GError **error);
RerouteListener *reroute_listener_ref (RerouteListener *self);
void reroute_listener_unref (RerouteListener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteListener, reroute_listener_unref)

/* Accepts one connection. Returns: its descriptor, non-blocking, or -1 with errno */
int reroute_listener_accept (RerouteListener *self, RerouteIp *client);

/**
 * reroute_listeners_update:
 * @old: (element-type RerouteListener): what is open now
 * @handed: (nullable) (element-type RerouteHandedSocket): what the service manager has opened
 * @endpoints: (array zero-terminated=1): what shall be open
 *
 * Opens what is missing before anything is closed; what stays is kept as it is.  An old socket
 * that is in the way of a new one (0.0.0.0 and 127.0.0.1 on one port) leaves it the port.  The
 * IPv6 wildcard is left out, with a warning, where there is no IPv6.  A socket of @handed is taken
 * before one is opened; those that are not taken are shut down.
 *
 * Returns: (transfer full) (element-type RerouteListener): or %NULL, and all of @old is open still
 */
GPtrArray *reroute_listeners_update (GPtrArray *old,
                                     const GPtrArray *handed,
                                     const char *const *endpoints,
                                     GError **error);

/* "ADDRESS:PORT" apart; port 0 is valid here. */
gboolean
reroute_endpoint_parse (const char *endpoint, RerouteIp *ip, guint16 *port, GError **error);

/* The same of an endpoint that may have %REROUTE_LISTENER_IN_TLS in front of it. */
gboolean reroute_listener_endpoint_parse (const char *endpoint,
                                          RerouteIp *ip,
                                          guint16 *port,
                                          GError **error);

/* Where they receive, for a person: "127.0.0.1:25, [::1]:25". */
char *reroute_listeners_dup_labels (const GPtrArray *listeners);

G_END_DECLS
