/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/next-hop.h"
#include "service/relay/deliver/tls-verdict.h"

G_BEGIN_DECLS

/* Sessions that failed in the same way. */
typedef struct
{
  RerouteTlsVerdict verdict;
  char *mx;           /* "" each: not known */
  char *receiving_ip; /* the host's */
  char *sending_ip;   /* ours */
  char *reason;
  guint64 count;
} RerouteTlsFailure;

typedef enum
{
  REROUTE_TLS_POLICY_NONE, /* none was found */
  REROUTE_TLS_POLICY_STS,
  REROUTE_TLS_POLICY_TLSA,
  REROUTE_N_TLS_POLICIES,
} RerouteTlsPolicyKind;

/* "no-policy-found", "sts", "tlsa" (RFC 8460 4.4). */
const char *reroute_tls_policy_kind_to_string (RerouteTlsPolicyKind kind);

/* What mail to a domain was judged by, and how that went. */
typedef struct
{
  RerouteTlsPolicyKind kind;
  char *domain;  /* that the policy is of: the domain itself, the exchanger of TLSA records */
  GStrv strings; /* the policy: its lines, or the records */
  GStrv mx;      /* STS: the exchangers that it names */
  guint64 n_succeeded;
  guint64 n_failed;    /* sessions */
  GPtrArray *failures; /* (element-type RerouteTlsFailure) */
} RerouteTlsPolicy;

typedef struct
{
  char *name;          /* in normal form */
  GPtrArray *policies; /* (element-type RerouteTlsPolicy) */
} RerouteTlsDomain;

typedef struct
{
  gint64 day;          /* since 1970, UTC */
  GHashTable *domains; /* (element-type utf8 RerouteTlsDomain) */
} RerouteTlsDay;

/**
 * RerouteTlsResults:
 *
 * How TLS went with the hosts of other domains, counted for each domain and day, within bounds.
 */
typedef struct _RerouteTlsResults RerouteTlsResults;

RerouteTlsResults *reroute_tls_results_new (void);
void reroute_tls_results_free (RerouteTlsResults *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTlsResults, reroute_tls_results_free)

typedef struct
{
  RerouteTlsVerdict verdict;       /* not NONE */
  const RerouteEndpoint *endpoint; /* (nullable): the host; NULL: a policy that cannot be had */
  const RerouteIp *sending;        /* (nullable) */
  const char *reason;              /* (nullable) */
} RerouteTlsResult;

/* Counts one session.  @domain: of the recipients, in normal form */
void reroute_tls_results_add (RerouteTlsResults *self,
                              gint64 day,
                              const char *domain,
                              const RerouteTlsResult *result);

/* (transfer container) (element-type RerouteTlsDay): the oldest first */
GPtrArray *reroute_tls_results_list (RerouteTlsResults *self);
/* (transfer full) (nullable): and it is kept no more. */
RerouteTlsDomain *
reroute_tls_results_steal (RerouteTlsResults *self, gint64 day, const char *domain);
/* Adds it to what was counted since.  @domain: (transfer full) */
void reroute_tls_results_give_back (RerouteTlsResults *self, gint64 day, RerouteTlsDomain *domain);
void reroute_tls_domain_free (RerouteTlsDomain *self);
/* Forgets the days before @day.  Returns: domains that were among them */
guint reroute_tls_results_forget_before (RerouteTlsResults *self, gint64 day);

/* A file of it; see reroute-spool(5). */
GBytes *reroute_tls_results_to_file (RerouteTlsResults *self);
/* Errors: %REROUTE_ERROR_VALUE: it is none, and nothing is taken. */
gboolean reroute_tls_results_take_file (RerouteTlsResults *self, GBytes *octets, GError **error);

#define REROUTE_TLS_DAY_S ((gint64) 86400)
#define REROUTE_TLS_LAST_DAY 2932896 /* of the year 9999 */
/* (transfer full): "2026-11-26" */
char *reroute_tls_day_to_string (gint64 day);

G_END_DECLS
