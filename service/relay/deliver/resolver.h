/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ip.h"
#include "common/settings.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_DNS_ANSWER,   /* records */
  REROUTE_DNS_NODATA,   /* the name exists, without records of that type */
  REROUTE_DNS_NXDOMAIN, /* the name does not exist */
  REROUTE_DNS_FAILED,   /* SERVFAIL, time limit, bogus: try later */
} RerouteDnsStatus;

/* What is asked for. */
typedef enum
{
  REROUTE_DNS_ADDRESSES,
  REROUTE_DNS_TEXTS,
  REROUTE_DNS_EXCHANGERS,
  REROUTE_DNS_NAMES, /* of an address: the name is "5.113.0.203.in-addr.arpa" or the like */
} RerouteDnsKind;

typedef struct
{
  guint16 preference;
  char *exchanger; /* normal form; "" is the null MX (RFC 7505) */
} RerouteMx;

typedef struct
{
  RerouteDnsStatus status;
  gboolean secure; /* all of it was validated by DNSSEC */
  gboolean bogus;  /* of FAILED: it came, and DNSSEC refutes it, or misses signatures */
  guint ttl_s;
  GArray *mx;        /* (element-type RerouteMx) for an MX question */
  GArray *addresses; /* (element-type RerouteIp) for an address question: AAAA and A */
  char *canonical;   /* (nullable): what the name is an alias of, in normal form */
  GPtrArray *tlsa;   /* (element-type GBytes) for a TLSA question: records as they stand there */
  GPtrArray *txt;    /* (element-type utf8) for a TXT question: each record's strings in one */
  GPtrArray *names;  /* (element-type utf8) for a PTR question: in normal form */
  char *reason;      /* of FAILED */
} RerouteDnsAnswer;

void reroute_dns_answer_free (RerouteDnsAnswer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteDnsAnswer, reroute_dns_answer_free)

/* Called later, never from within the question. @answer is borrowed. */
typedef void (*RerouteDnsFunc) (const RerouteDnsAnswer *answer, gpointer user_data);

/* The seam: libunbound in the relay, a table in unit tests. */
typedef struct _RerouteResolver RerouteResolver;
typedef struct
{
  void (*mx) (RerouteResolver *self, const char *domain, RerouteDnsFunc func, gpointer user_data);
  void (*address) (RerouteResolver *self,
                   const char *name,
                   RerouteDnsFunc func,
                   gpointer user_data);
  void (*tlsa) (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data);
  void (*txt) (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data);
  void (*ptr) (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data);
  void (*free) (RerouteResolver *self);
} RerouteResolverClass;
struct _RerouteResolver
{
  const RerouteResolverClass *klass;
};

/* @worker: borrowed; answers arrive on it; @servers: (array zero-terminated=1) "ADDRESS:PORT", or
   {"system"}, from --dns or the setting. Search lists are never applied; /etc/hosts is read with
   "system".  @trust_anchor: (nullable): a file of DS or DNSKEY records to validate from; %NULL:
   nothing is validated. */
RerouteResolver *reroute_resolver_new_unbound (RerouteWorker *worker,
                                               const char *const *servers,
                                               const char *trust_anchor,
                                               GError **error);
const char *reroute_resolver_get_version (void); /* of libunbound */
/* Questions that are open are answered, as failed. */
void reroute_resolver_free (RerouteResolver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteResolver, reroute_resolver_free)

G_END_DECLS
