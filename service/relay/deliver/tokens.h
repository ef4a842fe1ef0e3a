/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/secret.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteTokens:
 *
 * The OAuth 2.0 access tokens that commands have printed.  One is kept until a host refuses it, or
 * its time is over; connections that want one at the same time wait for one run of the command.
 * Shared by all workers.
 */
typedef struct _RerouteTokens RerouteTokens;
typedef struct _RerouteTokenRequest RerouteTokenRequest;

/* @helper: (transfer full): see reroute_token_helper_start(); -1: there is none */
RerouteTokens *reroute_tokens_new (int helper);
/* After the workers have stopped. */
void reroute_tokens_free (RerouteTokens *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTokens, reroute_tokens_free)

/* @token: printable, without blanks; NULL: there is none, and @why is one line that says so.  Both
   are borrowed. */
typedef void (*RerouteTokenFunc) (const char *token, const char *why, gpointer user_data);

/**
 * reroute_tokens_ask:
 * @secret: of the kind %REROUTE_SECRET_TOKEN_COMMAND
 * @worker: the caller's own
 * @func: runs on @worker, in a later turn
 *
 * Returns: (transfer none): what reroute_token_request_cancel() takes, until @func runs
 */
RerouteTokenRequest *reroute_tokens_ask (RerouteTokens *self,
                                         const RerouteSecret *secret,
                                         RerouteWorker *worker,
                                         RerouteTokenFunc func,
                                         gpointer user_data);
/* On the worker that asked: its function does not run any more. */
void reroute_token_request_cancel (RerouteTokenRequest *request);

/* Any thread: a host has refused @token; the next who asks gets another one. */
void reroute_tokens_forget (RerouteTokens *self, const RerouteSecret *secret, const char *token);

G_END_DECLS
