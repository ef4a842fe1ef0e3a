/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ip.h"
#include "service/relay/spool/spool.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteStsThread:
 *
 * A thread with a GMainContext of its own, for what no worker does: HTTPS by libsoup, and a file
 * that is synced.  It begins with the first thing to do.
 */
typedef struct _RerouteStsThread RerouteStsThread;

/* @worker: borrowed: where answers arrive; @spool: borrowed: where the file is */
RerouteStsThread *reroute_sts_thread_new (RerouteWorker *worker, RerouteSpool *spool);
/* Ends what is on its way, with an answer that says so, and writes what was to be written. */
void reroute_sts_thread_free (RerouteStsThread *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteStsThread, reroute_sts_thread_free)

/* On the worker.  @text: what the policy's host said; %NULL: nothing of use, and @why. */
typedef void (*RerouteStsFetchFunc) (GBytes *text, const char *why, gpointer user_data);

typedef struct
{
  const char *domain;
  const RerouteIp *addresses; /* (array length=n_addresses): of the policy's host */
  gsize n_addresses;
  guint16 port;
  const char *const *trust; /* (array zero-terminated=1): PEM files of authorities; none: the
                               machine's */
} RerouteStsQuestion;

/**
 * reroute_sts_thread_fetch:
 * @question: copied
 *
 * Asks https://mta-sts.DOMAIN/.well-known/mta-sts.txt: TLS 1.2 or newer with a valid certificate
 * for that host, status 200, text/plain, REROUTE_LIMIT_STS_POLICY_OCTETS at most, within
 * REROUTE_LIMIT_STS_FETCH_S; no redirect is followed (RFC 8461 section 3.3).
 */
void reroute_sts_thread_fetch (RerouteStsThread *self,
                               const RerouteStsQuestion *question,
                               RerouteStsFetchFunc func,
                               gpointer user_data);

/* Writes a file in the spool; a failure is logged. */
void reroute_sts_thread_save (RerouteStsThread *self, const char *name, GBytes *octets);

G_END_DECLS
