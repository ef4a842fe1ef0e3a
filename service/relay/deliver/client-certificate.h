/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>
#include <gnutls/abstract.h>

G_BEGIN_DECLS

/**
 * RerouteClientCertificate:
 *
 * What the relay shows of itself in TLS to a next hop that asks: a certificate with its chain, and
 * its key.  Immutable, reference-counted, shared between threads.
 */
typedef struct _RerouteClientCertificate RerouteClientCertificate;

/**
 * reroute_client_certificate_read:
 * @file: in PEM form: the certificate first, then those that it was issued by, and the private key
 *
 * Reads what is in @file now; it blocks for no longer than a disk does.
 *
 * Errors: %REROUTE_ERROR_VALUE naming @file: it cannot be read, holds no certificate or another
 *   one's key, or may not be shown today.
 *
 * Returns: (transfer full): %NULL with @error
 */
RerouteClientCertificate *reroute_client_certificate_read (const char *file, GError **error);
RerouteClientCertificate *reroute_client_certificate_ref (RerouteClientCertificate *self);
void reroute_client_certificate_unref (RerouteClientCertificate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteClientCertificate, reroute_client_certificate_unref)

/* SHA-256 of the certificate in hexadecimal; another one has another. */
const char *reroute_client_certificate_get_fingerprint (const RerouteClientCertificate *self);
/* The end of its days: seconds since 1970. */
gint64 reroute_client_certificate_get_expiry_s (const RerouteClientCertificate *self);
/* What a handshake takes; @chain, @n_chain, @key: (out) (transfer none) */
void reroute_client_certificate_get_parts (const RerouteClientCertificate *self,
                                           gnutls_pcert_st **chain,
                                           unsigned int *n_chain,
                                           gnutls_privkey_t *key);

/**
 * RerouteClientCertificates:
 *
 * The certificates that the rules name, by file, or why one of them cannot be used.
 * Reference-counted; immutable once it is shared between threads.
 */
typedef struct _RerouteClientCertificates RerouteClientCertificates;

RerouteClientCertificates *reroute_client_certificates_new (void);
RerouteClientCertificates *reroute_client_certificates_ref (RerouteClientCertificates *self);
void reroute_client_certificates_unref (RerouteClientCertificates *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteClientCertificates, reroute_client_certificates_unref)

/* @certificate: (nullable): a reference is taken; @why: (nullable): why there is none */
void reroute_client_certificates_add (RerouteClientCertificates *self,
                                      const char *file,
                                      RerouteClientCertificate *certificate,
                                      const char *why);

/**
 * reroute_client_certificates_find:
 * @self: (nullable): before any was read
 * @why: (out) (transfer none): of one that cannot be used, a line for who has to mend it
 *
 * Returns: (transfer none) (nullable)
 */
RerouteClientCertificate *reroute_client_certificates_find (const RerouteClientCertificates *self,
                                                            const char *file,
                                                            const char **why);

G_END_DECLS
