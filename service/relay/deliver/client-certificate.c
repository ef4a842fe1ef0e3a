/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client-certificate.c - what the relay shows of itself in TLS to next hops
 *
 * Standards: RFC 5246 section 7.4.6, RFC 8446 section 4.4.2 (the certificate of a client).
 */

#include "config.h"

#include "service/relay/deliver/client-certificate.h"

#include "common/error.h"
#include "service/relay/certificate.h"
#include "service/relay/ordinary-file.h"

#include <string.h>

#define CHAIN_MOST 16
#define FINGERPRINT_OCTETS 32

struct _RerouteClientCertificate
{
  gatomicrefcount ref_count;
  gnutls_pcert_st chain[CHAIN_MOST];
  unsigned int n_chain;
  gnutls_privkey_t key;
  gint64 expiry_s;
  char fingerprint[2 * FINGERPRINT_OCTETS + 1];
};

static gboolean
fail (GError **error, const char *file, const char *why)
{
  g_set_error (
    error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "cannot use the certificate “%s”: %s", file, why);
  return FALSE;
}

/* --- what is in it --- */

typedef struct
{
  gnutls_x509_crt_t *list;
  unsigned int n;
} Chain;

static void
chain_clear (Chain *chain)
{
  for (unsigned int i = 0; i < chain->n; i++)
    gnutls_x509_crt_deinit (chain->list[i]);
  gnutls_free (chain->list);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Chain, chain_clear)

/* Takes @key, whatever comes of it. */
static gboolean
take_key (RerouteClientCertificate *self,
          gnutls_x509_privkey_t key,
          gnutls_x509_crt_t certificate,
          const char *file,
          GError **error)
{
  guint8 ids[2][FINGERPRINT_OCTETS];
  gsize sizes[2] = { sizeof ids[0], sizeof ids[1] };
  gboolean same =
    gnutls_x509_crt_get_key_id (certificate, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) >= 0 &&
    gnutls_x509_privkey_get_key_id (key, GNUTLS_KEYID_USE_SHA256, ids[1], &sizes[1]) >= 0 &&
    sizes[0] == sizes[1] && memcmp (ids[0], ids[1], sizes[0]) == 0;

  if (gnutls_privkey_init (&self->key) < 0 ||
      gnutls_privkey_import_x509 (self->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE) < 0)
    {
      gnutls_x509_privkey_deinit (key);
      return fail (error, file, "its private key is of no use");
    }
  return same || fail (error, file, "the private key in it does not belong to the certificate");
}

