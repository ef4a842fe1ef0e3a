/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether the authorities in @file may be read: no pipe holds up who does.
   Errors: %REROUTE_ERROR_VALUE naming the file. */
gboolean reroute_tls_trust_check (const char *file, GError **error);

/**
 * reroute_tls_trust_open:
 * @files: (array zero-terminated=1): of authorities, in PEM
 *
 * Errors: as reroute_tls_trust_check(), or of %G_TLS_ERROR.
 *
 * Returns: (transfer full) (element-type GTlsDatabase): one of each; none: the machine's is meant
 */
GPtrArray *reroute_tls_trust_open (const char *const *files, GError **error);

/* Whether one of @databases behind the first trusts the certificate of the server: libsoup knows
   one database, the first, and what that does not trust may be trusted by another. */
gboolean reroute_tls_trust_accepts (const GPtrArray *databases,
                                    GTlsCertificate *certificate,
                                    const char *host,
                                    guint16 port);

G_END_DECLS
