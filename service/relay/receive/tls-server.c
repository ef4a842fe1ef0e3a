/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-server.c - certificates for clients, by the name that they ask for, and session tickets
 *
 * GnuTLS chooses by SNI among the certificates of one set of credentials.  It derives the keys that
 * tickets are encrypted with from ours, anew every few hours; ours is derived for each address and
 * port, so a ticket of one service is nothing to another.
 *
 * Standards: RFC 8446 section 4.6.1, RFC 5077 (tickets), RFC 6066 section 3 (SNI).
 */

#include "config.h"

#include "service/relay/receive/tls-server.h"

#include "common/error.h"
#include "service/relay/ordinary-file.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#define TICKET_KEY_OCTETS 64 /* what GnuTLS wants, and what HMAC-SHA-512 gives */

typedef struct
{
  char *file;
  gint64 expiry_s;
} Certificate;

struct _RerouteTlsServer
{
  gatomicrefcount ref_count;
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  gint64 expiry_s;
  GArray *certificates; /* (element-type Certificate) */
  guint8 ticket_key[TICKET_KEY_OCTETS];
};

static void
clear_certificate (gpointer data)
{
  g_free (((Certificate *) data)->file);
}

static gboolean
fail (GError **error, const char *file, const char *why)
{
  g_set_error (
    error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "cannot use the certificate “%s”: %s", file, why);
  return FALSE;
}

/* Whether the certificate may be shown today. */
static gboolean
check_days (RerouteTlsServer *self, const char *file, gnutls_x509_crt_t certificate, GError **error)
{
  gint64 until_s = gnutls_x509_crt_get_expiration_time (certificate);
  g_autofree char *objection = reroute_certificate_dup_objection (certificate);

  if (objection != NULL)
    return fail (error, file, objection);
  if (self->expiry_s == 0 || until_s < self->expiry_s)
    self->expiry_s = until_s;
  const Certificate entry = { g_strdup (file), until_s };
  g_array_append_val (self->certificates, entry);
  return TRUE;
}

static gboolean
check_certificate (RerouteTlsServer *self,
                   const char *file,
                   const gnutls_datum_t *pem,
                   GError **error)
{
  gnutls_x509_crt_t certificate;
  gboolean sound;
  int code;

  if (gnutls_x509_crt_init (&certificate) < 0)
    return fail (error, file, "out of memory");
  code = gnutls_x509_crt_import (certificate, pem, GNUTLS_X509_FMT_PEM);
  sound = code >= 0 ? check_days (self, file, certificate, error)
                    : fail (error, file, "it holds no certificate in PEM form");
  gnutls_x509_crt_deinit (certificate);
  return sound;
}

/* What GnuTLS says of a key file, for who has to mend it. */
static const char *
explain_key (int code)
{
  if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
    return "it does not belong to the certificate";
  if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
      code == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR)
    return "it holds no private key in PEM form; name the file that does in “tls-key”";
  if (code == GNUTLS_E_DECRYPTION_FAILED)
    return "it wants a password, and nobody is there to say it";
  return gnutls_strerror (code);
}

static gboolean
fail_by_key (GError **error, const char *file, const char *key_file, const char *why)
{
  g_autofree char *whole = g_strdup_printf ("the key “%s”: %s", key_file, why);

  return fail (error, file, whole);
}

static gnutls_datum_t
get_octets (RerouteFileText *text)
{
  return (gnutls_datum_t){ (unsigned char *) text, (unsigned int) strlen (text) };
}

