/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

/* Called for a certificate of ours.  @expiry_s: the end of its days, seconds since 1970; 0: it
   cannot be used, and @failure (nullable) says why */
typedef void (*RerouteCertificateFunc) (const char *file,
                                        gint64 expiry_s,
                                        const char *failure,
                                        gpointer user_data);

/* "2026-11-30"; (transfer full) */
char *reroute_certificate_format_day (gint64 time_s);

/* Why a certificate may not be shown today: "it has expired on 2026-11-30"; (transfer full)
   (nullable): NULL when it may */
char *reroute_certificate_dup_objection (gnutls_x509_crt_t certificate);

/* Appends the name of a file, and whatever of it changes when it is written, or when another one
   takes its name. */
void reroute_certificate_append_looks (GString *looks, const char *file);

/* Text with a private key in it: nothing of it stays in memory. */
typedef char RerouteKeyText;
void reroute_key_text_free (RerouteKeyText *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteKeyText, reroute_key_text_free)

/**
 * reroute_certificate_read_file:
 * @file: of a certificate or key
 * @why: (out) (transfer none): of a failure, what stands behind "cannot use it: "
 *
 * Reads what is in @file now; it blocks for no longer than a disk does.
 *
 * Returns: (transfer full): %NULL: there is no such ordinary file, or it is too large to be one
 */
RerouteKeyText *reroute_certificate_read_file (const char *file, const char **why);

G_END_DECLS
