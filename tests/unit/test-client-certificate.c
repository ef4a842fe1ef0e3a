/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-client-certificate.c - certificates that next hops are shown: which one, and what is in a
 * file
 */

#include "config.h"

#include "service/relay/deliver/client-certificate.h"
#include "tests/unit/sample-certificate.h"
#include "tests/unit/sample-rules.h"

#include "common/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* --- which one --- */

typedef struct
{
  const char *rows;
  const char *settings;
  const char *certificate;
  RerouteTlsLevel tls;
} DecisionRow;

#define DEFAULT "default-certificate=/default.pem"

/* Mail for a.test: what is shown demands TLS; the default is for hosts that were typed. */
static const DecisionRow decision_rows[] = {
  { "connections,a.test,,host,gw.test,,,,,,,,/we.pem", "", "/we.pem", REROUTE_TLS_ENCRYPTED },
  { "connections,a.test,,dns,,,,,,,,,/we.pem", "", "/we.pem", REROUTE_TLS_ENCRYPTED },
  { "connections,a.test,,host,gw.test,,,,,opportunistic,,,/we.pem",
    "",
    "/we.pem",
    REROUTE_TLS_ENCRYPTED },
  { "connections,a.test,,host,gw.test,,,,,verified,,,/we.pem",
    "",
    "/we.pem",
    REROUTE_TLS_VERIFIED },
  { "connections,a.test,,host,gw.test,,,,,,,,/we.pem",
    "tls-level=none",
    "/we.pem",
    REROUTE_TLS_ENCRYPTED },
  { "connections,a.test,,host,gw.test", DEFAULT, NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "connections,a.test,,dns,", DEFAULT, NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "", DEFAULT, NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "", DEFAULT "\ndefault-delivery=gw.test", "/default.pem", REROUTE_TLS_ENCRYPTED },
  { "",
    DEFAULT "\ndefault-delivery=gw.test\ntls-level=none",
    "/default.pem",
    REROUTE_TLS_ENCRYPTED },
  { "routing,a.test,,reroute,b.test\nconnections,b.test,,dns,,,,,,,,,/we.pem",
    "",
    "/we.pem",
    REROUTE_TLS_ENCRYPTED },
  { "routing,a.test,,inbound",
    DEFAULT "\ndefault-delivery=gw.test\ninbound-host=in.test",
    NULL,
    REROUTE_TLS_OPPORTUNISTIC },
};

static void
test_decided (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (decision_rows); i++)
    {
      g_autoptr (RerouteRuleset) rules =
                   sample_rules (decision_rows[i].rows, decision_rows[i].settings);
      g_autoptr (RerouteAddress) recipient = reroute_address_parse ("u@a.test", FALSE, NULL);
      g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, recipient, NULL, NULL);

      g_test_message ("%s %s", decision_rows[i].rows, decision_rows[i].settings);
      g_assert_cmpstr (decision->certificate, ==, decision_rows[i].certificate);
      g_assert_cmpint (decision->tls, ==, decision_rows[i].tls);
    }
}

/* --- what is in a file --- */

typedef struct
{
  char *folder;
  char *certificate; /* in PEM, as all */
  char *key;
  char *other_key;
  char *old; /* certificates of the same key: over, and not begun */
  char *coming;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  gnutls_x509_privkey_t key = sample_key_new ();
  gnutls_x509_privkey_t other = sample_key_new ();

  f->folder = g_dir_make_tmp ("client-certificate-XXXXXX", NULL);
  f->key = sample_key_export (key, NULL);
  f->other_key = sample_key_export (other, NULL);
  f->certificate = sample_certificate_new (key, -1, 1);
  f->old = sample_certificate_new (key, -2, -1);
  f->coming = sample_certificate_new (key, 1, 2);
  gnutls_x509_privkey_deinit (key);
  gnutls_x509_privkey_deinit (other);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_rmdir (f->folder);
  g_free (f->folder);
  g_free (f->certificate);
  g_free (f->key);
  g_free (f->other_key);
  g_free (f->old);
  g_free (f->coming);
}

