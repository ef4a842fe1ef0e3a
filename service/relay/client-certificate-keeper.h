/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/certificate.h"
#include "service/relay/deliver/scheduler.h"

G_BEGIN_DECLS

/**
 * RerouteClientCertificateKeeper:
 *
 * Keeps in force the certificates that the rules have shown to next hops: their files are read when
 * a row or the setting names them first, and within seconds when they change.  What a file is now
 * is what counts: while one cannot be used, the mail that it is demanded for waits.  Lives in the
 * main thread.
 */
typedef struct _RerouteClientCertificateKeeper RerouteClientCertificateKeeper;

/* @scheduler: borrowed */
RerouteClientCertificateKeeper *reroute_client_certificate_keeper_new (RerouteScheduler *scheduler);
void reroute_client_certificate_keeper_free (RerouteClientCertificateKeeper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteClientCertificateKeeper,
                               reroute_client_certificate_keeper_free)

/* To be called before the scheduler is handed the same rules. */
void reroute_client_certificate_keeper_set_ruleset (RerouteClientCertificateKeeper *self,
                                                    RerouteRuleset *ruleset);
/* Reads the files now, changed or not. */
void reroute_client_certificate_keeper_reload (RerouteClientCertificateKeeper *self);

/* Which files cannot be used, and why: one line; (transfer full) (nullable) */
char *reroute_client_certificate_keeper_dup_failure (const RerouteClientCertificateKeeper *self);
/* Calls @func for each certificate that the rules name, in no order. */
void reroute_client_certificate_keeper_foreach (const RerouteClientCertificateKeeper *self,
                                                RerouteCertificateFunc func,
                                                gpointer user_data);

G_END_DECLS
