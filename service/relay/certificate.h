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

G_END_DECLS
