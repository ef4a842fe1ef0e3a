/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/resolver.h"
#include "service/relay/deliver/tls-verdict.h"
#include "service/relay/smtp/sts-policy.h"
#include "service/relay/spool/spool.h"

G_BEGIN_DECLS

/**
 * RerouteSts:
 *
 * The policies of domains about mail to them (MTA-STS): found by DNS and HTTPS, kept for as long as
 * they say, also over a restart.  Lives on one worker's thread.
 */
typedef struct _RerouteSts RerouteSts;

typedef enum
{
  REROUTE_STS_ASK_RECORD,    /* TXT of the name */
  REROUTE_STS_ASK_ADDRESSES, /* of the name */
} RerouteStsAsk;

typedef struct
{
  RerouteWorker *worker; /* borrowed */
  RerouteSpool *spool;   /* borrowed: where policies are kept */
  guint16 port;          /* of HTTPS; another than 443 is for tests: only then loopback will do */
  /* DNS; @func later, never from within */
  void (*ask) (RerouteStsAsk what,
               const char *name,
               RerouteDnsFunc func,
               gpointer func_data,
               gpointer user_data);
  /* (array zero-terminated=1) (nullable): the PEM files of the setting tls-trust now; NULL: nothing
     is to be asked now */
  const char *const *(*get_trust) (gpointer user_data);
  /* Borrowed: the settings now, which say where a policy may be. */
  const RerouteSettings *(*get_settings) (gpointer user_data);
  /* Told of every policy that was looked for in vain, and @why. */
  void (*failed) (const char *domain,
                  RerouteTlsVerdict verdict,
                  const char *why,
                  gpointer user_data);
  gpointer user_data;
} RerouteStsConfig;

/* Reads what was kept; a damaged file is logged and passed over. */
RerouteSts *reroute_sts_new (const RerouteStsConfig *config);
/* On the worker: ends what is on its way and answers who waits; from then on every answer is at
   once, and nothing is asked. */
void reroute_sts_close (RerouteSts *self);
/* On the worker: DNS may answer otherwise from now on: no record counts as fresh, and what was
   asked before is asked anew. */
void reroute_sts_ask_anew (RerouteSts *self);
/* After the worker has stopped. */
void reroute_sts_free (RerouteSts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSts, reroute_sts_free)

/* @policy: (nullable): borrowed; NULL: the domain has none that is known */
typedef void (*RerouteStsFunc) (RerouteStsPolicy *policy, gpointer user_data);

/**
 * reroute_sts_look_up:
 * @domain: in normal form
 *
 * @func runs once, perhaps before this returns.  What is known and fresh is answered at once; else
 * the record is asked for, and where it tells of another policy that is fetched, once for all who
 * wait.  A policy that cannot be fetched leaves the one that is known, or none, and is tried again
 * after REROUTE_LIMIT_STS_RETRY_S (RFC 8461 sections 3.3 and 5.1).
 */
void
reroute_sts_look_up (RerouteSts *self, const char *domain, RerouteStsFunc func, gpointer user_data);

G_END_DECLS
