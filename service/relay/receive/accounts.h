/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/verifier.h"

G_BEGIN_DECLS

/**
 * RerouteAccounts:
 *
 * Who may log in, by name.  Immutable, reference-counted, shared between threads.
 */
typedef struct _RerouteAccounts RerouteAccounts;

/**
 * reroute_accounts_parse:
 * @text: a line "account NAME VERIFIER" each; and a line "decoy KEY", the key of
 * reroute_verifier_make_decoy() in base64
 *
 * Errors: %REROUTE_ERROR_VALUE naming the line, not what is in it.
 */
RerouteAccounts *reroute_accounts_parse (const char *text, GError **error);
RerouteAccounts *reroute_accounts_ref (RerouteAccounts *self);
void reroute_accounts_unref (RerouteAccounts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAccounts, reroute_accounts_unref)

guint reroute_accounts_get_n (const RerouteAccounts *self);

/* Whether @name has an account in both, with the same password. */
gboolean reroute_accounts_agree (const RerouteAccounts *self,
                                 const RerouteAccounts *other,
                                 const char *name);

/* The verifier of @name, or a decoy; reroute_verifier_clear() it. */
RerouteVerifier reroute_accounts_find (const RerouteAccounts *self, const char *name);

G_END_DECLS
