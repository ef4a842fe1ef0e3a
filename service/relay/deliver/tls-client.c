/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-client.c - TLS to other hosts by GnuTLS
 *
 * The handshake takes any certificate; what is demanded of it is judged afterwards, for only some
 * mail demands anything.  A resumed session is judged as the first one was: GnuTLS keeps the
 * certificate in it.
 *
 * Standards: RFC 5280 and RFC 6125 (verification), RFC 5077 and RFC 8446 section 4.6.1 (tickets).
 */

#include "config.h"

#include "service/relay/deliver/tls-client.h"

#include "common/error.h"
#include "service/relay/deliver/tls-trust.h"

#include <gnutls/x509.h>
#include <string.h>

#define SESSIONS_MOST 1000 /* kept for resumption; then all go */

struct _RerouteTlsClient
{
  gatomicrefcount ref_count;
  GStrv trust;
  gboolean trust_read;
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  GHashTable *sessions; /* (element-type utf8 GBytes) */
};

/* What the server is shown that asks: the connection's own, or nothing. */
static int
show_certificate (gnutls_session_t session,
                  const gnutls_datum_t *authorities,
                  int n_authorities,
                  const gnutls_pk_algorithm_t *algorithms,
                  int n_algorithms,
                  gnutls_pcert_st **chain,
                  unsigned int *n_chain,
                  gnutls_privkey_t *key)
{
  const RerouteClientCertificate *certificate = gnutls_session_get_ptr (session);

  *chain = NULL;
  *n_chain = 0;
  *key = NULL;
  if (certificate != NULL)
    reroute_client_certificate_get_parts (certificate, chain, n_chain, key);
  return 0;
}

RerouteTlsClient *
reroute_tls_client_new (const char *const *trust)
{
  g_return_val_if_fail (trust != NULL, NULL);

  RerouteTlsClient *self = g_new0 (RerouteTlsClient, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->trust = g_strdupv ((char **) trust);
  self->sessions =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (gnutls_certificate_allocate_credentials (&self->credentials) < 0 ||
      gnutls_priority_init2 (
        &self->priority, REROUTE_TLS_VERSIONS, NULL, GNUTLS_PRIORITY_INIT_DEF_APPEND) < 0)
    g_error ("cannot set up TLS");
  gnutls_certificate_set_retrieve_function2 (self->credentials, show_certificate);
  return self;
}

RerouteTlsClient *
reroute_tls_client_renew (RerouteTlsClient **client, char **trust, const RerouteSettings *settings)
{
  const char *text = reroute_settings_get_text (settings, REROUTE_SETTING_TLS_TRUST);

  if (*client != NULL && g_strcmp0 (*trust, text) == 0)
    return *client;
  g_free (*trust);
  *trust = g_strdup (text);
  g_clear_pointer (client, reroute_tls_client_unref);
  *client =
    reroute_tls_client_new (reroute_settings_get_paths (settings, REROUTE_SETTING_TLS_TRUST));
  return *client;
}

RerouteTlsClient *
reroute_tls_client_ref (RerouteTlsClient *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_tls_client_unref (RerouteTlsClient *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  gnutls_certificate_free_credentials (self->credentials);
  gnutls_priority_deinit (self->priority);
  g_hash_table_unref (self->sessions);
  g_strfreev (self->trust);
  g_free (self);
}

static gboolean
set_up (RerouteTlsClient *self, gnutls_session_t session, const char *host, const char *key)
{
  GBytes *kept = g_hash_table_lookup (self->sessions, key);
  gsize length = 0;
  const void *data = kept != NULL ? g_bytes_get_data (kept, &length) : NULL;

  if (gnutls_priority_set (session, self->priority) < 0 ||
      gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, self->credentials) < 0 ||
      (host != NULL && gnutls_server_name_set (session, GNUTLS_NAME_DNS, host, strlen (host)) < 0))
    return FALSE;
  /* One that is of no use any more means a whole handshake, no more. */
  if (kept != NULL && gnutls_session_set_data (session, data, length) < 0)
    g_hash_table_remove (self->sessions, key);
  return TRUE;
}

gboolean
reroute_tls_client_begin (RerouteTlsClient *self,
                          RerouteStream *stream,
                          const char *host,
                          const char *key,
                          RerouteClientCertificate *certificate,
                          GError **error)
{
  g_return_val_if_fail (self != NULL && stream != NULL && key != NULL, FALSE);

  gnutls_session_t session = NULL;

  if (gnutls_init (&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0 ||
      !set_up (self, session, host, key))
    {
      if (session != NULL)
        gnutls_deinit (session);
      g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_FAILED, "cannot begin TLS");
      return FALSE;
    }
  gnutls_session_set_ptr (session, certificate);
  reroute_stream_begin_tls (
    stream, session, reroute_tls_client_ref (self), (GDestroyNotify) reroute_tls_client_unref);
  return TRUE;
}

void
reroute_tls_client_keep_session (RerouteTlsClient *self, RerouteStream *stream, const char *key)
{
  g_return_if_fail (self != NULL && stream != NULL && key != NULL);

  gnutls_session_t session = reroute_stream_get_session (stream);
  gnutls_datum_t data;

  if (session == NULL || (gnutls_protocol_get_version (session) == GNUTLS_TLS1_3 &&
                          (gnutls_session_get_flags (session) & GNUTLS_SFLAGS_SESSION_TICKET) == 0))
    return;
  if (gnutls_session_get_data2 (session, &data) < 0)
    return;
  if (g_hash_table_size (self->sessions) >= SESSIONS_MOST)
    g_hash_table_remove_all (self->sessions);
  g_hash_table_replace (self->sessions, g_strdup (key), g_bytes_new (data.data, data.size));
  gnutls_free (data.data);
}

/* --- verification --- */

static gboolean
read_trust (RerouteTlsClient *self, GError **error)
{
  if (self->trust_read)
    return TRUE;
  for (gsize i = 0; self->trust[i] != NULL; i++)
    {
      int n;

      if (!reroute_tls_trust_check (self->trust[i], error))
        return FALSE;
      n = gnutls_certificate_set_x509_trust_file (
        self->credentials, self->trust[i], GNUTLS_X509_FMT_PEM);
      if (n > 0)
        continue;
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "cannot read the authorities of “%s”: %s",
                   self->trust[i],
                   n < 0 ? gnutls_strerror (n) : "it holds no certificate");
      return FALSE;
    }
  if (self->trust[0] == NULL && gnutls_certificate_set_x509_system_trust (self->credentials) <= 0)
    {
      g_set_error_literal (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "the machine has no trusted authorities");
      return FALSE;
    }
  self->trust_read = TRUE;
  return TRUE;
}

