/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/certificate.h"
#include "service/relay/stream.h"

G_BEGIN_DECLS

/**
 * RerouteTlsServer:
 *
 * The certificates that clients are shown, and the key of the session tickets that they are given.
 * Immutable, reference-counted, shared between threads; other files are another object.
 */
typedef struct _RerouteTlsServer RerouteTlsServer;

/**
 * reroute_tls_server_new:
 * @certificates: (array zero-terminated=1): PEM files, each a certificate with its chain; the first
 *   is shown to clients that name no host that another one is for
 * @keys: (array zero-terminated=1): their keys in the same order; none: they stand in the files of
 *   the certificates
 *
 * Reads and checks the files.  The tickets' key is new, so no client resumes a session of another
 * object.
 *
 * Errors: %REROUTE_ERROR_VALUE naming the file: not readable, not PEM, a key that does not fit,
 *   not valid yet or any more.
 */
RerouteTlsServer *
reroute_tls_server_new (const char *const *certificates, const char *const *keys, GError **error);
RerouteTlsServer *reroute_tls_server_ref (RerouteTlsServer *self);
void reroute_tls_server_unref (RerouteTlsServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTlsServer, reroute_tls_server_unref)

/* When the first of the certificates expires, seconds since 1970. */
gint64 reroute_tls_server_get_expiry_s (const RerouteTlsServer *self);

/* Calls @func for each of the certificates. */
void reroute_tls_server_foreach (const RerouteTlsServer *self,
                                 RerouteCertificateFunc func,
                                 gpointer user_data);

/* Begins TLS on an accepted connection.  A ticket is good for the address and port that gave it. */
gboolean reroute_tls_server_begin (RerouteTlsServer *self, RerouteStream *stream, GError **error);

G_END_DECLS
