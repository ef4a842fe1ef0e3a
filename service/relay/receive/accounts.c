/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * accounts.c - who may log in
 *
 * Standards: RFC 5803 (what is kept of a password).
 */

#include "config.h"

#include "service/relay/receive/accounts.h"

#include "common/error.h"
#include "service/relay/spool/directory.h"

#include <string.h>

#define DECOY "decoy "
#define ACCOUNT "account "

struct _RerouteAccounts
{
  gatomicrefcount ref_count;
  GHashTable *by_name; /* (element-type utf8 RerouteVerifier) */
  guint64 decoy_key[4];
};

static void
free_verifier (gpointer data)
{
  reroute_verifier_clear (data);
  g_free (data);
}

/* "account NAME VERIFIER" */
static gboolean
parse_account (RerouteAccounts *self, const char *text, GError **error)
{
  const char *blank = strchr (text, ' ');
  g_autofree char *name = g_strndup (text, blank != NULL ? (gsize) (blank - text) : strlen (text));
  RerouteVerifier verifier;

  if (!reroute_account_check_name (name, error) ||
      !reroute_verifier_parse (&verifier, blank != NULL ? blank + 1 : "", error))
    return FALSE;
  g_hash_table_replace (
    self->by_name, g_steal_pointer (&name), g_memdup2 (&verifier, sizeof verifier));
  return TRUE;
}

static gboolean
parse_line (RerouteAccounts *self, const char *line, GError **error)
{
  if (g_str_has_prefix (line, ACCOUNT))
    return parse_account (self, line + strlen (ACCOUNT), error);
  if (!g_str_has_prefix (line, DECOY))
    {
      g_set_error_literal (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "it is neither an account nor the decoys' key");
      return FALSE;
    }
  g_autofree guchar *key = NULL;
  gsize length;
  key = g_base64_decode (line + strlen (DECOY), &length);
  if (length < sizeof self->decoy_key)
    {
      g_set_error_literal (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "the decoys' key is too short");
      return FALSE;
    }
  memcpy (self->decoy_key, key, sizeof self->decoy_key);
  return TRUE;
}

RerouteAccounts *
reroute_accounts_parse (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_autoptr (RerouteAccounts) self = g_new0 (RerouteAccounts, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_atomic_ref_count_init (&self->ref_count);
  /* A file that somebody has put together may have none. */
  for (gsize i = 0; i < G_N_ELEMENTS (self->decoy_key); i++)
    self->decoy_key[i] = reroute_spool_random ();
  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_verifier);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !parse_line (self, lines[i], error))
      {
        g_prefix_error (error, "line %u of the accounts: ", i + 1);
        return NULL;
      }
  return g_steal_pointer (&self);
}

RerouteAccounts *
reroute_accounts_ref (RerouteAccounts *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_accounts_unref (RerouteAccounts *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->by_name);
  g_free (self);
}

guint
reroute_accounts_get_n (const RerouteAccounts *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return g_hash_table_size (self->by_name);
}

gboolean
reroute_accounts_agree (const RerouteAccounts *self, const RerouteAccounts *other, const char *name)
{
  g_return_val_if_fail (self != NULL && other != NULL && name != NULL, FALSE);

  const RerouteVerifier *ours = g_hash_table_lookup (self->by_name, name);
  const RerouteVerifier *theirs = g_hash_table_lookup (other->by_name, name);

  return ours != NULL && theirs != NULL && ours->iterations == theirs->iterations &&
         g_str_equal (ours->salt, theirs->salt) &&
         memcmp (ours->stored_key, theirs->stored_key, sizeof ours->stored_key) == 0;
}

RerouteVerifier
reroute_accounts_find (const RerouteAccounts *self, const char *name)
{
  const RerouteVerifier *verifier = g_hash_table_lookup (self->by_name, name);

  if (verifier != NULL)
    return reroute_verifier_copy (verifier);
  return reroute_verifier_make_decoy (
    (const guint8 *) self->decoy_key, sizeof self->decoy_key, name);
}
