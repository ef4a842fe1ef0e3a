/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verifier.c - what is kept of a password: SCRAM-SHA-256
 *
 * Standards: RFC 5802 sections 2.2 and 3, RFC 7677, RFC 5803 (text form), RFC 4013 (SASLprep).
 */

#include "config.h"

#include "common/verifier.h"

#include "common/base64.h"
#include "common/domain-private.h"
#include "common/error.h"
#include "common/limits.h"

#include <glib/gi18n-lib.h>
#include <gsasl.h>
#include <string.h>

#define SCHEME "SCRAM-SHA-256$"
#define SALT_OCTETS 16
#define SALT_OCTETS_MOST 64

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, message);
  return FALSE;
}

/* The library keeps nothing between calls but what gsasl_init() prepares, once. */
static void
prepare_library (void)
{
  static Gsasl *library;
  static gsize done;

  if (g_once_init_enter (&done))
    {
      int status = gsasl_init (&library);
      g_assert (status == GSASL_OK);
      g_once_init_leave (&done, 1);
    }
}

/* (nullable): to be freed by gsasl_free() */
static char *
prepare_password (const char *password)
{
  char *prepared = NULL;

  if (gsasl_saslprep (password, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) != GSASL_OK)
    return NULL;
  return prepared;
}

/* FALSE when the library fails. */
static gboolean
derive (RerouteVerifier *self, const char *prepared)
{
  char salted[REROUTE_VERIFIER_KEY_OCTETS], client[REROUTE_VERIFIER_KEY_OCTETS];
  gsize salt_length;
  g_autofree guchar *salt = g_base64_decode (self->salt, &salt_length);
  int result = gsasl_scram_secrets_from_password (GSASL_HASH_SHA256,
                                                  prepared,
                                                  self->iterations,
                                                  (const char *) salt,
                                                  salt_length,
                                                  salted,
                                                  client,
                                                  (char *) self->server_key,
                                                  (char *) self->stored_key);

  explicit_bzero (salted, sizeof salted);
  explicit_bzero (client, sizeof client);
  return result == GSASL_OK;
}

char *
reroute_verifier_make (const char *password, GError **error)
{
  g_return_val_if_fail (password != NULL, NULL);

  RerouteVerifier verifier = { .iterations = REROUTE_LIMIT_SCRAM_ITERATIONS };
  guint8 salt[SALT_OCTETS];

  prepare_library ();
  if (*password == '\0' || strlen (password) > REROUTE_LIMIT_PASSWORD_OCTETS)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("a password of this length is not taken: wanted 1 to %d octets"),
                      REROUTE_LIMIT_PASSWORD_OCTETS);
      return NULL;
    }
  char *prepared = prepare_password (password);
  if (prepared == NULL || *prepared == '\0')
    {
      gsasl_free (prepared);
      fail (error,
            "the password has characters that not every program can send: wanted printable ones");
      return NULL;
    }
  gboolean done = gsasl_random ((char *) salt, sizeof salt) == GSASL_OK;
  verifier.salt = g_base64_encode (salt, sizeof salt);
  done = done && derive (&verifier, prepared);
  explicit_bzero (prepared, strlen (prepared));
  gsasl_free (prepared);

  g_autofree char *stored_key = g_base64_encode (verifier.stored_key, sizeof verifier.stored_key);
  g_autofree char *server_key = g_base64_encode (verifier.server_key, sizeof verifier.server_key);
  char *text =
    done ? g_strdup_printf (
             SCHEME "%u:%s$%s:%s", verifier.iterations, verifier.salt, stored_key, server_key)
         : NULL;
  if (!done)
    fail (error, "the verifier of the password could not be made");
  reroute_verifier_clear (&verifier);
  return text;
}

/* --- its text --- */

/* Canonical base64 of @least to @most octets.  (nullable) (transfer full) */
static guchar *
decode (const char *text, gsize least, gsize most)
{
  g_autoptr (GBytes) octets = reroute_base64_decode (text);
  gsize length = octets != NULL ? g_bytes_get_size (octets) : 0;

  if (octets == NULL || length < least || length > most)
    return NULL;
  return g_memdup2 (g_bytes_get_data (octets, NULL), length);
}

static gboolean
parse_key (guint8 *key, const char *text)
{
  g_autofree guchar *octets =
    decode (text, REROUTE_VERIFIER_KEY_OCTETS, REROUTE_VERIFIER_KEY_OCTETS);

  if (octets == NULL)
    return FALSE;
  memcpy (key, octets, REROUTE_VERIFIER_KEY_OCTETS);
  return TRUE;
}

