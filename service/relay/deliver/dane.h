/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gnutls/gnutls.h>

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_dane_has_usable:
 * @records: (element-type GBytes): TLSA records as they stand in DNS
 *
 * Returns: whether one of them can be judged: usage 2 or 3 (RFC 7672 3.1), a selector and a digest
 *   that are known.  When none can, TLS is demanded and nothing more (RFC 7672 2.2).
 */
gboolean reroute_dane_has_usable (const GPtrArray *records);

/* Whether both are the same records, in whatever order; either may be NULL. */
gboolean reroute_dane_equal (const GPtrArray *a, const GPtrArray *b);

/**
 * reroute_dane_verify:
 * @records: (element-type GBytes): one of them must fit
 * @session: after the handshake
 * @names: (array zero-terminated=1): what a certificate must be for where the record is of an
 *   authority (usage 2)
 *
 * Errors: %REROUTE_ERROR_PROTOCOL: no record fits.
 */
gboolean reroute_dane_verify (const GPtrArray *records,
                              gnutls_session_t session,
                              const char *const *names,
                              GError **error);

G_END_DECLS