static gboolean
fail_verification (GError **error, const char *why)
{
  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "its certificate is refused: %s", why);
  return FALSE;
}

/* Whether the certificate that was shown is for one of the names. */
static gboolean
is_for (const gnutls_datum_t *shown, const char *const *names)
{
  gnutls_x509_crt_t certificate;
  gboolean found = FALSE;

  if (gnutls_x509_crt_init (&certificate) < 0)
    return FALSE;
  if (gnutls_x509_crt_import (certificate, shown, GNUTLS_X509_FMT_DER) >= 0)
    for (gsize i = 0; names[i] != NULL && !found; i++)
      found = gnutls_x509_crt_check_hostname (certificate, names[i]) != 0;
  gnutls_x509_crt_deinit (certificate);
  return found;
}

gboolean
reroute_tls_client_verify (RerouteTlsClient *self,
                           const RerouteStream *stream,
                           const char *const *names,
                           RerouteTlsVerdict *verdict,
                           GError **error)
{
  g_return_val_if_fail (self != NULL && stream != NULL && names != NULL, FALSE);

  gnutls_session_t session = reroute_stream_get_session (stream);
  unsigned int n_shown = 0;
  const gnutls_datum_t *shown = gnutls_certificate_get_peers (session, &n_shown);
  unsigned int status = 0;
  g_autofree char *wanted = NULL;
  g_autofree char *why = NULL;

  *verdict = REROUTE_TLS_VERDICT_VALIDATION_FAILURE;
  if (!read_trust (self, error))
    return FALSE;
  if (n_shown == 0)
    return fail_verification (error, "it shows none");
  if (gnutls_certificate_verify_peers3 (session, NULL, &status) < 0 || status != 0)
    {
      gnutls_datum_t text = { NULL, 0 };

      *verdict = (status & GNUTLS_CERT_EXPIRED) != 0 ? REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED
                                                     : REROUTE_TLS_VERDICT_CERTIFICATE_NOT_TRUSTED;
      gnutls_certificate_verification_status_print (status, GNUTLS_CRT_X509, &text, 0);
      why = g_strdup (text.data != NULL ? (const char *) text.data : "it cannot be checked");
      gnutls_free (text.data);
      return fail_verification (error, g_strstrip (why));
    }
  if (is_for (&shown[0], names))
    {
      *verdict = REROUTE_TLS_VERDICT_SUCCESS;
      return TRUE;
    }
  *verdict = REROUTE_TLS_VERDICT_CERTIFICATE_HOST_MISMATCH;
  wanted = g_strjoinv (" or ", (char **) names);
  why = g_strdup_printf ("it is not for %s", wanted);
  return fail_verification (error, why);
}