gboolean
reroute_verifier_parse (RerouteVerifier *self, const char *text, GError **error)
{
  g_return_val_if_fail (self != NULL && text != NULL, FALSE);

  guint64 iterations;

  *self = (RerouteVerifier){ 0 };
  if (!g_str_has_prefix (text, SCHEME))
    return fail (error, "the verifier of an account does not begin with “" SCHEME "”");
  g_auto (GStrv) fields = g_strsplit_set (text + strlen (SCHEME), ":$", 5);
  if (g_strv_length (fields) != 4)
    return fail (error, "the verifier of an account does not have its four fields");
  if (!g_ascii_string_to_unsigned (fields[0],
                                   10,
                                   REROUTE_LIMIT_SCRAM_ITERATIONS_LEAST,
                                   REROUTE_LIMIT_SCRAM_ITERATIONS_MOST,
                                   &iterations,
                                   NULL))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "the verifier of an account has another number of iterations than %d to %d",
                   REROUTE_LIMIT_SCRAM_ITERATIONS_LEAST,
                   REROUTE_LIMIT_SCRAM_ITERATIONS_MOST);
      return FALSE;
    }
  g_autofree guchar *salt = decode (fields[1], SALT_OCTETS / 2, SALT_OCTETS_MOST);
  if (salt == NULL || !parse_key (self->stored_key, fields[2]) ||
      !parse_key (self->server_key, fields[3]))
    return fail (error, "the verifier of an account has a salt or a key that is damaged");
  self->iterations = (guint) iterations;
  self->salt = g_strdup (fields[1]);
  return TRUE;
}

void
reroute_verifier_clear (RerouteVerifier *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->salt, g_free);
  explicit_bzero (self, sizeof *self);
}

RerouteVerifier
reroute_verifier_copy (const RerouteVerifier *self)
{
  RerouteVerifier copy = *self;

  copy.salt = g_strdup (self->salt);
  return copy;
}

/* --- use --- */

RerouteVerifier
reroute_verifier_make_decoy (const guint8 *key, gsize key_length, const char *name)
{
  RerouteVerifier verifier = { .iterations = REROUTE_LIMIT_SCRAM_ITERATIONS };
  guint8 digest[REROUTE_VERIFIER_KEY_OCTETS];
  gsize length = sizeof digest;
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, key_length);

  g_hmac_update (hmac, (const guchar *) name, (gssize) strlen (name));
  g_hmac_get_digest (hmac, digest, &length);
  verifier.salt = g_base64_encode (digest, SALT_OCTETS);
  /* The hash of nothing that is known: no key of a client leads there. */
  memcpy (verifier.stored_key, digest, sizeof digest);
  memcpy (verifier.server_key, digest, sizeof digest);
  return verifier;
}

/* In a time that says nothing about where they differ. */
static gboolean
equal_keys (const guint8 *a, const guint8 *b)
{
  guint8 difference = 0;

  for (gsize i = 0; i < REROUTE_VERIFIER_KEY_OCTETS; i++)
    difference |= a[i] ^ b[i];
  return difference == 0;
}

gboolean
reroute_verifier_matches (const RerouteVerifier *self, const char *password)
{
  g_return_val_if_fail (self != NULL && self->salt != NULL && password != NULL, FALSE);

  RerouteVerifier other = { .iterations = self->iterations, .salt = self->salt };

  prepare_library ();
  char *prepared = prepare_password (password);
  gboolean done = derive (&other, prepared != NULL ? prepared : "");
  gboolean matches = done && prepared != NULL && equal_keys (self->stored_key, other.stored_key);
  if (prepared != NULL)
    explicit_bzero (prepared, strlen (prepared));
  gsasl_free (prepared);
  explicit_bzero (other.stored_key, sizeof other.stored_key);
  explicit_bzero (other.server_key, sizeof other.server_key);
  return matches;
}

gboolean
reroute_account_check_name (const char *name, GError **error)
{
  g_return_val_if_fail (name != NULL, FALSE);

  gsize length = strlen (name);
  gboolean good =
    length > 0 && length <= REROUTE_LIMIT_ACCOUNT_OCTETS && g_utf8_validate (name, -1, NULL);

  for (const char *at = name; good && *at != '\0'; at = g_utf8_next_char (at))
    good = g_unichar_isgraph (g_utf8_get_char (at));
  if (good)
    return TRUE;
  g_autofree char *value = reroute_quote_value (name, -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "the name of an account is malformed, %s: wanted 1 to %d octets without blanks",
               value,
               REROUTE_LIMIT_ACCOUNT_OCTETS);
  return FALSE;
}
