/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/scheduler.h"
#include "service/relay/receive/receiver.h"

G_BEGIN_DECLS

/**
 * RerouteSecretsKeeper:
 *
 * Keeps who may log in, and what the relay logs in with, in two files of the spool's directory, and
 * in force; a file that somebody else has put there is read within seconds.  One that cannot be
 * used changes nothing.  A credential of the same name ($CREDENTIALS_DIRECTORY) comes in place of a
 * file and is never written.  Lives in the main thread.
 */
typedef struct _RerouteSecretsKeeper RerouteSecretsKeeper;

/* @receivers: (array length=n_receivers): borrowed, like @spool and @scheduler */
RerouteSecretsKeeper *reroute_secrets_keeper_new (RerouteSpool *spool,
                                                  RerouteReceiver *const *receivers,
                                                  guint n_receivers,
                                                  RerouteScheduler *scheduler);
void reroute_secrets_keeper_free (RerouteSecretsKeeper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSecretsKeeper, reroute_secrets_keeper_free)

/* Reads the files now instead of within seconds. */
void reroute_secrets_keeper_reload (RerouteSecretsKeeper *self);

/**
 * reroute_secrets_keeper_set:
 * @name: "in:NAME": a client that may log in; "out:NAME": what a row's account stands for
 * @value: a verifier (common/verifier.h), or a secret (common/secret.h); "" removes it
 *
 * On the disk, and in force, when it returns.
 *
 * Errors: %REROUTE_ERROR_VALUE, also where they come from a credential,
 * %REROUTE_ERROR_NO_SUCH_ENTRY, %REROUTE_ERROR_TOO_LARGE, %REROUTE_ERROR_SPOOL,
 * %REROUTE_ERROR_FAILED: the file is not fit to hold secrets; none says what is in @value.
 */
gboolean reroute_secrets_keeper_set (RerouteSecretsKeeper *self,
                                     const char *name,
                                     const char *value,
                                     GError **error);

/* (transfer full) (nullable): what the relay logs in with elsewhere as @account */
RerouteSecret *reroute_secrets_keeper_find (const RerouteSecretsKeeper *self, const char *account);

/* (transfer full) (array zero-terminated=1): names as reroute_secrets_keeper_set() takes them */
GStrv reroute_secrets_keeper_list (const RerouteSecretsKeeper *self);

G_END_DECLS
