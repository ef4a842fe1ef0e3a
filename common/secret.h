/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_SECRET_PASSWORD,
  REROUTE_SECRET_TOKEN_FILE,    /* the first line of a file is an OAuth 2.0 access token */
  REROUTE_SECRET_TOKEN_COMMAND, /* a program prints one */
} RerouteSecretKind;

/**
 * RerouteSecret:
 *
 * What the relay logs in with at a next hop, whose row names the account.  Immutable,
 * reference-counted.
 */
typedef struct
{
  gatomicrefcount ref_count;
  RerouteSecretKind kind;
  char *user;
  char *value; /* the password, the absolute name of the file, or the program's bare name */
} RerouteSecret;

/* Errors: %REROUTE_ERROR_VALUE, without what is secret.  (transfer full) */
RerouteSecret *
reroute_secret_new (RerouteSecretKind kind, const char *user, const char *value, GError **error);
RerouteSecret *reroute_secret_ref (RerouteSecret *self);
void reroute_secret_unref (RerouteSecret *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSecret, reroute_secret_unref)

/* Whether @name may be that of a program in the directory of token commands, as
   reroute_program_name_is_bare() tells.  Errors: %REROUTE_ERROR_VALUE */
gboolean reroute_secret_check_command (const char *name, GError **error);

/* "password USER VALUE", both in base64: what SetSecret takes and the relay keeps. */
char *reroute_secret_to_string (const RerouteSecret *self);
RerouteSecret *reroute_secret_parse (const char *text, GError **error);

G_END_DECLS