static RerouteClientCertificate *
read_text (Fixture *f, const char *first, const char *second, GError **error)
{
  g_autofree char *path = g_build_filename (f->folder, "we.pem", NULL);
  g_autofree char *text = g_strconcat (first, second, NULL);
  RerouteClientCertificate *certificate;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  certificate = reroute_client_certificate_read (path, error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  return certificate;
}

static void
test_good (Fixture *f, gconstpointer data)
{
  g_autofree char *chain = g_strconcat (f->certificate, f->old, NULL);
  g_autoptr (RerouteClientCertificate) first = read_text (f, chain, f->key, NULL);
  g_autoptr (RerouteClientCertificate) second = read_text (f, f->key, f->certificate, NULL);
  gnutls_pcert_st *parts = NULL;
  unsigned int n_parts = 0;
  gnutls_privkey_t key = NULL;

  g_assert_nonnull (first);
  g_assert_nonnull (second);
  reroute_client_certificate_get_parts (first, &parts, &n_parts, &key);
  g_assert_cmpuint (n_parts, ==, 2);
  g_assert_nonnull (key);
  g_assert_cmpuint (strlen (reroute_client_certificate_get_fingerprint (first)), ==, 64);
  g_assert_cmpstr (reroute_client_certificate_get_fingerprint (first),
                   ==,
                   reroute_client_certificate_get_fingerprint (second));
  g_assert_cmpint (
    reroute_client_certificate_get_expiry_s (first), >, g_get_real_time () / G_USEC_PER_SEC);
}

static void
assert_refused (RerouteClientCertificate *certificate, GError **error, const char *why)
{
  g_assert_null (certificate);
  g_assert_error (*error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  g_test_message ("%s", (*error)->message);
  g_assert_nonnull (strstr ((*error)->message, "cannot use the certificate “/"));
  g_assert_nonnull (strstr ((*error)->message, why));
}

/* The key with a password on it, which takes long to derive: (transfer full). */
static char *
dup_locked_key (Fixture *f)
{
  const gnutls_datum_t pem = { (unsigned char *) f->key, (unsigned int) strlen (f->key) };
  gnutls_x509_privkey_t key;
  char *locked;

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_import (key, &pem, GNUTLS_X509_FMT_PEM), ==, 0);
  locked = sample_key_export (key, "secret");
  gnutls_x509_privkey_deinit (key);
  return locked;
}

static void
test_refused_content (Fixture *f, gconstpointer data)
{
  g_autofree char *locked_key = dup_locked_key (f);
  const struct
  {
    const char *first;
    const char *second;
    const char *why;
  } rows[] = {
    { "", "", "it holds no certificate in PEM form" },
    { f->key, "", "it holds no certificate in PEM form" },
    { f->certificate, "", "it holds no private key in PEM form" },
    { f->certificate, f->other_key, "does not belong to the certificate" },
    { f->certificate, locked_key, "its private key wants a password" },
    { f->old, f->key, "it has expired on " },
    { f->coming, f->key, "it is not valid before " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;

      assert_refused (read_text (f, rows[i].first, rows[i].second, &error), &error, rows[i].why);
    }
}

/* None of them holds up the thread that reads it. */
static void
test_refused_file (Fixture *f, gconstpointer data)
{
  g_autofree char *missing = g_build_filename (f->folder, "missing.pem", NULL);
  g_autofree char *pipe = g_build_filename (f->folder, "pipe.pem", NULL);
  g_autofree char *large = g_strnfill (1024 * 1024, '\n');
  g_autoptr (GError) no_file = NULL;
  g_autoptr (GError) no_ordinary_file = NULL;
  g_autoptr (GError) no_size = NULL;
  g_autoptr (GError) folder = NULL;

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  assert_refused (
    reroute_client_certificate_read (missing, &no_file), &no_file, "No such file or directory");
  assert_refused (reroute_client_certificate_read (pipe, &no_ordinary_file),
                  &no_ordinary_file,
                  "it is no ordinary file");
  assert_refused (
    reroute_client_certificate_read (f->folder, &folder), &folder, "it is no ordinary file");
  assert_refused (read_text (f, large, f->certificate, &no_size), &no_size, "it is too large");
  g_assert_cmpint (g_unlink (pipe), ==, 0);
}

static void
test_by_file (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteClientCertificate) good = read_text (f, f->certificate, f->key, NULL);
  g_autoptr (RerouteClientCertificates) all = reroute_client_certificates_new ();
  const char *why = NULL;

  reroute_client_certificates_add (all, "/good.pem", good, NULL);
  reroute_client_certificates_add (all, "/bad.pem", NULL, "it is bad");
  g_assert_true (reroute_client_certificates_find (all, "/good.pem", &why) == good);
  g_assert_null (reroute_client_certificates_find (all, "/bad.pem", &why));
  g_assert_cmpstr (why, ==, "it is bad");
  g_assert_null (reroute_client_certificates_find (all, "/other.pem", &why));
  g_assert_cmpstr (why, ==, "its file has not been read yet");
  g_assert_null (reroute_client_certificates_find (NULL, "/good.pem", &why));
  g_assert_cmpstr (why, ==, "its file has not been read yet");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/client-certificate/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/client-certificate/decided", test_decided);
  ADD ("good", test_good);
  ADD ("refused-content", test_refused_content);
  ADD ("refused-file", test_refused_file);
  ADD ("by-file", test_by_file);
  return g_test_run ();
}
