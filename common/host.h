/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A host to deliver to, as the administrator typed it. */
typedef struct
{
  char
    *name; /* as typed, without blanks and trailing dot; an address without brackets, canonical */
  guint16 port;     /* 25 unless she said otherwise */
  gboolean mx;      /* "look up its MX" instead of "this very host" */
  gboolean literal; /* name is an IPv4 or IPv6 address */
} RerouteHost;

/**
 * RerouteHosts:
 *
 * Where mail is forwarded to: at least one host; immutable, reference-counted.
 */
typedef struct
{
  gboolean by_turns; /* round robin, else in order */
  gsize n_hosts;
  RerouteHost *hosts; /* (array length=n_hosts) */
} RerouteHosts;

/**
 * reroute_hosts_parse:
 * @text: "NAME[:PORT]", "mx:NAME", "192.0.2.1", "[IPv6]:PORT", separated by ";" or ","
 * @by_turns: whether they take turns
 *
 * Errors: %REROUTE_ERROR_HOST with the value and what is wanted: an e-mail
 *   address where a host belongs, a port outside 1 to 65535, an empty name.
 */
RerouteHosts *reroute_hosts_parse (const char *text, gboolean by_turns, GError **error);
RerouteHosts *reroute_hosts_ref (RerouteHosts *self);
void reroute_hosts_unref (RerouteHosts *self);
gboolean reroute_hosts_equal (const RerouteHosts *a, const RerouteHosts *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteHosts, reroute_hosts_unref)

/* The text that reroute_hosts_parse() reads, ";" between hosts, no default port. */
char *reroute_hosts_to_string (const RerouteHosts *self);

/* The dialog's separate fields come in here; an empty port is the default one. */
gboolean reroute_host_validate (const char *name, GError **error);
gboolean reroute_port_parse (const char *text, guint16 *port, GError **error);

G_END_DECLS
