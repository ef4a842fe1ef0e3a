/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"
#include "service/relay/receive/tls-server.h"

G_BEGIN_DECLS

/**
 * RerouteTlsKeeper:
 *
 * Keeps the certificates of the settings tls-certificate and tls-key in force: reads them again
 * when the settings or the files change, and once in a while for new ticket keys.  Files that
 * cannot be used change nothing.  Lives in the main thread.
 */
typedef struct _RerouteTlsKeeper RerouteTlsKeeper;

/* @server: (nullable): what clients are shown from now on; NULL: TLS is not offered */
typedef void (*RerouteTlsKeeperFunc) (RerouteTlsServer *server, gpointer user_data);

RerouteTlsKeeper *reroute_tls_keeper_new (RerouteTlsKeeperFunc changed, gpointer user_data);
void reroute_tls_keeper_free (RerouteTlsKeeper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTlsKeeper, reroute_tls_keeper_free)

void reroute_tls_keeper_set_settings (RerouteTlsKeeper *self, RerouteSettings *settings);

/* Reads the files again, whether or not they look changed. */
void reroute_tls_keeper_reload (RerouteTlsKeeper *self);

/* What is in force, and what is wrong with the files, for the status; (transfer full):
   "2 certificates, the first expires on 2026-12-24" */
char *reroute_tls_keeper_describe (const RerouteTlsKeeper *self);

/* Calls @func for each certificate that is in force, and once when the files that the settings name
   now cannot be used. */
void reroute_tls_keeper_foreach (const RerouteTlsKeeper *self,
                                 RerouteCertificateFunc func,
                                 gpointer user_data);

/* (nullable): why the files that the settings name now cannot be used. */
const char *reroute_tls_keeper_get_failure (const RerouteTlsKeeper *self);

G_END_DECLS
