/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/secret.h"

G_BEGIN_DECLS

/**
 * RerouteSecrets:
 *
 * What the relay logs in with at next hops, by the name of the account.  Immutable,
 * reference-counted, shared between threads.
 */
typedef struct _RerouteSecrets RerouteSecrets;

/**
 * reroute_secrets_parse:
 * @text: a line a secret: "secret NAME ", then as reroute_secret_parse() takes it
 *
 * Errors: %REROUTE_ERROR_VALUE naming the line, not what is in it.
 */
RerouteSecrets *reroute_secrets_parse (const char *text, GError **error);
RerouteSecrets *reroute_secrets_ref (RerouteSecrets *self);
void reroute_secrets_unref (RerouteSecrets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSecrets, reroute_secrets_unref)

/* (transfer full): the first line of the file that @secret, of %REROUTE_SECRET_TOKEN_FILE, names;
   to be overwritten before it is freed.  Errors: %REROUTE_ERROR_VALUE, without what is in it. */
char *reroute_secret_read_token (const RerouteSecret *secret, GError **error);

/* (transfer none) (nullable) */
RerouteSecret *reroute_secrets_find (const RerouteSecrets *self, const char *account);

G_END_DECLS
