/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_VERIFIER_KEY_OCTETS 32 /* of SHA-256 */

/**
 * RerouteVerifier:
 *
 * What is kept of the password of an account instead of the password: enough to check one, and too
 * little to log in with (RFC 5802 section 3, RFC 7677).
 */
typedef struct
{
  guint iterations;
  char *salt; /* in base64 */
  guint8 stored_key[REROUTE_VERIFIER_KEY_OCTETS];
  guint8 server_key[REROUTE_VERIFIER_KEY_OCTETS];
} RerouteVerifier;

/**
 * reroute_verifier_make:
 * @password: in UTF-8
 *
 * With a salt of its own.  Takes some 20 ms, on purpose.
 *
 * Errors: %REROUTE_ERROR_VALUE: empty, too long, or characters that SASLprep (RFC 4013) forbids.
 *
 * Returns: (transfer full): as reroute_verifier_parse() takes it; %NULL with @error
 */
char *reroute_verifier_make (const char *password, GError **error);

/**
 * reroute_verifier_parse:
 * @text: "SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY", all but the number in base64
 *
 * Errors: %REROUTE_ERROR_VALUE, without what is in @text.
 *
 * Source: RFC 5803 section 2, and what PostgreSQL and Cyrus keep.
 */
gboolean reroute_verifier_parse (RerouteVerifier *self, const char *text, GError **error);
void reroute_verifier_clear (RerouteVerifier *self);
RerouteVerifier reroute_verifier_copy (const RerouteVerifier *self);

/**
 * reroute_verifier_make_decoy:
 * @key: (array length=key_length): a secret of this installation
 * @name: that no account has
 *
 * A verifier that no password matches, the same one for a name each time: whoever asks cannot tell
 * a name without an account from one with another password, neither by the salt nor by the time.
 */
RerouteVerifier reroute_verifier_make_decoy (const guint8 *key, gsize key_length, const char *name);

/* Whether @password is the one; takes as long as making one, and as long for a wrong one. */
gboolean reroute_verifier_matches (const RerouteVerifier *self, const char *password);

/* The name of an account: 1 to 255 octets of UTF-8 without blanks and control characters.
   Errors: %REROUTE_ERROR_VALUE */
gboolean reroute_account_check_name (const char *name, GError **error);

G_END_DECLS
