/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sample-certificate.c - keys and certificates of tests
 */

#include "config.h"

#include "tests/unit/sample-certificate.h"

#define DAY_S (24 * 60 * 60)

static char *
take_pem (gnutls_datum_t pem)
{
  char *text = g_strndup ((const char *) pem.data, pem.size);

  gnutls_free (pem.data);
  return text;
}

gnutls_x509_privkey_t
sample_key_new (void)
{
  gnutls_x509_privkey_t key;

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate (
                     key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
                   ==,
                   0);
  return key;
}

char *
sample_key_export (gnutls_x509_privkey_t key, const char *password)
{
  gnutls_datum_t pem;

  if (password != NULL)
    g_assert_cmpint (gnutls_x509_privkey_export2_pkcs8 (
                       key, GNUTLS_X509_FMT_PEM, password, GNUTLS_PKCS_PBES2_AES_256, &pem),
                     ==,
                     0);
  else
    g_assert_cmpint (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
  return take_pem (pem);
}

char *
sample_certificate_new (gnutls_x509_privkey_t key, int first_day, int last_day)
{
  gnutls_x509_crt_t certificate;
  gnutls_datum_t pem;
  time_t now_s = (time_t) (g_get_real_time () / G_USEC_PER_SEC);

  g_assert_cmpint (gnutls_x509_crt_init (&certificate), ==, 0);
  gnutls_x509_crt_set_version (certificate, 3);
  gnutls_x509_crt_set_serial (certificate, "\1", 1);
  gnutls_x509_crt_set_dn (certificate, "CN=relay.test", NULL);
  gnutls_x509_crt_set_activation_time (certificate, now_s + first_day * DAY_S);
  gnutls_x509_crt_set_expiration_time (certificate, now_s + last_day * DAY_S);
  gnutls_x509_crt_set_key (certificate, key);
  g_assert_cmpint (
    gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
  gnutls_x509_crt_deinit (certificate);
  return take_pem (pem);
}
