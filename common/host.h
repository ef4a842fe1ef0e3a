/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A host to deliver to, as the administrator typed it. */
typedef struct
{
  char *name;       /* as typed, without blanks and trailing dot, beyond ASCII in its A-labels
                       (RFC 5891); an address without brackets, canonical; the path of a socket */
  guint16 port;     /* 25, by LMTP 24, unless she said otherwise; 25 with mx; 0 with a socket */
  gboolean mx;      /* "look up its MX" instead of "this very host" */
  gboolean literal; /* name is an IPv4 or IPv6 address */
  gboolean lmtp;    /* it is spoken to by LMTP (RFC 2033) */
  gboolean local;   /* name is the path of a Unix socket; by LMTP only */
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
 * @text: "NAME[:PORT]", "mx:NAME", "192.0.2.1", "[IPv6]:PORT", separated by ";" or ",";
 *   "mx:26" is a host of that name with a port
 * @by_turns: whether they take turns
 *
 * A port behind "mx:NAME" is dropped, for text that was saved may have one:
 * reroute_hosts_check_typed() refuses it.
 *
 * Errors: %REROUTE_ERROR_HOST with the value and what is wanted: an e-mail
 *   address where a host belongs, a port outside 1 to 65535, an empty name.
 */
RerouteHosts *reroute_hosts_parse (const char *text, gboolean by_turns, GError **error);

/**
 * reroute_hosts_check_typed:
 * @text: what a person typed, as reroute_hosts_parse() or reroute_inbound_host_parse() takes it;
 *   of what they refuse nothing is said
 *
 * Errors: %REROUTE_ERROR_HOST for a port other than 25 behind "mx:NAME": MX records have none
 *   (RFC 5321 5.1).
 */
gboolean reroute_hosts_check_typed (const char *text, GError **error);

/**
 * reroute_inbound_host_parse:
 * @text: one host as reroute_hosts_parse() takes it, or one that is spoken to by LMTP:
 *   "lmtp:NAME[:PORT]", "lmtp:[IPv6]:PORT", "lmtp:/PATH" of a Unix socket; also with Postfix's
 *   "inet:" or "unix:" behind "lmtp:".  "lmtp:24" is a host of that name with a port.
 *
 * Errors: %REROUTE_ERROR_HOST with the value and what is wanted.
 */
RerouteHosts *reroute_inbound_host_parse (const char *text, GError **error);
RerouteHosts *reroute_hosts_ref (RerouteHosts *self);
void reroute_hosts_unref (RerouteHosts *self);
gboolean reroute_hosts_equal (const RerouteHosts *a, const RerouteHosts *b);
/* Equal ones have the same. */
guint reroute_hosts_hash (const RerouteHosts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteHosts, reroute_hosts_unref)

/* The text that the parser reads, ";" between hosts, no default port. */
char *reroute_hosts_to_string (const RerouteHosts *self);

/* The dialog's separate fields come in here; an empty port is the default one. */
/* (nullable): what is wrong with @path as that of a Unix socket, as the end of a sentence. */
const char *reroute_socket_path_check (const char *path);

gboolean reroute_host_validate (const char *name, GError **error);
gboolean reroute_port_parse (const char *text, guint16 *port, GError **error);

G_END_DECLS
