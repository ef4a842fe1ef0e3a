/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/accounts.h"

G_BEGIN_DECLS

/* In the order of preference, as EHLO says it. */
#define REROUTE_SASL_SERVER_MECHANISMS "SCRAM-SHA-256 PLAIN LOGIN"

/**
 * RerouteSaslServer:
 *
 * One exchange of a client that logs in.
 */
typedef struct _RerouteSaslServer RerouteSaslServer;

typedef enum
{
  REROUTE_SASL_CONTINUES,
  REROUTE_SASL_SUCCEEDED,
  REROUTE_SASL_FAILED,
} RerouteSaslState;

/* @accounts: a reference is taken; @mechanism: one of the above */
RerouteSaslServer *reroute_sasl_server_new (RerouteAccounts *accounts, const char *mechanism);
void reroute_sasl_server_free (RerouteSaslServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSaslServer, reroute_sasl_server_free)

/**
 * reroute_sasl_server_step:
 * @response: (nullable): what the client says; %NULL: it has said nothing yet
 * @challenge: (out) (nullable) (transfer full): set when the exchange continues
 *
 * Any thread, one at a time.  Takes some 20 ms where a password is checked, whether there is such
 * an account or not.
 */
RerouteSaslState
reroute_sasl_server_step (RerouteSaslServer *self, GBytes *response, GBytes **challenge);

RerouteAccounts *reroute_sasl_server_get_accounts (const RerouteSaslServer *self);
const char *reroute_sasl_server_get_mechanism (const RerouteSaslServer *self);
/* Who it is, or says it is; "" before it has said so. */
const char *reroute_sasl_server_get_name (const RerouteSaslServer *self);

G_END_DECLS