static gboolean
import_key (RerouteClientCertificate *self,
            const gnutls_datum_t *pem,
            gnutls_x509_crt_t certificate,
            const char *file,
            GError **error)
{
  gnutls_x509_privkey_t key;
  int code;

  if (gnutls_x509_privkey_init (&key) < 0)
    return fail (error, file, "out of memory");
  code = gnutls_x509_privkey_import2 (key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
  if (code >= 0)
    return take_key (self, key, certificate, file, error);
  gnutls_x509_privkey_deinit (key);
  return fail (
    error,
    file,
    code == GNUTLS_E_DECRYPTION_FAILED
      ? "its private key wants a password, and nobody is there to say it"
      : "it holds no private key in PEM form: put the key into the file of the certificate");
}

static gboolean
import_chain (RerouteClientCertificate *self, Chain *chain, const char *file, GError **error)
{
  guint8 octets[FINGERPRINT_OCTETS];
  gsize size = sizeof octets;
  g_autofree char *objection = reroute_certificate_dup_objection (chain->list[0]);

  if (objection != NULL)
    return fail (error, file, objection);
  if (gnutls_x509_crt_get_fingerprint (chain->list[0], GNUTLS_DIG_SHA256, octets, &size) < 0)
    return fail (error, file, "a certificate in it is of no use");
  for (gsize i = 0; i < size; i++)
    g_snprintf (self->fingerprint + 2 * i, 3, "%02x", octets[i]);
  self->expiry_s = gnutls_x509_crt_get_expiration_time (chain->list[0]);
  for (unsigned int i = 0; i < chain->n; i++)
    {
      if (gnutls_pcert_import_x509 (&self->chain[i], chain->list[i], 0) < 0)
        return fail (error, file, "a certificate in it is of no use");
      self->n_chain++;
    }
  return TRUE;
}

RerouteClientCertificate *
reroute_client_certificate_read (const char *file, GError **error)
{
  g_return_val_if_fail (file != NULL, NULL);

  g_autoptr (RerouteClientCertificate) self = g_new0 (RerouteClientCertificate, 1);
  const char *why = NULL;
  g_autoptr (RerouteFileText) pem = reroute_ordinary_file_read (file, &why);
  g_auto (Chain) chain = { NULL, 0 };

  g_atomic_ref_count_init (&self->ref_count);
  if (pem == NULL)
    {
      fail (error, file, why);
      return NULL;
    }
  const gnutls_datum_t data = { (unsigned char *) pem, (unsigned int) strlen (pem) };
  if (gnutls_x509_crt_list_import2 (&chain.list, &chain.n, &data, GNUTLS_X509_FMT_PEM, 0) < 0 ||
      chain.n == 0)
    {
      fail (error, file, "it holds no certificate in PEM form");
      return NULL;
    }
  if (chain.n > CHAIN_MOST)
    {
      fail (error, file, "it holds more certificates than a chain has");
      return NULL;
    }
  if (!import_chain (self, &chain, file, error) ||
      !import_key (self, &data, chain.list[0], file, error))
    return NULL;
  return g_steal_pointer (&self);
}

RerouteClientCertificate *
reroute_client_certificate_ref (RerouteClientCertificate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_client_certificate_unref (RerouteClientCertificate *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  for (unsigned int i = 0; i < self->n_chain; i++)
    gnutls_pcert_deinit (&self->chain[i]);
  if (self->key != NULL)
    gnutls_privkey_deinit (self->key);
  g_free (self);
}

const char *
reroute_client_certificate_get_fingerprint (const RerouteClientCertificate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->fingerprint;
}

gint64
reroute_client_certificate_get_expiry_s (const RerouteClientCertificate *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->expiry_s;
}

void
reroute_client_certificate_get_parts (const RerouteClientCertificate *self,
                                      gnutls_pcert_st **chain,
                                      unsigned int *n_chain,
                                      gnutls_privkey_t *key)
{
  g_return_if_fail (self != NULL);

  *chain = (gnutls_pcert_st *) self->chain;
  *n_chain = self->n_chain;
  *key = self->key;
}

/* --- by their files --- */

typedef struct
{
  RerouteClientCertificate *certificate; /* (nullable) */
  char *why;                             /* (nullable) */
} Entry;

struct _RerouteClientCertificates
{
  gatomicrefcount ref_count;
  GHashTable *by_file; /* (element-type utf8 Entry) */
};

static void
free_entry (gpointer data)
{
  Entry *entry = data;

  g_clear_pointer (&entry->certificate, reroute_client_certificate_unref);
  g_free (entry->why);
  g_free (entry);
}

RerouteClientCertificates *
reroute_client_certificates_new (void)
{
  RerouteClientCertificates *self = g_new0 (RerouteClientCertificates, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->by_file = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_entry);
  return self;
}

RerouteClientCertificates *
reroute_client_certificates_ref (RerouteClientCertificates *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_client_certificates_unref (RerouteClientCertificates *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->by_file);
  g_free (self);
}

void
reroute_client_certificates_add (RerouteClientCertificates *self,
                                 const char *file,
                                 RerouteClientCertificate *certificate,
                                 const char *why)
{
  g_return_if_fail (self != NULL && file != NULL);

  Entry *entry = g_new0 (Entry, 1);

  entry->certificate = certificate != NULL ? reroute_client_certificate_ref (certificate) : NULL;
  entry->why = g_strdup (why);
  g_hash_table_replace (self->by_file, g_strdup (file), entry);
}

RerouteClientCertificate *
reroute_client_certificates_find (const RerouteClientCertificates *self,
                                  const char *file,
                                  const char **why)
{
  const Entry *entry = self != NULL ? g_hash_table_lookup (self->by_file, file) : NULL;

  *why = entry != NULL ? entry->why : "its file has not been read yet";
  return entry != NULL ? entry->certificate : NULL;
}
