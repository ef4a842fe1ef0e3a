/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/secret.h"

G_BEGIN_DECLS

/**
 * RerouteSaslClient:
 *
 * One exchange by which we log in at another host.
 */
typedef struct _RerouteSaslClient RerouteSaslClient;

/**
 * reroute_sasl_client_new:
 * @secret: a reference is taken; a token is read from its file now, one of a command is awaited
 * @offered: mechanisms in capitals, parted by blanks
 *
 * Takes the strongest mechanism that is offered and that the secret is for.
 *
 * Errors: %REROUTE_ERROR_PROTOCOL: none of those; %REROUTE_ERROR_VALUE: no token is to be had.
 */
RerouteSaslClient *
reroute_sasl_client_new (RerouteSecret *secret, const char *offered, GError **error);
void reroute_sasl_client_free (RerouteSaslClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSaslClient, reroute_sasl_client_free)

/* Whether reroute_sasl_client_take_token() comes before the first step. */
gboolean reroute_sasl_client_wants_token (const RerouteSaslClient *self);
/* @token: (transfer full): printable, without blanks */
void reroute_sasl_client_take_token (RerouteSaslClient *self, char *token);
/* (nullable): what is said in XOAUTH2 */
const char *reroute_sasl_client_get_token (const RerouteSaslClient *self);

const char *reroute_sasl_client_get_mechanism (const RerouteSaslClient *self);

/**
 * reroute_sasl_client_step:
 * @challenge: (nullable): %NULL: nothing was asked yet
 * @response: (out) (nullable) (transfer full): %NULL: the host speaks first
 *
 * Takes some 20 ms where a password is hashed as the host wants it.
 *
 * Errors: %REROUTE_ERROR_PROTOCOL: what the host says is none of the mechanism's, or it does not
 *   know the password.
 */
gboolean reroute_sasl_client_step (RerouteSaslClient *self,
                                   GBytes *challenge,
                                   GBytes **response,
                                   GError **error);

/* Whether the host may say now that we are in: it has proved what the mechanism wants it to. */
gboolean reroute_sasl_client_is_complete (const RerouteSaslClient *self);

G_END_DECLS
