/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"
#include "service/relay/deliver/client-certificate.h"
#include "service/relay/deliver/tls-verdict.h"
#include "service/relay/stream.h"

G_BEGIN_DECLS

/**
 * RerouteTlsClient:
 *
 * TLS to other hosts: whom we trust, and the sessions that may be resumed.  Lives on one worker.
 */
typedef struct _RerouteTlsClient RerouteTlsClient;

/* @trust: (array zero-terminated=1): PEM files of authorities; none: the machine's.  They are read
   when a certificate has to be verified for the first time. */
RerouteTlsClient *reroute_tls_client_new (const char *const *trust);
/**
 * reroute_tls_client_renew:
 * @client: (inout): NULL: none yet
 * @trust: (inout): the text of the setting that it was made from
 *
 * Whom the settings trust: another setting is another client, and what was verified before stays
 * so.
 */
RerouteTlsClient *
reroute_tls_client_renew (RerouteTlsClient **client, char **trust, const RerouteSettings *settings);
RerouteTlsClient *reroute_tls_client_ref (RerouteTlsClient *self);
void reroute_tls_client_unref (RerouteTlsClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTlsClient, reroute_tls_client_unref)

/**
 * reroute_tls_client_begin:
 * @host: (nullable): what the server is asked for by SNI; %NULL for an address
 * @key: what the session is kept under: only connections that ask for the same, and show the same,
 *   share one
 * @certificate: (nullable): what is shown when the server asks, whichever authorities it names; it
 *   must live as long as the stream has TLS
 *
 * Begins TLS on a connection, resuming a session if one is kept.
 */
gboolean reroute_tls_client_begin (RerouteTlsClient *self,
                                   RerouteStream *stream,
                                   const char *host,
                                   const char *key,
                                   RerouteClientCertificate *certificate,
                                   GError **error);

/* Keeps the session for the next connection, once the server has given what it takes. */
void
reroute_tls_client_keep_session (RerouteTlsClient *self, RerouteStream *stream, const char *key);

/**
 * reroute_tls_client_verify:
 * @names: (array zero-terminated=1): the certificate must be for one of them
 * @verdict: (out): what kind of failure it is, or success
 *
 * Errors: %REROUTE_ERROR_PROTOCOL saying what is wrong with the certificate; %REROUTE_ERROR_VALUE
 *   when the authorities cannot be read.
 */
gboolean reroute_tls_client_verify (RerouteTlsClient *self,
                                    const RerouteStream *stream,
                                    const char *const *names,
                                    RerouteTlsVerdict *verdict,
                                    GError **error);

G_END_DECLS
