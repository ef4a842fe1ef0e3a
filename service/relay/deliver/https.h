/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/resolver.h"
#include "service/relay/spool/spool.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteHttps:
 *
 * A thread with a GMainContext of its own, for what no worker does: HTTPS by libsoup, and a file
 * that is synced.  It begins with the first thing to do.
 */
typedef struct _RerouteHttps RerouteHttps;

/* @worker: borrowed: where answers arrive; @spool: borrowed: where the file is */
RerouteHttps *reroute_https_new (RerouteWorker *worker, RerouteSpool *spool);
/* Ends what is on its way, with an answer that says so, and writes what was to be written. */
void reroute_https_free (RerouteHttps *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteHttps, reroute_https_free)

/* Why there is no answer of use. */
typedef struct
{
  const char *why;          /* for a person; NULL: there is one */
  gboolean bad_certificate; /* the host has shown one that is not accepted */
} RerouteHttpsTrouble;

/* On the worker.  @text: what the host said, nothing behind a POST; %NULL: @trouble says why. */
typedef void (*RerouteHttpsFunc) (GBytes *text,
                                  const RerouteHttpsTrouble *trouble,
                                  gpointer user_data);

typedef struct
{
  const char *host;           /* what the certificate must be for */
  const char *path;           /* with its query, from the first "/" on */
  const RerouteIp *addresses; /* (array length=n_addresses): of the host */
  gsize n_addresses;
  guint16 port;
  const char *const *trust; /* (array zero-terminated=1): PEM files of authorities; none: the
                               machine's */
  GBytes *body;             /* (nullable): to be posted; else the path is asked for */
  const char *body_type;
  gboolean any_certificate; /* will do */
} RerouteHttpsRequest;

/**
 * reroute_https_send:
 * @request: copied
 *
 * Asks https://HOST/PATH: TLS 1.2 or newer with a valid certificate for that host, status 200,
 * text/plain, REROUTE_LIMIT_HTTPS_ANSWER_OCTETS at most, within REROUTE_LIMIT_HTTPS_S; no redirect
 * is followed.  Behind a POST any status of success will do, and what is said with it is not read.
 */
void reroute_https_send (RerouteHttps *self,
                         const RerouteHttpsRequest *request,
                         RerouteHttpsFunc func,
                         gpointer user_data);

/**
 * reroute_https_choose_addresses:
 * @host: whose they are: a name that strangers have given
 * @settings: whose private-targets count
 * @loopback: whether this machine's own will do: for tests
 * @why: (out): when there is none, for a person; borrowed from @answer
 *
 * Neither this machine nor a private network is what a domain may make a server talk to, whether an
 * entry names it or not.  The first address that is refused is logged.
 *
 * Returns: (transfer full) (element-type RerouteIp): REROUTE_LIMIT_ADDRESSES_PER_TRY at most
 */
GArray *reroute_https_choose_addresses (const RerouteDnsAnswer *answer,
                                        const char *host,
                                        const RerouteSettings *settings,
                                        gboolean loopback,
                                        const char **why);

/* Writes a file in the spool; a failure is logged. */
void reroute_https_save (RerouteHttps *self, const char *name, GBytes *octets);

G_END_DECLS
