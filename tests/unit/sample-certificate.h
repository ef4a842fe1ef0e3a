/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Keys, and certificates that they have signed themselves. */

#pragma once

#include <glib.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

gnutls_x509_privkey_t sample_key_new (void); /* ECDSA; end it with gnutls_x509_privkey_deinit() */
/* (transfer full): in PEM.  @password: (nullable): %NULL: it is not encrypted */
char *sample_key_export (gnutls_x509_privkey_t key, const char *password);
/* (transfer full): in PEM, of relay.test; good between two days, counted from today */
char *sample_certificate_new (gnutls_x509_privkey_t key, int first_day, int last_day);

G_END_DECLS
