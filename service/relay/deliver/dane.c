/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dane.c - certificates judged by TLSA records
 *
 * gnutls-dane compares a certificate with a record; its verdict counts, not what it returns.  It
 * adds the verdicts of several records up, looks for an authority at one place of the chain only,
 * and compares the names of issuers, not signatures.  So here every record is judged by itself, at
 * every place, and a chain below an authority is verified from there.
 *
 * Standards: RFC 6698, RFC 7671, RFC 7672 sections 2.2 and 3.
 */

#include "config.h"

#include "service/relay/deliver/dane.h"

#include "common/error.h"

#include <gnutls/dane.h>
#include <gnutls/x509.h>

#define SELECTOR_LAST 1 /* the certificate, its key */
#define MATCHING_LAST 2 /* exact, SHA-256, SHA-512 */
#define CHAIN_MOST 16

/* The first three octets of a record. */
typedef struct
{
  guint8 usage;
  guint8 selector;
  guint8 matching;
} Head;

/* Returns: FALSE for a record that is of no use to us */
static gboolean
read_head (const GBytes *record, Head *head)
{
  gsize length;
  const guint8 *octets = g_bytes_get_data ((GBytes *) record, &length);

  if (length <= sizeof *head)
    return FALSE;
  *head = (Head){ octets[0], octets[1], octets[2] };
  return (head->usage == DANE_CERT_USAGE_LOCAL_CA || head->usage == DANE_CERT_USAGE_LOCAL_EE) &&
         head->selector <= SELECTOR_LAST && head->matching <= MATCHING_LAST;
}

gboolean
reroute_dane_has_usable (const GPtrArray *records)
{
  g_return_val_if_fail (records != NULL, FALSE);

  Head head;

  for (guint i = 0; i < records->len; i++)
    if (read_head (records->pdata[i], &head))
      return TRUE;
  return FALSE;
}

static gboolean
contains (const GPtrArray *records, const GBytes *record)
{
  return g_ptr_array_find_with_equal_func ((GPtrArray *) records, record, g_bytes_equal, NULL);
}

gboolean
reroute_dane_equal (const GPtrArray *a, const GPtrArray *b)
{
  if (a == NULL || b == NULL || a == b)
    return a == b;
  for (guint i = 0; i < a->len; i++)
    if (!contains (b, a->pdata[i]))
      return FALSE;
  for (guint i = 0; i < b->len; i++)
    if (!contains (a, b->pdata[i]))
      return FALSE;
  return TRUE;
}

/* Whether gnutls-dane finds that one record fits: an end entity at the beginning of @chain, an
   authority behind it. */
static gboolean
fits (dane_state_t state, GBytes *record, const gnutls_datum_t *chain, guint n_chain)
{
  gsize length;
  const void *octets = g_bytes_get_data (record, &length);
  char *data[] = { (char *) octets, NULL };
  int lengths[] = { (int) length, 0 };
  dane_query_t query = NULL;
  unsigned int verdict = DANE_VERIFY_UNKNOWN_DANE_INFO;
  gboolean judged;

  if (dane_raw_tlsa (state, &query, data, lengths, TRUE, FALSE) != DANE_E_SUCCESS)
    return FALSE;
  judged =
    dane_verify_crt_raw (
      state, chain, n_chain, GNUTLS_CRT_X509, query, 0, DANE_VFLAG_FAIL_IF_NOT_CHECKED, &verdict) ==
    DANE_E_SUCCESS;
  dane_query_deinit (query);
  return judged && verdict == 0;
}

/* --- below an authority --- */

static void
free_certificates (gnutls_x509_crt_t *certificates, guint n)
{
  for (guint i = 0; i < n; i++)
    gnutls_x509_crt_deinit (certificates[i]);
}

/* Returns: how many could be read */
static guint
read_certificates (const gnutls_datum_t *chain, guint n, gnutls_x509_crt_t *certificates)
{
  for (guint i = 0; i < n; i++)
    {
      if (gnutls_x509_crt_init (&certificates[i]) < 0)
        return i;
      if (gnutls_x509_crt_import (certificates[i], &chain[i], GNUTLS_X509_FMT_DER) < 0)
        {
          gnutls_x509_crt_deinit (certificates[i]);
          return i;
        }
    }
  return n;
}

/* Whether the certificates before @authority lead to it, and the first is for one of the names. */
static gboolean
is_signed_by (gnutls_x509_crt_t *certificates, guint authority, const char *const *names)
{
  gnutls_x509_trust_list_t trust = NULL;
  gnutls_x509_crt_t anchor = certificates[authority];
  unsigned int verdict = GNUTLS_CERT_INVALID;
  gboolean named = FALSE;

  for (gsize i = 0; names[i] != NULL && !named; i++)
    named = gnutls_x509_crt_check_hostname (certificates[0], names[i]) != 0;
  if (!named || gnutls_x509_trust_list_init (&trust, 0) < 0)
    return FALSE;
  /* Also an authority in the middle is trusted as it stands (RFC 7671 5.2). */
  if (gnutls_x509_trust_list_add_cas (trust, &anchor, 1, 0) != 1 ||
      gnutls_x509_trust_list_verify_crt (trust, certificates, authority, 0, &verdict, NULL) < 0)
    verdict = GNUTLS_CERT_INVALID;
  gnutls_x509_trust_list_deinit (trust, 0);
  return verdict == 0;
}

static gboolean
fits_authority (dane_state_t state,
                GBytes *record,
                const gnutls_datum_t *chain,
                guint n_chain,
                const char *const *names)
{
  gnutls_x509_crt_t certificates[CHAIN_MOST];
  guint n = read_certificates (chain, MIN (n_chain, CHAIN_MOST), certificates);
  gboolean found = FALSE;

  /* gnutls-dane looks at the second of what it is given. */
  for (guint i = 1; i < n && !found; i++)
    found = fits (state, record, &chain[i - 1], 2) && is_signed_by (certificates, i, names);
  free_certificates (certificates, n);
  return found;
}

gboolean
reroute_dane_verify (const GPtrArray *records,
                     gnutls_session_t session,
                     const char *const *names,
                     GError **error)
{
  g_return_val_if_fail (records != NULL && session != NULL && names != NULL, FALSE);

  unsigned int n_chain = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &n_chain);
  dane_state_t state = NULL;
  gboolean found = FALSE;

  if (n_chain > 0 && dane_state_init (&state, DANE_F_IGNORE_DNSSEC) == DANE_E_SUCCESS)
    {
      for (guint i = 0; i < records->len && !found; i++)
        {
          Head head;
          if (!read_head (records->pdata[i], &head))
            continue;
          found = head.usage == DANE_CERT_USAGE_LOCAL_EE
                    ? fits (state, records->pdata[i], chain, 1)
                    : fits_authority (state, records->pdata[i], chain, n_chain, names);
        }
      dane_state_deinit (state);
    }
  if (!found)
    g_set_error_literal (error,
                         REROUTE_ERROR,
                         REROUTE_ERROR_PROTOCOL,
                         "its certificate fits none of the TLSA records that DNS has for it");
  return found;
}