static gboolean
add_certificate (RerouteTlsServer *self, const char *file, const char *key_file, GError **error)
{
  const char *why = NULL;
  g_autoptr (RerouteFileText) text = reroute_ordinary_file_read (file, &why);
  g_autoptr (RerouteFileText) key_text = NULL;
  gnutls_datum_t pem, key;
  int code;

  if (text == NULL)
    return fail (error, file, why);
  pem = get_octets (text);
  if (!check_certificate (self, file, &pem, error))
    return FALSE;
  key_text = reroute_ordinary_file_read (key_file, &why);
  if (key_text == NULL)
    return fail_by_key (error, file, key_file, why);
  key = get_octets (key_text);
  code = gnutls_certificate_set_x509_key_mem2 (
    self->credentials, &pem, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
  return code >= 0 || fail_by_key (error, file, key_file, explain_key (code));
}

RerouteTlsServer *
reroute_tls_server_new (const char *const *certificates, const char *const *keys, GError **error)
{
  g_return_val_if_fail (certificates != NULL && keys != NULL, NULL);

  g_autoptr (RerouteTlsServer) self = g_new0 (RerouteTlsServer, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->certificates = g_array_new (FALSE, FALSE, sizeof (Certificate));
  g_array_set_clear_func (self->certificates, clear_certificate);
  if (gnutls_certificate_allocate_credentials (&self->credentials) < 0 ||
      gnutls_priority_init2 (&self->priority,
                             REROUTE_TLS_VERSIONS ":%SERVER_PRECEDENCE",
                             NULL,
                             GNUTLS_PRIORITY_INIT_DEF_APPEND) < 0 ||
      gnutls_rnd (GNUTLS_RND_KEY, self->ticket_key, sizeof self->ticket_key) < 0)
    {
      g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_FAILED, "cannot set up TLS");
      return NULL;
    }
  for (gsize i = 0; certificates[i] != NULL; i++)
    {
      const char *key = keys[0] != NULL ? keys[i] : certificates[i];

      if (key == NULL)
        {
          fail (error, certificates[i], "no key is named for it");
          return NULL;
        }
      if (!add_certificate (self, certificates[i], key, error))
        return NULL;
    }
  return g_steal_pointer (&self);
}

RerouteTlsServer *
reroute_tls_server_ref (RerouteTlsServer *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_tls_server_unref (RerouteTlsServer *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->credentials != NULL)
    gnutls_certificate_free_credentials (self->credentials);
  if (self->priority != NULL)
    gnutls_priority_deinit (self->priority);
  gnutls_memset (self->ticket_key, 0, sizeof self->ticket_key);
  g_array_unref (self->certificates);
  g_free (self);
}

gint64
reroute_tls_server_get_expiry_s (const RerouteTlsServer *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->expiry_s;
}

void
reroute_tls_server_foreach (const RerouteTlsServer *self,
                            RerouteCertificateFunc func,
                            gpointer user_data)
{
  g_return_if_fail (self != NULL && func != NULL);

  for (guint i = 0; i < self->certificates->len; i++)
    {
      const Certificate *each = &g_array_index (self->certificates, Certificate, i);
      func (each->file, each->expiry_s, NULL, user_data);
    }
}

/* The key of tickets for the address and port that @fd was accepted on. */
static gboolean
derive_ticket_key (const RerouteTlsServer *self, int fd, guint8 *key)
{
  struct sockaddr_storage address;
  socklen_t length = sizeof address;

  memset (&address, 0, sizeof address);
  return getsockname (fd, (struct sockaddr *) &address, &length) == 0 &&
         gnutls_hmac_fast (
           GNUTLS_MAC_SHA512, self->ticket_key, sizeof self->ticket_key, &address, length, key) >=
           0;
}

static gboolean
set_up (const RerouteTlsServer *self, gnutls_session_t session, int fd)
{
  guint8 key[TICKET_KEY_OCTETS];
  const gnutls_datum_t ticket_key = { key, sizeof key };
  gboolean done =
    derive_ticket_key (self, fd, key) && gnutls_priority_set (session, self->priority) >= 0 &&
    gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, self->credentials) >= 0 &&
    gnutls_session_ticket_enable_server (session, &ticket_key) >= 0;

  gnutls_memset (key, 0, sizeof key);
  return done;
}

gboolean
reroute_tls_server_begin (RerouteTlsServer *self, RerouteStream *stream, GError **error)
{
  g_return_val_if_fail (self != NULL && stream != NULL, FALSE);

  gnutls_session_t session = NULL;

  if (gnutls_init (&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0 ||
      !set_up (self, session, stream->fd))
    {
      if (session != NULL)
        gnutls_deinit (session);
      g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_FAILED, "cannot begin TLS");
      return FALSE;
    }
  reroute_stream_begin_tls (
    stream, session, reroute_tls_server_ref (self), (GDestroyNotify) reroute_tls_server_unref);
  return TRUE;
}
