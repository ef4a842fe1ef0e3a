/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"
#include "service/relay/deliver/resolver.h"
#include "service/relay/smtp/sts-policy.h"

G_BEGIN_DECLS

/* Where a connection goes. */
typedef struct
{
  char *name; /* the host as it is spoken of: exchanger, typed host, or address; a socket's path */
  char *domain;          /* whose exchanger it is; NULL: the host was typed */
  gboolean mx_secure;    /* the MX records that name it were validated by DNSSEC */
  GPtrArray *tlsa;       /* (element-type GBytes): its TLSA records, all validated; NULL: none */
  char *tlsa_name;       /* what it is an alias of, if they stand there; NULL: not so */
  RerouteStsPolicy *sts; /* what the domain says of its exchangers, unless TLSA records judge them;
                            NULL: nothing */
  RerouteIp ip;
  guint16 port;
  gboolean lmtp;
  gboolean local; /* a Unix socket: ip and port mean nothing */
} RerouteEndpoint;

RerouteEndpoint reroute_endpoint_copy (const RerouteEndpoint *self);
/* Whether a connection to the one is a connection to the other. */
gboolean reroute_endpoint_is_same (const RerouteEndpoint *a, const RerouteEndpoint *b);
/* "mx1.example.net[192.0.2.1]:25", "/run/dovecot/lmtp"; (transfer full) */
char *reroute_endpoint_dup_label (const RerouteEndpoint *self);
void reroute_endpoint_clear (RerouteEndpoint *self);
/* Forgets what is known of its TLSA records and its domain's policy. */
void reroute_endpoint_clear_policy (RerouteEndpoint *self);
/* Whether mail that is sent there in TLS at all needs a certificate for its name (RFC 8461 4). */
gboolean reroute_endpoint_is_enforced (const RerouteEndpoint *self);
/* Whether TLSA records say which certificate will do; of no use, they demand TLS alone. */
gboolean reroute_endpoint_is_judged_by_dane (const RerouteEndpoint *self);
/* Whether what it proves to mail of that level holds for its name and domain alone. */
gboolean reroute_endpoint_is_judged (const RerouteEndpoint *self, RerouteTlsLevel level);
/* Whether it is the domain's beyond what anyone may say in DNS: typed, the domain itself, or named
   by MX records that were validated, or by the domain's policy (RFC 8689 4.2.1). */
gboolean reroute_endpoint_is_proven (const RerouteEndpoint *self);
/* Whether its domain's policy does not name it, for mail of that level. */
gboolean reroute_endpoint_is_barred (const RerouteEndpoint *self, RerouteTlsLevel level);
/* (element-type RerouteEndpoint): empty, frees what is in it */
GArray *reroute_endpoints_new (void);

typedef enum
{
  REROUTE_NEXT_HOP_FOUND,
  REROUTE_NEXT_HOP_DEFER, /* DNS gave no answer */
  REROUTE_NEXT_HOP_FAIL,  /* null MX, no such domain, no address, only ourselves */
} RerouteNextHopState;

typedef struct
{
  RerouteNextHopState state;
  GArray *endpoints;   /* (element-type RerouteEndpoint) in the order to try */
  GArray *unproven;    /* (element-type RerouteEndpoint): whether these have TLSA records cannot be
                          found out; NULL: there are none */
  const char *via;     /* "mx", "a", "ip", "socket": how the first was found */
  const char *status;  /* "5.1.10", "5.4.6", "5.1.2", "4.4.3", "5.4.4" when not FOUND */
  gboolean leads_here; /* one of the addresses that were looked up is our own */
  char *reason;        /* one line when not FOUND; "mail loops back to this relay …" */
} RerouteNextHop;

void reroute_next_hop_free (RerouteNextHop *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteNextHop, reroute_next_hop_free)

/* What counts as ourselves, and as ours. */
typedef struct
{
  const RerouteIp *addresses; /* of our interfaces and the setting own-addresses */
  gsize n_addresses;
  guint16 listen_port;       /* an address of ours that she typed is ourselves on this port only */
  guint16 mx_port;           /* 25, or --mx-port */
  RerouteSettings *settings; /* (nullable): which private networks are ours */
} RerouteSelf;

/* Whether the address is ourselves, for a connection to @port.  A typed host is that only on the
   port that we listen on; what DNS says is ourselves on any port, loopback included: another host's
   loopback is never meant for us. */
gboolean
reroute_self_has (const RerouteSelf *self, const RerouteIp *ip, guint16 port, gboolean typed);

typedef void (*RerouteNextHopFunc) (RerouteNextHop *next_hop,
                                    gpointer user_data); /* (transfer full) */

/**
 * reroute_next_hop_resolve:
 * @decision: borrowed for the call; hosts or dns_domain say what to look up
 * @turn: rotates hosts that take turns
 *
 * MX, then address; equal preferences shuffled; ourselves and every exchanger that is not strictly
 * better dropped (RFC 5321 5.1, RFC 7505).  Of a domain there are REROUTE_LIMIT_ADDRESSES_PER_TRY
 * addresses at most, one of each exchanger before a second of any; exchangers that a call has no
 * room for have their turn in others.  Hosts in order or by turns.  Loopback that comes out of
 * DNS is ourselves; with an mx_port of its own, as tests have, only on listen_port or when it is in
 * addresses.
 *
 * Private addresses of a domain that nobody has typed here do not count: whoever owns a domain
 * could have this relay knock at any door behind it.  What an entry or a setting names, or leads
 * to, may be anywhere, and so may the networks of the setting private-targets.
 *
 * @func runs before the call returns when nothing has to be looked up.
 */
void reroute_next_hop_resolve (RerouteResolver *resolver,
                               const RerouteDecision *decision,
                               const RerouteSelf *self,
                               guint turn,
                               RerouteNextHopFunc func,
                               gpointer user_data);

/**
 * reroute_next_hop_survey:
 * @domain: whose exchangers are asked for
 *
 * As reroute_next_hop_resolve(), but all exchangers are looked at, up to REROUTE_LIMIT_EXCHANGERS:
 * leads_here is said of each of them.
 */
void reroute_next_hop_survey (RerouteResolver *resolver,
                              const char *domain,
                              const RerouteSelf *self,
                              RerouteNextHopFunc func,
                              gpointer user_data);

/* Where a name must not lead that strangers have given: to a private address, unless the setting
 * private-targets has its network.  @settings: (nullable) */
gboolean reroute_address_is_forbidden (const RerouteIp *ip, const RerouteSettings *settings);

G_END_DECLS
